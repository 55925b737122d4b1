# SPDX-License-Identifier: MIT
"""Slow clients: each state of a connection has its deadline, and nobody else waits.

Deadlines here are short so that the test is; ceilings are generous. A client that sends
slowly on purpose paces itself with `pace`, which returns early when the server answers.
"""

import re
import select
import time

import pytest

from control import look
from daemon import patience, wait_until
from wire import WireError

INI = """
[server]
listen = 127.0.0.1:0
class = @CLASS@
workers = 1
threads = 2

[limits]
@LIMITS@

[log]
access = @DIR@/access.log

[plugin modes]
path = @TEST_PLUGINS@/modes.so
"""

HEAD = b"POST /sync/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n"


def limits(*lines):
    return INI.replace("@LIMITS@", "\n".join(lines))


def pace(connection, seconds=0.05):
    """Wait a little, or until the server says something; true when it has."""
    return bool(select.select([connection.sock], [], [], seconds)[0])


def test_head_timeout_is_408(server):
    one = server(limits("head_timeout = 300ms"))
    with one.connect() as connection:
        connection.send(b"GET /sync/hello HTTP/1.1\r\nHo")
        answer = connection.response()
        assert answer.status == 408 and answer.closes
        assert connection.at_eof()


def test_head_timeout_is_not_prolonged_by_bytes(server):
    """A header line now and then must not hold a connection for ever (slowloris)."""
    one = server(limits("head_timeout = 500ms"))
    with one.connect() as connection:
        connection.send(b"GET /sync/hello HTTP/1.1\r\nHost: a\r\n")
        end = time.monotonic() + patience(5)
        while not pace(connection):
            assert time.monotonic() < end, "still reading"
            connection.send(b"X: y\r\n")
        assert connection.response().status == 408


def test_new_connection_without_a_byte_is_closed(server):
    one = server(limits("head_timeout = 300ms", "keepalive = 300ms"))
    with one.connect() as connection:
        assert connection.wait_gone(patience(5)) < 1000


def test_body_timeout_is_408(server):
    one = server(limits("body_timeout = 300ms"))
    with one.connect() as connection:
        connection.send(HEAD + b"part")
        answer = connection.response()
        assert answer.status == 408 and answer.closes


@pytest.mark.parametrize("rate", ["0", "240"])
def test_body_timeout_after_a_fast_start(server, rate):
    """What came fast at first buys no pause later."""
    one = server(limits("body_timeout = 300ms", f"body_min_rate = {rate}"))
    with one.connect() as connection:
        connection.send(HEAD + b"x" * 90_000)
        answer = connection.response()
        assert answer.status == 408 and answer.closes


def test_body_timeout_counts_from_the_last_piece(server):
    one = server(limits("body_timeout = 600ms", "body_min_rate = 0"))
    with one.connect() as connection:
        connection.send(b"POST /sync/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 20\r\n\r\n")
        for _ in range(20):
            connection.send(b"x")
            assert not pace(connection) or _ == 19
        assert connection.response().body == b"x" * 20


def test_body_min_rate_is_408(server):
    """Bytes come, but too slowly; the pauses alone are short enough."""
    one = server(limits("body_timeout = 500ms", "body_min_rate = 100k"))
    with one.connect() as connection:
        connection.send(HEAD)
        end = time.monotonic() + patience(15)
        while not pace(connection):
            assert time.monotonic() < end, "still accepted at 20 bytes a second"
            connection.send(b"x")
        assert connection.response().status == 408


def test_pulled_body_times_out_too(server):
    one = server("""
[server]
listen = 127.0.0.1:0
class = @CLASS@
workers = 1
threads = 2
[limits]
body_timeout = 300ms
[plugin facts]
path = @TEST_PLUGINS@/facts.so
""")
    for target in (b"/sum", b"/sum/async"):
        with one.connect() as connection:
            connection.send(b"POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx" % target)
            answer = connection.response()
            assert answer.status in (408, 504) and answer.closes


def test_keepalive_ends_silently(server):
    one = server(limits("keepalive = 300ms"))
    with one.connect() as connection:
        assert connection.get("/sync/hello").status == 200
        assert connection.at_eof()


def test_keepalive_0_closes_at_once(server):
    one = server(limits("keepalive = 0"))
    with one.connect() as connection:
        assert connection.get("/sync/hello").closes
        assert connection.at_eof()


@pytest.mark.parametrize("target", ["/async/stream?n=40000", "/sync/stream?n=40000"])
def test_client_that_never_reads_is_cut(server, target):
    """Its handler is freed; what it got before is not followed by a last chunk."""
    one = server(limits("write_timeout = 500ms"))
    with one.connect(receive_buffer=4096) as connection:
        connection.request("GET", target)
        connection_line(one)
        with pytest.raises((WireError, ConnectionError)):
            connection.response()


def test_file_client_that_never_reads_is_cut(server, directory):
    (directory / "data").write_bytes(b"x" * 40_000_000)
    one = server(limits("write_timeout = 500ms"))
    with one.connect(receive_buffer=4096) as connection:
        connection.request("GET", f"/async/file?path={directory}/data")
        wait_until(lambda: any(row["met"] for row in look(one, "limits")["limits"]), 10, "the cut")
        with pytest.raises((WireError, ConnectionError)):
            connection.response()


def connection_line(one):
    """Until the request has its access-log line: the server is done with it."""
    end = time.monotonic() + patience(10)
    while not any(re.search(r'"GET /', line) for line in one.access_log()):
        assert time.monotonic() < end, "never given up"
        time.sleep(0.01)


def test_slow_heads_hold_no_slot(server):
    """Twenty half-sent heads against two threads: the others are served as before."""
    one = server(limits("head_timeout = 30s"))
    slow = [one.connect() for _ in range(20)]
    try:
        for connection in slow:
            connection.send(b"GET /sync/hello HTTP/1.1\r\nHost:")
        with one.connect() as connection:
            for _ in range(20):
                assert connection.get("/sync/hello").status == 200
        for connection in slow:
            connection.send(b" a\r\n\r\n")
            assert connection.response().status == 200
    finally:
        for connection in slow:
            connection.close()


def test_slow_bodies_hold_no_slot(server):
    one = server(limits("body_timeout = 30s"))
    slow = [one.connect() for _ in range(20)]
    try:
        for connection in slow:
            connection.send(b"POST /sync/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\na")
        assert one.get("/sync/hello").status == 200
        for connection in slow:
            connection.send(b"b")
            assert connection.response().body == b"ab"
    finally:
        for connection in slow:
            connection.close()
