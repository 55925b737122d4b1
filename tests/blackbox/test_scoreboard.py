# SPDX-License-Identifier: MIT
"""What the scoreboard says while something is going on, and that it is so."""

import os
import signal
import time

import pytest

from board import FLIGHTS, QUEUE, SERVICE, SLOTS, Board
from daemon import memory_kib, sanitized, wait_until

INI = """
[server]
listen = 127.0.0.1:0
class = @CLASS@
workers = 1
threads = 2
backlog = 300

[limits]
queue_timeout = 300ms

[worker]
loop_block = 100ms

[plugin blocker]
path = @TEST_PLUGINS@/blocker.so
"""

SLOW_MS = 1500 if sanitized() else 800


@pytest.fixture
def one(server):
    return server(INI)


@pytest.fixture
def board(one):
    seen = Board(one.pid)
    yield seen
    seen.close()


def ask_all(one, target, count):
    held = [one.connect() for _ in range(count)]
    for connection in held:
        connection.request("GET", target)
    return held


def end_all(held, status=200):
    for connection in held:
        assert connection.response().status == status
        connection.close()


def test_who_and_since_when(one, board):
    (pid,) = one.workers()
    header = board.header
    assert (header["generation"], header["ready"]) == (1, 1)
    assert header["worker_slots"] >= 2
    wait_until(lambda: board.header["listeners"] == 1, what="the first second")
    assert (board.word(0, "pid"), board.word(0, "generation")) == (pid, 1)
    assert board.word(0, "threads") == 2
    now_ms = time.monotonic() * 1000
    assert header["started_ms"] <= board.word(0, "started_ms") <= now_ms
    assert board.word(0, "tick_ms") <= now_ms
    assert board.word(0, "fd_room") > 0


def test_memory(one, board):
    (pid,) = one.workers()
    wait_until(lambda: board.word(0, "rss_bytes") > 0, what="the first second")
    wait_until(lambda: abs(board.word(0, "rss_bytes") / 1024 / memory_kib(pid) - 1) < 0.2,
               what="what /proc says")


def test_slots_show_what_they_run(one, board):
    held = ask_all(one, f"/sync/block?ms={SLOW_MS}", 2)
    busy = wait_until(lambda: len(found := board.records(0, SLOTS, 2)) == 2 and found)
    for record in busy.values():
        assert (record["method"], record["path"]) == ("GET", "/sync/block")
        assert record["peer"] == "127.0.0.1" and record["route"] == 2
        assert 0 <= time.monotonic() * 1000 - record["since_ms"] < SLOW_MS + 5000
    assert (board.word(0, "load"), board.word(0, "inflight")) == (2, 2)
    assert board.word(0, "connections") == 2
    end_all(held)
    wait_until(lambda: not board.records(0, SLOTS, 2) and board.word(0, "load") == 0)


def test_flights_beyond_the_records_are_counted(one, board, worker_class):
    if worker_class == "thread":
        pytest.skip("in the thread class there are only slots")
    held = ask_all(one, f"/async/sleep?ms={2 * SLOW_MS}", 270)
    wait_until(lambda: board.word(0, "inflight") == 270, what="all in flight")
    assert board.word(0, "inflight_unrecorded") == 270 - 256
    busy = board.records(0, FLIGHTS, 256)
    assert len(busy) == 256 and busy[0]["path"] == "/async/sleep"
    end_all(held)
    wait_until(lambda: board.word(0, "inflight") == 0)
    assert board.word(0, "inflight_unrecorded") == 0
    assert not board.records(0, FLIGHTS, 256)


def test_time_is_split_into_queue_and_service(one, board):
    """Two slots, three requests of 100 ms: the third one waits as long as it is served."""
    held = ask_all(one, "/sync/block?ms=100", 3)
    end_all(held)
    (queued, queue_us), (served, service_us) = (board.histogram(0, QUEUE),
                                                board.histogram(0, SERVICE))
    assert queued == served == 3
    assert 300000 <= service_us
    assert 50000 <= queue_us < service_us


def test_shed_is_what_no_handler_saw(one, board):
    held = ask_all(one, f"/sync/block?ms={SLOW_MS}", 2)
    wait_until(lambda: board.word(0, "load") == 2)
    assert one.get("/sync/refuse").status == 503, "waited too long"
    assert board.counters(0)["shed"] == 1
    end_all(held)
    assert one.get("/sync/refuse").status == 503, "the handler says so"
    counters = board.counters(0)
    assert (counters["shed"], counters["r5xx"], counters["r2xx"]) == (1, 2, 2)


def test_departed(one, board):
    held = ask_all(one, f"/sync/block?ms={SLOW_MS}", 2)
    wait_until(lambda: board.word(0, "load") == 2)
    with one.connect() as connection:
        connection.request("GET", "/sync/block")
        wait_until(lambda: board.word(0, "waiting") == 1, what="it waits")
    wait_until(lambda: board.word(0, "waiting") == 0)
    assert board.counters(0)["departed"] == 1
    end_all(held)


def test_loop_lag_rises_while_it_is_long_and_decays(one, board):
    wait_until(lambda: board.word(0, "tick_ms") > 0)
    assert one.get("/event/block?ms=300").status == 200
    assert wait_until(lambda: board.word(0, "loop_lag_us") >= 300000), "at its end"
    assert board.counters(0)["loop_blocks"] >= 1
    wait_until(lambda: board.word(0, "loop_lag_us") < 300000, what="forgotten")
    assert board.word(0, "awake_since_ms") == 0 or board.word(0, "running") % 65536 == 0


def test_turn_under_way(one, board):
    held = ask_all(one, f"/event/block?ms={SLOW_MS}", 1)
    wait_until(lambda: board.word(0, "running") % 65536 != 0, what="it runs")
    since_ms = board.word(0, "awake_since_ms")
    assert 0 <= time.monotonic() * 1000 - since_ms < SLOW_MS + 5000
    assert board.word(0, "running") >> 16 & 0xffff == 1, "its route"
    assert board.word(0, "awake_since_ms") == since_ms
    end_all(held)
    wait_until(lambda: board.word(0, "awake_since_ms") == 0, what="it sleeps")


def test_the_kernels_queue(one, board):
    """Connections that a stopped worker does not accept."""
    (pid,) = one.workers()
    limit = min(300, int(open("/proc/sys/net/core/somaxconn").read()))
    wait_until(lambda: board.backlog(0) == (0, limit), what="the limit")
    os.kill(pid, signal.SIGSTOP)
    try:
        held = [one.connect() for _ in range(3)]
        wait_until(lambda: board.backlog(0) == (3, limit), what="three wait")
    finally:
        os.kill(pid, signal.SIGCONT)
    wait_until(lambda: board.backlog(0) == (0, limit), what="all are accepted")
    for client in held:
        client.close()
