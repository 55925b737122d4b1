# SPDX-License-Identifier: MIT
"""What is refused, with which status, and that the connection ends after it."""

import pytest

LIMITS = """
[server]
listen = 127.0.0.1:0
class = @CLASS@
workers = 1
threads = 2

[limits]
request_line = 1k
header_fields = 20
header_size = 4k
body = 10k

[plugin modes]
path = @TEST_PLUGINS@/modes.so
"""

POST = b"POST /sync/echo HTTP/1.1\r\nHost: a\r\n"
GET = b"GET /sync/hello HTTP/1.1\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"

CASES = {
    "body over the limit": (POST + b"Content-Length: 10241\r\n\r\n", 413),
    "body length of 2^63": (POST + b"Content-Length: 9223372036854775808\r\n\r\n", 413),
    "body length of 2^64-1": (POST + b"Content-Length: 18446744073709551615\r\n\r\n", 413),
    "chunks over the limit": (POST + CHUNKED + (b"1000\r\n" + b"x" * 4096 + b"\r\n") * 2
                              + b"1000\r\n", 413),
    "chunk of 2^64-1": (POST + CHUNKED + b"ffffffffffffffff\r\n", (400, 413)),
    "target too long": (b"GET /" + b"a" * 2000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
    "too many fields": (GET + b"Host: a\r\n" + b"A: b\r\n" * 30 + b"\r\n", 431),
    "field too long": (GET + b"Host: a\r\nX: " + b"a" * 5000 + b"\r\n\r\n", 431),
    "unknown coding": (POST + b"Transfer-Encoding: gzip\r\n\r\n", (400, 501)),
    "coding before chunked": (POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
                              (400, 501)),
    "unknown method": (b"FOOBAR / HTTP/1.1\r\nHost: a\r\n\r\n", 501),
    "CONNECT": (b"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", (400, 405, 501)),
    "version 2.0": (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
    "HTTP/2 preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    "other protocol": (b"GET / RTSP/1.0\r\nHost: a\r\n\r\n", 400),
    "no version": (b"GET /\r\n\r\n", (400, 505)),
    "no Host": (GET + b"\r\n", 400),
    "two Hosts": (GET + b"Host: a\r\nHost: b\r\n\r\n", 400),
    "bad Host": (GET + b"Host: a b\r\n\r\n", 400),
    "no name": (GET + b"Host: a\r\n: x\r\n\r\n", 400),
    "space before the colon": (GET + b"Host: a\r\nX : y\r\n\r\n", 400),
    "folded line": (GET + b"Host: a\r\nX: a\r\n b\r\n\r\n", 400),
    "folded length": (POST + b"Content-Length:\r\n 3\r\n\r\nabc", 400),
    "folded coding": (POST + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", 400),
    "bare LF ends the head": (GET + b"Host: a\r\n\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "bare LF in the request line": (b"GET /x\nHost: a\r\n\r\n", (400, 505)),
    "NUL in a field": (GET + b"Host: a\r\nX: a\0b\r\n\r\n", 400),
    "length and chunks": (POST + b"Content-Length: 3\r\n" + CHUNKED + b"0\r\n\r\n", 400),
    "two lengths": (POST + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400),
    "signed length": (POST + b"Content-Length: +3\r\n\r\nabc", 400),
    "hex length": (POST + b"Content-Length: 0x3\r\n\r\nabc", 400),
    "empty coding": (POST + b"Transfer-Encoding:\r\nContent-Length: 3\r\n\r\nabc", 400),
    "bad chunk size": (POST + CHUNKED + b"xyz\r\n", 400),
    "chunked in HTTP/1.0": (b"POST /sync/echo HTTP/1.0\r\n" + CHUNKED + b"0\r\n\r\n", (200, 400)),
    "fragment": (b"GET /sync/hello#a HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "userinfo": (b"GET http://u:p@h/ HTTP/1.1\r\nHost: h\r\n\r\n", 400),
    "asterisk GET": (b"GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "bad escape": (b"GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "NUL escape": (b"GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "above the root": (b"GET /../../etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n", (400, 404)),
    "garbage": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
}

KEEPS = {"above the root", "CONNECT"}  # an ordinary 404 or 405 may keep the connection


@pytest.mark.parametrize("name", CASES)
def test_refused_and_closed(server, name):
    data, wanted = CASES[name]
    with server(LIMITS).connect() as connection:
        connection.send(data)
        answer = connection.response()
        assert answer.status in (wanted if isinstance(wanted, tuple) else (wanted,)), answer
        if name not in KEEPS or answer.closes:
            assert answer.closes, answer
            connection.sock.shutdown(1)
            assert connection.at_eof()


@pytest.mark.parametrize("ending", [b"\r\n" * 10_000, b"\r" * 20_000, b"\n" * 20_000])
def test_endless_line_ends_before_the_method(server, ending):
    """Bounded: an answer and the end, not a connection that eats for ever."""
    with server(LIMITS).connect() as connection:
        connection.send(ending)
        assert connection.response().status in (400, 431)


def test_good_request_before_garbage_is_answered(server):
    with server(LIMITS).connect() as connection:
        connection.send(GET + b"Host: a\r\n\r\n" + b"\x01\x02 garbage\r\n\r\n")
        assert connection.response().body == b"Hello, World!"
        assert connection.response().status == 400
        assert connection.at_eof()


def test_chunk_framing_is_bounded(server):
    """One-byte chunks, each with a long extension: the body is small, the noise is not."""
    with server(LIMITS).connect() as connection:
        connection.send(POST + CHUNKED)
        try:
            for _ in range(200):
                connection.send(b"1;" + b"e" * 1000 + b"\r\nx\r\n")
        except ConnectionError:
            pass  # refused while we still send: what we want
        status = _status_or_reset(connection)
        assert status in (400, 413, "reset"), status


def test_trailers_are_bounded(server):
    with server(LIMITS).connect() as connection:
        connection.send(POST + CHUNKED + b"0\r\n")
        try:
            for _ in range(1000):
                connection.send(b"X: " + b"t" * 100 + b"\r\n")
        except ConnectionError:
            pass
        assert _status_or_reset(connection) in (400, 413, 431, "reset")


def _status_or_reset(connection):
    try:
        return connection.response().status
    except ConnectionError:
        return "reset"


def test_long_answer_survives_an_unread_body(server):
    """A 413 with most of the body still unread must arrive whole, not be reset away."""
    with server(LIMITS).connect() as connection:
        connection.send(POST + b"Content-Length: 500000\r\n\r\n" + b"x" * 100_000)
        answer = connection.response()
        assert answer.status == 413 and answer.closes
