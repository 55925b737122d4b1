# SPDX-License-Identifier: MIT
"""Handlers over request_timeout: 504 at once, a late slot, and a successor only when one will
not end.

Times that a handler takes are exact, for it sleeps; what the server takes has a generous
ceiling, and the promises in milliseconds are medians.
"""

import datetime
import re
import statistics
import threading
import time

import pytest

import board
import wire
from daemon import WORKER_READY, patience, sanitized, wait_until

INI = """
[server]
listen = 127.0.0.1:0
class = @CLASS@
workers = @WORKERS@
threads = @THREADS@

[limits]
request_timeout = @LIMIT@

[worker]
graceful_timeout = @GRACEFUL@s

[log]
access = @DIR@/access.log

[plugin laggard]
path = @TEST_PLUGINS@/laggard.so
[plugin waits]
path = @TEST_PLUGINS@/waits.so
mount = /waits
[plugin patient]
path = @TEST_PLUGINS@/laggard.so
mount = /patient
request_timeout = 0
[plugin brisk]
path = @TEST_PLUGINS@/laggard.so
mount = /brisk
request_timeout = 100ms
"""

LIMIT_MS = 250
GRACEFUL_S = 2
CANCELED, TIMEDOUT = -125, -110
LATE = r"warn worker \d+: \w+: (GET|POST) (\S+): over request_timeout \((\d+) ms\): (.*) is late \["
ENDED = r"info worker \d+: \w+: (GET|POST) (\S+): ended (\d+) ms late; (.*) is free again \["
SUCCESSOR = r"warn master: worker \d+ \(pid (\d+), generation \d+\): (.*): a successor starts"


def ini(workers=1, threads=2, limit_ms=LIMIT_MS):
    text = INI.replace("@WORKERS@", str(workers)).replace("@THREADS@", str(threads))
    return text.replace("@LIMIT@", f"{limit_ms}ms").replace("@GRACEFUL@", str(GRACEFUL_S))


def timed(connection, target):
    begun = time.monotonic()
    answer = connection.get(target)
    return answer, time.monotonic() - begun


def logged_s(line):
    """When a line of the log was written; its first group is its time."""
    return datetime.datetime.fromisoformat(line[1].replace("Z", "+00:00")).timestamp()


def access_lines(one, status, count):
    """Those of that status, once there are so many; there must be no more in all."""

    def found():
        lines = [line for line in one.access_log() if f'" {status} ' in line]
        return lines if len(lines) >= count else None

    lines = wait_until(found, what=f"{count} lines with {status}")
    assert len(lines) == count, lines
    return lines


DEAF = ["/sync/block?ms=1000", "/async/offload?ms=1000", "/event/later?ms=1000",
        "/sync/begin?ms=1000"]
WAITING = ["/waits/async/wait?on=sleep", "/waits/sync/wait?on=sleep"]


@pytest.mark.parametrize("target", DEAF + WAITING)
def test_504_at_once_and_the_connection_goes_on(server, target):
    one = server(ini())
    with one.connect() as connection:
        answer, took = timed(connection, target)
        assert answer.status == 504 and not answer.closes
        assert LIMIT_MS / 1000 <= took < patience(0.5)
        assert connection.get("/hello").status == 200
    late = one.log.wait(LATE)
    assert late[2] == target.split("?")[0] and int(late[3]) == LIMIT_MS
    assert late[4].startswith("answered 504; ")
    ended = one.log.wait(ENDED)
    assert ended[2] == late[2]
    if target in DEAF:
        one.log.wait(rf"info worker 0: .*-(?:110|125) after \d{{4,}} ms")
        assert 1000 - LIMIT_MS - 50 <= int(ended[3])
    access_lines(one, 504, 1)
    access_lines(one, 200, 1)


@pytest.mark.parametrize("mode", ("sync", "async"))
@pytest.mark.parametrize("kind", ("sleep", "ready", "permit", "loop", "pool"))
def test_every_wait_is_cancelled(server, mode, kind):
    """Within 50 ms of the limit."""
    one = server(ini(threads=3))
    over = []
    for _ in range(7):
        mark = one.log.mark()
        assert one.get(f"/waits/{mode}/wait?on={kind}").status == 504
        begun = int(one.log.wait(r"begun (\d+)", start=mark)[1])
        woke = one.log.wait(r"woke (-?\d+) (\d+)", start=mark)
        assert int(woke[1]) == CANCELED
        over.append((int(woke[2]) - begun) / 1e6 - LIMIT_MS)
    assert statistics.median(over) <= (50 if not sanitized() else 250)


def test_a_blocked_write_is_cancelled_and_cut(server):
    """It waits for a client that reads nothing."""
    one = server(ini())
    for mode in ("sync", "async"):
        mark = one.log.mark()
        with one.connect(receive_buffer=4096) as connection:
            connection.request("GET", f"/waits/{mode}/wait?on=write")
            assert int(one.log.wait(r"woke (-?\d+) ", start=mark)[1]) == CANCELED
            assert one.log.wait(LATE, start=mark)[4].startswith("its stream is cut; ")
            with pytest.raises((wire.WireError, ConnectionError)):
                connection.response()


