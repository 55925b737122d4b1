# SPDX-License-Identifier: MIT
"""REMUDA_STREAM_IN: a handler reads its body while it arrives, and the client waits for it."""

import os
import random
import signal
import socket
import time

import pytest

from daemon import memory_kib, sanitized, wait_until

INI = """
[server]
listen = 127.0.0.1:0
class = @CLASS@
workers = @WORKERS@
threads = 2

[limits]
body = 200M
body_timeout = @BODY@
body_min_rate = 0
request_timeout = @REQUEST@

[log]
access = @DIR@/access.log

[plugin intake]
path = @TEST_PLUGINS@/intake.so
[plugin modes]
path = @TEST_PLUGINS@/modes.so
mount = /modes
"""
MODE = pytest.mark.parametrize("mode", ("sync", "async"))
# What may stand between a client that sends and a handler that does not read: the window and a
# block of the worker's, and the buffers of both sockets, which the kernel sizes.
BUFFERS = 12 << 20


def ini(workers=1, body="30s", request="30s"):
    return (INI.replace("@WORKERS@", str(workers)).replace("@BODY@", body)
            .replace("@REQUEST@", request))


def noise(size, seed=1):
    return random.Random(seed).randbytes(size)


def sums(body):
    return f"{len(body)} {sum(body)}"


def chunked(body, size):
    pieces = [body[i:i + size] for i in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in pieces) + b"0\r\n\r\n"


def head(target, *fields):
    return "\r\n".join([f"POST {target} HTTP/1.1", "Host: a", *fields, "", ""]).encode()


def of_length(target, length, *fields):
    return head(target, f"Content-Length: {length}", *fields)


CHUNKED = "Transfer-Encoding: chunked"


@MODE
@pytest.mark.parametrize("size", [0, 1, 5000, 70_000, 3_000_000])
def test_a_body_of_known_length(server, mode, size):
    body = noise(size)
    with server(ini()).connect() as connection:
        for _ in range(2):
            assert connection.ask("POST", f"/{mode}/count", body).text == sums(body)


@MODE
@pytest.mark.parametrize("size", [1, 100, 8191, 100_000])
def test_a_body_in_chunks(server, mode, size):
    body = noise(min(300_000, size * 1000))
    with server(ini()).connect() as connection:
        for _ in range(2):
            connection.send(head(f"/{mode}/count", CHUNKED) + chunked(body, size))
            assert connection.response().text == sums(body)


@MODE
def test_split_at_every_byte_with_one_behind_it(server, mode):
    body = noise(30)
    with server(ini()).connect() as connection:
        for whole in (of_length(f"/{mode}/count", 30) + body,
                      head(f"/{mode}/count", CHUNKED) + chunked(body, 7)):
            both = whole + of_length(f"/{mode}/echo", 3) + b"abc"
            for cut in range(1, len(both), 3):
                connection.send(both[:cut])
                connection.send(both[cut:])
                assert connection.response().text == sums(body)
                assert connection.response().body == b"abc"


@MODE
def test_the_handler_runs_before_the_body_is_there(server, mode):
    one = server(ini())
    with one.connect() as connection:
        connection.send(of_length(f"/{mode}/count", 6) + b"abc")
        one.log.wait("first 3")
        connection.send(b"def")
        assert connection.response().text == sums(b"abcdef")


@MODE
def test_echo_both_ways_at_once(server, mode):
    with server(ini()).connect() as connection:
        connection.send(of_length(f"/{mode}/echo", 6) + b"abc")
        while b"abc" not in connection.buffer:
            connection._fill()
        connection.send(b"def")
        assert connection.response().body == b"abcdef"
        assert connection.get("/modes/sync/hello").status == 200


@MODE
def test_more_than_a_window_goes_on(server, mode):
    body = noise(1 << 20)
    with server(ini()).connect(timeout=5) as connection:
        connection.send(of_length(f"/{mode}/late?ms=50", len(body)) + body)
        assert connection.response().text == sums(body)


