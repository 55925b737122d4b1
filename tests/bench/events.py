# SPDX-License-Identifier: MIT
"""events - server-sent events by the hundred thousand leave the worker's memory flat.

    events.py [--full]

Both classes, a handler on a thread and one on the loop; N events on one connection, N is
20,000, with --full 1,000,000. Each event is looked at. From the first fifth to the last one
the worker's resident memory may grow by 256 KiB.
"""

import argparse
import socket
import sys

import measure
from measure import daemon

GROWTH_KIB = 256

INI = """
[server]
listen = 127.0.0.1:0
class = @CLASS@
workers = 1
threads = 2

[limits]
request_timeout = 0

[plugin events]
path = @TEST_PLUGINS@/events.so
"""


def pieces(sock):
    """What stands in the chunks, which the worker makes of whole and half events."""
    buffer = b""
    while b"\r\n\r\n" not in buffer:
        buffer += sock.recv(65536)
    buffer = buffer.partition(b"\r\n\r\n")[2]
    while True:
        while b"\r\n" not in buffer:
            buffer += sock.recv(65536)
        size, _, buffer = buffer.partition(b"\r\n")
        n = int(size, 16)
        while len(buffer) < n + 2:
            buffer += sock.recv(65536)
        if n == 0:
            return
        yield buffer[:n]
        buffer = buffer[n + 2:]


def read_events(address, mode, count, pid):
    """(resident KiB at a fifth, at the end) of the worker; every event was the next number."""
    host, port = address.rsplit(":", 1)
    seen, half, at_mark = 0, b"", 0
    with socket.create_connection((host, int(port)), 60) as sock:
        sock.sendall(f"GET /{mode}/numbers?n={count} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        for piece in pieces(sock):
            *whole, half = (half + piece).split(b"\n\n")
            for event in whole:
                seen += 1
                assert event == b"event: number\ndata: %d" % seen, event
                if seen == count // 5:
                    at_mark = daemon.memory_kib(pid)
        assert seen == count and half == b"", (seen, half)
        return at_mark, daemon.memory_kib(pid)


def round_of(worker_class, mode, count):
    one = daemon.Daemon(INI.replace("@CLASS@", worker_class))
    try:
        one.wait_ready()
        (pid,) = one.workers()
        at_mark, at_end = read_events(one.address, mode, count, pid)
        assert one.stop() == 0
    finally:
        one.clean_up()
    is_good = at_end - at_mark <= GROWTH_KIB or bool(daemon.sanitized())
    print(f"{worker_class} {mode}: {count} events, {at_mark} KiB became {at_end}:",
          "ok" if is_good else f"more than {GROWTH_KIB} KiB of growth")
    if is_good:
        one.remove()
    return is_good


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="1,000,000 events each")
    args = parser.parse_args()
    measure.need_build()
    count = 1_000_000 if args.full else 20_000
    results = [round_of(worker_class, mode, count)
               for worker_class in ("event", "thread") for mode in ("sync", "async")]
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
