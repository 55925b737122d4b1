# SPDX-License-Identifier: MIT
"""Loops that stand still for longer than heartbeat_timeout, and a master that does."""

import os
import signal
import time

import pytest

import board
import wire
from daemon import OBITUARY, WORKER_READY, is_ours, sanitized, wait_until

INI = """
[server]
listen = 127.0.0.1:0
class = @CLASS@
workers = @WORKERS@
threads = 3

[limits]
request_timeout = 0

[worker]
heartbeat_timeout = @HEARTBEAT@
graceful_timeout = 5s

[plugin blocker]
path = @TEST_PLUGINS@/blocker.so
[plugin modes]
path = @TEST_PLUGINS@/modes.so
mount = /modes
"""

STILL = (r"warn master: worker \d+ \(pid (\d+), generation 1\)"
         r" has not turned its loop for \d+ ms: a successor starts")
LOST = r"error master: worker \d+ \(pid (\d+), generation 1\) lost: (GET|POST) (\S+) from"
HEARTBEAT = 2 if sanitized() else 1


def ini(workers=1):
    return INI.replace("@WORKERS@", str(workers)).replace("@HEARTBEAT@", f"{HEARTBEAT}s")


def test_a_blocked_loop_is_replaced(server):
    """A successor serves first; then what blocks is aborted, and each request is named."""
    one = server(ini())
    (victim,) = one.workers()
    seen = board.Board(one.pid)
    with one.connect() as blocks, one.connect() as beside, one.connect() as idle:
        assert idle.get("/modes/sync/hello").status == 200
        beside.request("GET", f"/sync/block?ms={HEARTBEAT * 400}")
        wait_until(lambda: seen.records(0, board.SLOTS, 3), what="its slot")
        seen.close()
        blocks.request("GET", "/event/block?ms=100000")
        assert int(one.log.wait(STILL, timeout=20)[1]) == victim
        one.log.wait(WORKER_READY, count=2, timeout=20)
        assert is_ours(victim), "its successor was ready first"
        assert one.get("/modes/sync/hello").status == 200
        for connection in (blocks, beside):
            with pytest.raises((wire.WireError, ConnectionError)):
                connection.response()
    died = one.log.wait(OBITUARY, timeout=20)
    assert int(died[2]) == victim
    assert "signal 6 (ABRT), by the master: its loop stood still for longer" in died.string
    one.log.wait(LOST, count=2)
    lost = sorted(m[3] for m in one.log.matches(LOST))
    assert lost == ["/event/block", "/sync/block"], "both were in flight, and named"
    assert one.get("/modes/sync/hello").status == 200


def test_a_loop_that_comes_back_loses_nothing(server):
    """Longer than heartbeat_timeout, not longer than two: its worker drains."""
    one = server(ini())
    (victim,) = one.workers()
    with one.connect() as blocks, one.connect() as beside:
        beside.request("GET", f"/sync/block?ms={HEARTBEAT * 1000}")
        blocks.request("GET", f"/event/block?ms={HEARTBEAT * 1000 + 900}")
        assert beside.response().status == 200
        assert blocks.response().status == 200
    if one.log.matches(STILL):
        wait_until(lambda: not is_ours(victim), 20, "its gentle end")
    assert not one.log.matches(OBITUARY)
    assert one.get("/modes/sync/hello").status == 200


def test_a_loop_that_comes_back_serves_until_its_successor_does(server):
    """Though that takes longer than heartbeat_timeout."""
    one = server(ini().replace(f"{HEARTBEAT}s", f"{2 * HEARTBEAT}s") + f"""
[plugin laggard]
path = @TEST_PLUGINS@/laggard.so
mount = /laggard
boot = {4 * HEARTBEAT}s
""")
    (victim,) = one.workers()
    with one.connect() as kept:
        stop([victim])
        one.log.wait(STILL, timeout=20)
        go_on([victim])
        while len(one.log.matches(WORKER_READY)) < 2:
            answer = kept.get("/modes/sync/hello")
            assert answer.status == 200 and not answer.closes
            time.sleep(0.05)
        wait_until(lambda: not is_ours(victim), 20, "its gentle end")
        assert kept.get("/modes/sync/hello").status == 200
    assert not one.log.matches(OBITUARY)


