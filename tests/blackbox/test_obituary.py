# SPDX-License-Identifier: MIT
"""What the log says of a worker that has died: the cause, the crash, what was lost."""

import json
import os
import re
import signal

import pytest

from daemon import OBITUARY, WORKER_READY, sanitized, wait_until
from wire import WireError

INI = """
[server]
listen = 127.0.0.1:0
class = @CLASS@
workers = 1
threads = 2

[worker]
max_inflight = 2

[log]
access = @DIR@/access.log
access_format = json

[plugin crash]
path = @TEST_PLUGINS@/crash.so
@MORE@
"""

FAULT = r"error worker 0: fault: (?:stack overflow, )?signal "
FRAME = r"error worker 0: fault: #"


def start(server, more="", **options):
    return server(INI.replace("@MORE@", more), **options)


def ask(one, target):
    connection = one.connect()
    connection.request("GET", target)
    return connection


def begun(one):
    path = one.directory / "begun.log"
    return path.read_text().split() if path.exists() else []


def killed_lines(one, count):
    wait_until(lambda: len(one.access_log()) >= count, 10, f"{count} access-log lines")
    return [json.loads(line) for line in one.access_log()]


def died_of(one, name):
    """Its obituary. A sanitizer reports a fault in its own way, and aborts; or, where it cannot
    even do that, exits."""
    match = one.log.wait(OBITUARY + r"(?:signal \d+ \((\w+)\)|exit status 1,)")
    assert match[4] == name or (sanitized() and match[4] in ("ABRT", None)), match.string
    return match.string


def test_killed_worker_names_what_it_held(server):
    """Two run, one waits, one is half read: each has its line here and in the access log."""
    one = start(server)
    (pid,) = one.workers()
    held = [ask(one, f"/sync/work?ms=60000&id=run{i}") for i in range(2)]
    wait_until(lambda: len(begun(one)) == 2, 10, "both to run")
    held.append(ask(one, "/sync/work?ms=60000&id=waits"))
    held.append(one.connect())
    held[-1].send(b"GET /half HTTP/1.1\r\nHos")
    with one.connect() as probe:  # everything before it has been read
        assert probe.get("/nowhere").status == 404
    one.kill_worker(pid)
    obituary = one.log.wait(OBITUARY).string
    assert "signal 9 (KILL), sent by somebody else" in obituary
    assert re.search(r"after \d+\.\d s, 5 requests, 4 of them lost, rss \d+\.\d MiB$", obituary)
    of_worker = rf"worker 0 \(pid {pid}, generation 1\) lost: "
    route = r"GET /sync/work from 127\.0\.0\.1, route GET /sync/work of plugin crash, "
    one.log.wait(of_worker + route + r"running in slot 0, after \d+ ms$")
    one.log.wait(of_worker + route + r"running in slot 1, after \d+ ms$")
    one.log.wait(of_worker + route + r"waiting, after \d+ ms$")
    one.log.wait(of_worker + r"an unfinished head from 127\.0\.0\.1, being read, after \d+ ms$")
    lines = killed_lines(one, 5)
    assert sorted(line["status"] for line in lines) == [0, 0, 0, 0, 404]
    lost = [line for line in lines if line["status"] == 0]
    assert all(line["note"] == "killed" and line["worker"] == 0 for line in lost)
    assert sorted(line["target"] or "-" for line in lost) == [
        "-", "/sync/work?ms=60000&id=run0", "/sync/work?ms=60000&id=run1",
        "/sync/work?ms=60000&id=waits"]
    assert sorted(str(line["slot"]) for line in lost) == ["0", "1", "None", "None"]
    assert {line["route"] for line in lost} == {None, "/sync/work"}
    assert len({line["id"] for line in lost}) == 4
    assert all(line["id"].startswith(f"{pid:x}-") for line in lost)
    for connection in held:
        connection.close()
    one.log.wait(WORKER_READY, count=2)
    assert one.stop() == 0
    assert len(one.access_log()) == 5, "no line twice, whoever wrote it"


@pytest.mark.parametrize("form, pattern", [
    ("combined", r'127\.0\.0\.1 - - \[.*\] "GET /sync/work\?ms=60000&id=a HTTP/1\.1" 000 -'
                 r' "-" "-"'),
    ("%m %U%q %s %X %{note}x", r"GET /sync/work\?ms=60000&id=a 000 X killed"),
])
def test_killed_line_has_the_configured_form(server, form, pattern):
    one = server(INI.replace("@MORE@", "").replace("= json", f"= {form}"))
    with ask(one, "/sync/work?ms=60000&id=a"):
        wait_until(lambda: begun(one) == ["a"], 10, "it to run")
        one.kill_worker(one.workers()[0])
        one.log.wait(OBITUARY)
        wait_until(one.access_log, 10, "the line")
    assert one.stop() == 0
    (line,) = one.access_log()
    assert re.fullmatch(pattern, line), line


def on_which(worker_class, mode):
    """Where a handler of that mode runs."""
    loop = mode == "event" or (mode == "async" and worker_class == "event")
    return r"on the loop" if loop else r"in slot \d"


@pytest.mark.parametrize("mode", ["sync", "async", "event"])
@pytest.mark.parametrize("how, name", [("segv", "SEGV"), ("abrt", "ABRT"), ("fpe", "FPE"),
                                       ("ill", "ILL"), ("trap", "TRAP"), ("jump", "SEGV")])