def send_until_full(sock, most):
    """How much the other side takes while it does not read."""
    sock.setblocking(False)
    sent, piece, quiet = 0, b"x" * 65536, time.monotonic()
    while sent < most and time.monotonic() < quiet + 0.3:
        try:
            sent += sock.send(piece[:most - sent])
            quiet = time.monotonic()
        except BlockingIOError:
            time.sleep(0.01)
    sock.settimeout(60)
    return sent


@MODE
def test_a_handler_that_does_not_read_holds_the_client(server, mode):
    """The worker holds a window of it, whatever the client would send; then all arrives."""
    one = server(ini())
    size = 64 << 20
    (pid,) = one.workers()
    with one.connect() as connection:
        before = memory_kib(pid)
        connection.send(of_length(f"/{mode}/late?ms=3000", size))
        sent = send_until_full(connection.sock, size)
        assert sent < BUFFERS, "the client is held"
        assert sanitized() or memory_kib(pid) - before < 1024
        assert one.get("/modes/event/hello").status == 200
        while sent < size:
            sent += connection.sock.send(b"x" * min(65536, size - sent))
        assert connection.response().text == f"{size} {size * ord('x')}"
        assert sanitized() or memory_kib(pid) - before < 1024


@MODE
def test_a_slow_reader_of_what_it_sends_holds_it_too(server, mode):
    """An echo whose client does not read: both directions stand still, memory is bounded."""
    one = server(ini())
    size = 64 << 20
    (pid,) = one.workers()
    before = memory_kib(pid)
    with one.connect(receive_buffer=4096) as connection:
        connection.send(of_length(f"/{mode}/echo", size))
        assert send_until_full(connection.sock, size) < 2 * BUFFERS
        assert sanitized() or memory_kib(pid) - before < 1024


@MODE
@pytest.mark.parametrize("form", [f"Content-Length: {1 << 20}", CHUNKED])
def test_continue_is_said_at_the_first_read(server, mode, form):
    body = noise(1 << 20)
    with server(ini()).connect() as connection:
        begun = time.monotonic()
        connection.send(head(f"/{mode}/late?ms=300", form, "Expect: 100-continue"))
        assert connection.response().status == 100
        assert time.monotonic() - begun >= 0.3
        connection.send(body if form != CHUNKED else chunked(body, 50_000))
        assert connection.response().text == sums(body)
        assert connection.get("/modes/sync/hello").status == 200


@MODE
def test_an_answer_instead_of_continue_closes(server, mode):
    """Its body may come or not: what follows could be either."""
    with server(ini()).connect() as connection:
        connection.send(of_length(f"/{mode}/some?n=0", 5, "Expect: 100-continue"))
        answer = connection.response()
        assert answer.status == 200 and answer.closes
        connection.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert connection.at_eof()


@MODE
def test_an_answer_before_the_end_closes(server, mode):
    with server(ini()).connect() as connection:
        connection.send(of_length(f"/{mode}/some?n=10", 1_000_000) + b"x" * 100_000)
        answer = connection.response()
        assert answer.text == "10" and answer.closes
        connection.wait_gone(5)


@MODE
@pytest.mark.parametrize("form", [f"Content-Length: 20000", CHUNKED])
def test_a_rest_that_is_here_is_dropped(server, mode, form):
    """Once it is all in the worker the connection goes on behind it."""
    one = server(ini())
    body = noise(20_000)
    with one.connect() as connection:
        for _ in range(3):
            framed = body if form != CHUNKED else chunked(body, 999)
            connection.send(head(f"/{mode}/late?ms=200", form) + framed)
            assert connection.response().text == sums(body)
        connection.send(of_length(f"/{mode}/some?n=1", 500) + body[:100])
        connection.send(body[100:500] + of_length(f"/{mode}/count", 3) + b"abc")
        answer = connection.response()
        assert answer.text == "1"
        if not answer.closes:
            assert connection.response().text == sums(b"abc")


