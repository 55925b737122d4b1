# SPDX-License-Identifier: MIT
"""Bodies, both ways: lengths, chunks, Expect, streams, files."""

import random
import socket

import pytest

from daemon import descriptor_count, wait_until
from test_serving import FACTS, MODE


def noise(size, seed=1):
    return random.Random(seed).randbytes(size)


@MODE
@pytest.mark.parametrize("size", [0, 1, 13, 4095, 65536, 300_000])
def test_echo(server, mode, size):
    body = noise(size)
    answer = server().post(f"/{mode}/echo", body)
    assert answer.status == 200 and answer.body == body


def chunked(body, size):
    pieces = [body[i:i + size] for i in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in pieces) + b"0\r\n\r\n"


@MODE
@pytest.mark.parametrize("size", [1, 100, 8191, 70_000])
def test_chunked_upload(server, mode, size):
    body = noise(65_000 if size > 1 else 500)
    with server().connect() as connection:
        for _ in range(2):
            connection.send(f"POST /{mode}/echo HTTP/1.1\r\nHost: a\r\n"
                            "Transfer-Encoding: chunked\r\n\r\n".encode() + chunked(body, size))
            answer = connection.response()
            assert answer.status == 200 and answer.body == body


def test_chunk_extensions_and_trailers_are_no_body(server):
    with server().connect() as connection:
        connection.send(b"POST /sync/echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                        b"5;a=b\r\nhello\r\n0\r\nX-Trailer: 1\r\nHost: b\r\n\r\n")
        assert connection.response().body == b"hello"
        assert connection.get("/sync/hello").body == b"Hello, World!"


@MODE
def test_expect_100_continue(server, mode):
    with server().connect() as connection:
        connection.send(f"POST /{mode}/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
                        "Expect: 100-continue\r\n\r\n".encode())
        assert connection.response().status == 100
        connection.send(b"hello")
        assert connection.response().body == b"hello"
        assert connection.get(f"/{mode}/hello").status == 200


def test_no_100_when_the_body_is_there_already(server):
    with server().connect() as connection:
        connection.send(b"POST /event/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
                        b"Expect: 100-continue\r\n\r\nhello")
        answer = connection.response()
        if answer.status == 100:  # allowed, only useless (RFC 9110, 10.1.1)
            answer = connection.response()
        assert answer.body == b"hello"


@pytest.mark.parametrize("target, length, status", [("/nowhere", 5, 404),
                                                    ("/sync/hello", 5, 405),
                                                    ("/sync/echo", 99_999_999, 413)])
def test_no_100_for_a_body_nobody_wants(server, target, length, status):
    with server().connect() as connection:
        connection.send(f"POST {target} HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n"
                        "Expect: 100-continue\r\n\r\n".encode())
        assert connection.response().status == status


def test_body_of_a_404_is_not_the_next_request(server):
    with server().connect() as connection:
        connection.request("POST", "/nowhere", b"GET /sync/hello HTTP/1.1\r\nHost: a\r\n\r\n")
        answer = connection.response()
        assert answer.status == 404
        if answer.closes:
            assert connection.at_eof()
        else:
            assert connection.get("/sync/hello").status == 200
            assert connection.is_open()


@pytest.mark.parametrize("target", ["/sum", "/sum/async"])
@pytest.mark.parametrize("framing", ["length", "chunks"])
def test_body_pulled_in_pieces(server, target, framing):
    body = noise(200_000)
    with server(FACTS).connect() as connection:
        if framing == "length":
            connection.request("POST", target, body)
        else:
            connection.send(f"POST {target} HTTP/1.1\r\nHost: a\r\n"
                            "Transfer-Encoding: chunked\r\n\r\n".encode() + chunked(body, 5000))
        assert connection.response().text == f"{len(body)} {sum(body)}"


@pytest.mark.parametrize("mode", ["sync", "async"])
@pytest.mark.parametrize("kib", [0, 1, 100, 4000])
def test_stream(server, mode, kib):
    with server().connect() as connection:
        answer = connection.get(f"/{mode}/stream?n={kib}")
        assert answer.status == 200 and len(answer.body) == kib * 1024
        assert answer.header("Transfer-Encoding") == "chunked"
        assert connection.get(f"/{mode}/hello").status == 200


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_stream_to_http_1_0_ends_with_the_connection(server, mode):
    with server().connect() as connection:
        connection.send(f"GET /{mode}/stream?n=64 HTTP/1.0\r\n\r\n".encode())
        answer = connection.response()
        assert answer.header("Transfer-Encoding") is None
        assert len(answer.body) == 64 * 1024


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_stream_waits_for_a_slow_reader(server, mode):
    """16 MB through a 4 KB window: the handler is held, the worker does not hoard."""
    one = server()
    with one.connect(receive_buffer=4096) as connection:
        connection.request("GET", f"/{mode}/stream?n=16000")
        connection.sock.recv(1, socket.MSG_PEEK)
        assert one.get("/event/hello").status == 200
        answer = connection.response()
        assert len(answer.body) == 16000 * 1024


@pytest.mark.parametrize("size", [0, 1, 10_000, 3_000_000])
def test_file(server, directory, size):
    data = noise(size)
    (directory / "data").write_bytes(data)
    with server().connect() as connection:
        target = f"/async/file?path={directory}/data"
        answer = connection.get(target)
        assert answer.status == 200 and answer.body == data
        head = connection.ask("HEAD", target)
        assert head.header("Content-Length") == str(size)
        assert connection.get("/async/hello").status == 200


def test_file_is_closed_after_each_answer(server, directory):
    (directory / "data").write_bytes(b"x" * 100_000)
    with server().connect() as connection:
        pid = int(connection.get("/who").text)
        target = f"/async/file?path={directory}/data"
        connection.get(target)
        before = descriptor_count(pid)
        for _ in range(50):
            assert len(connection.get(target).body) == 100_000
        wait_until(lambda: descriptor_count(pid) <= before, 5, "no file left open")
