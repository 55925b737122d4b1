#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""lint - holds the source tree to the house style.

    lint.py [ROOT]     all rules of rules.py over all files; one line per finding
    lint.py --list     names the rules

Exit status: 0 clean, 1 findings, 64 usage.
"""
import os
import sys

sys.dont_write_bytecode = True

import rules  # noqa: E402
import tree   # noqa: E402


def findings(source):
    """All findings of all rules about one file, as (path, line, rule, message)."""
    for rule, check in rules.RULES.items():
        for line, message in check(source):
            yield source.path, line, rule, message


def main(args):
    if args == ["--list"]:
        print("\n".join(rules.RULES))
        return 0
    if len(args) > 1 or (args and not os.path.isdir(args[0])):
        print(__doc__.strip(), file=sys.stderr)
        return 64
    root = args[0] if args else os.path.join(os.path.dirname(__file__), "..", "..")
    sources = tree.load(root)
    found = [f for source in sources for f in findings(source)]
    for path, line, rule, message in found:
        print(f"{path}:{line}: [{rule}] {message}")
    if not sources:
        print("lint: no source files found", file=sys.stderr)
        return 1
    print(f"lint: {len(sources)} files, {len(rules.RULES)} rules, {len(found)} findings")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
