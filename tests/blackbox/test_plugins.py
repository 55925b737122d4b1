# SPDX-License-Identifier: MIT
"""Plugins that misbehave: refused with one line, or contained while the rest serves."""

import re

import pytest

import wire
from daemon import run, wait_until

INI = """
[server]
listen = 127.0.0.1:0
class = @CLASS@
workers = 2
threads = 2

[plugin modes]
path = @TEST_PLUGINS@/modes.so
[plugin guest]
path = @TEST_PLUGINS@/@GUEST@.so
"""


def ini(guest, *lines):
    return INI.replace("@GUEST@", guest) + "\n".join(lines) + "\n"


REFUSALS = {
    "bad_magic": r"magic|not a (remuda )?plugin",
    "bad_abi": r"2.*1|1.*2",          # both versions are named
    "bad_minor": r"minor|newer|1\.1",
    "no_symbol": r"remuda_plugin_v1",
    "host_key": r"mount",
}


@pytest.mark.parametrize("guest", REFUSALS)
def test_refused_at_start(write, guest):
    done = run("-c", write("r.ini", ini(guest)))
    assert done.returncode in (70, 78), done.stderr
    lines = [line for line in done.stderr.splitlines()
             if "plugin guest" in line and re.search(REFUSALS[guest], line.partition("guest")[2])]
    assert lines, done.stderr


@pytest.mark.parametrize("how, wanted", [("fail", r"Invalid argument|EINVAL|-22"),
                                         ("crash", r"died|signal|crash"),
                                         ("exit", r"exit status 66")])
def test_start_that_ends_badly(write, how, wanted):
    done = run("-c", write("r.ini", ini("bad_start", f"how = {how}")))
    assert done.returncode == 70
    assert re.search(wanted, done.stderr), done.stderr


def test_constructor_that_crashes(write):
    done = run("-c", write("r.ini", ini("bad_constructor")))
    assert done.returncode in (70, 78) and done.stderr.strip()


@pytest.mark.parametrize("lines, wanted", [
    ([], "token"),
    (["token = x", "colour = red"], "colour"),
    (["token = x", "count = many"], "count"),
    (["token = x", "room = 5parsecs"], "room"),
])
def test_wrong_option_of_a_plugin_is_78(write, lines, wanted):
    for command in (["-t"], []):
        done = run(*command, "-c", write("r.ini", ini("options", *lines)), check_code=78)
        assert any(f"guest.{wanted}" in line or wanted in line for line in done.stderr.splitlines())


def test_options_are_given(server):
    one = server(ini("options", "token = secret", "loud = yes", "room = 2M", "patience = 1m"))
    assert one.get("/options").text == "token=secret count=3 loud=1 room=2097152 patience=60000\n"


@pytest.fixture
def rogue(server):
    return server(ini("rogue"))


@pytest.mark.parametrize("target, line", [
    ("/return200", r"neither 0.*\(200\)"), ("/pending", r"PENDING"),
    ("/silent", r"without an answer|no answer|did not answer"),
    ("/errno", r"Input/output error|EIO|-5")])
def test_rule_broken_is_500_and_a_line(rogue, target, line):
    start = rogue.log.mark()
    answer = rogue.get(target)
    assert answer.status == 500
    rogue.log.wait(line, start=start)
    assert any(target in text for text in rogue.log.lines[start:]), "the route is named"
    assert rogue.get("/fine").text == "fine\n"


def test_status_as_return_value_is_the_error_page(rogue):
    with rogue.connect() as connection:
        assert connection.get("/return404").status == 404
        assert connection.get("/fine").status == 200


def test_second_answer_is_refused(rogue):
    with rogue.connect() as connection:
        assert connection.get("/twice").text == "first\n"
        assert connection.get("/fine").text == "fine\n"
    rogue.log.wait(r"answers: 0, EALREADY")


def test_fields_of_the_host_are_refused(rogue):
    assert rogue.get("/forge").text == "7"


def test_failed_stream_is_cut(rogue):
    with rogue.connect() as connection:
        connection.request("GET", "/cut")
        with pytest.raises((wire.WireError, ConnectionError)):
            connection.response()
    assert rogue.get("/fine").status == 200


def test_wait_in_an_event_handler_is_refused(rogue):
    assert rogue.get("/wait").text == "EDEADLK"


def test_crash_hurts_its_own_worker_only(rogue):
    """Connections of the other worker go on."""
    held = {}

    def both():
        connection = rogue.connect()
        held.setdefault(connection.get("/who").text, connection)
        return len(held) == 2

    wait_until(both, 20, "a connection to each worker")
    (_, first), (pid, second) = held.items()
    first.request("GET", "/crash")
    with pytest.raises((wire.WireError, ConnectionError)):
        first.response()
    assert second.get("/who").text == pid
    rogue.log.wait(r"\) ready", count=3)
    assert rogue.get("/fine").status == 200
