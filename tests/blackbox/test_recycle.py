# SPDX-License-Identifier: MIT
"""max_requests and max_rss: a worker at a time is replaced, and nobody notices.

No client here tries anything twice.
"""

import re
import threading

import pytest

from board import Board
from daemon import WORKER_READY, memory_kib, sanitized, wait_until

INI = """
[server]
listen = 127.0.0.1:0
class = @CLASS@
workers = 3
threads = 2

[worker]
@WORKER@

[plugin modes]
path = @TEST_PLUGINS@/modes.so
[plugin frail]
path = @TEST_PLUGINS@/frail.so
mount = /frail
"""
RECYCLED = r"worker (\d+) \(pid (\d+), generation (\d+)\) is recycled: (.*)"
LEFT = r"worker (\d+) \(pid (\d+), generation \d+\) left: drained"
SERVING, RETIRING = 3, 4


def ini(worker, frail=""):
    return INI.replace("@WORKER@", worker) + frail


class Client(threading.Thread):
    """Asks until it is told to end; keeps its connection, or takes a new one each time."""

    def __init__(self, one, keeps):
        super().__init__()
        self.one, self.keeps, self.ending = one, keeps, threading.Event()
        self.answers, self.failure = 0, None

    def run(self):
        try:
            while not self.ending.is_set():
                with self.one.connect() as connection:
                    self.ask_on(connection)
        except Exception as error:  # whatever it is, it is a lost request
            self.failure = repr(error)

    def ask_on(self, connection):
        while not self.ending.is_set():
            answer = connection.get("/async/sleep?ms=1")
            assert answer.status == 200 and answer.text == "slept" and not answer.closes
            self.answers += 1
            if not self.keeps:
                return


class Load:
    def __init__(self, one):
        self.clients = [Client(one, keeps) for keeps in (True, False) * 3]

    def __enter__(self):
        for client in self.clients:
            client.start()
        return self

    def __exit__(self, *_):
        for client in self.clients:
            client.ending.set()
        for client in self.clients:
            client.join()

    def failures(self):
        return [client.failure for client in self.clients if client.failure]


def events(one):
    """The life of the workers after the start, in order: (what, pid)."""
    found, is_started = [], False
    for line in one.log.lines:
        is_started = is_started or " ready: " in line
        for what, pattern in (("recycled", RECYCLED), ("ready", WORKER_READY), ("left", LEFT)):
            match = re.search(pattern, line)
            if match and is_started:
                found.append((what, int(match[2])))
    return found


def assert_one_at_a_time(one):
    """Each permit is followed by the readiness of one successor before anything else: no
    other is given meanwhile, and the old one has not left."""
    open_permit = None
    for what, pid in events(one):
        if what == "recycled":
            assert open_permit is None, "two at a time"
            open_permit = pid
        elif what == "ready":
            open_permit = None
        else:
            assert open_permit != pid, "it left before its successor served"


def test_max_requests_under_load_loses_nothing(server):
    one = server(ini("max_requests = 100", "boot = 200ms\n"))  # so all ask meanwhile
    board, fewest = Board(one.pid), []

    def look():
        states = [board.word(i, "state") for i in range(board.header["worker_slots"])]
        return sum(state in (SERVING, RETIRING) for state in states)

    def count():
        fewest.append(max(look(), look()))  # one may be read before a change, one after
        return len(one.log.matches(RECYCLED)) >= 8

    with one.connect() as first, Load(one) as load:
        first.get("/who")
        port = first.sock.getsockname()[1]
        wait_until(count, 60, "some recycling")
        assert first.get("/who").status == 200
        assert first.sock.getsockname()[1] == port
    board.close()
    assert load.failures() == []
    assert min(fewest) >= 3, "capacity"
    assert_one_at_a_time(one)
    assert all(re.fullmatch(r"1\d\d+ requests \(max_requests\)", match[4])
               for match in one.log.matches(RECYCLED))


def test_jitter_spreads_them(server):
    one = server(ini("max_requests = 20\nmax_requests_jitter = 100000"))
    for _ in range(200):
        assert one.get("/async/hello").status == 200
    assert len(one.log.matches(RECYCLED)) <= 1, "one in 5000 is drawn so low"


def test_max_rss(server):
    """The one that has grown is replaced, and no other."""
    one = server(ini(""))
    largest = max(memory_kib(pid) for pid in one.workers())
    one.stop()
    one = server(ini(f"max_rss = {largest + 16 * 1024}k"))
    with one.connect() as connection:
        grown = int(connection.get("/who").text)
        for _ in range(4):
            assert connection.get("/frail/grow?kib=8192").status == 200
        assert int(one.log.wait(RECYCLED)[2]) == grown
        wait_until(lambda: grown not in one.workers(), 10, "its end")
        assert int(connection.get("/who").text) != grown
    assert re.search(r"is recycled: \d+ MiB resident \(max_rss\)", one.log.text())
    assert len(one.log.matches(RECYCLED)) == 1


def test_max_rss_that_nobody_can_keep(server):
    """Larger than that before the first request: one warning, no endless recycling."""
    one = server(ini("max_rss = 1M"))
    one.log.wait(r"max_rss does nothing: \d+ MiB are resident before the first request")
    workers = one.workers()
    for _ in range(20):
        assert one.get("/async/hello").status == 200
    begin = tick_ms(one)
    wait_until(lambda: tick_ms(one) - begin > 3000, 10, "some seconds")
    assert one.workers() == workers
    assert len(one.log.matches("max_rss does nothing")) == 1


def tick_ms(one):
    board = Board(one.pid)
    try:
        return board.word(0, "tick_ms")
    finally:
        board.close()


def test_a_worker_that_waits_for_its_turn_serves(server):
    """Its successor does not come: the permit stays, the others wait, all is served."""
    one = server(ini("max_requests = 10", "file = @DIR@/die\n"))
    (one.directory / "die").touch()
    for _ in range(60):
        assert one.get("/async/hello").status == 200
    one.log.wait("degraded: generation 1: a worker died")
    for _ in range(60):
        assert one.get("/async/hello").status == 200
    assert len(one.log.matches(RECYCLED)) == 1
    assert not one.log.matches(LEFT)
    (one.directory / "die").unlink()
    one.log.wait(LEFT, timeout=30)
    assert one.get("/async/hello").status == 200


@pytest.mark.skipif(bool(sanitized()), reason="the memory of a sanitizer is its own")
def test_recycling_frees_what_was_kept(server):
    one = server(ini("").replace("workers = 3", "workers = 1"))
    largest = memory_kib(one.workers()[0])
    one.stop()
    one = server(ini(f"max_rss = {largest + 32 * 1024}k").replace("workers = 3", "workers = 1"))
    for _ in range(3):
        before = len(one.log.matches(RECYCLED))
        while len(one.log.matches(RECYCLED)) == before:
            assert one.get("/frail/grow?kib=4096").status == 200
        one.log.wait(LEFT, count=before + 1)
        assert memory_kib(one.workers()[0]) < largest + 32 * 1024
