# SPDX-License-Identifier: MIT
"""waiting - the figures that the vocabulary of waiting promises, one line each.

    waiting.py [--full] [--class event|thread] [--only WORD]

In both classes, SYNC and ASYNC: tasks nested in one slot come to an end; a gather takes as
long as its longest; a deadline cuts at its time; five permits are fifty a second; and every
wait ends within 50 ms after what cancels it. The causes: the client leaves, the deadline, the
other of two tasks has ended, a drain (REMUDA_LONG), the end of graceful_timeout. A cancelled
wait notes when it woke by the clock that the client reads, so that nothing between counts.

Every median must hold, nothing may be early. --full takes 20 samples of each, else 5.
"""

import argparse
import json
import os
import signal
import statistics
import sys
import time

import measure
from measure import daemon

KINDS = ("sleep", "ready", "permit", "loop", "pool", "write")
CANCELED, SHUTDOWN, TIMEDOUT = -125, -108, -110
WOKE = r"woke (-?\d+) (\d+)"
GRACEFUL_MS, DEADLINE_MS = 300, 50

INI = """
[server]
listen = 127.0.0.1:0
class = @CLASS@
workers = 1
threads = @THREADS@

[worker]
graceful_timeout = @GRACEFUL@ms

[log]
access = off

[plugin tasks]
path = @TEST_PLUGINS@/tasks.so
mount = /tasks

[plugin waits]
path = @TEST_PLUGINS@/waits.so
"""


def now_ns():
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC)


class Report:
    def __init__(self):
        self.failed = 0

    def say(self, name, text, is_good):
        print(f"{'PASS' if is_good else 'FAIL'} {name}: {text}", flush=True)
        self.failed += not is_good

    def within(self, name, values, low, high, unit):
        """All at least `low`, their median at most `high`."""
        values = sorted(values)
        middle = statistics.median(values)
        self.say(name, f"median {middle:.1f} {unit} of {len(values)}, {values[0]:.1f} to "
                 f"{values[-1]:.1f} (>= {low:g}, median <= {high:g})",
                 values[0] >= low and middle <= high)


