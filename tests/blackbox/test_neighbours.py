# SPDX-License-Identifier: MIT
"""What a worker leaves to its siblings: connections while it is busy, idle ones when it drains,
nothing to one that drains or stands still."""

import os
import signal
import threading
import time

from board import Board
from daemon import WORKER_READY, is_ours, patience, status_number, wait_until
from test_capacity import at_one_worker, slow

MANY = 800

INI = """
[server]
listen = 127.0.0.1:0
class = @CLASS@
workers = 2
threads = 1

[worker]
heartbeat_timeout = 1m

[log]
access = @DIR@/access.log
access_format = %P %U

[plugin modes]
path = @TEST_PLUGINS@/modes.so
"""


def keep_busy(one, ms):
    """A worker's one slot is taken: its pid, and the connection."""
    busy = one.connect()
    pid = int(busy.get("/who").text)
    slow(busy, ms)
    return pid, busy


def test_the_gate(server):
    """With its slot taken a worker takes one connection in 20 ms at most while the other has one
    free; without the gate it takes every second. The best of five, for the machine is shared."""
    one = server(INI)
    pid, busy = keep_busy(one, 4000)
    shares = []
    for attempt in range(5):
        for _ in range(40):
            assert one.get(f"/nothing{attempt}").status == 404
        wait_until(lambda: len(lines(one, attempt)) == 40, 5, "40 lines")
        shares.append(sum(line.startswith(f"{pid} ") for line in lines(one, attempt)) / 40)
    assert min(shares) < 0.3, shares
    assert busy.response().text == "slept"
    assert one.get("/who").status == 200


def lines(one, attempt):
    return [line for line in one.access_log() if line.endswith(f" /nothing{attempt}")]


def test_one_connection_wakes_one_worker(server):
    """Its arrival, its request and its end are three wakes at most; a herd of four would be
    three more, for the arrival."""
    one = server(INI.replace("workers = 2", "workers = 4"))
    pids, count = one.workers(), 300

    def wakes():
        return sum(status_number(pid, "voluntary_ctxt_switches") for pid in pids)

    one.get("/nothing")
    before, begun = wakes(), time.monotonic()
    for _ in range(count):
        assert one.get("/nothing").status == 404
    ticks = 2 * len(pids) * (time.monotonic() - begun + 1)  # each second, and its timers
    assert wakes() - before - ticks < 3.5 * count


def test_connections_are_spread(server):
    """Each idle worker in its turn. Left alone, the kernel wakes the same one again and again.
    One at a time, for of a burst each takes what it can get, and once all four serve: GO does
    not reach them in the same millisecond."""
    one = server(INI.replace("workers = 2", "workers = 4"))
    held, owners, seen = [], [], set()
    wait_until(lambda: seen.add(one.get("/who").text) or len(seen) == 4, 5, "four answers")
    for _ in range(40):
        held.append(one.connect())
        owners.append(held[-1].get("/who").text)
    assert min(owners.count(f"{pid}\n") for pid in one.workers()) >= 4, owners


def drained(one, pid):
    start = one.log.mark()
    os.kill(pid, signal.SIGTERM)
    wait_until(lambda: not is_ours(pid), patience(8), "the end of the worker")
    one.log.wait(WORKER_READY, start=start)


def test_idle_connections_outlive_their_worker(server):
    """They go to whoever serves on: the ones that were used and the ones that never were."""
    one = server(INI)
    used = [one.connect() for _ in range(20)]
    owners = [int(connection.get("/who").text) for connection in used]
    fresh = [one.connect() for _ in range(20)]
    for pid in set(owners):
        drained(one, pid)
    for connection, owner in zip(used + fresh, owners + [None] * 20):
        answer = connection.get("/who")
        assert answer.status == 200 and int(answer.text) not in owners, (owner, answer)
        assert not answer.closes


def test_more_idle_connections_than_an_inbox_holds(server):
    """It takes some 280 messages at a time."""
    one = server(INI)
    first, held = at_one_worker(one, MANY)
    drained(one, first)
    for connection in held:
        assert int(connection.get("/who").text) != first


def entry_of(board, pid):
    """The index of the worker's entry."""
    index, = (i for i in range(board.header["worker_slots"]) if board.word(i, "pid") == pid)
    return index


def taken_while_leaving(one, pid):
    """What siblings sent it after the TERM; its entry is read until it has another pid."""
    board = Board(one.pid)
    index = entry_of(board, pid)
    os.kill(pid, signal.SIGTERM)
    taken = [board.counters(index)["handoffs_in"]]

    def is_gone():
        now = board.counters(index)["handoffs_in"]
        if board.word(index, "pid") == pid:
            taken.append(now)
        return not is_ours(pid)

    wait_until(is_gone, 8, "the end of the worker")
    board.close()
    return taken[-1] - taken[0]


def test_one_that_drains_gets_nothing(server):
    """Its siblings do not send it what waits with them, though one of its slots is free as long
    as it stays for a slow request; and all are answered."""
    one = server(INI.replace("threads = 1", "threads = 2"))
    stop, failures, answered = threading.Event(), [], []

    def client():
        try:
            with one.connect() as first:
                connection = first
                while not stop.is_set():
                    answer = connection.get("/sync/sleep?ms=20")
                    assert answer.status == 200
                    answered.append(answer)
                    if answer.closes:
                        connection = one.connect()
        except Exception as error:  # whatever it is, it is a lost request
            failures.append(repr(error))

    threads = [threading.Thread(target=client) for _ in range(6)]
    for thread in threads:
        thread.start()
    try:
        wait_until(lambda: len(answered) > 20, 10, "some answers")
        start = one.log.mark()
        pid, busy = keep_busy(one, 600)
        taken = taken_while_leaving(one, pid)
        assert busy.response().text == "slept"
        one.log.wait(WORKER_READY, start=start)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert not failures
    assert taken <= 2, "more than what was on its way"


def test_one_that_stands_still(server):
    """A request that was sent to it comes back after a second or so; no others are sent."""
    one = server(INI)
    pid, (busy, moved) = at_one_worker(one, 2)
    still, = set(one.workers()) - {pid}
    try:
        wait_until(lambda: one.get("/who").text.strip() == str(still), 10, "it serves again")
        slow(busy, 600)
        assert busy.is_open() and one.get("/nothing").status == 404
        os.kill(still, signal.SIGSTOP)
        begun = time.monotonic()
        slow(moved, 10)
        assert moved.response().text == "slept"
        assert busy.response().text == "slept"
        assert time.monotonic() < begun + patience(4)
        for _ in range(5):
            slow(busy, 100)
            slow(moved, 100)
            assert busy.response().text == moved.response().text == "slept"
        assert time.monotonic() < begun + patience(8), "some were sent to it"
    finally:
        os.kill(still, signal.SIGCONT)
