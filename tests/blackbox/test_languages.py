# SPDX-License-Identifier: MIT
"""A plugin in C, C++ and Rust, built here by each compiler there is, loaded and called."""

import re
import shutil
import subprocess

import pytest

from daemon import SOURCE, cached, patience, sanitized

GUESTS = SOURCE / "tests" / "abi" / "guests"
WARNINGS = ["-Wall", "-Wextra", "-pedantic", "-Wshadow", "-Wconversion", "-Werror"]
SHARED = ["-O2", "-shared", "-fPIC", "-pthread", "-Wl,-z,defs", f"-I{SOURCE}/include"]
CXX = ["-std=c++20", *WARNINGS, "-Wold-style-cast", *SHARED]
CASES = {
    "gcc": ("C", "guest.c", ["-std=c11", *WARNINGS, *SHARED]),
    "clang": ("C", "guest.c", ["-std=c17", *WARNINGS, *SHARED]),
    "g++": ("C++", "guest.cpp", CXX),
    "clang++": ("C++", "guest.cpp", CXX),
    "rustc": ("Rust", "guest.rs", ["--edition", "2021", "-O", "-D", "warnings",
                                   "--crate-type", "cdylib"]),
}
RUST_MINOR = 82  # 1.82: `&raw mut` in a constant

INI = """
[server]
listen = 127.0.0.1:0
class = @CLASS@
workers = 1
threads = 4

[plugin guest]
path = @DIR@/guest.so
greeting = Hello
"""


def need(compiler):
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed")
    if compiler != "rustc":
        return
    text = subprocess.run(["rustc", "--version"], capture_output=True, text=True).stdout
    version = re.match(r"rustc 1\.(\d+)", text)
    if not version or int(version[1]) < RUST_MINOR:
        pytest.skip(f"rustc is older than 1.{RUST_MINOR}: {text.strip() or 'no toolchain'}")


def build(compiler, source, flags, out):
    done = subprocess.run([compiler, *flags, str(GUESTS / source), "-o", str(out)],
                          capture_output=True, text=True, timeout=patience(120))
    assert done.returncode == 0 and not done.stderr, done.stderr
    return out


@pytest.fixture(params=CASES)
def guest(request, directory):
    """(language, a function that starts a server with the plugin)"""
    language, source, flags = CASES[request.param]
    need(request.param)
    build(request.param, source, flags, directory / "guest.so")
    server = request.getfixturevalue("server")
    return language, server(INI)


def test_built_and_called(guest):
    """What each of its routes is for stands in guest.c."""
    language, one = guest
    with one.connect() as connection:
        answer = connection.get("/hello?name=Ada")
        assert answer.text == f"Hello, Ada from {language}\n"
        assert answer.header("X-Guest") == language
        assert connection.get("/hello").text == f"Hello, you from {language}\n"
        for size in (0, 5, 100000):
            answer = connection.ask("POST", "/upper", b"az-09" * (size // 5))
            assert (answer.status, answer.body) == (200, b"AZ-09" * (size // 5))
        assert connection.get("/nap?ms=20").text == "slept\n"
        assert connection.get("/fan").text == "42\n"
        assert connection.get("/later").text == "later\n"
        for n in range(3):
            assert connection.get("/count").text == f"{n}\n"


def is_throw_fatal():
    """clang's AddressSanitizer ends a process that throws if its executable, which is C, has not
    loaded libstdc++ from the start."""
    return "address" in sanitized() and "clang" in cached("CMAKE_C_COMPILER")


def test_what_is_thrown_stays_inside(guest):
    language, one = guest
    if language == "C++" and is_throw_fatal():
        pytest.skip("clang's AddressSanitizer ends whoever throws here")
    worker = one.workers()
    for _ in range(20):
        assert one.get("/fail").status == 500
        assert one.get("/across").text == "caught\n"
    assert one.get("/nap?ms=0").text == "slept\n"
    assert one.workers() == worker


def test_the_mirror_for_rust(directory):
    """Every line of the layout that it prints is in the golden file; all fields are there."""
    need("rustc")
    build("rustc", "guest.rs", ["--edition", "2021", "--cfg", "layout", "--check-cfg",
                                "cfg(layout)", "--crate-type", "bin", "-A", "dead_code"],
          directory / "layout")
    have = subprocess.run([directory / "layout"], capture_output=True, text=True,
                          check=True).stdout.splitlines()
    golden = (SOURCE / "tests" / "abi" / "abi.golden").read_text().splitlines()
    assert not set(have) - set(golden)
    mirrored = re.compile(r"remuda_(bytes|route|option|plugin|api)\.")
    fields = [line for line in golden if mirrored.match(line)]
    assert not set(fields) - set(have)
