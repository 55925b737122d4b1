#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""abi - what a plugin author relies on, checked with the compilers that are installed.

    abi.py golden PROGRAM   the layout that PROGRAM prints is that of abi.golden
    abi.py compilers        sample.c is silent in every compiler and standard; the shared
                            object exports one symbol and needs nothing of ours
    abi.py samples FILE...  each ```c block of these documents is a plugin that compiles
    abi.py selftest         each of the above can fail

Exit status: 0 as it should be, 1 not, 64 usage, 77 nothing here to try it with.
"""
import difflib
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
INCLUDE = os.path.join(HERE, "..", "..", "include")
WARNINGS = ["-Wall", "-Wextra", "-pedantic", "-Werror", "-Wshadow", "-Wconversion"]
COMPILERS = {
    "c": (["gcc", "gcc-14", "clang", "clang-19"], ["c99", "c11", "c17"]),
    "c++": (["g++", "g++-14", "clang++", "clang++-19"], ["c++20"]),
}


def compile_plugin(compiler, language, standard, source, out):
    """The compiler's complaints; an empty string where it is content."""
    command = [compiler, "-x", language, f"-std={standard}", *WARNINGS, "-O2", "-shared", "-fPIC",
               "-Wl,-z,defs", f"-I{INCLUDE}", source, "-o", out]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 0 and not done.stderr:
        return ""
    return f"$ {' '.join(command)}\n{done.stderr}"


def exported(shared_object):
    """Names of the defined dynamic symbols, with their kind: 'D remuda_plugin_v1'."""
    done = subprocess.run(["nm", "-D", "--defined-only", shared_object], capture_output=True,
                          text=True, check=True)
    return [" ".join(line.split()[1:]) for line in done.stdout.splitlines()]


def compare(want, have):
    """The lines that differ, as a diff."""
    diff = difflib.unified_diff(want.splitlines(), have.splitlines(), "abi.golden", "this build",
                                lineterm="", n=1)
    return list(diff)


def golden(program):
    have = subprocess.run([program], capture_output=True, text=True, check=True).stdout
    with open(os.path.join(HERE, "abi.golden"), encoding="ascii") as file:
        want = file.read()
    diff = compare(want, have)
    print("\n".join(diff) or f"{len(want.splitlines())} lines as they were")
    return 1 if diff else 0


def check_sample(compiler, language, standard, source, directory):
    out = os.path.join(directory, "sample.so")
    complaint = compile_plugin(compiler, language, standard, source, out)
    if complaint:
        return complaint
    symbols = exported(out)
    if [symbol.split()[-1] for symbol in symbols] != ["remuda_plugin_v1"]:
        return f"{compiler} -std={standard}: exports {symbols}, not remuda_plugin_v1 alone\n"
    return ""


def compilers():
    tried = failed = 0
    with tempfile.TemporaryDirectory() as directory:
        for language, (names, standards) in COMPILERS.items():
            for name in filter(shutil.which, names):
                for standard in standards:
                    complaint = check_sample(name, language, standard,
                                             os.path.join(HERE, "sample.c"), directory)
                    print(f"{name} -std={standard}: {'failed' if complaint else 'silent'}")
                    print(complaint, end="")
                    tried += 1
                    failed += bool(complaint)
    if tried == 0:
        print("skipped: no compiler found")
        return 77
    return 1 if failed else 0


def blocks(text):
    """(line number, code) of each ```c block."""
    for found in re.finditer(r"^```c\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        yield text.count("\n", 0, found.start()) + 2, found.group(1)


def check_samples(path, compiler, directory):
    """(how many blocks, complaints)."""
    with open(path, encoding="utf-8") as file:
        found = list(blocks(file.read()))
    complaints = []
    for line, code in found:
        source = os.path.join(directory, "block.c")
        with open(source, "w", encoding="utf-8") as file:
            file.write(f'#line {line} "{path}"\n{code}')
        complaint = compile_plugin(compiler, "c", "gnu11", source, os.path.join(directory, "x.so"))
        if complaint:
            complaints.append(complaint)
    return len(found), complaints


def samples(paths):
    compiler = os.environ.get("CC") or "cc"
    status = 0
    with tempfile.TemporaryDirectory() as directory:
        for path in paths:
            count, complaints = check_samples(path, compiler, directory)
            print(f"{path}: {count} plugins, {len(complaints)} do not compile")
            print("".join(complaints), end="")
            if count == 0 or complaints:
                status = 1
    return status


def selftest():
    """A check that cannot fail is a defect."""
    compiler = os.environ.get("CC") or "cc"
    with open(os.path.join(HERE, "sample.c"), encoding="utf-8") as file:
        good = file.read()
    with tempfile.TemporaryDirectory() as directory:
        source = os.path.join(directory, "bad.c")
        with open(source, "w", encoding="utf-8") as file:
            file.write(good.replace("static int shared", "int shared"))
        two_symbols = check_sample(compiler, "c", "c11", source, directory)
        with open(source, "w", encoding="utf-8") as file:
            file.write(good.replace('"%s %s", remuda', '"%s %d", remuda'))
        bad_format = check_sample(compiler, "c", "c11", source, directory)
        document = os.path.join(directory, "bad.md")
        with open(document, "w", encoding="utf-8") as file:
            file.write("text\n```c\nint x = ;\n```\n")
        count, complaints = check_samples(document, compiler, directory)
    results = {
        "a second symbol is seen": "exports" in two_symbols,
        "a wrong format is seen": "-Wformat" in bad_format or "format" in bad_format,
        "a bad block is seen, with its line": count == 1 and "bad.md:3" in "".join(complaints),
        "a moved field is seen": bool(compare("a 0\nb 8\n", "a 0\nb 16\n")),
        "a lost field is seen": bool(compare("a 0\nb 8\n", "a 0\n")),
    }
    for name, passed in results.items():
        print(f"{'ok' if passed else 'FAILED'}: {name}")
    return 0 if all(results.values()) else 1


def main(args):
    if len(args) == 2 and args[0] == "golden":
        return golden(args[1])
    if args == ["compilers"]:
        return compilers()
    if len(args) >= 2 and args[0] == "samples":
        return samples(args[1:])
    if args == ["selftest"]:
        return selftest()
    print(__doc__.strip(), file=sys.stderr)
    return 64


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
