# SPDX-License-Identifier: MIT
"""What takes more than one step: interim answers, and answers to who goes on sending."""

import pytest

import wire

HEAD = ("POST {path} HTTP/{version}\r\nHost: a\r\nExpect: 100-continue\r\n"
        "{length}\r\n\r\n")
MUCH = 4 << 20  # more than both socket buffers take


def address(remuda):
    """Over TCP: it is there that a reset destroys an answer."""
    return next(a for a in remuda.addresses if not a.startswith("unix:"))


def head(path="/echo", version="1.1", length="Content-Length: 3"):
    return HEAD.format(path=path, version=version, length=length).encode()


@pytest.mark.parametrize("length, data", [
    ("Content-Length: 3", b"abc"), ("Transfer-Encoding: chunked", b"3\r\nabc\r\n0\r\n\r\n")])
def test_continue_before_the_body(remuda, length, data):
    """9110 10.1.1, 15.2: 100 and its empty line, no framing in it; then the answer."""
    with wire.Connection(address(remuda)) as client:
        client.send(head(length=length))
        interim = client.response()
        assert (interim.status, interim.fields) == (100, [])
        client.send(data)
        assert client.response().body == b"abc"
        assert client.get("/last").body == b"last"


def test_no_interim_answer_to_10(remuda):
    """9110 15.2: MUST NOT send 1xx to HTTP/1.0."""
    with wire.Connection(address(remuda)) as client:
        client.send(head(version="1.0"))
        client.send(b"abc")
        assert client.response().status == 200
        assert client.at_eof()


@pytest.mark.parametrize("path, length, status", [
    ("/none", "Content-Length: 3", 404), ("/hello", "Content-Length: 3", 405),
    ("/echo", "Content-Length: 99999", 413)])
def test_final_instead_of_continue(remuda, path, length, status):
    """9110 10.1.1: no 100; who then sends nothing sees the end, not a request time-out."""
    with wire.Connection(address(remuda)) as client:
        client.send(head(path, length=length))
        answer = client.response()
        assert answer.status == status and answer.closes
        assert client.at_eof()


@pytest.mark.parametrize("start, status", [
    (b"GET /x y HTTP/1.1\r\n\r\n", 400), (b"FOO /hello HTTP/1.1\r\nHost: a\r\n\r\n", 501),
    (b"GET /hello HTTP/3.0\r\n\r\n", 505), (b"GET /", 414),
    (b"GET /hello HTTP/1.1\r\nHost: a\r\nX: ", 431),
    (b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999\r\n\r\n", 413),
    (b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
     400)])
def test_refusal_survives_much_input(remuda, start, status):
    """9112 9.6: closed in stages. The answer is read after all is sent, and is the only one."""
    with wire.Connection(address(remuda)) as client:
        client.send(start + b"x" * MUCH)
        answer = client.response()
        assert answer.status == status and answer.closes
        assert client.at_eof()