def test_a_late_slot_is_taken_and_shown(server):
    one = server(ini(threads=1))
    seen = board.Board(one.pid)
    with one.connect() as first, one.connect() as second:
        assert first.get("/sync/block?ms=2000").status == 504
        record = seen.records(0, board.SLOTS, 1)[0]
        assert record["state"] == board.LATE and record["path"] == "/sync/block"
        assert seen.word(0, "load") == 1
        begun = time.monotonic()
        second.request("GET", "/patient/sync/block?ms=0")
        assert second.response().status == 200
        assert time.monotonic() - begun > 2 - LIMIT_MS / 1000 - 0.5, "it had to wait"
    wait_until(lambda: not seen.records(0, board.SLOTS, 1), what="a free slot")
    counters = seen.counters(0)
    assert (counters["late"], counters["timeouts"], counters["r5xx"]) == (1, 1, 1)
    assert seen.word(0, "load") == 0
    seen.close()


def test_others_run_elsewhere_meanwhile(server):
    """Two workers, one slot each: what comes to the late one is served by its sibling."""
    one = server(ini(workers=2, threads=1))
    with one.connect() as connection:
        assert connection.get("/sync/block?ms=3000").status == 504
        for _ in range(10):
            answer, took = timed(connection, "/patient/sync/block?ms=10")
            assert answer.status == 200 and took < patience(0.5)
    one.log.wait(ENDED)


