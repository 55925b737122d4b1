# SPDX-License-Identifier: MIT
"""Exactly one access-log line for each request begun, whatever became of it."""

import json
import pathlib
import re
import signal

from daemon import links, wait_until

INI = """
[server]
listen = 127.0.0.1:0
class = @CLASS@
workers = 2
threads = 2

[limits]
head_timeout = 500ms
body = 10k

[log]
access = @DIR@/access.log
@MORE@

[plugin modes]
path = @TEST_PLUGINS@/modes.so
"""

COMBINED = re.compile(r'(\S+) - \S+ \[[^]]+\] "([^"]*)" (\d{3}) (\d+|-) "[^"]*" "[^"]*"')


def lines(one, count, name="access.log"):
    """Wait for so many lines; more than that is an error that shows after the stop."""
    wait_until(lambda: len(one.access_log(name)) >= count, 10, f"{count} access-log lines")
    return one.access_log(name)


def start(server, more=""):
    return server(INI.replace("@MORE@", more))


def only_line(one):
    """After the stop everything is written: there must be one line."""
    lines(one, 1)
    assert one.stop() == 0
    (line,) = one.access_log()
    match = COMBINED.match(line)
    assert match, line
    return match


def test_combined(server):
    one = start(server)
    one.get("/sync/hello?a=b", [("User-Agent", 'x"y'), ("Referer", "http://r/")])
    match = only_line(one)
    assert (match[1], match[2], match[3], match[4]) == (
        "127.0.0.1", "GET /sync/hello?a=b HTTP/1.1", "200", "13")
    line = one.access_log()[0]
    assert '"http://r/"' in line and 'x"y' not in line, "a quote in a field is escaped"


def test_each_of_many(server):
    one = start(server)
    with one.connect() as connection:
        for i in range(300):
            connection.get(f"/{('sync', 'async', 'event')[i % 3]}/hello?{i}")
    assert one.stop() == 0
    seen = sorted(int(re.search(r"hello\?(\d+) ", line)[1]) for line in one.access_log())
    assert seen == list(range(300))


def test_pipelined(server):
    one = start(server)
    with one.connect() as connection:
        connection.send(b"GET /event/hello HTTP/1.1\r\nHost: a\r\n\r\n" * 20)
        for _ in range(20):
            assert connection.response().status == 200
    assert one.stop() == 0
    assert len(one.access_log()) == 20


def test_404(server):
    one = start(server)
    one.get("/nowhere")
    assert only_line(one)[3] == "404"


def test_400(server):
    one = start(server)
    with one.connect() as connection:
        connection.send(b"GET /sync/hello HTTP/1.1\r\n\r\n")
        assert connection.response().status == 400
    assert only_line(one)[3] == "400"


def test_garbage_is_escaped(server):
    one = start(server)
    with one.connect() as connection:
        connection.send(b"\x01\x1b[31m\xff / HTTP/1.1\r\n\r\n")
        assert connection.response().status in (400, 501)
    only_line(one)
    assert "\x1b" not in one.access_log()[0]


def test_408(server):
    one = start(server)
    with one.connect() as connection:
        connection.send(b"GET /sync/hello HTTP/1.1\r\n")
        assert connection.response().status == 408
    assert only_line(one)[3] == "408"


def test_413(server):
    one = start(server)
    assert one.post("/sync/echo", b"x" * 20_000).status == 413
    assert only_line(one)[3] == "413"


def test_client_gone_in_the_middle_of_a_body_is_499(server):
    one = start(server)
    with one.connect() as connection:
        connection.send(b"POST /sync/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc")
    match = only_line(one)
    assert (match[2], match[3]) == ("POST /sync/echo HTTP/1.1", "499")


def test_client_gone_while_its_handler_runs_has_one_line(server):
    one = start(server)
    with one.connect() as connection:
        connection.request("GET", "/sync/sleep?ms=300")
    assert only_line(one)[3] in ("200", "499")


def test_connection_without_a_request_has_none(server):
    one = start(server)
    one.connect().close()
    with one.connect() as connection:
        connection.get("/sync/hello")
    only_line(one)


def test_json_is_json(server):
    one = start(server, "access_format = json")
    with one.connect() as connection:  # one worker: in this order
        connection.get("/sync/hello?q=%22", [("User-Agent", 'a"b\\c')])
        connection.get("/nowhere")
    assert one.stop() == 0
    first, second = (json.loads(line) for line in one.access_log())
    assert 200 in first.values() and 404 in second.values()
    assert 'a"b\\c' in first.values() and "/nowhere" in second.values()


def is_open(one, name):
    """By any of its processes: then its space is taken, even when it is deleted."""
    return any(pathlib.Path(link).name == name
               for pid in [one.pid, *one.workers()] for _, link in links(pid))


def test_usr1_reopens(server):
    one = start(server)
    one.get("/sync/hello?first")
    lines(one, 1)
    log = one.directory / "access.log"
    log.rename(one.directory / "access.log.1")
    one.send_signal(signal.SIGUSR1)
    wait_until(log.exists, 10, "a new access log")

    def moved():
        one.get("/sync/hello?second")
        return any("second" in line for line in one.access_log())

    wait_until(moved, 10, "a line in the new file")
    wait_until(lambda: not is_open(one, "access.log.1"), 10, "the end of the old one")
    assert one.stop() == 0
    assert "first" in (one.directory / "access.log.1").read_text()
    assert not any("first" in line for line in one.access_log())
