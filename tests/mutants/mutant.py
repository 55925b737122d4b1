# SPDX-License-Identifier: MIT
"""mutant - one patch that breaks one mechanism, and the test that must notice.

A patch is a unified diff below a few lines of text: what it breaks, then "Key: value" lines.

    A request that waits for a slot stays where it is.

    Test: blackbox.capacity.thread      a ctest name or regular expression: all of it
    Case: test_bodies_travel            of that file alone (pytest); optional
    Preset: release                     the build that is tested

A hunk is found by its text, which must stand in the file exactly once, not by its line
numbers: what moves within a file needs no new patch. No git is needed, nor wanted: below a
repository `git apply` looks at that one.
"""
import pathlib
import re

PRESETS = ("debug", "release", "tsan")
KEYS = ("Test", "Case", "Preset")
FOLDER = pathlib.Path(__file__).resolve().parent
HUNK = re.compile(r"@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@")


class BadPatch(Exception):
    """It cannot be read, or does not fit the tree."""


class Mutant:
    """name, text, says (its first line), test, case, preset, hunks: (path, old, new)."""

    def __init__(self, name, text):
        self.name, self.text = name, text
        head, self.hunks = split(text)
        self.says = head[0].strip() if head else ""
        keys = dict(found.groups() for line in head[1:]
                    if (found := re.match(r"([A-Z]\w+): +(\S.*)", line)))
        self.test, self.case = keys.get("Test", ""), keys.get("Case", "")
        self.preset = keys.get("Preset", "")
        unknown = sorted(set(keys) - set(KEYS))
        if unknown:
            raise BadPatch(f"unknown key {unknown[0]}")
        if not (self.says and self.test and self.preset in PRESETS):
            raise BadPatch("it needs a first line, Test: and Preset: " + "|".join(PRESETS))
        if not self.hunks:
            raise BadPatch("it has no hunk")

    @property
    def paths(self):
        return sorted({path for path, _, _ in self.hunks})

    @property
    def guard(self):
        """The test that must notice, for whoever reads."""
        return " ".join(filter(None, (self.test, self.case, f"({self.preset})")))

    def changed(self, root):
        """{path: its text with this mutant in it}; nothing is written."""
        texts = {}
        for path, old, new in self.hunks:
            try:
                text = texts.get(path) or (pathlib.Path(root) / path).read_text()
            except OSError as error:
                raise BadPatch(f"{path}: {error.strerror}") from None
            places = [at.start() for at in re.finditer(f"(?m)^(?={re.escape(old)})", text)]
            if len(places) != 1:
                raise BadPatch(f"{path}: a hunk fits {len(places) or 'no'} places")
            texts[path] = text[:places[0]] + new + text[places[0] + len(old):]
        return texts


def split(text):
    """The lines before the diff, and the hunks: each has as many lines as its @@ says."""
    head, hunks, path = [], [], None
    lines = iter(text.splitlines(keepends=True))
    for line in lines:
        found = HUNK.match(line)
        if line.startswith("+++ "):
            path = line[4:].split("\t")[0].strip().removeprefix("b/")
        elif path is None:
            head += [line] if not line.startswith(("--- ", "diff ", "index ")) else []
        elif found:
            hunks.append((path, *sides(lines, *(int(n or 1) for n in found.groups()))))
    return head, hunks


def sides(lines, old_count, new_count):
    """The text before and after. Some editors strip the blank of an empty line."""
    old, new = "", ""
    while (old.count("\n"), new.count("\n")) != (old_count, new_count):
        line = next(lines, "")
        if line[:1] not in " +-\n" or not line.endswith("\n"):
            raise BadPatch("a hunk has fewer lines than it says")
        rest = line[1:] or "\n"
        old += rest if line[0] != "+" else ""
        new += rest if line[0] != "-" else ""
    return old, new


def load(folder=FOLDER):
    """({name: mutant}, {name: why it cannot be read}) of all patches of a folder."""
    good, bad = {}, {}
    for path in sorted(pathlib.Path(folder).glob("*.patch")):
        try:
            good[path.stem] = Mutant(path.stem, path.read_text())
        except BadPatch as error:
            bad[path.stem] = str(error)
    return good, bad
