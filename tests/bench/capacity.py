# SPDX-License-Identifier: MIT
"""capacity - workers x threads, proved row by row; prints one line for each.

    capacity.py [--full] [--rows PATTERN] [--seconds N] [--runs N] [--tries N] [--json FILE]
    capacity.py --list [--full]

Every row starts a server of its own, puts a load on it and judges what came of it, by the
answers (`remuda bench`) and by the scoreboard, sampled from outside each millisecond.

A gap is one between two samples, above 5 ms: the machine's, not the server's. Many, or long
ones, mean that it had other work, and then nothing here means much; so does a mean service
time far above the sleep.

Without --full: some rows, a few seconds each, with bounds that a busy machine keeps, rates
against the mean service time that it allowed, and the best of three tries; but what a busy
machine does not excuse, a request that failed or that no count has, fails a row at once. With
--full: all rows, 12 s with 2 s of warm-up, three times, the bounds of the promise, and the rate
also by wrk; about half an hour, on a quiet machine.
"""

import argparse
import fnmatch
import json
import signal
import statistics
import sys
import time
from dataclasses import dataclass

import loads
import measure
from measure import daemon
from verdict import Outcome, judge_failures, judge_fairness, judge_idle, judge_rates, \
    judge_service, judge_waste, mean_service_ms


@dataclass(frozen=True)
class Shape:
    workers: int
    threads: int
    worker_class: str

    @property
    def slots(self):
        return self.workers * self.threads

    def __str__(self):
        return f"{self.workers}x{self.threads} {self.worker_class}"


@dataclass(frozen=True)
class Bounds:
    """What a row must keep. Shares are of what the formula says."""
    is_full: bool
    median: float  # of the runs of a row
    worst: float
    wrk: float
    jain: float
    drawn: float  # the share of a row with drawn service times, and its index
    drawn_jain: float
    most: float  # more than all slots can do
    drawn_most: float
    waste: float  # samples with a request that waits beside a free slot
    waste_run: int  # one after the other
    goodput: float  # in each second of an overload
    service: float  # mean service time of the admitted, over the sleep


FULL = Bounds(True, 0.98, 0.95, 0.97, 0.95, 0.95, 0.9, 1.03, 1.05, 0.01, 20, 0.98, 1.05)
SHORT = Bounds(False, 0.9, 0.9, 0.9, 0.9, 0.85, 0.85, 1.06, 1.12, 0.03, 60, 0.75, 1.5)


@dataclass(frozen=True)
class Plan:
    bounds: Bounds
    seconds: float
    runs: int
    tries: int

    @property
    def warmup(self):
        return min(2.0, self.seconds / 5)

    def flags(self):
        return ["-d", f"{self.seconds * 1000:.0f}ms", "--warmup", f"{self.warmup * 1000:.0f}ms"]


# ---- kinds of row ----

def repeat(plan, row, server, *flags):
    """The runs of a row: reports and tallies."""
    load = loads.bench_at_one_worker if row.connect == "one" else loads.bench
    # together, so that a herd stands before one door; else spread over the phases of the
    # sleep, or waves of answers at both ends of the window would raise the rate
    connect = () if row.connect == "one" else ("--connect", row.connect, "--starts", "spread")
    pairs = [load(server, row.target, row.clients, *plan.flags(), "--slots", row.shape.slots,
                  "--service", row.service_ms, *connect, *flags) for _ in range(plan.runs)]
    return [list(column) for column in zip(*pairs)]


@dataclass(frozen=True)
class Row:
    name: str
    shape: Shape
    clients: int
    is_short: bool = False  # also part of the short form

    service_ms = 100
    is_drawn = False
    target = "/sync/sleep?ms=100"
    connect = "together"

    @property
    def capacity(self):
        return self.shape.slots * 1000 / self.service_ms

    def attainable(self, bounds, mean_ms):
        """What the slots can give: by the formula, or, on a machine that wakes sleepers late,
        by what a request took. That slots lie idle shows in both."""
        if bounds.is_full:
            return self.capacity
        return self.capacity * min(1, self.service_ms / max(mean_ms, 1))


