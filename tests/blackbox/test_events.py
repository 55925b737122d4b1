# SPDX-License-Identifier: MIT
"""Server-sent events: what a browser makes of them, heartbeats, the end, memory."""

import os
import signal
import urllib.parse

import pytest

from daemon import children_of, is_ours, memory_kib, sanitized

INI = """
[server]
listen = 127.0.0.1:0
class = @CLASS@
workers = 1
threads = 4

[worker]
event_heartbeat = @HEARTBEAT@

[plugin events]
path = @TEST_PLUGINS@/events.so
"""
MODE = pytest.mark.parametrize("mode", ("sync", "async"))
GROWTH_KIB = 256


def ini(heartbeat="15s"):
    return INI.replace("@HEARTBEAT@", heartbeat)


def parse(text):
    """As the HTML standard has it (9.2.6): a list of (type, data)."""
    found, kind, data = [], "", []
    for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")[:-1]:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if line == "":
            if data:
                found.append((kind or "message", "\n".join(data)))
            kind, data = "", []
        elif name == "event":
            kind = value
        elif name == "data":
            data.append(value)
    return found


def target(mode, path="events", **query):
    return f"/{mode}/{path}?" + urllib.parse.urlencode(query)


@pytest.mark.parametrize("mode", ("sync", "async", "event"))
def test_events_and_their_head(server, mode):
    with server(ini()).connect() as connection:
        answer = connection.get(target(mode, n=3, name="tick", data="a b"))
        assert answer.status == 200
        assert answer.header("Content-Type") == "text/event-stream"
        assert answer.header("Cache-Control") == "no-cache"
        assert answer.header("X-Accel-Buffering") == "no"
        assert answer.header("Content-Length") is None
        assert parse(answer.text) == [("tick", "a b")] * 3
        assert connection.get(target(mode, n=1, data="again")).status == 200


@MODE
@pytest.mark.parametrize("data", ["a\nb", "a\r\nb", "a\rb", "\n", "x\n\nevent: forged\ndata: y\n\n",
                                  "x\r\revent: forged\rdata: y\r\r", "x\r\n\r\ndata: y", ": z", ""])
def test_data_forges_no_line(server, mode, data):
    answer = server(ini()).get(target(mode, n=1, name="own", data=data))
    assert parse(answer.text) == [("own", data.replace("\r\n", "\n").replace("\r", "\n"))]


@MODE
def test_a_name_forges_no_line(server, mode):
    assert server(ini()).get(target(mode, "refused")).text == "1 1"


@MODE
def test_what_the_handler_has_set_stays(server, mode):
    answer = server(ini()).get(target(mode, "typed"))
    assert answer.header("Cache-Control") == "no-store"
    assert answer.text == "data: \n\nretry: 5\n\n"


@MODE
def test_an_event_longer_than_any_buffer(server, mode):
    answer = server(ini()).get(target(mode, "large", kib=3000))
    (_, first), (_, second) = parse(answer.text)
    assert first == "x" * 3000 * 1024 and second == "end"


@MODE
def test_head_ends_with_its_head(server, mode):
    """Of a stream without an end, too: the handler is told that nobody reads on."""
    one = server(ini())
    with one.connect() as connection:
        answer = connection.ask("HEAD", target(mode, "silent"))
        assert answer.status == 200 and answer.header("Content-Type") == "text/event-stream"
        one.log.wait("ended by -125")
        assert connection.ask("HEAD", target(mode, "large", kib=3000)).status == 200
        assert connection.get(target(mode, n=1)).status == 200, "the connection goes on"


@MODE
def test_a_silent_stream_has_a_heart_that_beats(server, mode):
    one = server(ini("50ms"))
    with one.connect() as connection:
        connection.request("GET", target(mode, "silent"))
        seen = b""
        while seen.count(b":\n\n") < 5:
            seen += connection.sock.recv(4096)
        assert b"data: begun\n\n" in seen
        os.kill(one.workers()[0], signal.SIGTERM)
        while not seen.endswith(b"0\r\n\r\n"):
            seen += connection.sock.recv(4096)
        assert b"data: bye\n\n" in seen
        text = b"".join(seen.partition(b"\r\n\r\n")[2].split(b"\r\n")[1::2]).decode()
        assert parse(text) == [("message", "begun"), ("message", "bye")]


@MODE
def test_no_heartbeat_within_an_event(server, mode):
    """Its client does not read for many beats, with half of it in all buffers."""
    one = server(ini("10ms"))
    with one.connect(receive_buffer=4096) as connection, one.connect() as other:
        connection.request("GET", target(mode, "large", kib=8000))
        other.request("GET", target(mode, "silent"))
        seen = b""
        while seen.count(b":\n\n") < 10:
            seen += other.sock.recv(4096)
        (_, first), (_, second) = parse(connection.response().text)
        assert first == "x" * 8000 * 1024 and second == "end"


@MODE
def test_the_handler_hears_that_its_client_has_gone(server, mode):
    one = server(ini("50ms"))
    with one.connect() as connection:
        connection.request("GET", target(mode, "silent"))
        while b"begun" not in connection.sock.recv(4096):
            pass
    one.log.wait("ended by -125")


@MODE
def test_many_events_leave_the_memory_as_it_is(server, mode):
    """The short form of tests/bench/events.py."""
    one = server(ini())
    (pid,) = (pid for pid in children_of(one.pid) if is_ours(pid))
    seen = []
    with one.connect() as connection:
        for count in (10_000, 30_000):
            text = connection.get(target(mode, "numbers", n=count)).text
            assert parse(text) == [("number", str(i + 1)) for i in range(count)]
            seen.append(memory_kib(pid))
    assert sanitized() or seen[1] - seen[0] <= GROWTH_KIB
