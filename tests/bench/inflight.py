# SPDX-License-Identifier: MIT
"""inflight - thousands of requests that wait in one worker: what each holds, how long it takes.

    inflight.py [--full]

One worker of class event, ASYNC handlers that sleep, `remuda bench` as the client.

memory   all clients ask at once, so all are in flight before the first answer. (Resident
         memory with all of them - that of the idle worker just after its start) / clients is
         at most 16 KiB, a second round needs no more, and after the peak it is given back.
latency  only with --full, for it needs an idle machine: 10,000 sleeps of 1 s are answered
         within 1.3 s, at once and spread; of 1,000 clients that sleep 100 ms 99 % are served
         within 110 ms in the access log, answered within 125 ms at the client.

Nothing may fail. 1,000 clients, with --full 10,000.
"""

import argparse
import json
import resource
import subprocess
import sys

import measure
from measure import daemon

KIB_EACH = 16
KIB_MORE = 0.5  # in the second round
KIB_LEFT = 2  # after the peak, for each request there was
GIVEN_BACK_S = 30
SPARE_DESCRIPTORS = 200

INI = """
[server]
listen = 127.0.0.1:0
class = event
workers = 1
threads = 1

[worker]
max_inflight = 12000

[limits]
worker_connections = 12000

[log]
access = @ACCESS@
access_format = json

[plugin modes]
path = @TEST_PLUGINS@/modes.so
"""


class Server:
    """From `with` to its end: the daemon, its only worker, what that holds when idle."""

    def __init__(self, access="off"):
        self.access = access

    def __enter__(self):
        self.daemon = daemon.Daemon(INI.replace("@ACCESS@", self.access))
        self.daemon.wait_ready()
        (self.pid,) = self.daemon.workers()
        self.idle_kib = daemon.memory_kib(self.pid)
        return self

    def __exit__(self, *_):
        try:
            status = self.daemon.stop()
            assert status == 0, f"TERM ended it with {status}\n{self.daemon.log.text()}"
        finally:
            self.daemon.clean_up()
            self.daemon.remove()

    def bench(self, clients, ms, duration_ms, starts="together"):
        """What the client saw, and the most memory meanwhile."""
        command = [str(daemon.REMUDA), "bench", "--json", "-c", str(clients), "--starts", starts,
                   "-d", f"{duration_ms}ms", f"{self.daemon.url}/async/sleep?ms={ms}"]
        client = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        peak_kib, output = 0, None
        while output is None:
            try:
                output = client.communicate(timeout=0.02)[0]
            except subprocess.TimeoutExpired:
                peak_kib = max(peak_kib, daemon.memory_kib(self.pid))
        seen = json.loads(output)
        return seen, peak_kib


class Verdict:
    """Prints each figure beside its limit; remembers what was too much."""

    def __init__(self):
        self.is_good = True

    def most(self, what, figure, limit, unit=""):
        good = figure <= limit
        self.is_good &= good
        print(f"{what}: {figure:.2f}{unit}, at most {limit:g}{unit}: "
              f"{'ok' if good else 'TOO MUCH'}", flush=True)

    def served(self, seen, ms):
        """All were answered, none before its sleep was over."""
        good = seen["failed"]["total"] == 0 and seen["latency_ms"]["min"] >= ms
        good = good and seen["answered"] == seen["sent"] >= seen["connections"]
        self.is_good &= good
        if not good:
            what = {key: seen[key] for key in ("sent", "answered", "failed", "status")}
            print(f"FAILED: {what}, at least {seen['latency_ms']['min']} ms", flush=True)


def memory(verdict, clients, ms):
    """Two rounds, all at once; then quiet."""
    print(f"{clients} requests in flight, {ms} ms each")
    is_plain = not daemon.sanitized()  # a sanitizer's own memory would be counted
    with Server() as server:
        peaks = []
        for _ in range(2):
            # a sanitizer's first thousand answers may take longer than the window of the others
            seen, peak_kib = server.bench(clients, ms, (4 if is_plain else 20) * ms)
            verdict.served(seen, ms)
            peaks.append((peak_kib - server.idle_kib) / clients)
            print(f"  {seen['answered']} answered, at most {seen['latency_ms']['max']:.0f} ms")
        if not is_plain:
            return
        verdict.most("each holds", peaks[0], KIB_EACH, " KiB")
        verdict.most("more in the second round", peaks[1] - peaks[0], KIB_MORE, " KiB")

        def left():
            return (daemon.memory_kib(server.pid) - server.idle_kib) / clients

        try:
            daemon.wait_until(lambda: left() <= KIB_LEFT, GIVEN_BACK_S, "memory given back")
        except AssertionError as error:
            print(error)
        verdict.most("left of each after the peak", left(), KIB_LEFT, " KiB")


def service_ms(server, share):
    """That share of the requests of the access log was served within so many ms."""
    times = sorted(json.loads(line)["service_us"] for line in server.daemon.access_log())
    return times[int(share * (len(times) - 1))] / 1000


def latency(verdict):
    for starts in ("together", "spread"):
        print(f"10,000 clients, 1 s, starts {starts}")
        with Server() as server:
            seen, _ = server.bench(10_000, 1000, 5000, starts)
            verdict.served(seen, 1000)
            verdict.most("latency at most", seen["latency_ms"]["max"], 1300, " ms")
    print("1,000 clients, 100 ms, starts spread")
    with Server("@DIR@/access.log") as server:
        seen, _ = server.bench(1000, 100, 12000, "spread")
        verdict.served(seen, 100)
        verdict.most("latency of 99 %", seen["latency_ms"]["p99"], 125, " ms")
        server.daemon.stop()  # the log is written to its end
        verdict.most("service of 99 %", service_ms(server, 0.99), 110, " ms")


def need_descriptors(clients):
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard != resource.RLIM_INFINITY and hard < clients + SPARE_DESCRIPTORS:
        measure.skip(f"{clients} connections need more than {hard} descriptors (ulimit -Hn)")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="10,000 in flight, and latencies")
    args = parser.parse_args()
    measure.need_build()
    need_descriptors(10_000 if args.full else 1000)
    verdict = Verdict()
    memory(verdict, *((10_000, 1000) if args.full else (1000, 500)))
    if args.full:
        latency(verdict)
    sys.exit(0 if verdict.is_good else 1)


if __name__ == "__main__":
    main()