class Bench:
    """One class: servers of it, and how patient to be."""

    def __init__(self, report, klass, samples):
        self.report, self.klass, self.samples = report, klass, samples
        self.slack = 4 if daemon.sanitized() else 1

    def serve(self, use, threads=8, graceful_ms=GRACEFUL_MS):
        ini = INI.replace("@CLASS@", self.klass).replace("@THREADS@", str(threads))
        server = daemon.Daemon(ini.replace("@GRACEFUL@", str(graceful_ms)))
        try:
            return use(server.wait_ready())
        except AssertionError:
            print("\n".join(server.log.lines[-20:]))
            raise
        finally:
            server.clean_up()
            server.remove()

    def try_part(self, part, mode):
        try:
            getattr(self, part)(mode)
        except (AssertionError, OSError) as error:
            self.report.say(self.name(part, mode), str(error), False)

    def name(self, what, mode):
        return f"{what}, {self.klass} {mode}"

    # ---- what takes how long ----

    def nested(self, mode):
        def use(server):
            begun = time.monotonic()
            answer = server.get(f"/tasks/{mode}/deep?where=pool&wide=3&deep=3")
            text = f"{answer.text.strip()} leaves in {time.monotonic() - begun:.3f} s (27)"
            self.report.say(self.name("1x1, three ON_POOL tasks, nested three deep", mode), text,
                            answer.text == "27\n")
        self.serve(use, threads=1)

    def gather(self, mode):
        def use(server):
            for where in ("loop", "pool"):
                times = []
                while len(times) < 3 and (not times or times[-1] > 1500 + 50 * self.slack):
                    begun = time.monotonic()
                    answer = server.get(f"/tasks/{mode}/gather?where={where}&ms=1000,1500,500")
                    times.append((time.monotonic() - begun) * 1000)
                    assert answer.text.startswith("0 after "), answer
                self.report.within(self.name(f"gather of 1.0, 1.5, 0.5 s on the {where}", mode),
                                   [min(times)], 1500, 1500 + 50 * self.slack, "ms")
        self.serve(use)

    def deadline(self, mode):
        def use(server):
            def sample():
                with server.connect() as connection:
                    begun = time.monotonic()
                    assert connection.get(f"/tasks/{mode}/deadline?ms=50").status == 504
                    return (time.monotonic() - begun) * 1000
            for _ in range(3):
                times = [sample() for _ in range(20)]
                if statistics.median(times) <= 50 + 10 * self.slack:
                    break
            self.report.within(self.name("a deadline of 50 ms around 100", mode), times, 50,
                               50 + 10 * self.slack, "ms")
        self.serve(use)

    def rate(self, server, clients, target):
        seconds = 12 if self.samples > 5 else 4
        done = daemon.run("bench", "--json", "-c", clients, "-d", f"{seconds}s",
                          server.url + target, timeout=60)
        return json.loads(done.stdout)["rate"]

    def permits(self, mode):
        """Judged by five clients without a semaphore, which a busy machine slows down too. They
        end five at a time: the first and the last five count for a little more than 50."""
        def use(server):
            for _ in range(3):
                without = self.rate(server, 5, f"/tasks/{mode}/gather?where=loop&ms=100")
                rate = self.rate(server, 100, f"/tasks/{mode}/permit?ms=100")
                is_good = min(49, 0.97 * without) / self.slack <= rate <= 51.5
                if is_good or rate > 51.5:
                    break
            self.report.say(self.name("five permits, 100 ms, c = 100", mode),
                            f"{rate:.1f} a second (50; five clients without: {without:.1f})",
                            is_good)
        self.serve(use)

    def refused(self):
        def use(server):
            answer = server.get("/event/refused").text.strip()
            self.report.say(f"waits that an EVENT is refused, {self.klass}",
                            f"{answer} of 7 (-EDEADLK)", answer == "7")
        self.serve(use)

    # ---- what ends a wait ----

    def judge(self, cause, kind, mode, sample, count=None):
        """Up to three rounds, for others use this machine; what is early or wrong is never
        forgiven."""
        limit_ms = 50 * self.slack
        for rounds_left in (2, 1, 0):
            try:
                late_ms = [sample() for _ in range(count or self.samples)]
            except (daemon.TimedOut, TimeoutError):
                if rounds_left == 0:
                    raise
                continue
            if min(late_ms) < 0 or statistics.median(late_ms) <= limit_ms:
                break
        self.report.within(self.name(f"{cause} ends {kind}", mode), late_ms, 0, limit_ms, "ms")

    def woken(self, server, mark, want):
        """When the wait woke, ns; with the right result."""
        match = server.log.wait(WOKE, start=mark)
        assert int(match[1]) == want, f"woke with {match[1]}, not {want}"
        return int(match[2])

    def begin(self, server, target, kind):
        """A request that waits by now: (connection, place in the log)."""
        mark = server.log.mark()
        connection = server.connect(receive_buffer=4096)
        connection.request("GET", target)
        server.log.wait(r"begun \d+", start=mark)
        if kind == "write":
            connection.sock.settimeout(daemon.patience(5))
            time.sleep(0.05)  # until all buffers are full; it need not be exact
        return connection, mark

    def by_client(self, mode):
        def use(server):
            for kind in KINDS:
                def sample(kind=kind):
                    connection, mark = self.begin(server, f"/{mode}/wait?on={kind}", kind)
                    cause = now_ns()
                    connection.close()
                    return (self.woken(server, mark, CANCELED) - cause) / 1e6
                self.judge("a client that leaves", kind, mode, sample)
        self.serve(use)

    def by_deadline(self, mode):
        def use(server):
            for kind in KINDS:
                def sample(kind=kind):
                    target = f"/{mode}/wait?on={kind}&deadline={DEADLINE_MS}"
                    connection, mark = self.begin(server, target, "")
                    begun = int(server.log.wait(r"begun (\d+)", start=mark)[1])
                    woke = self.woken(server, mark, TIMEDOUT)
                    connection.close()
                    return (woke - begun) / 1e6 - DEADLINE_MS
                self.judge("a deadline", kind, mode, sample)
        self.serve(use)

    def by_sibling(self, mode):
        def use(server):
            for where in ("loop", "pool"):
                for kind in KINDS[:-1]:
                    def sample(where=where, kind=kind):
                        mark = server.log.mark()
                        assert server.get(f"/{mode}/other?on={kind}&where={where}").text == "1\n"
                        first = int(server.log.wait(r"first (\d+)", start=mark)[1])
                        return (self.woken(server, mark, CANCELED) - first) / 1e6
                    self.judge("the other of two", f"{kind} in a task on the {where}", mode,
                               sample)
        self.serve(use)

    def by_drain(self, mode, path, cause, want, delay_ms, kinds=KINDS):
        """One server for each sample, for it goes with it."""
        for kind in kinds if self.samples > 5 else ("sleep", "pool"):
            def use(server, kind=kind):
                _connection, mark = self.begin(server, f"/{mode}/{path}?on={kind}", kind)
                worker, = server.workers()
                begun = now_ns()
                os.kill(worker, signal.SIGTERM)  # a stop of the server ends handshakes first
                return (self.woken(server, mark, want) - begun) / 1e6 - delay_ms
            self.judge(cause, kind, mode, lambda use=use: self.serve(use), min(self.samples, 5))

    def by_shutdown(self, mode):
        """Writes go on, to say goodbye; one that nobody reads has until graceful_timeout."""
        self.by_drain(mode, "long", "a drain, REMUDA_LONG,", SHUTDOWN, 0, KINDS[:-1])
        if self.samples > 5:
            self.by_drain(mode, "long", "graceful_timeout, REMUDA_LONG,", CANCELED, GRACEFUL_MS,
                          KINDS[-1:])

    def by_graceful(self, mode):
        self.by_drain(mode, "wait", "graceful_timeout", CANCELED, GRACEFUL_MS)


PARTS = ("nested", "gather", "deadline", "permits", "by_client", "by_deadline", "by_sibling",
         "by_shutdown", "by_graceful")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="20 samples of each, else 5")
    parser.add_argument("--class", dest="classes", action="append", choices=["event", "thread"])
    parser.add_argument("--only", choices=[*PARTS, "refused"])
    args = parser.parse_args()
    measure.need_build()
    report = Report()
    for klass in args.classes or ["event", "thread"]:
        bench = Bench(report, klass, 20 if args.full else 5)
        for part in PARTS:
            for mode in ("sync", "async") if args.only in (None, part) else ():
                bench.try_part(part, mode)
        if args.only in (None, "refused"):
            bench.refused()
    print(f"{report.failed} failed" if report.failed else "all pass")
    sys.exit(1 if report.failed else 0)


if __name__ == "__main__":
    main()
