#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""selftest - that the runner of the fuzz targets counts right, and finds what it needs."""
import os
import stat
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import run  # noqa: E402


def check(good, what):
    if not good:
        sys.exit(f"selftest: {what}")


def has_seeds(target):
    return bool(os.listdir(os.path.join(HERE, "corpus", target)))


def fake(build, script):
    """A fuzzer that is a shell script, under the name of a target."""
    folder = os.path.join(build, "tests", "fuzz")
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, "fuzz_conf")
    with open(path, "w", encoding="utf-8") as file:
        file.write("#!/bin/sh\n" + script)
    os.chmod(path, stat.S_IRWXU)


def main():
    check("conf" in run.targets() and "http_parser" in run.targets(), "a target is missing")
    for target in run.targets():
        check(has_seeds(target), f"{target} has no seeds")
        check(run.dictionary(target) is not None, f"{target} has no dictionary")
    check(run.dictionary("conf").endswith("conf.dict"), "the wrong dictionary")
    check(run.executions("x\nstat::number_of_executed_units: 17\n") == 17, "executions")
    check(run.sums("a\t1\t2\nb\t3\t4\na\t5\t6\n") == {"a": (6, 8), "b": (3, 4)}, "sums")
    with tempfile.TemporaryDirectory() as build:
        fake(build, "echo stat::number_of_executed_units: 5\n")
        check(run.main([build, "--seconds", "1", "conf"]) == 0, "a good run")
        fake(build, "exit 77\n")
        check(run.main([build, "--seconds", "2", "conf"]) == 1, "a crash is no failure")
        with open(os.path.join(build, "runs.tsv"), encoding="utf-8") as log:
            check(run.sums(log.read()) == {"conf": (0, 5)}, "what was written down")
        check(run.main([build, "nobody"]) == 64, "an unknown target")


if __name__ == "__main__":
    main()