@MODE
@pytest.mark.parametrize("bad", [b"5\r\nhelloX\r\n", b"zz\r\n",
                                 b"5\r\nhello\r\n\nGET / HTTP/1.1\r\n",
                                 b"fffffffffffffffff\r\n"])
def test_a_malformed_chunk_is_one_answer_and_the_end(server, mode, bad):
    one = server(ini())
    with one.connect() as connection:
        connection.send(head(f"/{mode}/count", CHUNKED) + b"3\r\nabc\r\n")
        one.log.wait("first 3")
        connection.send(bad + b"GET /modes/sync/hello HTTP/1.1\r\nHost: a\r\n\r\n")
        answer = connection.response()
        assert answer.status == 400 and answer.closes
        assert connection.at_eof()


@MODE
def test_chunks_over_the_limit(server, mode):
    one = server(ini().replace("200M", "100k"))
    with one.connect() as connection:
        connection.send(head(f"/{mode}/count", CHUNKED) + b"10000\r\n" + b"x" * 65536 + b"\r\n")
        one.log.wait("first")
        connection.send(b"10000\r\n")
        answer = connection.response()
        assert answer.status == 413 and answer.closes
        one.log.wait("read -90 after 65536")
    with one.connect() as connection:
        connection.send(of_length(f"/{mode}/count", 200_000))
        assert connection.response().status == 413, "before its handler"


@MODE
def test_a_pause_is_body_timeout(server, mode):
    one = server(ini(body="500ms"))
    with one.connect() as connection:
        connection.send(of_length(f"/{mode}/count", 6) + b"abc")
        answer = connection.response()
        assert answer.status == 408 and answer.closes
        one.log.wait("read -110 after 3")


@MODE
def test_the_pause_of_a_handler_is_not_its_clients(server, mode):
    """It does not read for longer than body_timeout; the client could not have sent."""
    one = server(ini(body="500ms"))
    size = 32 << 20
    with one.connect() as connection:
        connection.send(of_length(f"/{mode}/late?ms=2500", size))
        sent = send_until_full(connection.sock, size)
        while sent < size:
            sent += connection.sock.send(b"x" * min(65536, size - sent))
        assert connection.response().text == f"{size} {size * ord('x')}"


@MODE
def test_the_client_leaves(server, mode):
    one = server(ini())
    with one.connect() as connection:
        connection.send(of_length(f"/{mode}/count", 100_000) + b"abc")
        one.log.wait("first 3")
        connection.send(b"def")
    one.log.wait("read -125 after 6")
    wait_until(lambda: any(' 499 ' in line or '"POST' in line for line in one.access_log()),
               10, "its line")


@MODE
def test_a_half_closed_client_is_answered(server, mode):
    one = server(ini())
    with one.connect() as connection:
        connection.send(of_length(f"/{mode}/count", 6) + b"abc")
        one.log.wait("first 3")
        connection.send(b"def")
        connection.sock.shutdown(socket.SHUT_WR)
        assert connection.response().text == sums(b"abcdef")


@MODE
def test_request_timeout(server, mode):
    one = server(ini(request="500ms"))
    with one.connect() as connection:
        connection.send(of_length(f"/{mode}/count", 100) + b"abc")
        answer = connection.response()
        assert answer.status == 504 and answer.closes
        one.log.wait("read -125 after 3")
        connection.wait_gone(5)
    assert one.get("/modes/sync/hello").status == 200


@MODE
@pytest.mark.parametrize("size", [10, 500_000])
def test_the_whole_of_it_and_then_in_pieces(server, mode, size):
    body = noise(size)
    one = server(ini())
    with one.connect() as connection:
        connection.send(of_length(f"/{mode}/whole", size) + body[:5])
        connection.send(body[5:])
        assert connection.response().body == body
        connection.send(head(f"/{mode}/whole", CHUNKED) + chunked(body, 3000))
        assert connection.response().body == body
        connection.send(of_length(f"/{mode}/mixed", 2) + b"a")
        assert connection.response().text == "1"