@dataclass(frozen=True)
class Steady(Row):
    """Closed loop, at least as many clients as slots."""
    connect: str = "together"
    think_ms: int = 0
    drips: int = 0  # slow clients beside

    def run(self, plan):
        out = Outcome()
        with loads.Server(self.shape, limits="head_timeout = 1h") as server:
            before = server.ask("totals")
            with loads.Drip(server, self.drips) as drip:
                reports, tallies = repeat(plan, self, server, "--think", self.think_ms)
                out.want(drip.gone == 0, f"{drip.gone} of the slow clients were cut", hard=True)
            mean = mean_service_ms(before, server.ask("totals"))
            out.is_quiet = max(t["longest_gap_ms"] for t in tallies) <= 20
            self.judge(out, plan, reports, mean)
            judge_waste(out, plan.bounds, tallies)
            judge_service(out, plan.bounds, self, mean)
            judge_idle(out, server)
        return out

    def ceiling(self, plan, share):
        """A herd may have a wave of answers more in the window."""
        wave = self.service_ms / 1000 / (plan.seconds - plan.warmup)
        return (share + (wave if self.connect == "one" else 0)) * self.capacity

    def shares(self, bounds):
        """(median of the runs, worst of them, most that they may be), and Jain's index."""
        return (bounds.median, bounds.worst, bounds.most), bounds.jain

    def judge(self, out, plan, reports, mean_ms):
        (median, worst, most), jain = self.shares(plan.bounds)
        judge_rates(out, [r["rate"] for r in reports], self.attainable(plan.bounds, mean_ms),
                    median, worst, self.ceiling(plan, most))
        judge_fairness(out, reports, jain)
        judge_failures(out, reports)


@dataclass(frozen=True)
class Drawn(Steady):
    """Service times of 20 to 300 ms."""
    service_ms = 160
    is_drawn = True
    target = "/sync/draw?least=20&most=300"

    def shares(self, bounds):
        """By the mean of the draws: that of a run is within 1 % of it in 12 s."""
        return (bounds.drawn, bounds.drawn, bounds.drawn_most), bounds.drawn_jain


@dataclass(frozen=True)
class Wrk(Row):
    """The same by another client; the rate alone, over the whole of its time."""

    def run(self, plan):
        out = Outcome()
        with loads.Server(self.shape) as server:
            rate, errors = loads.wrk(server, self.target, self.clients, round(plan.seconds))
            judge_rates(out, [rate], self.capacity, plan.bounds.wrk, plan.bounds.wrk)
            out.want(not errors, "; ".join(errors))
        return out


@dataclass(frozen=True)
class Overload(Row):
    """Open loop above capacity: what can be served is, the rest is told so in time."""
    times: float = 1.5
    queue_limit: int = 1024

    timeout_ms = 1000

    def run(self, plan):
        out = Outcome()
        seconds = 20 if plan.bounds.is_full else max(4, round(plan.seconds))
        limits = f"queue_timeout = {self.timeout_ms}ms\nqueue_limit = {self.queue_limit}"
        with loads.Server(self.shape, limits=limits) as server:
            before = server.ask("totals")
            report, tally = loads.bench(server, self.target, self.clients, "-r",
                                        self.capacity * self.times, "-d", f"{seconds}s",
                                        "--warmup", "1s", "--expect", "200")
            look = server.ask("look")
            out.want(look["waiting"] == 0, f"{look['waiting']} wait when all is answered")
            judge_idle(out, server)
            after = server.ask("totals")
            mean = mean_service_ms(before, after)
            self.judge_goodput(out, plan.bounds, report, seconds, mean)
            self.judge_queue(out, tally)
            self.judge_refusals(out, plan.bounds, report)
            self.judge_balance(out, report, before, after)
            judge_waste(out, plan.bounds, [tally])
            judge_service(out, plan.bounds, self, mean)
        return out

    def judge_goodput(self, out, bounds, report, seconds, mean_ms):
        capacity = self.attainable(bounds, mean_ms)
        each = [second["answered"] for second in report["seconds"]][2:seconds]
        out.figures["sent late"] = f"{report['lag_ms']['max']:.0f} ms"
        out.figures["goodput"] = (f"mean {statistics.mean(each):.1f} worst {min(each)} of "
                                  f"{capacity:.0f}")
        low = [n for n in each if n < bounds.goodput * capacity]
        out.want(not low, f"goodput below {100 * bounds.goodput:.0f} % in {len(low)} of "
                          f"{len(each)} seconds: {each}")
        limit = report["connect_s"] + seconds + 1.2 + (0.15 if bounds.is_full else 1)
        out.want(report["took_s"] <= limit,
                 f"the last answer came after {report['took_s']:.2f} s, {limit:.2f} allowed")

    def judge_queue(self, out, tally):
        most = tally["all"]["most_waiting"]
        out.figures["waiting"] = f"{most} of {self.queue_limit}"
        over = [s["most_waiting"] for s in tally["seconds"]
                if s["most_waiting"] > self.queue_limit]
        out.want(not over, f"more waited than queue_limit in {len(over)} of "
                           f"{len(tally['seconds'])} seconds: {over}", hard=True)

    def judge_refusals(self, out, bounds, report):
        status, failed = report["status"], report["failed"]
        refused = status.get("503", 0)
        times = report["unexpected_ms"]
        out.figures["503"] = (f"{refused} p50 {times['p50']:.0f} p99 {times['p99']:.0f} "
                              f"max {times['max']:.0f} ms")
        out.want(set(status) <= {"200", "503"}, f"statuses: {status}", hard=True)
        out.want(refused > 0, "it was no overload")
        out.want(failed["total"] == failed["status"], f"failed otherwise: {failed}", hard=True)
        out.want(report["retry_after"] == refused, f"Retry-After on {report['retry_after']}",
                 hard=True)
        slack = 1 if bounds.is_full else 3
        out.want(times["max"] <= self.timeout_ms + 100 * slack, "a 503 came too late")
        if self.can_fill():
            out.want(times["p99"] <= 20 * slack, "503 did not come at once from a full queue")

    def can_fill(self):
        """Is the queue full before the first in it has waited for timeout_ms?"""
        return self.queue_limit < self.capacity * self.timeout_ms / 1000

    def judge_balance(self, out, report, before, after):
        def grown(key):
            return after[key] - before[key]

        served = after["responses"][2] - before["responses"][2]
        shed, departed = grown("shed"), grown("departed")
        status = report["status"]
        out.want(report["sent"] == served + shed + departed == grown("requests"),
                 f"{report['sent']} offered, {served} served + {shed} shed + {departed} departed",
                 hard=True)
        out.want((served, shed) == (status.get("200", 0), status.get("503", 0)),
                 f"{served} and {shed} by the server's count, {status} by the client's",
                 hard=True)


