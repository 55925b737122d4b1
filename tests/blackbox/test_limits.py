# SPDX-License-Identifier: MIT
"""Limits that act: each has its status, its counter and its mark in the access log, and the
table in docs/HTTP.md says so of all of them."""

import json
import pathlib
import re
import select
import socket
import time

import pytest

from control import ctl, look
from daemon import SOURCE, patience, run, wait_until

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
access_format = %s %U %{note}x
[plugin modes]
path = @TEST_PLUGINS@/modes.so
@OPTIONS@
"""

POST = b"POST /sync/echo HTTP/1.1\r\nHost: a\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"


def limits(*lines, options=""):
    return INI.replace("@LIMITS@", "\n".join(lines)).replace("@OPTIONS@", options)


def met(one):
    """How often each limit was met, by its mark."""
    rows = json.loads(ctl(one, "show", "limits", "--json").stdout)["limits"]
    return {row["mark"]: row["met"] for row in rows if row["met"]}


def notes(one, count=1):
    """(status, note) of the access log's lines."""
    wait_until(lambda: len(one.access_log()) >= count, 10, "the access log")
    return [tuple(line.split()[::2]) for line in one.access_log()]


def expect(one, status, mark):
    assert notes(one) == [(status, mark)]
    assert met(one) == {mark: 1}