def test_pipelined_behind_it(server):
    one = server(ini())
    with one.connect() as connection:
        connection.send(b"POST /sync/body?ms=1000 HTTP/1.1\r\nHost: a\r\nX-Mark: mark\r\n"
                        b"Content-Length: 4\r\n\r\nbody"
                        b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\nGET /sync/block?ms=10 HTT")
        assert connection.response().status == 504
        assert connection.response().text == "hello\n"
        connection.send(b"P/1.1\r\nHost: a\r\n\r\n")
        assert connection.response().text == "at last\n"
        for _ in range(20):
            assert connection.ask("POST", "/patient/sync/body?ms=0", b"y" * 5000,
                                  [("X-Mark", "mark")]).status == 200
    one.log.wait(rf": {TIMEDOUT} after \d{{4,}} ms")


@pytest.mark.parametrize("size", (100, 5000, 100_000))
def test_its_body_stays_whole(server, size):
    """Whatever its connection reads in the meantime."""
    one = server(ini())
    with one.connect() as connection:
        assert connection.ask("POST", "/sync/body?ms=1000", b"y" * size,
                              [("X-Mark", "mark")]).status == 504
        while not one.log.matches(ENDED):
            connection.ask("POST", "/patient/sync/body?ms=0", b"z" * size, [("X-Mark", "no")])
    assert one.log.matches(rf" {TIMEDOUT} after \d{{4,}} ms")


@pytest.mark.parametrize("mode", ("sync", "async"))
def test_a_stream_is_cut(server, mode):
    """What has come stays; there is no last chunk, and nothing behind it is answered."""
    one = server(ini())
    with one.connect() as connection:
        connection.send(f"GET /{mode}/stream?ms=1000 HTTP/1.1\r\nHost: a\r\n\r\n".encode()
                        + b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
        with pytest.raises(wire.Closed):
            connection.response()
    assert one.log.wait(LATE)[4].startswith("its stream is cut; ")
    one.log.wait(rf": {CANCELED} after \d+ ms")
    access_lines(one, 200, 1)


def test_what_was_sent_is_the_answer(server):
    one = server(ini())
    with one.connect() as connection:
        answer, took = timed(connection, "/sync/early?ms=1000")
        assert answer.status == 200 and answer.text == "early\n" and not answer.closes
        assert LIMIT_MS / 1000 <= took < patience(0.5)
        assert connection.get("/hello").status == 200
    assert one.log.wait(LATE)[4].startswith("what it had sent is its answer; ")
    one.log.wait(ENDED)
    access_lines(one, 200, 2)


def test_each_plugin_has_its_own(server):
    one = server(ini())
    with one.connect() as connection:
        assert connection.get(f"/patient/sync/block?ms={2 * LIMIT_MS}").status == 200
        answer, took = timed(connection, f"/brisk/sync/block?ms={LIMIT_MS - 50}")
        assert answer.status == 504 and took < LIMIT_MS / 1000 - 0.05 or sanitized()
        assert connection.get(f"/sync/block?ms={LIMIT_MS // 4}").status == 200


@pytest.mark.parametrize("mode", ("sync", "async"))
def test_what_is_endless_by_nature_has_none(server, mode):
    one = server(ini())
    assert one.get(f"/{mode}/long?ms={3 * LIMIT_MS}").status == 200
    assert not one.log.matches(LATE)


def test_a_client_that_left_has_its_line(server):
    """One, and the slot is late all the same."""
    one = server(ini())
    seen = board.Board(one.pid)
    connection = one.connect()
    connection.request("GET", "/sync/block?ms=1000")
    wait_until(lambda: seen.records(0, board.SLOTS, 2), what="its slot")
    connection.close()
    one.log.wait(LATE)
    one.log.wait(ENDED)
    access_lines(one, 504, 1)
    assert len(one.access_log()) == 1
    seen.close()


@pytest.mark.parametrize("target, function", [("/sync/block", "laggard_hold"),
                                              ("/async/offload", "laggard_hold")])
def test_a_stack_is_logged_once(server, target, function):
    one = server(ini())
    assert one.get(f"{target}?ms=1000").status == 504
    one.log.wait(ENDED)
    stack = r"warn worker 0: stack: "
    heads = one.log.matches(stack + "a thread of the pool runs (.*)")
    assert [m[1] for m in heads] == [f"GET {target} of plugin laggard"]
    assert one.log.matches(stack + rf"#\d+ \S*/laggard\.so\({function}\+0x[0-9a-f]+\)$")
    frames = [int(m[1]) for m in one.log.matches(stack + r"#(\d+) ")]
    assert frames == list(range(len(frames))) and len(frames) >= 3, "one whole stack"


def test_many_at_once_do_not_flood_the_log(server):
    one = server(ini(threads=2))
    held = [one.connect() for _ in range(60)]
    for connection in held:
        connection.request("GET", "/event/later?ms=1000")
    answers = [connection.response().status for connection in held]
    for connection in held:
        connection.close()
    assert set(answers) <= {504, 200, 503} and 504 in answers
    wait_until(lambda: one.get("/hello").status == 200, what="an answer")
    assert len(one.log.matches(LATE + "|" + ENDED)) <= 80, "20 in a second, and they may straddle"
    if len([a for a in answers if a == 504]) > 20:
        one.log.wait(r"warn worker 0: late handlers: \d+ more lines in this second")


class Traffic:
    """Clients that never retry, until they are stopped: what failed, and how many were served."""

    def __init__(self, one, clients=4):
        self.one, self.served, self.failures = one, 0, []
        self.is_over = False
        self.threads = [threading.Thread(target=self._run) for _ in range(clients)]
        for thread in self.threads:
            thread.start()

    def _run(self):
        try:
            with self.one.connect() as connection:
                while not self.is_over:
                    answer = connection.get("/patient/sync/block?ms=2")
                    assert answer.text == "at last\n"
                    self.served += 1
        except (AssertionError, OSError) as error:
            self.failures.append(repr(error))

    def stop(self):
        self.is_over = True
        for thread in self.threads:
            thread.join()
        assert not self.failures, self.failures
        return self.served


def test_one_that_will_not_end_is_replaced(server):
    """Successor first; nothing else is lost; what blocks goes with its worker. The log tells the
    order, for this test may be late: one that leaves before its successor serves, which takes
    1 s to start, is gone that much sooner after it."""
    one = server(ini(workers=2, threads=3).replace("laggard.so\n[plugin waits",
                                                   "laggard.so\nboot = 1s\n[plugin waits"))
    before, seen = set(one.workers()), board.Board(one.pid)
    traffic = Traffic(one)
    assert one.get("/sync/block?ms=100000").status == 504
    asked = one.log.wait(SUCCESSOR, timeout=20)
    assert re.match(r"GET /sync/block of plugin laggard does not end: it has run for \d+ ms",
                    asked[2])
    victim = int(asked[1])
    assert victim in before
    (index,) = (i for i in range(2) if seen.word(i, "pid") == victim)
    wait_until(lambda: seen.word(index, "state") == board.DRAINING, 20, "its turn to leave")
    seen.close()
    gone = one.log.wait(rf"^(\S+) \w+ master: worker \d+ \(pid {victim}, .*\) (left|died): ", 20)
    ready = one.log.matches(r"^(\S+) .*" + WORKER_READY)[2]
    assert logged_s(gone) - logged_s(ready) >= GRACEFUL_S, (ready[0], gone[0])
    assert traffic.stop() > 100
    assert len(one.workers()) == 2
    assert len(one.log.matches(SUCCESSOR)) == 1
    assert len(one.log.matches(WORKER_READY)) == 3
    access_lines(one, 504, 1)


def test_one_that_ends_late_is_not_replaced(server):
    """It had 5 s more, and took less."""
    one = server(ini())
    before = one.workers()
    assert one.get(f"/sync/block?ms={LIMIT_MS + 3000}").status == 504
    one.log.wait(ENDED)
    with one.connect() as connection:
        for _ in range(6):
            assert connection.get("/patient/sync/block?ms=500").status == 200
    assert one.workers() == before and not one.log.matches(SUCCESSOR)
