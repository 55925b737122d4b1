# SPDX-License-Identifier: MIT
"""tree - the source files that lint looks at, and C text without comments and strings.

Owns:   which folders and which kinds of file count as ours.
Called: by lint.py and the rules. Needs no git: an unpacked tarball is linted as well.
"""
import os
import re

SKIPPED_DIRS = {"build", "__pycache__", "node_modules"}
KINDS = (".c", ".h", ".def", ".py", ".sh", ".cmake", ".ini", ".in")
NAMES = {"CMakeLists.txt", "dev", ".ci/run"}


class Source:
    """One file: its path from the root, its lines, and for C the lines that are code."""

    def __init__(self, path, text):
        self.path = path
        self.name = os.path.basename(path)
        self.folder = path.split("/")[0] if "/" in path else ""
        self.text = text
        self.lines = text.splitlines()
        self.is_c = path.endswith((".c", ".h", ".def"))
        self.is_header = path.endswith(".h")
        self.is_test = self.folder == "tests"
        self.is_plugin = path.startswith(("plugins/", "tests/plugins/"))
        self.code = blank_out(text).splitlines() if self.is_c else self.lines


def blank_out(text):
    """The C text with comments and the contents of literals blanked, line for line."""
    pattern = r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\''

    def blanks(match):
        found = match.group(0)
        if found[0] in "\"'":
            return found[0] + " " * (len(found) - 2) + found[0]
        return re.sub(r"[^\n]", " ", found)

    # the operand of #include is no literal: the rules want to read it
    parts = re.split(r'(?m)^(\s*#\s*include[^\n]*)$', text)
    return "".join(p if i % 2 else re.sub(pattern, blanks, p, flags=re.S)
                   for i, p in enumerate(parts))


def load(root):
    """Every source file below root, in order of path."""
    found = []
    for folder, dirs, names in os.walk(root):
        dirs[:] = sorted(d for d in dirs
                         if d not in SKIPPED_DIRS and (not d.startswith(".") or d == ".ci"))
        for name in sorted(names):
            path = os.path.relpath(os.path.join(folder, name), root)
            if path in NAMES or name in NAMES or name.endswith(KINDS):
                with open(os.path.join(folder, name), encoding="utf-8") as f:
                    found.append(Source(path, f.read()))
    return found
