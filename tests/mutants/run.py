#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""run - breaks one mechanism at a time and asks whether the test that guards it goes red.

    run.py [NAME...]    all mutants, or those named: NAME.patch in this folder
    run.py --list       what each breaks, and its test
    run.py --check      only whether each fits the tree and names a test there is; no build

One copy of the tree and one build per preset, in build/mutants. First the tests run on the
clean copy: one that is red there judges nothing. Then each mutant: apply, build, run its test,
take it out again. The log of each is build/mutants/NAME.log.

Exit status: 0 all were caught; 1 one survived or could not be judged; 64 usage; 75 another
run is at work in this tree; 130 interrupted.
"""
import argparse
import os
import pathlib
import re
import signal
import sys
import time

sys.dont_write_bytecode = True

import mutant as patches                                     # noqa: E402
from mutant import BadPatch                                  # noqa: E402
from workbench import SPARE_S, Workbench, list_tests, say    # noqa: E402

BASELINE_TRIES = 2  # others use this machine


class Round:
    """All mutants of one call, and what became of each."""

    def __init__(self, root, good, bad):
        self.bench = Workbench(root)
        self.good = good
        self.caught, self.survived = [], []
        self.unjudged = dict(bad)  # name: why
        self.base_s = {}           # (preset, test, case): seconds on the clean tree
        self.broken = {}           # the same: why it judges nothing

    def key(self, mutant):
        return mutant.preset, mutant.test, mutant.case

    def give_up(self, mutant, why):
        self.unjudged[mutant.name] = why
        say(f"{mutant.name}: NOT JUDGED: {why}")

    # ---- the clean tree ----

    def build_clean(self):
        """A preset that does not build judges nothing."""
        for preset in sorted({mutant.preset for mutant in self.good.values()}):
            log = self.bench.log(f"clean-{preset}")
            log.unlink(missing_ok=True)
            say(f"building {preset} without a mutant ...")
            done = self.bench.build(preset, ["all"], log, f"building {preset}")
            if done.status == 0:
                continue
            print(done.tail(), flush=True)
            for mutant in self.good.values():
                if mutant.preset == preset:
                    self.broken[self.key(mutant)] = f"{preset} does not build without it"

    def test_clean(self):
        keys = {self.key(mutant): mutant for mutant in self.good.values()}
        for number, (key, mutant) in enumerate(sorted(keys.items()), 1):
            if key in self.broken:
                continue
            what = " ".join(filter(None, (mutant.test, mutant.case)))
            log = self.bench.log(f"clean-{mutant.preset}")
            for _ in range(BASELINE_TRIES):
                verdict, seconds = self.bench.test(mutant, log, what=what)
                if verdict not in ("failed", "hung"):
                    break
            say(f"[{number}/{len(keys)}] without a mutant: {what}, {mutant.preset}: {verdict}"
                f" ({seconds:.0f} s)")
            if verdict == "passed":
                self.base_s[key] = seconds
            else:
                self.broken[key] = f"its test {verdict} without it (log: {log})"

    # ---- one mutant ----

    def judge(self, mutant, where):
        log = self.bench.log(mutant.name)
        log.unlink(missing_ok=True)
        begun = time.monotonic()
        if self.key(mutant) in self.broken:
            self.give_up(mutant, self.broken[self.key(mutant)])
            return
        try:
            with self.bench.infected(mutant):
                done = self.bench.build(mutant.preset, self.bench.targets(mutant), log)
                if done.status != 0:
                    print(done.tail(), flush=True)
                    self.give_up(mutant, "it does not build")
                    return
                limit_s = 3 * self.base_s[self.key(mutant)] + SPARE_S
                verdict, _ = self.bench.test(mutant, log, limit_s, mutant.name)
        except BadPatch as error:
            self.give_up(mutant, str(error))
            return
        took = f"({time.monotonic() - begun:.0f} s)"
        if verdict in ("failed", "hung"):
            self.caught.append(mutant.name)
            say(f"{where} {mutant.name}: caught by {mutant.test}: {verdict} {took}")
        elif verdict == "passed":
            self.survived.append(mutant.name)
            say(f"{where} {mutant.name}: SURVIVED {mutant.test} {took} (log: {log})")
        else:
            self.give_up(mutant, f"its test {verdict}")

    def run(self):
        if not self.bench.lock():
            say("another run is at work in this tree")
            return 75
        begun = time.monotonic()
        self.bench.renew()
        self.build_clean()
        self.test_clean()
        mutants = sorted(self.good.values(), key=lambda one: (one.preset, one.name))
        for number, mutant in enumerate(mutants, 1):
            self.judge(mutant, f"[{number}/{len(mutants)}]")
        say(f"{time.monotonic() - begun:.0f} s")
        return self.summary()

    def summary(self):
        for name in self.survived:
            print(f"survived: {name}: {self.good[name].says}")
        for name, why in sorted(self.unjudged.items()):
            print(f"not judged: {name}: {why}")
        print(f"{len(self.caught)} caught, {len(self.survived)} survived,"
              f" {len(self.unjudged)} not judged")
        return 0 if self.caught and not self.survived and not self.unjudged else 1


# ---- without a build ----

def check(root, good, bad):
    """Each fits the tree, and names a test and a case there are: a mutant does not rot."""
    build = os.environ.get("REMUDA_BUILD")
    tests = list_tests(build) if build else None
    cases = {name for path in pathlib.Path(root, "tests").rglob("*.py")
             for name in re.findall(r"^def (\w+)\(", path.read_text(), re.M)}
    wrong = dict(bad)
    for mutant in good.values():
        try:
            mutant.changed(root)
            if tests is not None and not any(re.fullmatch(mutant.test, t) for t in tests):
                wrong[mutant.name] = f"no test is called {mutant.test}"
            if mutant.case and mutant.case not in cases:
                wrong[mutant.name] = f"no case is called {mutant.case}"
        except BadPatch as error:
            wrong[mutant.name] = str(error)
    for name, why in sorted(wrong.items()):
        print(f"{name}: {why}")
    print(f"{len(good) + len(bad)} mutants, {len(wrong)} wrong")
    return 1 if wrong or not good else 0


def list_all(good, bad):
    for name, mutant in good.items():
        print(f"{name}: {mutant.says}\n    {mutant.preset} {mutant.test} {mutant.case}".rstrip())
    for name, why in bad.items():
        print(f"{name}: {why}")
    return 0


def choose(names, good, bad):
    unknown = [name for name in names if name not in good and name not in bad]
    if unknown:
        print(f"mutants: no mutant is called {unknown[0]}; --list names them", file=sys.stderr)
        sys.exit(64)
    if not names:
        return good, bad
    return ({name: good[name] for name in names if name in good},
            {name: bad[name] for name in names if name in bad})


def main(args):
    parser = argparse.ArgumentParser(prog="mutants", description=__doc__.splitlines()[0])
    parser.exit_on_error = False
    parser.add_argument("--list", action="store_true", help="what each breaks, and its test")
    parser.add_argument("--check", action="store_true", help="do they fit the tree? no build")
    parser.add_argument("--root", default=patches.FOLDER.parents[1], help="the tree")
    parser.add_argument("--patches", default=patches.FOLDER, help="their folder")
    parser.add_argument("name", nargs="*", help="only these")
    try:
        options = parser.parse_args(args)
    except SystemExit as end:
        return 64 if end.code else 0
    good, bad = choose(options.name, *patches.load(options.patches))
    root = pathlib.Path(options.root).resolve()
    if options.list:
        return list_all(good, bad)
    if options.check:
        return check(root, good, bad)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # takes the mutant out again
    try:
        return Round(root, good, bad).run()
    except KeyboardInterrupt:
        say("interrupted")
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
