#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""hardening - asks readelf whether the binary that was built has what the build asked for.

    hardening.py              $REMUDA_BUILD/remuda, its plugins and its layers
    hardening.py --selftest   a binary built without protection must be refused by each check

Debian's crt1.o carries no CET note, so the linker drops that note from every executable:
the notes are looked for in our own objects, and the landing pad at main.
Exit status: 0, 1, or 77 for a build with sanitizers, which replace some of this.
"""
import glob
import os
import re
import subprocess
import sys
import tempfile


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True,
                          env={**os.environ, "LC_ALL": "C"}).stdout


def check_pie(path):
    return "Type:" in run("readelf", "-hW", path) and re.search(
        r"Type:\s+DYN", run("readelf", "-hW", path)) and "PIE" in run("readelf", "-dW", path)


def check_relro(path):
    return "GNU_RELRO" in run("readelf", "-lW", path) and re.search(
        r"FLAGS_1.*\bNOW\b", run("readelf", "-dW", path))


def check_no_exec(path):
    """No segment is writable and executable, the stack is not executable."""
    segments = run("readelf", "-lW", path)
    return re.search(r"GNU_STACK.* RW ", segments) and "RWE" not in segments


def check_no_rpath(path):
    return not re.search(r"\((RPATH|RUNPATH)\)", run("readelf", "-dW", path))


def check_stack_protector(path):
    return "__stack_chk_fail" in run("readelf", "--dyn-syms", "-W", path)


def check_fortify(path):
    names = re.findall(r"\b__(\w+)_chk(?:@|\s|$)", run("readelf", "--dyn-syms", "-W", path))
    return bool(names)


def check_exports(path):
    """A plugin gets a table of functions: the host exports epoll_ctl at most."""
    symbols = run("readelf", "--dyn-syms", "-W", path).splitlines()
    defined = {f[7].split("@")[0] for f in map(str.split, symbols)
               if len(f) == 8 and f[4] in ("GLOBAL", "WEAK") and f[6] not in ("UND", "Ndx")}
    runtime = {"stdin", "stdout", "stderr", "environ", "_IO_stdin_used", "optarg", "optind"}
    return {n for n in defined if not n.startswith("__")} - runtime <= {"epoll_ctl"}


def check_landing_pad(path):
    if not on_x86_64(path):
        return True
    code = run("objdump", "-d", "--no-show-raw-insn", "--disassemble=main", path)
    return re.search(r"<main>:\n\s*[0-9a-f]+:\s+endbr64", code)


def check_cet_notes(archive):
    """Every object of a layer says IBT and SHSTK."""
    if not on_x86_64(archive):
        return True
    members = re.split(r"(?m)^File: ", run("readelf", "-nW", archive))[1:]
    return members and all("IBT" in m and "SHSTK" in m for m in members)


def on_x86_64(path):
    return "X86-64" in run("readelf", "-hW", path)


PROGRAM = [check_pie, check_relro, check_no_exec, check_no_rpath, check_stack_protector,
           check_fortify, check_exports, check_landing_pad]
PLUGIN = [check_relro, check_no_exec, check_no_rpath]
LAYER = [check_cet_notes]


def refused(path, checks):
    return [check.__name__[len("check_"):] for check in checks if not check(path)]


def main():
    build = os.environ["REMUDA_BUILD"]
    if os.environ.get("REMUDA_SANITIZE"):
        print("skipped: a build with sanitizers is not the one that is shipped")
        return 77
    todo = [(os.path.join(build, "remuda"), PROGRAM)]
    todo += [(path, PLUGIN) for path in sorted(glob.glob(f"{build}/plugins/*.so"))]
    todo += [(path, LAYER) for path in sorted(glob.glob(f"{build}/*/libremuda_*.a"))]
    failed = False
    for path, checks in todo:
        missing = refused(path, checks)
        failed = failed or bool(missing)
        name = os.path.relpath(path, build)
        print(f"{name}: {'lacks ' + ', '.join(missing) if missing else f'{len(checks)} ok'}")
    return 1 if failed else 0


SOFT = "int exported(void) { return 1; } int main(void) { return exported(); }\n"
SOFT_FLAGS = ["-O0", "-no-pie", "-fno-pie", "-fno-stack-protector", "-U_FORTIFY_SOURCE",
              "-fcf-protection=none", "-Wl,-z,norelro", "-Wl,-z,lazy", "-Wl,-z,execstack",
              "-Wl,-rpath,/nowhere", "-rdynamic"]


def selftest():
    """Each check refuses the soft program: a check that cannot fail is a defect."""
    with tempfile.TemporaryDirectory() as folder:
        source, program = os.path.join(folder, "soft.c"), os.path.join(folder, "soft")
        with open(source, "w", encoding="ascii") as f:
            f.write(SOFT)
        flags = [f for f in SOFT_FLAGS if os.uname().machine == "x86_64" or "-fcf" not in f]
        compiler = os.environ.get("CC", "cc")
        run(compiler, *flags, "-o", program, source)
        run(compiler, *flags[:6], "-c", "-o", f"{program}.o", source)
        run("ar", "rc", f"{program}.a", f"{program}.o")
        found = set(refused(program, PROGRAM) + refused(f"{program}.a", LAYER))
    wanted = {check.__name__[len("check_"):] for check in PROGRAM + LAYER}
    if os.uname().machine != "x86_64":
        wanted -= {"landing_pad", "cet_notes"}
    for name in sorted(wanted - found):
        print(f"{name}: let an unprotected program pass")
    print(f"selftest: {len(wanted & found)} of {len(wanted)} checks refuse it")
    return 1 if wanted - found else 0


if __name__ == "__main__":
    sys.exit(selftest() if sys.argv[1:] == ["--selftest"] else main())
