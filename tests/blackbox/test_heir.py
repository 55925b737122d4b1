# SPDX-License-Identifier: MIT
"""What was on its way to a worker that dies is taken up by a living one, at once."""

import os
import signal
import time

from board import Board
from conftest import MODES
from daemon import client_ports, patience, wait_until
from test_capacity import at_one_worker, take_slot

INI = MODES.replace("threads = 4", "threads = 1")
ATTEMPTS = 12
SECOND = 0.95  # between two sweeps of the inboxes, less what the look at the clock may cost


def has_socket(pid, connection):
    """Is the server's end of this connection in the descriptor table of that process?"""
    (_, here), (_, there) = connection.sock.getsockname(), connection.sock.getpeername()
    return here in client_ports(pid, there)


def wait_for_sweep(one, pid):
    """Until the idle worker has just had its turn of each second: it looks into the inboxes of
    others then, and that is not what is tried here."""
    board = Board(one.pid)
    (index,) = (i for i in range(board.header["worker_slots"]) if board.word(i, "pid") == pid)
    ticks = [board.word(index, "tick_ms")]

    def has_ticked():
        ticks.append(board.word(index, "tick_ms"))
        return 0.95 < (ticks[-1] - ticks[-2]) / 1000 < 1.2

    wait_until(has_ticked, 5, "a turn, a second after the one before")
    board.close()
    return ticks[-1] / 1000


def attempt(server):
    """Was the answer there before the next sweep? None: it was not sent to the one that stands
    still, or it was too late for a verdict when that one died."""
    one = server(INI)
    heir, (busy, moved, other) = at_one_worker(one, 3)
    [victim] = set(one.workers()) - {heir}
    swept = wait_for_sweep(one, heir)
    os.kill(victim, signal.SIGSTOP)
    take_slot(busy, other, 150)
    moved.send(b"GET /sync/sleep?ms=1 HTTP/1.1\r\nHost: a\r\n\r\nGET /who HTTP/1.1\r\n"
               b"Host: a\r\n\r\n")
    while has_socket(heir, moved) and time.monotonic() < swept + 0.3:
        time.sleep(0.001)
    is_sent = not has_socket(heir, moved)
    assert busy.response().text == "slept"
    is_in_time = time.monotonic() < swept + SECOND - 0.3
    one.kill_worker(victim)
    assert moved.response().text == "slept"
    is_at_once = time.monotonic() < swept + SECOND
    assert int(moved.response().text) == heir or not is_at_once
    wait_until(lambda: len(one.workers()) == 2, patience(10), "a successor")
    return is_at_once if is_sent and is_in_time else None


def test_the_heir_takes_what_lies_in_the_inbox(server):
    """Each time that something was sent: twice, in so many attempts."""
    times = []
    for _ in range(ATTEMPTS):
        is_at_once = attempt(server)
        if is_at_once is not None:
            times.append(is_at_once)
        if len(times) == 2:
            break
    assert times, "it was never sent"
    assert all(times), "it waited for the sweep"
