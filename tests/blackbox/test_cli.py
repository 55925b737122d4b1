# SPDX-License-Identifier: MIT
"""The command line: help, version, explain, and what it does with nonsense."""

import re

import pytest

from daemon import PLUGINS, SOURCE, run

COMMANDS = ["run", "check", "config", "explain", "bench", "lab", "ctl"]


def test_help():
    done = run("--help", check_code=0)
    for word in ("-c", "-D", "-t", "-T", "--version", "PLUGIN", "explain"):
        assert word in done.stdout, word
    assert done.stderr == ""
    assert run("-h", check_code=0).stdout == done.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_each_command(command):
    done = run(command, "--help", check_code=0)
    assert command in done.stdout and done.stderr == ""


def test_version():
    wanted = re.search(r"project\(remuda VERSION (\S+)", (SOURCE / "CMakeLists.txt").read_text())[1]
    done = run("--version", check_code=0)
    assert done.stdout.startswith(f"remuda {wanted}")
    for word in ("commit", "sanitizers"):
        assert word in done.stdout


@pytest.mark.parametrize("arguments", [
    ["--frobnicate"], ["-Q"], ["frobnicate"], ["-c"], ["-D"], ["check", "--frobnicate"],
    ["config", "--frobnicate"], ["explain", "--frobnicate"], ["explain", "a.b", "c.d"],
    ["explain", "server.wrokers"], ["check", "frobnicate"], ["run", "--frobnicate"], ["run"],
    ["run", "-c", "x.ini", "x.so"], ["check", "--json"],
])
def test_nonsense_is_64(arguments):
    done = run(*arguments, check_code=64)
    assert done.stderr.strip() and done.stdout == ""


def test_explain():
    done = run("explain", "limits.head_timeout", check_code=0)
    assert "10s" in done.stdout and "408" in done.stdout
    listed = run("explain", check_code=0).stdout
    assert "limits.head_timeout" in listed and "server.listen" in listed


def test_explain_every_option():
    """Each key of the shipped config can be explained."""
    section = None
    keys = 0
    for line in (SOURCE / "conf" / "remuda.ini").read_text().splitlines():
        match = re.fullmatch(r"[;#]?\s*\[(server|limits|worker|log|admin)\].*", line)
        if match:
            section = match[1]
            continue
        if re.match(r"[;#]?\[", line):
            section = None
        match = re.match(r"[;#]?([a-z_]+)\s*=", line)
        if section and match:
            keys += 1
            assert run("explain", f"{section}.{match[1]}", check_code=0).stdout.strip()
    assert keys > 30


@pytest.mark.parametrize("arguments, hint", [
    (["explain", "server.wrokers"], "workers"), (["chekc"], "check"), (["--jsno"], "--json")])
def test_the_nearest_name_is_offered(arguments, hint):
    assert hint in run(*arguments, check_code=64).stderr


def test_run_a_plugin_without_any_ini(server):
    one = server(None, args=("run", "-b", "127.0.0.1:0", str(PLUGINS / "hello.so")))
    assert one.get("/hello?name=x").text == "Hello, x!\n"
    assert any("/hello" in line for line in one.log.lines), "routes are listed"
    assert one.stop() == 0
    (line,) = (one.directory / "stdout").read_text().splitlines()
    assert '"GET /hello?name=x HTTP/1.1" 200' in line, "one line per request"


def test_start_says_what_matters(server):
    one = server(None, args=("-b", "127.0.0.1:0", "-D", "server.workers=2",
                             "-D", "server.threads=8", str(PLUGINS / "hello.so")))
    assert one.log.matches(r"remuda \d+\.\d+\.\d+")
    assert one.log.matches(r"listening on 127\.0\.0\.1:[1-9]\d*")
    assert len(one.log.matches(r"ready: 2 workers x 8 threads = 16 slots")) == 1
    assert len(one.log.matches(r"worker \d \(pid \d+, generation 1\) ready")) == 2
    assert one.log.matches(r"/hello")
