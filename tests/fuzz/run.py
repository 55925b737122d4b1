#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""run - the fuzz targets, one after the other.

    run.py BUILD [--seconds N] [--keep] [--list] [TARGET...]

Each starts from the seeds in corpus/TARGET and from what earlier runs have found, which stays
in BUILD/corpus/TARGET. What ends one is written to crashes/TARGET, where ctest replays it from
then on. --keep replaces the seeds by the smallest set that covers the same. A line in
BUILD/runs.tsv for each run: target, seconds, executions; the sums are shown.

Ends with: N passed, N failed, N skipped. Exit status 1 if a target failed.
"""
import argparse
import collections
import contextlib
import os
import re
import shutil
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
LIMITS = ["-timeout=20", "-rss_limit_mb=2048", "-max_len=4096"]


def targets():
    """The names of all targets: those of their sources."""
    return sorted(name[5:-2] for name in os.listdir(HERE)
                  if name.startswith("fuzz_") and name.endswith(".c"))


def dictionary(target):
    """The one of that name, or of what the name begins with; HTTP is what the rest speaks."""
    for name in (target, target.split("_")[0], "http"):
        path = os.path.join(HERE, name + ".dict")
        if os.path.exists(path):
            return path
    return None


def executions(output):
    """How many inputs a fuzzer ran, by its own account."""
    found = re.findall(r"^stat::number_of_executed_units:\s*(\d+)", output, re.M)
    return int(found[-1]) if found else 0


def sums(text):
    """Seconds and executions for each target, of all lines of a runs.tsv."""
    total = collections.defaultdict(lambda: [0, 0])
    for line in text.splitlines():
        target, seconds, count = line.split("\t")
        total[target][0] += int(seconds)
        total[target][1] += int(count)
    return {target: tuple(pair) for target, pair in total.items()}


class Runner:
    """The folder of a build with fuzzers, and what its runs leave there."""

    def __init__(self, build):
        self.build = os.path.abspath(build)
        self.runs = os.path.join(self.build, "runs.tsv")

    def corpus(self, target):
        path = os.path.join(self.build, "corpus", target)
        os.makedirs(path, exist_ok=True)
        return path

    def execute(self, target, args):
        """Runs the fuzzer; its exit status and all it said."""
        env = dict(os.environ, ASAN_OPTIONS="detect_leaks=1",
                   UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1",
                   LSAN_OPTIONS="print_suppressions=0:suppressions="
                                + os.path.join(HERE, "..", "env", "lsan.supp"))
        done = subprocess.run(
            [os.path.join(self.build, "tests", "fuzz", "fuzz_" + target), *LIMITS, *args],
            env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, check=False)
        return done.returncode, done.stdout.decode(errors="replace")

    def fuzz(self, target, seconds):
        """One run. True: nothing was found."""
        crashes = os.path.join(HERE, "crashes", target)
        seeds = os.path.join(HERE, "corpus", target)
        os.makedirs(crashes, exist_ok=True)
        args = [f"-max_total_time={seconds}", "-print_final_stats=1", "-verbosity=0",
                f"-artifact_prefix={crashes}/", self.corpus(target)]
        args += [path for path in (seeds, crashes) if os.path.isdir(path)]
        if dictionary(target):
            args.insert(0, "-dict=" + dictionary(target))
        began = time.monotonic()
        status, output = self.execute(target, args)
        seconds = round(time.monotonic() - began)
        with contextlib.suppress(OSError):
            os.rmdir(crashes)  # empty: nothing was found
        with open(self.runs, "a", encoding="utf-8") as log:
            log.write(f"{target}\t{seconds}\t{executions(output)}\n")
        if status != 0:
            print("\n".join(output.splitlines()[-60:]))
        with open(self.runs, encoding="utf-8") as log:
            all_seconds, all_count = sums(log.read())[target]
        print(f"{target}: {executions(output)} executions in {seconds} s, "
              f"{all_count} in {all_seconds} s so far: "
              + ("no finding" if status == 0 else "FAILED"), flush=True)
        return status == 0

    def keep(self, target):
        """Seeds and finds become the smallest set of files with the same coverage."""
        seeds = os.path.join(HERE, "corpus", target)
        merged = os.path.join(self.build, "merged", target)
        shutil.rmtree(merged, ignore_errors=True)
        os.makedirs(merged)
        status, output = self.execute(target, ["-set_cover_merge=1", "-use_counters=0", merged,
                                               seeds, self.corpus(target)])
        if status != 0:
            print("\n".join(output.splitlines()[-20:]))
            return False
        shutil.rmtree(seeds, ignore_errors=True)
        shutil.copytree(merged, seeds)
        print(f"{target}: {len(os.listdir(seeds))} seeds kept")
        return True


def main(argv):
    parser = argparse.ArgumentParser(prog="./dev fuzz")
    parser.add_argument("build")
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("target", nargs="*")
    args = parser.parse_intermixed_args(argv)
    for name in args.target:
        if name not in targets():
            print(f"fuzz: no target is called {name}: {' '.join(targets())}", file=sys.stderr)
            return 64
    chosen = args.target or targets()
    if args.list:
        print("\n".join(chosen))
        return 0
    runner = Runner(args.build)
    failed = 0
    for name in chosen:
        good = runner.fuzz(name, args.seconds)
        if good and args.keep:
            good = runner.keep(name)
        failed += not good
    print(f"{len(chosen) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