REFUSED = {
    "line-too-long": (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
    "too-many-fields": (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 100 + b"\r\n", 431),
    "header-too-long": (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 16384 + b"\r\n\r\n", 431),
    "body-too-large": (POST + b"Content-Length: 1048577\r\n\r\n", 413),
    "framing": (CHUNKED + b"1;" + b"e" * 16384, 413),
    "head-timeout": (POST, 408),
    "body-timeout": (POST + b"Content-Length: 2\r\n\r\na", 408),
}


@pytest.mark.parametrize("mark", REFUSED)
def test_refused(server, mark):
    sent, status = REFUSED[mark]
    one = server(limits("head_timeout = 300ms" if mark == "head-timeout" else "",
                        "body_timeout = 300ms"))
    with one.connect() as connection:
        connection.send(sent)
        assert connection.response().status == status
        assert connection.at_eof()
    expect(one, str(status), mark)


def test_chunked_body_too_large(server):
    one = server(limits("body = 1000"))
    with one.connect() as connection:
        connection.send(CHUNKED + b"3e9\r\n")
        assert connection.response().status == 413
    expect(one, "413", "body-too-large")


def test_declared_body_is_refused_before_it_comes(server):
    """The client waits for 100 and never has to send."""
    one = server(limits("body = 10"))
    with one.connect() as connection:
        connection.send(POST + b"Content-Length: 11\r\nExpect: 100-continue\r\n\r\n")
        assert connection.response().status == 413


def test_malformed_is_no_limit(server):
    one = server(limits())
    with one.connect() as connection:
        connection.send(b"GET / HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n")
        assert connection.response().status == 400
    assert notes(one) == [("400", "malformed")]
    assert met(one) == {}


@pytest.mark.parametrize("where", ["limits", "plugin"])
def test_body_rate(server, where):
    """A drip is cut within body_timeout + 1 s, and a mount may have a rate of its own."""
    rate = "body_min_rate = 100k"
    one = server(limits("body_timeout = 1s", rate if where == "limits" else "body_min_rate = 0",
                        options=rate if where == "plugin" else ""))
    with one.connect() as connection:
        connection.send(POST + b"Content-Length: 10000\r\n\r\n")
        begun = time.monotonic()
        while not select.select([connection.sock], [], [], 0.05)[0]:
            connection.send(b"x")
            assert time.monotonic() - begun < patience(10), "a drip is read for ever"
        assert connection.response().status == 408
    expect(one, "408", "body-rate")


def drip(connection, seconds, pause=0.1, bytes_each=2000):
    """Takes so much now and then, until the server ends it; whether it did."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(pause)
        try:
            if not connection.sock.recv(bytes_each):
                return True
        except ConnectionError:
            return True
    return False


@pytest.fixture
def data(directory):
    """More than any socket buffer holds."""
    (directory / "data").write_bytes(b"x" * 40_000_000)
    return directory / "data"


def ask_for(one, data):
    connection = one.connect(receive_buffer=4096)
    connection.request("GET", f"/sync/file?path={data}")
    return connection


def test_write_timeout(server, data):
    one = server(limits("write_timeout = 500ms"))
    with ask_for(one, data):
        wait_until(lambda: met(one), 10, "the cut")
    assert met(one) == {"write-timeout": 1}


def test_write_rate(server, data):
    """It takes a little all the time, which is not enough; and it is cut by a reset, so that the
    kernel keeps nothing for it."""
    one = server(limits("write_timeout = 1s", "write_min_rate = 100M"))
    with ask_for(one, data) as connection:
        assert drip(connection, patience(10)), "a slow reader holds its response for ever"
        with pytest.raises(ConnectionError):
            while connection.sock.recv(100_000):
                pass
            raise ConnectionError  # it had read the reset in drip
    assert met(one) in ({"write-rate": 1}, {"write-timeout": 1})


def test_slow_reader_within_the_rate_is_served(server, directory):
    """Pauses shorter than write_timeout, for longer than it; the whole file arrives."""
    (directory / "data").write_bytes(b"x" * 12_000_000)
    one = server(limits("write_timeout = 1500ms", "write_min_rate = 240"))
    with ask_for(one, directory / "data") as connection:
        end = time.monotonic() + 3
        while time.monotonic() < end:
            connection.buffer += connection.sock.recv(300_000)
            time.sleep(0.1)
        assert len(connection.response().body) == 12_000_000
    assert met(one) == {}


def test_stream_over_write_timeout_is_marked(server):
    one = server(limits("write_timeout = 500ms"))
    with one.connect(receive_buffer=4096) as connection:
        connection.request("GET", "/async/stream?n=100000")
        assert notes(one)[0][1] == "write-timeout"


def test_idle(server):
    one = server(limits("keepalive = 300ms"))
    with one.connect() as connection:
        connection.get("/sync/hello")
        assert connection.at_eof()
    assert met(one) == {"idle": 1}
    assert notes(one) == [("200", "-")]


def test_request_timeout(server):
    one = server(limits("request_timeout = 200ms"))
    assert one.get("/sync/sleep?ms=1000").status == 504
    assert notes(one) == [("504", "request-timeout")]
    assert met(one) == {"request-timeout": 1}


@pytest.mark.parametrize("limit, mark", [("queue_limit = 0", "queue-full"),
                                         ("queue_timeout = 200ms", "queue-timeout")])
def test_queue(server, limit, mark):
    one = server(limits(limit))
    busy = [one.connect() for _ in range(2)]
    for connection in busy:
        connection.request("GET", "/sync/sleep?ms=3000")
    wait_until(lambda: "2 of 2 slots" in ctl(one, "show", "slots").stdout, 10, "two requests")
    assert one.get("/sync/hello").status == 503
    for connection in busy:
        connection.response()
        connection.close()
    assert ("503", mark) in notes(one, 3)
    assert met(one) == {mark: 1}


def test_slow_request(server):
    one = server(limits("slow_request = 100ms"))
    assert one.get("/sync/hello").status == 200
    assert one.get("/sync/sleep?ms=300").status == 200
    line = one.log.wait(r"slow: GET /sync/sleep, route GET /sync/sleep of plugin modes: (\d+) ms "
                        r"\((\d+) ms in the queue, (\d+) ms of service\), worker 0, slot \d+ \[")
    assert int(line[1]) >= 300 and int(line[3]) >= 300
    assert notes(one, 2) == [("200", "-"), ("200", "slow")]
    assert met(one) == {"slow": 1}
    assert len(one.log.matches("slow: ")) == 1


def test_slow_request_counts_the_wait(server):
    one = server(limits("slow_request = 800ms").replace("threads = 2", "threads = 1"))
    with one.connect() as first, one.connect() as second:
        first.request("GET", "/sync/sleep?ms=3000")
        wait_until(lambda: "1 of 1 slots" in ctl(one, "show", "slots").stdout, 10, "a request")
        second.request("GET", "/sync/sleep?ms=400")
        first.response()
        second.response()
    line = one.log.wait(r"slow: .*\(([1-9]\d*) ms in the queue, (\d+) ms of service\)")
    assert int(line[2]) >= 400


def test_per_address(server):
    """The third connection is refused without a byte of it; when one has gone, there is room."""
    one = server(limits("per_address = 2"))
    first, second = one.connect(), one.connect()
    assert first.get("/sync/hello").status == second.get("/sync/hello").status == 200
    with one.connect() as third:
        answer = third.response()
        assert answer.status == 429 and answer.closes and third.at_eof()
    assert met(one) == {"per-address": 1}
    one.log.wait("127.0.0.1 has 2 connections, per_address: more are refused")
    second.close()
    wait_until(lambda: look(one)["workers"][0]["connections"] == 1, 10, "its end")
    assert one.get("/sync/hello").status == 200
    assert first.get("/sync/hello").status == 200


def test_per_address_is_of_each_address(server):
    one = server(limits("per_address = 1"))
    with one.connect() as first, socket.socket() as other:
        assert first.get("/sync/hello").status == 200
        other.bind(("127.0.0.2", 0))
        other.connect(("127.0.0.1", int(one.address.rpartition(":")[2])))
        other.sendall(b"GET /sync/hello HTTP/1.1\r\nHost: a\r\n\r\n")
        assert other.recv(100).startswith(b"HTTP/1.1 200")
    assert met(one) == {}


def test_per_address_does_not_count_unix_sockets(server):
    one = server(limits("per_address = 1").replace(
        "listen = 127.0.0.1:0", "listen = unix:@DIR@/http.sock"))
    with one.connect() as first, one.connect() as second:
        assert first.get("/sync/hello").status == second.get("/sync/hello").status == 200


# ---- the table ----

ROW = re.compile(r"^\| (?:`(\S+)`|none) \| ([^|]+) \| ([^|]+) \| (?:`(\S+)`|none) \|", re.M)


def documented():
    """Option (or ""), default and mark of each row of the table in docs/HTTP.md."""
    text = pathlib.Path(SOURCE, "docs", "HTTP.md").read_text()
    section = text.partition("\n## Limits\n")[2].partition("\n## ")[0]
    return [(m[1] or "", m[2].strip(), m[4]) for m in ROW.finditer(section)]


def test_table_has_every_mark(server):
    one = server(limits())
    rows = json.loads(ctl(one, "show", "limits", "--json").stdout)["limits"]
    marks = {(row["option"], row["mark"]) for row in rows}
    assert marks == {(option, mark) for option, _, mark in documented() if mark}


def test_table_has_every_option_with_its_default():
    """All of [limits], no other, each with the default that `explain` tells."""
    told = {option: default for option, default, _ in documented() if option}
    table = (SOURCE / "conf" / "options.def").read_text()
    options = re.findall(r'^OPTION\(limits, (\w+), \w+, [\w.]+, "(\w+)"', table, re.M)
    assert told == {f"limits.{name}": default for name, default in options}
    for option in told:
        run("explain", option, check_code=0)
