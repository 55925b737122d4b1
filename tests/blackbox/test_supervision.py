# SPDX-License-Identifier: MIT
"""Workers that die, and a master that does."""

import os
import signal
import socket
import time

import pytest

import wire
from board import SLOTS, Board
from daemon import OBITUARY, WORKER_READY, is_ours, patience, sanitized, wait_until

INI = """
[server]
listen = 127.0.0.1:0
class = @CLASS@
workers = 3
threads = 2

[worker]
graceful_timeout = 5s

[plugin modes]
path = @TEST_PLUGINS@/modes.so
[plugin rogue]
path = @TEST_PLUGINS@/rogue.so
"""


def pinned(one):
    """{pid: a connection that this worker holds}, one for each worker."""
    held, workers = {}, set(one.workers())

    def all_held():
        connection = one.connect()
        pid = int(connection.get("/who").text)
        if pid in held:
            connection.close()
        else:
            held[pid] = connection
        return set(held) == workers

    wait_until(all_held, 20, "a connection to each worker")
    return held


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGABRT])
def test_killed_worker_is_replaced(server, number):
    one = server(INI)
    held = pinned(one)
    victim = sorted(held)[1]
    start = one.log.mark()
    one.kill_worker(victim, number)
    one.log.wait(OBITUARY, start=start)
    one.log.wait(WORKER_READY, start=start)
    assert len(wait_until(lambda: len(one.workers()) == 3 and one.workers(), 10, "three")) == 3
    for pid, connection in held.items():
        if pid != victim:
            assert int(connection.get("/who").text) == pid, "an unharmed connection"
        connection.close()
    assert one.get("/sync/hello").status == 200


def test_obituary_is_one_line_and_says_who_and_why(server):
    one = server(INI)
    victim = one.workers()[0]
    one.kill_worker(victim)
    one.log.wait(WORKER_READY, count=4)
    (match,) = one.log.matches(OBITUARY)
    assert int(match[2]) == victim and match[3] == "1"
    assert "signal 9 (KILL)" in match.string


def test_obituary_names_what_was_running(server):
    one = server(INI.replace("workers = 3", "workers = 1"))
    (victim,) = one.workers()
    board = Board(one.pid)
    with one.connect() as connection:
        connection.request("GET", "/sync/sleep?ms=60000")
        wait_until(lambda: board.records(0, SLOTS, 2), 10, "it runs")
        one.kill_worker(victim)
        one.log.wait(rf"\(pid {victim}, .*lost: GET /sync/sleep\b")
    board.close()


def test_all_workers_killed_at_once(server):
    one = server(INI)
    for pid in one.workers():
        one.kill_worker(pid)
    one.log.wait(WORKER_READY, count=6, timeout=20)
    assert one.get("/sync/hello").status == 200
    assert len(one.log.matches(OBITUARY)) == 3


def test_killed_again_and_again(server):
    one = server(INI)
    for _ in range(5):
        assert one.get("/sync/hello").status == 200
        start = one.log.mark()
        one.kill_worker(int(one.get("/who").text))
        one.log.wait(WORKER_READY, start=start, timeout=20)
    assert len(one.log.matches(OBITUARY)) == 5


def test_connect_while_a_worker_is_down(server):
    """The listener is the master's: no connection is refused meanwhile."""
    one = server(INI.replace("workers = 3", "workers = 1"))
    one.get("/sync/hello")
    one.kill_worker(one.workers()[0])
    assert one.get("/sync/hello").status == 200


def test_crash_in_a_handler(server):
    one = server(INI)
    with one.connect() as connection:
        connection.request("GET", "/crash")
        with pytest.raises((wire.WireError, ConnectionError)):
            connection.response()
    match = one.log.wait(OBITUARY)
    if not sanitized():
        assert "signal 11 (SEGV)" in match.string
    one.log.wait(WORKER_READY, count=4)
    assert one.get("/fine").status == 200


def test_stack_overflow_of_a_coroutine_names_the_route(server, worker_class):
    one = server(INI)
    with one.connect() as connection:
        connection.request("GET", "/overflow")
        with pytest.raises((wire.WireError, ConnectionError)):
            connection.response()
    one.log.wait(OBITUARY)
    if worker_class == "event" and not sanitized():
        one.log.wait(r"overflow.*/overflow|/overflow.*overflow")
    one.log.wait(WORKER_READY, count=4)
    assert one.get("/fine").status == 200


def bindable(address):
    host, port = address.rsplit(":", 1)
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((host, int(port)))
            sock.listen()
            return True
        except OSError:
            return False


def refused(address):
    try:
        wire.connect(address).close()
        return False
    except ConnectionRefusedError:
        return True


def until(predicate, seconds):
    """The time it took; no patience: these are promises."""
    allowed = seconds * (4 if sanitized() else 1)
    begin = time.monotonic()
    while not predicate():
        assert time.monotonic() - begin < allowed, f"not within {allowed} s"
        time.sleep(0.005)
    return time.monotonic() - begin


