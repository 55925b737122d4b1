# SPDX-License-Identifier: MIT
"""soak - hundreds of thousands of compared requests; nothing may grow, nothing may fail.

    soak.py [--full] [--class event|thread] [--mode sync|async|event]

Two workers; both classes, all modes; N requests on one connection, then N over 64, every
tenth a POST echo of 0 to 64 KB whose body is compared. N is 20,000, with --full 1,000,000.
From the first fifth to the last request each worker's resident memory may grow by 256 KiB;
descriptors, threads and mapped stacks must be at the end what they were then.
"""

import argparse
import pathlib
import re
import subprocess
import sys

import measure
from measure import daemon

GROWTH_KIB = 256
LOOKS = 5  # a connection on its way has a descriptor at both ends
THREADS = 4

INI = """
[server]
listen = 127.0.0.1:0
class = @CLASS@
workers = 2
threads = @THREADS@

[log]
access = @DIR@/access.log

[plugin modes]
path = @TEST_PLUGINS@/modes.so
"""


def guard_pages(pid):
    """Anonymous mappings without any right: one below each stack of a thread or coroutine."""
    maps = pathlib.Path(f"/proc/{pid}/maps").read_text()
    return len(re.findall(r"^\S+ ---p \S+ 00:00 0\s*$", maps, re.M))


def look(pid):
    return {"rss": daemon.memory_kib(pid), "descriptors": daemon.descriptor_count(pid),
            "threads": daemon.thread_count(pid), "stacks": guard_pages(pid)}


class Client:
    """The C client, which stops at the mark and at the end until it is told to go on."""

    def __init__(self, address, count, connections, mode):
        host, port = address.rsplit(":", 1)
        self.process = subprocess.Popen(
            [str(measure.SOAK), "-n", str(count), "-m", str(count // 5), "-p", "10",
             "-c", str(connections), "-s", str(connections),
             "-G", f"/{mode}/hello", "-P", f"/{mode}/echo", host, port],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def reach(self, count):
        line = self.process.stdout.readline().strip()
        assert line == f"at {count}", line or "the client died"

    def go_on(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def end(self):
        line = self.process.stdout.readline().strip()
        assert self.process.wait(60) == 0, line
        return line

    def clean_up(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def compare(pid, before, after):
    """What changed between the mark and the end that must not have."""
    complaints = []
    growth = after["rss"] - before["rss"]
    own_mappings = bool(daemon.sanitized())  # a sanitizer's, which come and go
    if growth > GROWTH_KIB and not own_mappings:
        complaints.append(f"worker {pid}: memory grew by {growth} KiB, {GROWTH_KIB} allowed")
    for what in ("threads", *([] if own_mappings else ["stacks"])):
        if after[what] > before[what]:
            complaints.append(f"worker {pid}: {before[what]} {what} became {after[what]}")
    return complaints


def compare_descriptors(before, after):
    """Of all workers together, for a connection may move from one to another; that each is
    as it was without connections is looked at after the last client."""
    was, became = (sum(one["descriptors"] for one in looks.values()) for looks in (before, after))
    return [f"{was} descriptors of all workers became {became}"] if became > was else []


def settled(pid):
    """Descriptors once the closed connections are gone: the same count for a while."""
    counts = [-1]

    def steady():
        counts.append(daemon.descriptor_count(pid))
        return len(counts) > 20 and len(set(counts[-20:])) == 1

    daemon.wait_until(steady, 10, f"worker {pid}: a steady number of descriptors")
    return counts[-1]


def look_at_all(workers):
    """When the client has paused: not while a connection is on its way between two."""
    for pid in workers:
        settled(pid)
    return {pid: look(pid) for pid in workers}


def ask(server, count, *arguments):
    """One more run of the client; how many requests it made."""
    host, port = server.address.rsplit(":", 1)
    subprocess.run([str(measure.SOAK), "-n", str(count), "-c", "64", *arguments, host, port],
                   check=True, stdout=subprocess.DEVNULL)
    return count


def warm_up(server, mode):
    """What is made once, when first needed, is not a leak: every pool thread of every
    worker, and the memory for 64 large bodies at a time. Returns the requests made."""
    asked = 0
    for _ in range(100):
        asked += ask(server, 256, "-G", "/sync/sleep?ms=5", "-b", "slept")
        if all(daemon.thread_count(pid) > THREADS for pid in server.workers()):
            break
    else:
        raise AssertionError("the pool never got all its threads")
    return asked + ask(server, 8000, "-p", "1", "-P", f"/{mode}/echo")


def round_of(server, count, connections, mode):
    """One client; the complaints."""
    workers = server.workers()
    idle = {pid: settled(pid) for pid in workers}
    client = Client(server.address, count, connections, mode)
    try:
        client.reach(count // 5)
        before = look_at_all(workers)
        client.go_on()
        client.reach(count)
        after = look_at_all(workers)
        for _ in range(LOOKS):
            if not compare_descriptors(before, after):
                break
            after = look_at_all(workers)
        client.go_on()
        line = client.end()
    except AssertionError as error:
        return [str(error)]
    finally:
        client.clean_up()
    complaints = [c for pid in workers for c in compare(pid, before[pid], after[pid])]
    complaints += compare_descriptors(before, after)
    growth = [after[pid]["rss"] - before[pid]["rss"] for pid in workers]
    print(f"  {connections} connections: {line}, memory {growth} KiB", flush=True)
    for pid, descriptors in idle.items():
        try:
            daemon.wait_until(lambda: daemon.descriptor_count(pid) <= descriptors, 10)
        except AssertionError:
            complaints.append(f"worker {pid}: {descriptors} descriptors became "
                              f"{daemon.descriptor_count(pid)} after the last client")
    if server.workers() != workers:
        complaints.append("a worker was replaced")
    return complaints


def soak(worker_class, mode, count):
    """Both client shapes against one server; the complaints."""
    print(f"class {worker_class}, {mode}", flush=True)
    ini = INI.replace("@CLASS@", worker_class).replace("@THREADS@", str(THREADS))
    server = daemon.Daemon(ini)
    try:
        server.wait_ready()
        asked = 2 * count + warm_up(server, mode)
        complaints = [c for connections in (1, 64)
                      for c in round_of(server, count, connections, mode)]
        status = server.stop()
        if status != 0:
            complaints.append(f"TERM ended it with status {status}")
        with open(server.directory / "access.log", "rb") as log:
            lines = sum(1 for _ in log)
        if not complaints and lines != asked:
            complaints.append(f"{lines} access-log lines for {asked} requests")
        if complaints:
            print(server.log.text()[-4000:])
        return [f"class {worker_class}, {mode}: {complaint}" for complaint in complaints]
    finally:
        server.clean_up()
        server.remove()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="1,000,000 requests each")
    parser.add_argument("--class", dest="classes", action="append", choices=["event", "thread"])
    parser.add_argument("--mode", dest="modes", action="append",
                        choices=["sync", "async", "event"])
    args = parser.parse_args()
    measure.need_build()
    count = 1_000_000 if args.full else 20_000
    complaints = []
    for worker_class in args.classes or ["event", "thread"]:
        for mode in args.modes or ["sync", "async", "event"]:
            complaints += soak(worker_class, mode, count)
    for complaint in complaints:
        print("FAILED:", complaint)
    sys.exit(1 if complaints else 0)


if __name__ == "__main__":
    main()