@MODE
@pytest.mark.parametrize("where", ["loop", "pool"])
def test_tasks_read_too(server, mode, where):
    body = noise(300_000)
    with server(ini()).connect() as connection:
        answer = connection.ask("POST", f"/{mode}/task?where={where}", body)
        assert answer.text == sums(body)


@MODE
def test_one_reader_at_a_time(server, mode):
    with server(ini()).connect() as connection:
        connection.send(of_length(f"/{mode}/two", 10))
        assert connection.response().text == "1"


def test_an_event_does_not_wait(server):
    with server(ini()).connect() as connection:
        connection.send(of_length("/event/poll", 10) + b"abc")
        assert connection.response().text == "1"


@MODE
def test_one_that_waits_moves_with_what_has_come(server, mode):
    """Two slots in each worker; the third goes where one is free, its body behind it."""
    one = server(ini(workers=2))
    body = noise(200_000)
    clients = [one.connect() for _ in range(4)]
    for i, client in enumerate(clients):
        client.send(of_length("/sync/count", len(body), "Expect: 100-continue") + body[:50_000])
        one.log.wait("first", count=i + 1)
    for client in clients:
        client.send(body[50_000:])
        answer = client.response()
        assert (client.response() if answer.status == 100 else answer).text == sums(body)
        client.close()


def test_one_that_waits_for_a_slot_here(server):
    one = server(ini())
    body = noise(100_000)
    first, second, third = (one.connect() for _ in range(3))
    for i, client in enumerate((first, second)):
        client.send(of_length("/sync/count", 6) + b"abc")
        one.log.wait("first 3", count=i + 1)
    third.send(head("/sync/count", CHUNKED) + chunked(body, 70_000)[:60_000])
    first.send(b"def")
    assert first.response().text == sums(b"abcdef")
    third.send(chunked(body, 70_000)[60_000:])
    assert third.response().text == sums(body)
    second.send(b"def")
    assert second.response().text == sums(b"abcdef")


def test_what_is_shed_is_no_second_request(server):
    """503 while it waits: the rest of its body is not taken for the next request."""
    one = server(ini().replace("[limits]", "[limits]\nqueue_timeout = 300ms"))
    clients = [one.connect() for _ in range(3)]
    for i, client in enumerate(clients[:2]):
        client.send(of_length("/sync/count", 6) + b"abc")
        one.log.wait("first 3", count=i + 1)
    smuggled = b"GET /modes/event/hello HTTP/1.1\r\nHost: a\r\n\r\n"
    clients[2].send(of_length("/sync/count", 1000) + smuggled)
    answer = clients[2].response()
    assert answer.status == 503 and answer.closes
    assert clients[2].at_eof()


@MODE
def test_a_long_one_hears_of_the_drain(server, mode):
    one = server(ini())
    with one.connect() as connection:
        connection.send(of_length(f"/{mode}/long", 100) + b"abc")
        one.log.wait("first 3")
        os.kill(one.workers()[0], signal.SIGTERM)
        assert connection.response().status == 503
        one.log.wait("read -108 after 3")


@MODE
def test_a_reload_in_the_midst(server, mode):
    one = server(ini())
    body = noise(100_000)
    with one.connect() as connection:
        connection.send(of_length(f"/{mode}/count", len(body)) + body[:1000])
        one.log.wait("first")
        one.send_signal(signal.SIGHUP)
        one.log.wait(r"worker \d+ \(pid \d+, generation 2\) ready")
        connection.send(body[1000:])
        assert connection.response().text == sums(body)
        assert connection.get("/modes/sync/hello").status == 200