def test_crash_says_what_and_where(server, worker_class, mode, how, name):
    one = start(server)
    assert one.get("/who").status == 200
    with ask(one, f"/{mode}/die?how={how}") as connection:
        match = one.log.wait(FAULT + name + r"(.*)$")
        assert re.fullmatch(r".*, " + on_which(worker_class, mode) +
                            rf", in GET /{mode}/die of plugin crash", match[1])
        obituary = died_of(one, name)
        assert "2 requests, 1 of them lost" in obituary
        with pytest.raises((WireError, ConnectionError)):
            connection.response()
    one.log.wait(FRAME + r"[\d?]+ \S*/crash\.so\(\w*\+0x[0-9a-f]+\)$")
    one.log.wait(rf"lost: GET /{mode}/die from 127\.0\.0\.1, route GET /{mode}/die of plugin crash")
    lines = killed_lines(one, 2)
    assert [(line["status"], line["note"]) for line in lines] == [(200, None), (0, "killed")]
    one.log.wait(WORKER_READY, count=2, timeout=20)
    assert one.get("/who").status == 200


def test_null_address_and_code_are_named(server):
    one = start(server)
    with ask(one, "/sync/die?how=segv"):
        one.log.wait(FAULT + r"SEGV MAPERR at 0x0, in slot 0, in GET /sync/die of plugin crash$")
        died_of(one, "SEGV")


@pytest.mark.parametrize("mode", ["sync", "async", "event"])
def test_task_of_the_pool_has_its_request(server, worker_class, mode):
    if mode == "event":
        pytest.skip("an EVENT handler may not wait for its tasks")
    one = start(server)
    with ask(one, f"/{mode}/task?how=segv"):
        one.log.wait(FAULT + rf"SEGV MAPERR at 0x0, in .*, in GET /{mode}/task of plugin crash$")
        died_of(one, "SEGV")


@pytest.mark.parametrize("mode", ["sync", "async", "event"])
def test_overflow_is_recognised(server, worker_class, mode):
    if mode == "event":
        pytest.skip("the loop's own stack is 8 MiB")
    one = start(server)
    with ask(one, f"/{mode}/die?how=overflow"):
        if on_which(worker_class, mode) == "on the loop":
            one.log.wait(r"coroutine stack overflow in route GET /async/die$")
        match = one.log.wait(r"fault: stack overflow, signal SEGV .*, (.*), in GET (\S+) of plugin")
        assert re.fullmatch(on_which(worker_class, mode), match[1])
        died_of(one, "SEGV")
    assert len(one.log.matches(FRAME)) <= 12, "a recursion is not shown to its end"


def test_smashed_stack_still_has_its_words(server, worker_class):
    one = start(server)
    with ask(one, "/sync/die?how=smash"):
        one.log.wait(FAULT + r"SEGV .*, in slot 0, in GET /sync/die of plugin crash$")
        died_of(one, "SEGV")


def test_two_crash_at_once(server):
    """Neither waits for the other for long, and both are told of."""
    one = start(server)
    held = [ask(one, "/sync/together?n=2") for _ in range(2)]
    died_of(one, "SEGV")
    assert 1 <= len(one.log.matches(FAULT)) <= (3 if sanitized() else 2)
    assert len(one.log.matches(FRAME + "0 ")) == 1
    lines = killed_lines(one, 2)
    assert len(lines) == 2 and all(line["status"] == 0 for line in lines)
    for connection in held:
        connection.close()


def test_sender_of_a_signal_is_named(server):
    one = start(server)
    one.kill_worker(one.workers()[0], signal.SIGBUS)
    one.log.wait(FAULT + rf"BUS sent by process {os.getpid()} of user \d+, on the loop$")
    died_of(one, "BUS")


def test_exit_in_a_handler(server):
    one = start(server)
    with ask(one, "/sync/die?how=exit"):
        one.log.wait(OBITUARY + r"exit status 3, .* 1 of them lost")
    assert one.log.matches(FAULT) == []
    assert [line["note"] for line in killed_lines(one, 1)] == ["killed"]


def test_handler_of_a_plugin_is_left_alone(server):
    one = start(server, "handler = yes")
    with ask(one, "/sync/die?how=segv"):
        one.log.wait(OBITUARY + r"exit status 9, .* 1 of them lost")
    assert one.log.matches(FAULT) == []


def test_storm_is_bounded(server):
    """Forty crashes: few are told whole, each request has its line in the access log."""
    one = start(server)
    crashes = 40
    for i in range(crashes):
        one.log.wait(WORKER_READY, count=i + 1, timeout=20)
        wait_until(lambda: one.get("/who").status == 200, 10, "an answer")
        with ask(one, "/sync/die?how=abrt") as connection:
            connection.wait_gone(20)
    one.log.wait(r"\d+ workers died within 10 s; \d+ of them are not named here", timeout=30)
    wait_until(lambda: sum(json.loads(line)["status"] == 0 for line in one.access_log())
               == crashes, 10, "a line for each")
    begun_s = 1 + int(10 * crashes / 20)  # windows that may have begun meanwhile
    assert len(one.log.matches("lost: ")) <= 5 * begun_s
    assert len(one.log.matches(FRAME)) <= 5 * 33 * begun_s
