# SPDX-License-Identifier: MIT
"""verdict - what is wrong with a row of the proof of capacity, by its figures.

A complaint is hard when no busy machine excuses it. Bounds are those of capacity.py.
"""

import math
import statistics
from dataclasses import dataclass, field


@dataclass
class Outcome:
    """The figures of a row for its line, and what is wrong with it."""
    figures: dict = field(default_factory=dict)
    complaints: list = field(default_factory=list)
    is_wrong: bool = False  # one of them is about what no busy machine excuses
    is_quiet: bool = True  # the machine had time for us

    def want(self, is_good, text, hard=False):
        """`hard`: no other try may make up for it."""
        if not is_good:
            self.complaints.append(text)
            self.is_wrong |= hard

    def line(self):
        return "  ".join(f"{key} {value}" for key, value in self.figures.items())


def judge_waste(out, bounds, tallies):
    """No request waits beside a free slot but for the delay of a message."""
    samples = sum(t["all"]["samples"] - t["all"]["unsure"] for t in tallies)
    wasteful = sum(t["all"]["wasteful"] for t in tallies)
    worst = max(tallies, key=lambda t: t["longest_run"])
    share = wasteful / samples if samples else 1
    out.figures["beside"] = f"{100 * share:.2f}% run {worst['longest_run']}"
    out.figures["gaps"] = (f"{sum(t['gaps'] for t in tallies)} to "
                           f"{max(t['longest_gap_ms'] for t in tallies)} ms")
    unsure = sum(t["all"]["unsure"] for t in tallies)
    out.want(samples > 100 and unsure < 0.1 * samples, f"{samples} samples, {unsure} unsure")
    out.want(share < bounds.waste,
             f"a request waited beside a free slot in {100 * share:.2f} % of {samples} samples")
    out.want(worst["longest_run"] <= bounds.waste_run,
             f"... in {worst['longest_run']} samples in a row ({worst['longest_run_ms']:.0f} ms): "
             + picture(worst["worst"]))


def picture(look):
    """Of each worker: busy + waiting, what waits of it, and what is on its way, of its slots;
    a loop that did not come back to sleep for a while, or was not let run, by its turn."""
    return " ".join(f"{w['load']}({w['waiting']})+{w['coming']}/{w['threads']}"
                    + (f" in a turn of {w['turn_ms']} ms" if w["turn_ms"] > 5 else "")
                    for w in look["workers"])


def judge_rates(out, rates, capacity, median, worst, most=math.inf):
    """`most`: a second; the others are shares of the capacity."""
    out.figures["rate"] = (f"{statistics.median(rates):.1f} worst {min(rates):.1f} of "
                           f"{capacity:.0f} = {100 * statistics.median(rates) / capacity:.1f}%")
    out.want(statistics.median(rates) >= median * capacity,
             f"the median rate is below {100 * median:.0f} %")
    out.want(min(rates) >= worst * capacity, f"a run is below {100 * worst:.0f} %")
    out.want(max(rates) <= most, f"{max(rates):.1f} is more than the slots can do")


def judge_fairness(out, reports, jain):
    fairness = [report["fairness"] for report in reports]
    starved = sum(f["starved"] for f in fairness)
    out.figures["Jain"] = f"{min(f['jain'] for f in fairness):.4f}"
    out.figures["starved"] = starved
    out.want(min(f["jain"] for f in fairness) >= jain, f"Jain's index is below {jain}")
    silence = max(f["silence_ms"] for f in fairness)
    out.want(starved == 0, f"{starved} clients starved; the longest silence was {silence:.0f} ms",
             hard=out.is_quiet)


def judge_failures(out, reports):
    failed = {}
    for report in reports:
        for kind, count in report["failed"].items():
            if count and kind != "total":
                failed[kind] = failed.get(kind, 0) + count
    out.figures["failed"] = sum(failed.values())
    out.want(not failed, f"failed: {failed}", hard=True)


def mean_service_ms(before, after):
    """Of the requests between two totals, by the server's own clock."""
    was, now = before["service"], after["service"]
    return (now["sum_us"] - was["sum_us"]) / 1000 / max(now["count"] - was["count"], 1)


def judge_service(out, bounds, row, mean_ms):
    out.figures["service"] = f"{mean_ms:.1f} ms"
    least = 0 if row.is_drawn else row.service_ms
    out.want(mean_ms >= least, f"requests took only {mean_ms:.2f} ms in the mean", hard=True)
    out.want(mean_ms <= bounds.service * row.service_ms,
             f"requests took {mean_ms:.2f} ms in the mean")


def judge_idle(out, server):
    audit = server.settle()
    out.want(audit["idle"], f"not idle after the load: {audit}", hard=True)
