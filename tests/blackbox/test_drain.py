# SPDX-License-Identifier: MIT
"""One worker leaves, or all do: what its handlers hear of it, and what becomes of what they do."""

import os
import signal

import pytest

from board import Board
from daemon import wait_until
from test_neighbours import entry_of

INI = """
[server]
listen = 127.0.0.1:0
class = @CLASS@
workers = 2
threads = 4

[worker]
graceful_timeout = @GRACEFUL@

[plugin modes]
path = @TEST_PLUGINS@/modes.so
[plugin frail]
path = @TEST_PLUGINS@/frail.so
"""
each_mode = pytest.mark.parametrize("mode", ("sync", "async"))


def ini(graceful="30s"):
    return INI.replace("@GRACEFUL@", graceful)


def begin(one, target):
    """(its connection, the worker that has it), once the handler runs."""
    connection = one.connect()
    pid = int(connection.get("/who").text)
    connection.request("GET", target)
    board = Board(one.pid)
    index = entry_of(board, pid)
    wait_until(lambda: board.word(index, "inflight") == 1, 10, "it runs")
    board.close()
    return connection, pid


@each_mode
def test_a_long_stream_says_goodbye_and_keeps_its_connection(server, mode):
    one = server(ini())
    connection, pid = begin(one, f"/{mode}/ticks")
    os.kill(pid, signal.SIGTERM)
    answer = connection.response()
    assert answer.status == 200 and answer.text.endswith("tick bye")
    assert int(connection.get("/who").text) != pid, "the same connection, another worker"
    connection.close()


@each_mode
def test_a_long_stream_says_goodbye_in_a_stop(server, mode):
    one = server(ini())
    connection, _ = begin(one, f"/{mode}/ticks")
    one.send_signal(signal.SIGTERM)
    assert connection.response().text.endswith("tick bye")
    assert connection.at_eof()
    connection.close()
    assert one.wait_exit() == 0


@each_mode
def test_a_handler_is_told(server, mode):
    one = server(ini())
    connection, pid = begin(one, f"/{mode}/draining")
    os.kill(pid, signal.SIGTERM)
    assert connection.response().text == "draining"
    connection.close()


@each_mode
def test_anything_else_runs_on(server, mode):
    one = server(ini())
    connection, pid = begin(one, f"/{mode}/sleep?ms=700")
    os.kill(pid, signal.SIGTERM)
    answer = connection.response()
    assert answer.status == 200 and answer.text == "slept" and not answer.closes
    assert int(connection.get("/who").text) != pid
    connection.close()


@each_mode
def test_until_graceful_timeout(server, mode):
    one = server(ini("300ms"))
    connection, pid = begin(one, f"/{mode}/sleep?ms=60000")
    os.kill(pid, signal.SIGTERM)
    assert connection.response().status == 503
    connection.close()
    assert one.get("/fine").status == 200


def test_a_connection_that_ends_at_once_is_not_the_last_one(server):
    """Of those in the accept queue, which a worker that drains takes in one turn."""
    one = server(ini().replace("workers = 2", "workers = 1"))
    (pid,) = one.workers()
    one.get("/fine")
    os.kill(pid, signal.SIGSTOP)
    held = [one.connect() for _ in range(10)]
    for connection, target in zip(held, ["/event/hello", "/sync/sleep?ms=200"] * 5):
        connection.request("GET", target, fields=[("Connection", "close")])
    os.kill(pid, signal.SIGTERM)
    os.kill(pid, signal.SIGCONT)
    assert [connection.response().status for connection in held] == [200] * 10
