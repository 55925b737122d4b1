# SPDX-License-Identifier: MIT
"""A body over body_buffer stands in an unlinked file: the same bytes, and no memory."""

import os
import random
import resource

import pytest

from daemon import links, sanitized, status_number, wait_until

INI = """
[server]
listen = 127.0.0.1:0
class = @CLASS@
workers = @WORKERS@
threads = 1

[limits]
body = 100M
body_buffer = 64k
body_dir = @DIR@/bodies

[plugin modes]
path = @TEST_PLUGINS@/modes.so
"""
MODE = pytest.mark.parametrize("mode", ("sync", "async", "event"))
LENGTH, CHUNKED = "Content-Length: %d", "Transfer-Encoding: chunked"
FORM = pytest.mark.parametrize("form", (LENGTH, CHUNKED))


@pytest.fixture
def one(server, directory):
    (directory / "bodies").mkdir()
    return server(INI.replace("@WORKERS@", "1"))


def noise(size):
    return random.Random(size).randbytes(size)


def framed(form, body):
    """Its bytes on the wire: one length, or chunks of 60,000."""
    if form == LENGTH:
        return body
    pieces = [body[i:i + 60_000] for i in range(0, len(body), 60_000)]
    return b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in pieces) + b"0\r\n\r\n"


def head(target, form, size):
    field = form % size if form == LENGTH else form
    return f"POST {target} HTTP/1.1\r\nHost: a\r\n{field}\r\n\r\n".encode()


def files(pid):
    """Those of its descriptors that are bodies."""
    return [fd for fd, link in links(pid) if "/bodies/" in link and "(deleted)" in link]


@MODE
@FORM
@pytest.mark.parametrize("size", [65_535, 65_536, 65_537, 200_000, 5_000_000])
def test_the_same_bytes(one, mode, form, size):
    body = noise(size)
    with one.connect() as connection:
        for _ in range(2):
            connection.send(head(f"/{mode}/echo", form, size) + framed(form, body))
            assert connection.response().body == body
        assert connection.get("/sync/hello").status == 200


@FORM
def test_it_stands_in_a_file_and_not_in_memory(one, form):
    size = 40_000_000
    body = noise(size)
    wire = framed(form, body)
    (pid,) = one.workers()
    before = status_number(pid, "RssAnon")
    with one.connect() as connection:
        connection.send(head("/sync/echo", form, size) + wire[:-1000])
        (fd,) = wait_until(lambda: files(pid), 10, "a file")
        wait_until(lambda: os.stat(f"/proc/{pid}/fd/{fd}").st_size > size - 70_000, 20, "bytes")
        assert sanitized() or status_number(pid, "RssAnon") - before < 1024
        connection.send(wire[-1000:])
        assert connection.response().body == body
    wait_until(lambda: not files(pid), 10, "its end")
    assert os.listdir(one.directory / "bodies") == []


@FORM
def test_a_small_one_has_no_file(one, form):
    (pid,) = one.workers()
    with one.connect() as connection:
        connection.send(head("/sync/echo", form, 60_000) + framed(form, noise(60_000))[:-1])
        assert one.get("/event/hello").status in (200, 503)
        assert files(pid) == []


def test_its_client_leaves(one):
    (pid,) = one.workers()
    with one.connect() as connection:
        connection.send(head("/sync/echo", LENGTH, 1_000_000) + noise(500_000))
        wait_until(lambda: files(pid), 10, "a file")
    wait_until(lambda: not files(pid), 10, "its end")


@FORM
def test_no_room_for_it_is_507(one, form):
    """As of a disk that is full: what is kept may not be longer than this."""
    (pid,) = one.workers()
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
    with one.connect() as connection:
        body = framed(form, noise(3 << 20))
        connection.send(head("/sync/echo", form, 3 << 20) + body[:2 << 20])
        answer = connection.response()
        assert answer.status == 507 and answer.closes
    one.log.wait(r"a request body of more than \d+ bytes cannot be kept in .*: File too large")
    assert one.post("/sync/echo", b"x" * 500_000).body == b"x" * 500_000
    assert one.workers() == [pid]


def test_a_directory_that_is_not_there(server):
    one = server(INI.replace("@WORKERS@", "1"), env={"TMPDIR": "/nowhere"})
    one.log.wait(r"warn worker 0: body_dir .*/bodies cannot be written to; bodies go to /")
    body = noise(300_000)
    assert one.post("/sync/echo", body).body == body


def test_it_moves_to_a_worker_with_a_slot(server, directory):
    (directory / "bodies").mkdir()
    one = server(INI.replace("@WORKERS@", "2"))
    body = noise(1_000_000)
    clients = [one.connect() for _ in range(6)]
    for client in clients:
        client.send(head("/sync/echo", LENGTH, len(body)) + body[:-1])
    for client in clients:
        client.send(body[-1:])
    for client in clients:
        assert client.response().body == body
        client.close()