@dataclass(frozen=True)
class Flights(Row):
    """Sleeping ASYNC handlers of one worker: the latency stays the sleep."""
    sleep_ms: int = 100
    service_p99_ms: float = 110
    bench_p99_ms: float = 125
    max_ms: float = 0
    kib_each: float = 0

    def run(self, plan):
        out = Outcome()
        full = plan.bounds.is_full
        with loads.Server(self.shape, limits="worker_connections = 12000",
                          worker="max_inflight = 12000", access="@DIR@/access.log") as server:
            worker, = server.daemon.workers()
            before = daemon.status_number(worker, "VmHWM")
            reports = [loads.bench(server, f"/async/sleep?ms={self.sleep_ms}", self.clients,
                                   "--starts", "spread", *plan.flags())[0]
                       for _ in range(plan.runs)]
            each = (daemon.status_number(worker, "VmHWM") - before) / self.clients
            judge_failures(out, reports)
            self.judge_times(out, reports, server.service_times(), 1 if full else 3)
            out.figures["KiB each"] = f"{each:.1f}"
            out.want(not self.kib_each or each <= self.kib_each, "too much memory")
            judge_idle(out, server)
        return out

    def judge_times(self, out, reports, service_us, slack):
        p99 = service_us[len(service_us) * 99 // 100] / 1000
        bench = max(r["latency_ms"]["p99"] for r in reports)
        most = max(service_us[-1] / 1000, *(r["latency_ms"]["max"] for r in reports))
        out.figures["rate"] = f"{statistics.median(r['rate'] for r in reports):.0f}"
        out.figures["service p99"] = f"{p99:.1f} ms"
        out.figures["bench p99"] = f"{bench:.1f} max {most:.1f} ms"
        for text, value, limit in (("service p99", p99, self.service_p99_ms),
                                   ("p99 of the clients", bench, self.bench_p99_ms),
                                   ("the longest", most, self.max_ms)):
            out.want(not limit or value <= limit * slack, f"{text}: {value:.1f} ms")


# ---- the rows ----

def shapes():
    return [Shape(5, 8, "thread"), Shape(1, 40, "thread"), Shape(40, 1, "thread"),
            Shape(5, 8, "event")]


def all_rows():
    short = {("5x8 thread", 40), ("5x8 thread", 80), ("5x8 event", 160), ("1x40 thread", 80),
             ("40x1 thread", 80), ("2x4 thread", 16)}
    sizes = [(shape, (40, 80, 160)) for shape in shapes()]
    sizes.append((Shape(2, 4, "thread"), (8, 16, 64)))
    main = [(shape, n) for shape, counts in sizes for n in counts]
    for shape, n in main:
        yield Steady(f"{shape} c={n}", shape, n, (str(shape), n) in short)
    for shape, n in main:
        yield Wrk(f"{shape} c={n} wrk", shape, n)
    for shape in (Shape(5, 8, "thread"), Shape(5, 8, "event")):
        for connect in ("sequential", "bursts=8", "one"):
            if connect != "one" and shape.worker_class == "event":
                continue  # who accepts does not know the class
            for n in (40, 80, 160):
                is_short = connect == "one" and (shape.worker_class, n) in {("thread", 40),
                                                                            ("event", 80)}
                yield Steady(f"{shape} c={n} connect={connect}", shape, n, is_short, connect)
        for n in (40, 80):
            yield Drawn(f"{shape} c={n} drawn", shape, n, n == 80)
        yield Steady(f"{shape} c=160 think=50", shape, 160, False, think_ms=50)
        yield Steady(f"{shape} c=40 drips=200", shape, 40, shape.worker_class == "event",
                     drips=200)
        for times in (1.5, 3):
            for limit in (1024, 40):
                yield Overload(f"{shape} overload={times}x limit={limit}", shape, 2500,
                               (shape.worker_class, times, limit) in {("event", 1.5, 1024),
                                                                      ("thread", 3, 40)},
                               times=times, queue_limit=limit)
    loop = Shape(1, 8, "event")
    yield Flights("1 event c=1000 sleep=100", loop, 1000, True)
    yield Flights("1 event c=10000 sleep=1000", loop, 10000, False, sleep_ms=1000,
                  service_p99_ms=0, bench_p99_ms=0, max_ms=1300, kib_each=16)


def choose(pattern, is_full):
    rows = list(all_rows())
    if pattern:
        return [row for row in rows if fnmatch.fnmatch(row.name, f"*{pattern}*")]
    return [row for row in rows if is_full or row.is_short]


# ---- running them ----

def try_row(row, plan):
    """The best of a few tries: a busy machine spoils the times of one, a defect spoils all.
    What is wrong, and no matter of time, is wrong at once."""
    for number in range(1, plan.tries + 1):
        try:
            out = row.run(plan)
        except (AssertionError, OSError, ValueError) as error:
            out = Outcome()
            out.want(False, f"{type(error).__name__}: {error}",
                     hard=not isinstance(error, (daemon.TimedOut, TimeoutError)))
        if not out.complaints or out.is_wrong or number == plan.tries:
            return out
        print(f"again {row.name}  {out.line()}\n      {'; '.join(out.complaints)}", flush=True)
    raise AssertionError("no try")


def run_rows(rows, plan):
    width = max(len(row.name) for row in rows)
    results = []
    for row in rows:
        begun = time.monotonic()
        out = try_row(row, plan)
        verdict = "FAIL" if out.complaints else "PASS"
        print(f"{verdict}  {row.name:{width}}  {out.line()}  "
              f"({time.monotonic() - begun:.0f} s)", flush=True)
        for complaint in out.complaints:
            print(f"      {complaint}", flush=True)
        results.append({"row": row.name, "verdict": verdict, "figures": out.figures,
                        "complaints": out.complaints})
    return results


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="every row, with the full bounds")
    parser.add_argument("--rows", metavar="PATTERN", help="those whose name has this (* and ?)")
    parser.add_argument("--seconds", type=float, help="of a run, warm-up included")
    parser.add_argument("--runs", type=int, help="of each row")
    parser.add_argument("--tries", type=int, help="of a row before it has failed")
    parser.add_argument("--json", metavar="FILE", help="write the figures there too")
    parser.add_argument("--list", action="store_true", help="names of the rows, nothing else")
    args = parser.parse_args()
    rows = choose(args.rows, args.full)
    if args.list:
        print("\n".join(row.name for row in rows))
        return 0
    if not rows:
        sys.exit("no row has such a name (--list)")
    measure.need_build()
    # asked to end: the servers end too, and those that stand still go on
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    plan = Plan(FULL if args.full else SHORT, args.seconds or (12 if args.full else 2.5),
                args.runs or (3 if args.full else 1), args.tries or (1 if args.full else 3))
    results = run_rows(rows, plan)
    if args.json:
        with open(args.json, "w") as out:
            json.dump(results, out, indent=1)
    failed = sum(result["verdict"] == "FAIL" for result in results)
    print(f"{len(results) - failed} rows passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
