#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""soak_reload - a reload every 10 seconds under load, for half an hour: nothing may grow.

    soak_reload.py [--minutes N] [--every SECONDS] [--rate R] [--class event|thread] [--seed N]

After each reload, once the old generation is gone, the master is looked at: resident memory (all,
and its own: pages of the scoreboard count when they are first touched), descriptors, threads,
zombies. What it has after the first few reloads is what it may have in the end. No request may
fail, no kept connection may end. Prints the figures, exit 1 if not.
"""

import argparse
import sys
import time

import actions
import scenarios
import stage as theater
from stage import daemon

SETTLED = 5       # looks until what is made once has been made
GROWTH_KIB = 64   # of the master's own memory, over the whole time


def look(pid):
    return {"rss_kib": daemon.memory_kib(pid),
            "own_kib": daemon.status_number(pid, "RssAnon"),  # the rest is files and the board
            "descriptors": daemon.descriptor_count(pid),
            "threads": daemon.thread_count(pid), "zombies": len(theater.zombies_of(pid))}


class Soak(theater.Stage):
    def __init__(self, options, klass):
        scenario = scenarios.Scenario("soak", "", check=actions.check_reloads)
        scenario.rate = (options.rate,) * 2
        scenario.requests = (int(options.rate * options.minutes * 60),) * 2
        super().__init__(scenario, klass, options.seed, True)
        self.every_s, self.minutes = options.every, options.minutes
        self.looks = []

    def play(self):
        self.start_load()
        begun = last_word = time.monotonic()
        while time.monotonic() < begun + self.minutes * 60:
            due = time.monotonic() + self.every_s
            actions.reload(self)
            time.sleep(max(0.0, due - time.monotonic()))
            daemon.wait_until(lambda: len(self.server.workers()) == self.workers, 30,
                              "the end of the old generation")
            self.looks.append(look(self.server.pid))
            if time.monotonic() - last_word > 60:
                last_word = time.monotonic()
                sent, failed = self.witness.progress()
                print(f"  {(last_word - begun) / 60:.0f} min: {sent} requests, {failed} failed, "
                      f"{len(self.looks)} reloads, master {self.looks[-1]}", flush=True)
        self.result = self.witness.end()

    def judge_growth(self):
        if len(self.looks) < 2:
            self.complain("too short: there is nothing to compare")
            return
        first, last = self.looks[min(SETTLED, len(self.looks) // 2)], self.looks[-1]
        self.note(f"master {first} -> {last}")
        growth = last["own_kib"] - first["own_kib"]
        if growth > GROWTH_KIB and not daemon.sanitized():
            self.complain(f"the master grew by {growth} KiB, {GROWTH_KIB} are allowed")
        for what in ("descriptors", "threads"):
            if last[what] > first[what]:
                self.complain(f"{first[what]} {what} of the master became {last[what]}")
        if any(one["zombies"] for one in self.looks):
            self.complain("the master had zombies")

    def judge_requests(self):
        super().judge_requests()
        self.judge_growth()


def soak(options, klass):
    one = Soak(options, klass)
    try:
        one.run()
    except (AssertionError, OSError) as error:
        one.complain(f"{type(error).__name__}: {error}")
    finally:
        one.clean_up()
    result = one.result
    if result:
        print(f"soak.{klass}, seed {options.seed}: {result['sent']} requests, "
              f"{result['failed']} failed, {len(result.drops)} connections dropped, "
              f"{len(one.looks)} reloads" + "".join(f"; {note}" for note in one.notes))
    for complaint in one.complaints[:12]:
        print("FAILED:", complaint)
    if not one.complaints:
        one.server.remove()
    elif one.server:
        print(f"kept: {one.server.directory}\n" + "\n".join(one.server.log.lines[-20:]))
    return not one.complaints


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--every", type=float, default=10, metavar="SECONDS")
    parser.add_argument("--rate", type=float, default=500, help="requests per second")
    parser.add_argument("--class", dest="classes", action="append", choices=["event", "thread"])
    parser.add_argument("--seed", type=int, default=int(time.time()) % 1000000)
    options = parser.parse_args()
    if not daemon.REMUDA.exists():
        sys.exit(f"{daemon.BUILD} has no remuda; REMUDA_BUILD names the build folder")
    good = [soak(options, klass) for klass in options.classes or ["event", "thread"]]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
