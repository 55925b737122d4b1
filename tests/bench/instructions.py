# SPDX-License-Identifier: MIT
"""instructions - user instructions per request, counted by callgrind, against nginx.

    instructions.py keepalive|close|post [--record]

The cost of a request is (I(2n) - I(n)) / n over all processes of the server: what start
and stop cost cancels out. remuda's ASYNC hello may need at most what nginx's `return 200`
with the same bytes needs in the same run, and at most its bound in bounds.ini.
"""

import argparse
import functools
import re
import sys

import measure

COUNT = 2000
CLIENT = {"keepalive": measure.soak, "post": measure.post,
          "close": functools.partial(measure.soak, close=True)}


def total_instructions(server_class, scenario, count):
    """One life of a server under callgrind: start, `count` requests, stop."""
    tool = [*measure.tool_of_valgrind("callgrind"), "--callgrind-out-file=callgrind.%p"]
    server = server_class(wrapper=tool)
    try:
        server.wait_ready()
        CLIENT[scenario](server.address, count)
        server.stop()
        total = 0
        for path in server.directory.glob("callgrind.*"):
            match = re.search(r"^(?:summary|totals): (\d+)", path.read_text(), re.M)
            total += int(match[1]) if match else 0
        assert total > 0, "callgrind wrote no totals"
        return total
    finally:
        server.clean_up()


def per_request(server_class, scenario):
    once = total_instructions(server_class, scenario, COUNT)
    twice = total_instructions(server_class, scenario, 2 * COUNT)
    each = (twice - once) / COUNT
    assert each > 100, f"{server_class.name}: {each} instructions cannot be a request"
    return each


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scenario", choices=sorted(CLIENT))
    parser.add_argument("--record", action="store_true", help="write the bound to bounds.ini")
    args = parser.parse_args()
    measure.need("valgrind", "nginx")
    key = f"instructions.{args.scenario}"
    peer = per_request(measure.Nginx, args.scenario)
    ours = measure.least(key, peer, lambda: per_request(measure.Remuda, args.scenario))
    if args.record:
        measure.record(key, f"{ours:.0f}")
    sys.exit(0 if measure.judge(key, ours, peer, "nginx") else 1)


if __name__ == "__main__":
    main()
