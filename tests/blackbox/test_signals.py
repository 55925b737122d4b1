# SPDX-License-Identifier: MIT
"""TERM, INT, QUIT, TTIN, TTOU, WINCH: what each does to the whole."""

import signal
import time

import pytest

import wire
from conftest import MODES
from daemon import patience, wait_until


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_graceful_stop_finishes_what_runs(server, number):
    one = server()
    with one.connect() as busy, one.connect() as idle:
        idle.get("/sync/hello")
        busy.request("GET", "/sync/sleep?ms=700")
        _begun(one)
        one.send_signal(number)
        assert busy.response().status == 200
        assert one.wait_exit() == 0
        assert idle.at_eof(), "an idle connection ends without a byte"
    assert not one.leftovers()
    with pytest.raises(ConnectionRefusedError):
        wire.connect(one.address)


def _begun(one):
    """A request sent before on another connection has begun: all workers have turned."""
    seen = set()
    wait_until(lambda: seen.add(one.get("/who").text) or len(seen) == len(one.workers()), 10,
               "an answer of each worker")


def test_stop_and_stopped_are_said_once(server):
    one = server()
    assert one.stop() == 0
    assert len(one.log.matches(r"\bstopping\b")) == 1
    assert len(one.log.matches(r"\bstopped\b")) == 1


def test_graceful_stop_ends_at_its_timeout(server):
    one = server(MODES + "[worker]\ngraceful_timeout = 500ms\n")
    with one.connect() as busy:
        busy.request("GET", "/async/sleep?ms=60000")
        _begun(one)
        begin = time.monotonic()
        assert one.stop() == 0
        assert time.monotonic() - begin < patience(10)
    assert not one.leftovers()


def test_blocked_loop_does_not_hold_up_a_stop(server):
    """It hears nothing: the master ends it, soon after graceful_timeout."""
    one = server(MODES + """
[plugin blocker]
path = @TEST_PLUGINS@/blocker.so
mount = /b
[worker]
graceful_timeout = 500ms
heartbeat_timeout = 5m
""")
    with one.connect() as busy:
        busy.request("GET", "/b/event/block?ms=60000")
        one.log.wait("its loop is blocked")
        begin = time.monotonic()
        assert one.stop() == 0
        assert 1 < time.monotonic() - begin < patience(10)
    one.log.wait("not drained within graceful_timeout")
    assert not one.leftovers()


def test_quit_does_not_wait(server):
    one = server()
    with one.connect() as busy:
        busy.request("GET", "/sync/sleep?ms=20000")
        _begun(one)
        begin = time.monotonic()
        assert one.stop(signal.SIGQUIT) == 0
        assert time.monotonic() - begin < 8
    assert not one.leftovers()


def test_second_int_does_not_wait(server):
    one = server()
    with one.connect() as busy:
        busy.request("GET", "/sync/sleep?ms=20000")
        _begun(one)
        one.send_signal(signal.SIGINT)
        one.log.wait(r"\bstopping\b")
        begin = time.monotonic()
        assert one.stop(signal.SIGINT) == 0
        assert time.monotonic() - begin < 8


def test_keepalive_under_a_stop_loses_nothing(server):
    """A client that reuses its connection sees `close` or an end between answers."""
    one = server()
    with one.connect() as connection:
        for _ in range(10):
            connection.get("/async/hello")
        one.send_signal(signal.SIGTERM)
        assert one.wait_exit() == 0
        assert connection.at_eof()


def test_ttin_and_ttou(server):
    one = server()
    assert len(one.workers()) == 2
    one.send_signal(signal.SIGTTIN)
    wait_until(lambda: len(one.workers()) == 3, 10, "three workers")
    assert one.get("/sync/hello").status == 200
    for count in (2, 1):
        one.send_signal(signal.SIGTTOU)
        wait_until(lambda: len(one.workers()) == count, 10, f"{count} workers")
    assert one.get("/sync/hello").status == 200
    one.send_signal(signal.SIGTTOU)
    one.log.wait("TTOU ignored")  # two pending signals come in the order of their numbers
    one.send_signal(signal.SIGTTIN)
    wait_until(lambda: len(one.workers()) == 2, 10, "never below one, so two again")


def test_scaling_keeps_connections_of_the_others(server):
    one = server()
    one.send_signal(signal.SIGTTIN)
    wait_until(lambda: len(one.workers()) == 3, 10, "three workers")
    with one.connect() as connection:
        pid = int(connection.get("/who").text)
        one.send_signal(signal.SIGTTOU)
        wait_until(lambda: len(one.workers()) == 2, 10, "two workers")
        if pid in one.workers():
            assert int(connection.get("/who").text) == pid


def test_winch_is_ignored(server):
    one = server()
    workers = one.workers()
    one.send_signal(signal.SIGWINCH)
    assert one.get("/sync/hello").status == 200
    assert one.workers() == workers


def test_usr1_reopens_the_error_log(server):
    one = server(MODES + "[log]\nerror = @DIR@/error.log\n", ready=False)
    log = one.directory / "error.log"
    wait_until(lambda: log.exists() and "ready: " in log.read_text(), 10, "the ready line")
    log.rename(one.directory / "error.log.1")
    one.send_signal(signal.SIGUSR1)
    wait_until(log.exists, 10, "a new error log")
    one.send_signal(signal.SIGHUP)
    wait_until(lambda: "reload done" in log.read_text(), 10, "lines in the new file")
    assert "reload done" not in (one.directory / "error.log.1").read_text()


def test_pid_file(server):
    one = server(MODES.replace("workers = 2", "workers = 2\npid_file = @DIR@/pid"))
    path = one.directory / "pid"
    assert path.read_text() == f"{one.pid}\n"
    assert one.stop() == 0
    assert not path.exists()
