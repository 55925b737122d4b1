#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""chaos - real faults under real load, judged by a client that never retries.

    chaos.py [--short] [--class event|thread] [--seed N] [--pending] [--keep] [NAME...]
    chaos.py --list

A run is a seed: which requests there are, and what an action chooses, are drawn from it.
Exit status: 0 all well, 1 something was lost, 64 usage, 77 all were skipped.
"""

import argparse
import sys
import time
import traceback

import scenarios
import siege
import stage as theater
from stage import daemon


STALL_MS = 2000


SIEGES = {f"siege.{name}": name for name in siege.TABLE}


def describe():
    for name, short in SIEGES.items():
        print(f"{name:20}{siege.TABLE[short].about}")
    for one in scenarios.TABLE:
        print(f"{one.name:16}{one.about}"
              + (f"  [waits for: {one.pending}]" if one.pending else ""))


def why_skipped(scenario, options):
    if scenario.pending and not options.pending:
        return scenario.pending
    try:
        for need in scenario.need:
            need()
    except theater.Skip as skip:
        return str(skip)
    return None


def play(scenario, klass, options):
    """"ok", "FAILED", "stalled" or "skipped"; what there is to say is printed."""
    label = f"{scenario.name}.{klass}, seed {options.seed}"
    reason = why_skipped(scenario, options)
    if reason:
        print(f"skipped: {label}: {reason}", flush=True)
        return "skipped"
    stage = theater.Stage(scenario, klass, options.seed, not options.short)
    begun = time.monotonic()
    try:
        stage.run()
    except Exception as error:  # what an action did not expect is no end of the others
        stage.complain("".join(traceback.format_exception(error)))
        if stage.witness and stage.result is None:
            stage.complain(f"by then (sent, failed): {last_words(stage)}")
    finally:
        stage.clean_up()
    seconds = time.monotonic() - begun
    result = stage.result
    print(f"{label}: {result['sent'] if result else '?'} requests, "
          f"{result['failed'] if result else '?'} failed, "
          f"{stage.scenario.steps[stage.is_long]} actions, {seconds:.1f} s"
          + "".join(f"; {note}" for note in stage.notes), flush=True)
    if not stage.complaints:
        if stage.server and not options.keep:
            stage.server.remove()
        return "ok"
    for complaint in stage.complaints[:12]:
        print("FAILED:", complaint)
    if len(stage.complaints) > 12:
        print(f"FAILED: and {len(stage.complaints) - 12} more")
    if stage.server:
        lines = [line for line in stage.server.log.lines if ": route " not in line]
        print(f"kept: {stage.server.directory}\n" + "\n".join(lines[-40:]), flush=True)
    if stage.stood_still_ms() < STALL_MS:
        return "FAILED"
    print(f"the machine stood still for {stage.stood_still_ms()} ms: once more", flush=True)
    return "stalled"


def last_words(stage):
    try:
        return stage.witness.progress()
    except (AssertionError, OSError, ValueError):
        return "unknown"


def play_fairly(scenario, klass, options):
    """Once more where the machine itself stood still, which is no fault of the server."""
    for _ in range(3):
        verdict = play(scenario, klass, options)
        if verdict != "stalled":
            return verdict
    return "FAILED"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="all of them when none is given")
    parser.add_argument("--short", action="store_true", help="seconds instead of a minute each")
    parser.add_argument("--class", dest="classes", action="append", choices=["event", "thread"])
    parser.add_argument("--seed", type=int, default=int(time.time()) % 1000000)
    parser.add_argument("--pending", action="store_true", help="also what must still fail")
    parser.add_argument("--keep", action="store_true", help="the directories of the runs")
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    if options.list:
        describe()
        return 0
    known = {**scenarios.BY_NAME, **SIEGES}
    unknown = [name for name in options.names if name not in known]
    if unknown:
        print(f"chaos: no scenario {', '.join(unknown)}; --list names them", file=sys.stderr)
        return 64
    if not daemon.REMUDA.exists():
        sys.exit(f"{daemon.BUILD} has no remuda; REMUDA_BUILD names the build folder")
    names = options.names or known
    chosen = [scenarios.BY_NAME[name] for name in names if name in scenarios.BY_NAME]
    verdicts = [play_fairly(scenario, klass, options)
                for scenario in chosen for klass in scenario.classes
                if klass in (options.classes or scenario.classes)]
    verdicts += [siege.play(SIEGES[name], klass, not options.short)
                 for name in names if name in SIEGES
                 for klass in options.classes or ("event", "thread")]
    count = {what: verdicts.count(what) for what in ("ok", "FAILED", "skipped")}
    if len(verdicts) > 1:
        print(f"{count['ok']} passed, {count['FAILED']} failed, {count['skipped']} skipped")
    if count["FAILED"]:
        return 1
    return 0 if count["ok"] else 77


if __name__ == "__main__":
    sys.exit(main())