def test_master_killed(server):
    """Listeners closed within 1 s, idle workers gone within 2 s, the port free again."""
    one = server(INI)
    held = pinned(one)
    workers = one.workers()
    one.process.kill()
    one.process.wait()
    begin = time.monotonic()
    until(lambda: refused(one.address), 1.0)
    until(lambda: not any(is_ours(pid) for pid in workers), 2.0 - (time.monotonic() - begin))
    assert bindable(one.address)
    for connection in held.values():
        connection.close()


def test_master_killed_while_a_request_runs(server):
    """It is finished first; its worker is gone within graceful_timeout."""
    one = server(INI)
    one.workers()
    with one.connect() as connection:
        connection.request("GET", "/sync/sleep?ms=1000")
        wait_until(lambda: len({one.get("/who").text for _ in range(20)}) >= 1, 5, "a turn")
        one.process.kill()
        one.process.wait()
        assert connection.response().status == 200
    wait_until(lambda: not one.leftovers(), 10, "all workers gone")


def test_worker_ignores_the_terminal(server):
    """HUP, INT and QUIT reach the whole foreground group; workers leave them to the master."""
    one = server(INI)
    workers = one.workers()
    for pid in workers:
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGUSR2,
                       signal.SIGTTIN, signal.SIGTTOU, signal.SIGWINCH):
            one.kill_worker(pid, number)
    for _ in range(20):
        assert one.get("/sync/hello").status == 200
    assert one.workers() == workers
    assert os.getpgid(workers[0]) != os.getpgid(one.pid)


def test_stopped_worker_is_replaced_when_its_loop_is_late(server):
    """SIGSTOP: no heartbeat. Its successor serves before it is killed."""
    one = server(INI.replace("[worker]", "[worker]\nheartbeat_timeout = 1s"))
    victim = one.workers()[0]
    one.kill_worker(victim, signal.SIGSTOP)
    try:
        one.log.wait(WORKER_READY, count=4, timeout=20)
        wait_until(lambda: not is_ours(victim), patience(20), "the victim's end")
    finally:
        if is_ours(victim):
            os.kill(victim, signal.SIGCONT)
    assert one.get("/sync/hello").status == 200


def test_crash_loop_is_slowed_down(server):
    """Deaths before the first request: the governor waits 1, 2, 4 ... s between trials."""
    one = server(INI.replace("workers = 3", "workers = 1"))
    for _ in range(2):
        start = one.log.mark()
        one.kill_worker(one.workers()[0])
        one.log.wait(OBITUARY, start=start)
        one.log.wait(WORKER_READY, start=start, timeout=20)
    assert one.get("/sync/hello").status == 200


MARKED = INI.replace("workers = 3", "workers = 2").replace("[plugin rogue]", """
[plugin bad_start]
path = @TEST_PLUGINS@/bad_start.so
how = marked
mark = @DIR@/mark
[plugin rogue]""")


def test_crash_loop_boots_rarely(server):
    """One trial after 1, 2, 4 s; who lives serves; it is over when the cause is gone."""
    one = server(MARKED)
    mark = one.directory / "mark"
    mark.touch()
    begun = time.monotonic()
    one.kill_worker(one.workers()[0])
    one.log.wait("degraded: .* next try in 4 s", timeout=20)
    assert time.monotonic() >= begun + 3
    assert len(one.log.matches(OBITUARY)) == 3, "the first, and two trials"
    assert one.get("/fine").status == 200
    mark.unlink()
    one.log.wait(WORKER_READY, count=3, timeout=20)
    wait_until(lambda: len(one.workers()) == 2, 10, "two workers")


def test_lines_of_a_dead_worker_are_written(server):
    """By the master, at once: its successor would find them in the ring, but does not start."""
    one = server(MARKED.replace("workers = 2", "workers = 1")
                 + "[log]\naccess = @DIR@/access.log\naccess_format = %U%q\n")
    (one.directory / "mark").touch()
    with one.connect() as connection:
        for i in range(20):
            assert connection.get(f"/fine?{i}").status == 200
    one.kill_worker(one.workers()[0])
    wait_until(lambda: len(one.access_log()) >= 20, 5, "20 lines")
    assert one.access_log() == [f"/fine?{i}" for i in range(20)]


def test_suspended_machine_is_not_judged(server):
    """All stand still for longer than heartbeat_timeout; the workers wake up after the master,
    whose next look finds no sign of life that is newer than its own."""
    one = server(INI.replace("[worker]", "[worker]\nheartbeat_timeout = 3s"))
    workers = one.workers()
    try:
        for pid in (one.pid, *workers):
            os.kill(pid, signal.SIGSTOP)
        time.sleep(3.5)
        os.kill(one.pid, signal.SIGCONT)
        one.log.wait("the master was held up for")
        time.sleep(1.3)
    finally:
        for pid in (one.pid, *workers):
            os.kill(pid, signal.SIGCONT)
    for pid, connection in pinned(one).items():
        assert pid in workers
        connection.close()
    assert one.workers() == workers
    assert not one.log.matches("a successor starts")
