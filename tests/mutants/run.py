#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""run - breaks one mechanism at a time and asks whether the test that guards it goes red.

    run.py [NAME...]    all mutants, or those named: NAME.patch in this folder
    run.py --resume     only those that were not caught since the last run of all
    run.py --shard 2/3  the second third of them, for the second of three machines
    run.py --list       what each breaks, and its test
    run.py --check      only whether each fits the tree and names a test there is; no build

Two copies of the tree, each with a build per preset, in build/mutants; a thread works in each,
one begins at the first mutant, the other at the last. First the tests run on the clean copies:
one that is red there judges nothing. Then each mutant: apply, build what its test needs, run
its test up to the first failure, take it out again. The log of each is build/mutants/NAME.log.

Exit status: 0 all were caught; 1 one survived or could not be judged; 64 usage; 75 another
run is at work in this tree; 130 interrupted.
"""
import argparse
import collections
import hashlib
import os
import pathlib
import re
import signal
import sys
import threading
import time

sys.dont_write_bytecode = True

import mutant as patches                                                    # noqa: E402
import workbench                                                            # noqa: E402
from mutant import BadPatch                                                 # noqa: E402
from workbench import SPARE_S, GivenUp, Workbench, list_tests, lock, say    # noqa: E402

BASELINE_TRIES = 2  # others use this machine
COPIES = 2          # tests wait more than they work
FEW = 8             # mutants: a second copy is not worth its builds
ORDER = ("release", "debug", "tsan")


class Caught:
    """What was caught already, for --resume: lines "NAME DIGEST" of a file."""

    def __init__(self, home):
        self.path = home / "caught"

    def forget(self):
        self.path.unlink(missing_ok=True)

    def add(self, mutant):
        with open(self.path, "a", encoding="ascii") as file:
            file.write(self.line(mutant))

    def names(self, mutants):
        lines = self.path.read_text().splitlines(True) if self.path.exists() else []
        return {name for name, mutant in mutants.items() if self.line(mutant) in lines}

    @staticmethod
    def line(mutant):
        return f"{mutant.name} {hashlib.sha256(mutant.text.encode()).hexdigest()[:16]}\n"


class Round:
    """All mutants of one call, and what became of each; `before` were caught already."""

    def __init__(self, root, good, bad, before=()):
        self.benches = [Workbench(root, number)
                        for number in range(1, (COPIES if len(good) > FEW else 1) + 1)]
        self.file = Caught(self.benches[0].home)
        self.good = good
        self.caught, self.survived = list(before), []
        self.unjudged = dict(bad)  # name: why
        self.unbuilt = set()       # presets that do not build without a mutant
        self.base_s = {}           # (preset, test, case): seconds on the clean tree
        self.broken = {}           # the same: why it judges nothing

    @staticmethod
    def key(mutant):
        return mutant.preset, mutant.test, mutant.case

    def give_up(self, mutant, where, why):
        self.unjudged[mutant.name] = why
        say(f"{where} {mutant.name}: NOT JUDGED: {why}")

    # ---- the clean tree ----

    def build_clean(self, bench, preset):
        """All of it, once in each copy. A preset that does not build judges nothing."""
        if preset in bench.built or preset in self.unbuilt:
            return
        log = bench.log(f"clean-{bench.number}-{preset}")
        log.unlink(missing_ok=True)
        what = f"building {preset} without a mutant"
        say(f"{what} ...")
        done = bench.build(preset, ["all"], log, what)
        bench.built.add(preset)
        if done.status != 0:
            self.unbuilt.add(preset)
            say(f"{preset} does not build without a mutant:\n{done.tail()}")

    def test_clean(self, bench, mutant, where):
        key = self.key(mutant)
        self.build_clean(bench, mutant.preset)
        if mutant.preset in self.unbuilt:
            self.broken[key] = f"{mutant.preset} does not build without it"
            return
        log = bench.log(f"clean-{bench.number}-{mutant.preset}")
        for _ in range(BASELINE_TRIES):
            verdict, seconds = bench.test(mutant, log, what=mutant.guard)
            if verdict not in ("failed", "hung"):
                break
        say(f"{where} without a mutant: {mutant.guard}: {verdict} ({seconds:.1f} s)")
        if verdict == "passed":
            self.base_s[key] = seconds
        else:
            self.broken[key] = f"its test {verdict} without it (log: {log})"

    # ---- one mutant ----

    def judge(self, bench, mutant, where):
        if self.key(mutant) in self.broken:
            self.give_up(mutant, where, self.broken[self.key(mutant)])
            return
        self.build_clean(bench, mutant.preset)
        log = bench.log(mutant.name)
        log.unlink(missing_ok=True)
        begun = time.monotonic()
        try:
            with bench.infected(mutant):
                done = bench.build(mutant.preset, bench.targets(mutant), log)
                if done.status != 0:
                    self.give_up(mutant, where, f"it does not build (log: {log})")
                    return
                limit_s = 3 * self.base_s[self.key(mutant)] + SPARE_S
                verdict, seconds = bench.test(mutant, log, limit_s, mutant.name)
        except BadPatch as error:
            self.give_up(mutant, where, str(error))
            return
        took = f"(build {time.monotonic() - begun - seconds:.1f} s, test {seconds:.1f} s)"
        if verdict in ("failed", "hung"):
            self.caught.append(mutant.name)
            self.file.add(mutant)
            say(f"{where} {mutant.name}: caught by {mutant.guard}: {verdict} {took}")
        elif verdict == "passed":
            self.survived.append(mutant.name)
            say(f"{where} {mutant.name}: SURVIVED {mutant.guard} {took} (log: {log})")
        else:
            self.give_up(mutant, where, f"its test {verdict}")

    # ---- all of them ----

    def share(self, work, mutants):
        """Call work(bench, mutant, where) for each. One copy takes from the front, the other
        from the back, so that each builds one preset only for most of the time."""
        left = collections.deque(mutants)
        count, lock_left, failed = len(left), threading.Lock(), []

        def take(number):
            with lock_left:
                if not left or failed:
                    return None, ""
                mutant = left.popleft() if number % 2 else left.pop()
                return mutant, f"[{count - len(left)}/{count}]"

        def go(bench):
            try:
                while not workbench.given_up.is_set():
                    mutant, where = take(bench.number)
                    if mutant is None:
                        break
                    work(bench, mutant, where)
            except GivenUp:
                pass
            except BaseException as error:  # pylint: disable=broad-except
                failed.append(error)

        threads = [threading.Thread(target=go, args=(bench,)) for bench in self.benches]
        try:
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        except KeyboardInterrupt:
            workbench.given_up.set()
            for thread in threads:  # each takes its mutant out again
                thread.join()
            raise
        if failed:
            raise failed[0]

    def run(self):
        begun = time.monotonic()
        mutants = sorted(self.good.values(), key=lambda one: (
            ORDER.index(one.preset), one.paths, one.test, one.name))
        guards = {self.key(mutant): mutant for mutant in mutants}
        for bench in self.benches:
            bench.renew()
        self.share(self.test_clean, list(guards.values()))
        self.share(self.judge, mutants)
        say(f"{time.monotonic() - begun:.0f} s")
        return self.summary()

    def summary(self):
        for name in sorted(self.survived):
            print(f"survived: {name}: {self.good[name].says}")
        for name, why in sorted(self.unjudged.items()):
            print(f"not judged: {name}: {why}")
        count = len(self.caught) + len(self.survived) + len(self.unjudged)
        unjudged = f", {len(self.unjudged)} not judged" if self.unjudged else ""
        print(f"{count} mutants: {len(self.caught)} caught, {len(self.survived)} survived"
              f"{unjudged}")
        return 0 if count and len(self.caught) == count else 1


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


def choose(options, good, bad):
    """Those that the command line means."""
    for name in options.name:
        if name not in good and name not in bad:
            sys.exit(refuse(f"no mutant is called {name}; --list names them"))
    names = set(options.name or [*good, *bad])
    if options.shard:
        number, count = options.shard
        names = set(sorted(names)[number - 1::count])
    return ({name: good[name] for name in good if name in names},
            {name: bad[name] for name in bad if name in names})


def refuse(why):
    print(f"mutants: {why}", file=sys.stderr)
    return 64


def shard(text):
    number, count = map(int, text.split("/"))
    if not 1 <= number <= count:
        raise ValueError
    return number, count


def judge(root, options, good, bad):
    locked = lock(root / "build" / "mutants")
    if locked is None:
        say("another run is at work in this tree")
        return 75
    caught, before = Caught(root / "build" / "mutants"), set()
    if options.resume:
        before = caught.names(good)
        say(f"{len(before)} were caught before")
        good = {name: good[name] for name in good if name not in before}
    elif not options.name:
        caught.forget()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # takes the mutants out again
    try:
        return Round(root, good, bad, before).run()
    except KeyboardInterrupt:
        say("interrupted")
        return 130
    finally:
        locked.close()


def main(args):
    parser = argparse.ArgumentParser(prog="mutants", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", action="store_true", help="what each breaks, and its test")
    parser.add_argument("--check", action="store_true", help="do they fit the tree? no build")
    parser.add_argument("--resume", action="store_true", help="leave out those caught already")
    parser.add_argument("--shard", type=shard, metavar="I/N", help="the I-th of N parts")
    parser.add_argument("--root", default=patches.FOLDER.parents[1], help="the tree")
    parser.add_argument("--patches", default=patches.FOLDER, help="their folder")
    parser.add_argument("name", nargs="*", help="only these")
    try:
        options = parser.parse_args(args)
    except SystemExit as end:
        return 64 if end.code else 0
    good, bad = choose(options, *patches.load(options.patches))
    root = pathlib.Path(options.root).resolve()
    if options.list:
        return list_all(good, bad)
    if options.check:
        return check(root, good, bad)
    return judge(root, options, good, bad)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