def test_one_that_stands_still_before_it_serves_ends_its_reload(server):
    """While the other one starts."""
    one = server(ini(workers=2))
    before = one.workers()
    one.write_ini(ini(workers=2).replace("[worker]", "[worker]\nboot_timeout = 120s") + """
[plugin bad]
path = @TEST_PLUGINS@/bad_start.so
mount = /bad
how = first
mark = @DIR@/mark
""")
    start = one.log.mark()
    one.send_signal(signal.SIGHUP)
    stop([int(one.log.wait(WORKER_READY, timeout=20, start=start)[2])])
    why = one.log.wait(r"reload refused: (.*)", timeout=30, start=start)[1]
    assert "its loop stood still before it served" in why
    wait_until(lambda: one.workers() == before, 10, "the end of the new ones")
    assert one.get("/modes/sync/hello").status == 200


def test_an_idle_server_is_left_alone(server):
    """A loop without work turns once a second, and that is enough for a limit of one."""
    one = server(ini(workers=3).replace(f"{HEARTBEAT}s", "500ms"))
    before = one.workers()
    time.sleep(5)
    assert one.workers() == before
    assert not one.log.matches(STILL)


def stop(pids):
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)


def go_on(pids):
    for pid in pids:
        os.kill(pid, signal.SIGCONT)


def test_a_master_that_was_stopped_kills_nobody(server):
    """Its workers serve on meanwhile."""
    one = server(ini(workers=2))
    before = one.workers()
    stop([one.pid])
    try:
        end = time.monotonic() + 4 * HEARTBEAT
        with one.connect() as connection:
            while time.monotonic() < end:
                assert connection.get("/modes/sync/hello").status == 200
                time.sleep(0.05)
    finally:
        go_on([one.pid])
    one.log.wait(r"warn master: the master was held up for \d+ ms: no worker is judged by that")
    time.sleep(2 * HEARTBEAT + 1)
    assert one.workers() == before
    assert not one.log.matches(STILL) and not one.log.matches(OBITUARY)


def test_a_machine_that_was_suspended_kills_nobody(server):
    """All were stopped, and the master goes on first: no worker has turned its loop yet."""
    one = server(ini(workers=2))
    before = one.workers()
    with one.connect() as connection:
        assert connection.get("/modes/sync/hello").status == 200
        stop([one.pid, *before])
        try:
            time.sleep(4 * HEARTBEAT)
            go_on([one.pid])
            one.log.wait("the master was held up for")
            time.sleep(0.3 * HEARTBEAT)
        finally:
            go_on([one.pid, *before])
        time.sleep(2 * HEARTBEAT + 1)
        assert connection.get("/modes/sync/hello").status == 200
    assert one.workers() == before
    assert not one.log.matches(STILL) and not one.log.matches(OBITUARY)


def test_deadlines_move_with_a_master_that_was_stopped(server):
    """A worker that starts has its boot_timeout, whatever the machine slept."""
    boot = 4 if not sanitized() else 12
    one = server(ini())
    (old,) = one.workers()
    one.write_ini(ini().replace("[worker]", f"[worker]\nboot_timeout = {boot}s") + """
[plugin laggard]
path = @TEST_PLUGINS@/laggard.so
mount = /laggard
boot = 1s
""")
    one.send_signal(signal.SIGHUP)
    (new,) = wait_until(lambda: set(one.workers()) - {old}, what="a new worker")
    stop([one.pid, new])
    try:
        time.sleep(boot + 1)
        go_on([one.pid])
        one.log.wait("the master was held up for")
    finally:
        go_on([one.pid, new])
    assert int(one.log.wait(WORKER_READY, count=2, timeout=boot)[2]) == new
    wait_until(lambda: not is_ours(old), 10, "the end of the old one")
    assert one.get("/laggard/hello").status == 200
    assert not one.log.matches(OBITUARY)
