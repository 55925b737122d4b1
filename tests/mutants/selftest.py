#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""selftest - a small tree with a mutant for each thing that run.py may say of one.

Its tests are shell scripts and its build is `sh -n`, so nothing is compiled.
"""
import os
import pathlib
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True

import workbench  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent

TREE = {
    "CMakeLists.txt": """cmake_minimum_required(VERSION 3.25)
project(small LANGUAGES NONE)
enable_testing()
add_custom_target(syntax ALL COMMAND sh -n ${CMAKE_SOURCE_DIR}/gate.sh)
foreach(name gate red slow skipped)
    add_test(NAME small.${name} COMMAND sh ${CMAKE_SOURCE_DIR}/${name}.sh)
endforeach()
set_tests_properties(small.slow PROPERTIES TIMEOUT 2)
set_tests_properties(small.skipped PROPERTIES SKIP_RETURN_CODE 77)
""",
    "CMakePresets.json": """{"version": 6, "configurePresets": [
{"name": "release", "binaryDir": "${sourceDir}/build/${presetName}"}]}
""",
    "gate.sh": "# the gate\nopen=no\n\ntest $open = no\n",
    "slow.sh": "seconds=0\nsleep $seconds\n",
    "red.sh": "exit 1\n",
    "skipped.sh": "exit 77\n",
    "twice.sh": "a\nb\na\nb\n",
}

HEAD = "It breaks something.\n\nTest: small.{test}\nPreset: release\n\n"


def patch(path, old, new, test="gate"):
    hunk = "".join(f"-{line}\n" for line in old) + "".join(f"+{line}\n" for line in new)
    return (HEAD.format(test=test) + f"--- a/{path}\n+++ b/{path}\n"
            f"@@ -1,{len(old)} +1,{len(new)} @@\n{hunk}")


OPEN = patch("gate.sh", ["open=no"], ["open=yes"])

# name: (its patch, what must be said of it)
MUTANTS = {
    "opened": (OPEN, "opened: caught by small.gate (release): failed"),
    "opened_after": (OPEN, "opened_after: caught by small.gate (release): failed"),
    "hangs": (patch("slow.sh", ["seconds=0"], ["seconds=60"], "slow"),
              "hangs: caught by small.slow (release): failed"),
    "context": (HEAD.format(test="gate") + "--- a/gate.sh\n+++ b/gate.sh\n@@ -9,3 +9,2 @@\n"
                "-# the gate\n-open=no\n+open=yes\n\n", "context: caught by small.gate"),
    "changes_nothing": (patch("gate.sh", ["# the gate"], ["# a gate"]),
                        "changes_nothing: SURVIVED small.gate"),
    "moved": (patch("gate.sh", ["closed=yes"], ["closed=no"]),
              "not judged: moved: gate.sh: a hunk fits no places"),
    "ambiguous": (patch("twice.sh", ["a", "b"], ["b"]),
                  "not judged: ambiguous: twice.sh: a hunk fits 2 places"),
    "gone": (patch("gone.sh", ["a"], ["b"]), "not judged: gone: gone.sh: No such file"),
    "syntax": (patch("gate.sh", ["open=no"], ["if"]), "not judged: syntax: it does not build"),
    "was_red": (patch("gate.sh", ["open=no"], ["open=yes"], "red"),
                "not judged: was_red: its test failed without it"),
    "was_skipped": (patch("gate.sh", ["open=no"], ["open=yes"], "skipped"),
                    "not judged: was_skipped: its test skipped without it"),
    "no_test": (patch("gate.sh", ["open=no"], ["open=yes"], "nothing"),
                "not judged: no_test: its test not there without it"),
    "no_key": (OPEN.replace("Test: small.gate\n", ""), "not judged: no_key: it needs"),
    "cut": (OPEN.replace("@@ -1,1", "@@ -1,3"), "not judged: cut: a hunk has fewer lines"),
}
SUMMARY = "14 mutants: 4 caught, 1 survived, 9 not judged"


def run(root, *args):
    done = subprocess.run([sys.executable, HERE / "run.py", "--root", root, "--patches",
                           root / "mutants", *args], capture_output=True, text=True, check=False,
                          env={k: v for k, v in os.environ.items() if k != "REMUDA_BUILD"})
    return done.returncode, done.stdout + done.stderr


def expect(wrong, what, is_so):
    if not is_so:
        wrong.append(what)


def write(root):
    for path, text in TREE.items():
        (root / path).write_text(text)
    (root / "tests").mkdir()
    (root / "mutants").mkdir()
    for name, (text, _) in MUTANTS.items():
        (root / "mutants" / f"{name}.patch").write_text(text)


def check_limit(wrong, root):
    """One that hangs is ended in time, and so is what it has started."""
    begun = time.monotonic()
    done = workbench.run(["sh", "-c", "sh -c 'trap \"\" TERM HUP; sleep 60' & echo $!; sleep 60"],
                         root / "log", 0.3)
    expect(wrong, "it hung", done.hung and time.monotonic() - begun < 30)
    expect(wrong, "its child is left", not workbench.is_in_session(int(done.text), done.pid))


def check_held(wrong, root):
    """Somebody stops us for a second, which is long here: what was run then judges nothing."""
    workbench.HELD_S = 0.6
    command = ["sh", "-c", f"kill -STOP {os.getpid()}; sleep 1; kill -CONT {os.getpid()}"]
    expect(wrong, "we were held up", workbench.run(command, root / "log", 60).was_held)
    expect(wrong, "we were not", not workbench.run(["true"], root / "log", 60).was_held)


def check_lock(wrong, root):
    with workbench.lock(root / "build" / "mutants"):
        expect(wrong, "two at a time", run(root, "opened")[0] == 75)


def main():
    wrong = []
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder).resolve()
        write(root)
        check_limit(wrong, root)
        status, said = run(root)
        for name, (_, want) in MUTANTS.items():
            expect(wrong, f"{name}: not said: {want}", want in said)
        expect(wrong, "status of all", status == 1)
        expect(wrong, "summary", said.splitlines()[-1] == SUMMARY)
        expect(wrong, "the copy is clean again",
               all((root / f"build/mutants/tree-{number}/gate.sh").read_text() == TREE["gate.sh"]
                   for number in (1, 2)))
        if wrong:
            print(said)
        check_held(wrong, root)
        check_lock(wrong, root)
        for args, status, last in ((["opened", "hangs"], 0, "2 mutants: 2 caught, 0 survived"),
                                   (["--resume", "hangs"], 0, "1 mutants: 1 caught, 0 survived"),
                                   (["--resume"], 1, SUMMARY)):
            got = run(root, *args)
            expect(wrong, f"{args}: {got}", got[0] == status and got[1].endswith(f"\n{last}\n"))
            expect(wrong, f"{args}: {got}", ("4 were" in got[1]) == (args == ["--resume"]))
        for args, status, text in ((["nobody"], 64, "no mutant is called nobody"),
                                   (["--loud"], 64, "--loud"),
                                   (["--shard", "3/2"], 64, "--shard"),
                                   (["--help"], 0, "--resume"),
                                   (["--check", "opened"], 0, "1 mutants, 0 wrong"),
                                   (["--check", "--shard", "2/3"], 1, "\n5 mutants, 2 wrong"),
                                   (["--check"], 1, "moved: gate.sh: a hunk fits no places"),
                                   (["--list"], 0, "opened: It breaks something.")):
            got = run(root, *args)
            expect(wrong, f"{args}: {got}", got[0] == status and text in got[1])
    for line in wrong:
        print(f"FAILED: {line}")
    print(f"selftest: {len(MUTANTS)} mutants, {len(wrong)} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
