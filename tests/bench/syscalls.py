# SPDX-License-Identifier: MIT
"""syscalls - system calls per request of one worker, counted by strace.

    syscalls.py seq|c64|close [--record] [--nginx]

strace watches the worker alone, during the requests alone; (S(2n) - S(n)) / n cancels what
the attaching and the connections themselves cost. --nginx only prints the peer's figure.
"""

import argparse
import os
import pathlib
import re
import signal
import subprocess
import sys

import measure

COUNT = 4096
CEILING = {"seq": 3.0, "c64": 2.1, "close": 8.0}
CLIENT = {"seq": {"connections": 1}, "c64": {"connections": 64},
          "close": {"connections": 1, "close": True}}


class Strace:
    """Attached to a process and its threads from `with` to its end."""

    def __init__(self, pid, directory):
        self.pid, self.output = pid, pathlib.Path(directory) / "strace.count"

    def __enter__(self):
        self.process = subprocess.Popen(
            ["strace", "-f", "-c", "-o", str(self.output), "-p", str(self.pid)],
            stderr=subprocess.PIPE, text=True, env={**os.environ, "LC_ALL": "C"})
        line = self.process.stderr.readline()
        if "attached" not in line:
            self.process.wait()
            measure.skip(f"strace cannot attach here: {line.strip()}")
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGINT)
        self.process.stderr.read()
        self.process.wait()

    def calls(self):
        """{name: count} of the table that strace has written."""
        row = re.compile(r"^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)$", re.M)
        return {name: int(count) for count, name in row.findall(self.output.read_text())
                if name != "total"}


def count_calls(server, scenario, count):
    with Strace(server.worker(), server.directory) as strace:
        measure.soak(server.address, count, **CLIENT[scenario])
    return strace.calls()


def per_request(server_class, scenario):
    """(sum, {name: count}) for one request."""
    server = server_class()
    try:
        server.wait_ready()
        measure.soak(server.address, 100)
        once = count_calls(server, scenario, COUNT)
        twice = count_calls(server, scenario, 2 * COUNT)
        server.stop()
    finally:
        server.clean_up()
    each = {name: (twice[name] - once.get(name, 0)) / COUNT for name in twice}
    assert sum(each.values()) > 1.5, f"{each} cannot be a request"
    return sum(each.values()), {name: round(n, 3) for name, n in each.items() if n > 0.002}


def count_once(scenario):
    total, each = per_request(measure.Remuda, scenario)
    print(", ".join(f"{name} {n}" for name, n in sorted(each.items())))
    # two digits: a tick of the worker's clock during the run is not a call of a request
    return round(total, 2)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scenario", choices=sorted(CEILING))
    parser.add_argument("--record", action="store_true", help="write the bound to bounds.ini")
    parser.add_argument("--nginx", action="store_true", help="the peer's figure, no verdict")
    args = parser.parse_args()
    measure.need("strace", *(["nginx"] if args.nginx else []))
    if args.nginx:
        print("nginx:", per_request(measure.Nginx, args.scenario))
        return
    key = f"syscalls.{args.scenario}"
    total = measure.least(key, CEILING[args.scenario], lambda: count_once(args.scenario))
    if args.record:
        measure.record(key, f"{total:.2f}")
    sys.exit(0 if measure.judge(key, total, CEILING[args.scenario], "ceiling") else 1)


if __name__ == "__main__":
    main()
