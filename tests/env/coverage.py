#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""coverage - which lines of a folder run in the tests.

    coverage.py --selftest
    coverage.py BUILD [--tests REGEX] [--missed] [FOLDER...]

BUILD was configured with the preset coverage. Runs its tests that match REGEX (those of http/ if
none is given), then asks gcov about each object of the FOLDERs (http). --missed names the lines
that no test reaches. Ends with one line, N % of M lines in FOLDER; exit status 1 where http has
less than 95 %, 2 where a test failed.
"""
import argparse
import collections
import gzip
import json
import os
import subprocess
import sys
import tempfile

LEAST = {"http": 95.0}
TESTS = r"^unit\.test_http|^fuzz\.http"


def objects(build, folder):
    """The .gcda files of that layer."""
    found = []
    for where, _, names in os.walk(os.path.join(build, folder)):
        found += [os.path.join(where, name) for name in names if name.endswith(".gcda")]
    return sorted(found)


def forget(build):
    """Counts of earlier runs."""
    for where, _, names in os.walk(build):
        for name in names:
            if name.endswith(".gcda"):
                os.unlink(os.path.join(where, name))


def merge(report, root, folder, counts):
    """Adds the lines of gcov's report that stand in the folder to counts[path][line]."""
    for entry in report["files"]:
        path = os.path.relpath(os.path.join(root, entry["file"]), root)
        if os.path.dirname(path) != folder:
            continue
        for line in entry["lines"]:
            counts[path][line["line_number"]] += line["count"]


def ask(build, root, folder):
    """counts[path][line] of all sources of the folder."""
    counts = collections.defaultdict(collections.Counter)
    with tempfile.TemporaryDirectory() as scratch:
        for path in objects(build, folder):
            subprocess.run(["gcov", "--json-format", path], cwd=scratch, check=True,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            for name in os.listdir(scratch):
                with gzip.open(os.path.join(scratch, name)) as file:
                    merge(json.load(file), root, folder, counts)
                os.unlink(os.path.join(scratch, name))
    return counts


def spans(numbers):
    """[1, 2, 3, 7] as "1-3 7"."""
    out = []
    for n in sorted(numbers):
        if out and n == out[-1][1] + 1:
            out[-1][1] = n
        else:
            out.append([n, n])
    return " ".join(str(a) if a == b else f"{a}-{b}" for a, b in out)


def percent(run, all_lines):
    return 100.0 * run / all_lines if all_lines else 0.0


def show(counts, folder, missed):
    """Prints a line for each file, then the last one. True: it is enough."""
    run = total = 0
    for path in sorted(counts):
        lines = counts[path]
        here = sum(1 for count in lines.values() if count)
        run, total = run + here, total + len(lines)
        print(f"{path:28} {here:5} of {len(lines):5} {percent(here, len(lines)):6.1f} %")
        if missed and here < len(lines):
            print("    not: " + spans(n for n, count in lines.items() if not count))
    print(f"{percent(run, total):.1f} % of {total} lines in {folder}")
    return percent(run, total) >= LEAST.get(folder, 0.0)


def selftest():
    """That counts are added up and a folder with too little is refused."""
    counts = collections.defaultdict(collections.Counter)
    lines = [{"line_number": n, "count": n % 2} for n in range(1, 11)]
    merge({"files": [{"file": "http/a.c", "lines": lines},
                     {"file": "common/b.h", "lines": lines}]}, "/r", "http", counts)
    assert list(counts) == ["http/a.c"] and not show(counts, "http", False)
    merge({"files": [{"file": "/r/http/a.c", "lines": [
        {"line_number": n, "count": 1} for n in range(1, 11)]}]}, "/r", "http", counts)
    assert show(counts, "http", True)
    assert spans([7, 1, 2, 3]) == "1-3 7"


def main(argv):
    if argv == ["--selftest"]:
        selftest()
        return 0
    parser = argparse.ArgumentParser(prog="./dev coverage")
    parser.add_argument("build")
    parser.add_argument("--tests", default=TESTS)
    parser.add_argument("--missed", action="store_true")
    parser.add_argument("folder", nargs="*")
    args = parser.parse_intermixed_args(argv)
    build = os.path.abspath(args.build)
    root = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
    forget(build)
    status = subprocess.run(["ctest", "--test-dir", build, "--output-on-failure", "-R",
                             args.tests, "--parallel", "4"], check=False,
                            stdin=subprocess.DEVNULL).returncode
    good = True
    for folder in args.folder or ["http"]:
        good = show(ask(build, root, folder), folder, args.missed) and good
    return 2 if status else 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
