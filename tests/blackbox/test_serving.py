# SPDX-License-Identifier: MIT
"""The ordinary request: methods, routes, keep-alive, pipelining, HTTP/1.0."""

import pytest

from daemon import wait_until
from wire import WireError

MODE = pytest.mark.parametrize("mode", ["sync", "async", "event"])

FACTS = """
[server]
listen = 127.0.0.1:0
class = @CLASS@
workers = 1
threads = 2

[plugin facts]
path = @TEST_PLUGINS@/facts.so
"""


def facts(answer):
    assert answer.status == 200, answer
    return dict(line.split("=", 1) for line in answer.text.splitlines())


@MODE
def test_get(server, mode):
    answer = server().get(f"/{mode}/hello")
    assert (answer.status, answer.body) == (200, b"Hello, World!")
    assert answer.header("Content-Length") == "13"
    assert answer.header("Content-Type").startswith("text/plain")
    assert answer.header("Server").startswith("remuda")


@MODE
def test_head_is_get_without_the_body(server, mode):
    with server().connect() as connection:
        got = connection.get(f"/{mode}/hello")
        head = connection.ask("HEAD", f"/{mode}/hello")
        assert head.status == 200
        assert head.header("Content-Length") == got.header("Content-Length")
        assert connection.get(f"/{mode}/hello").body == b"Hello, World!"


@MODE
def test_connection_is_kept(server, mode):
    with server().connect() as connection:
        for _ in range(100):
            answer = connection.get(f"/{mode}/hello")
            assert answer.body == b"Hello, World!" and not answer.closes
        assert connection.is_open()


@MODE
def test_connection_close_is_honoured(server, mode):
    with server().connect() as connection:
        answer = connection.get(f"/{mode}/hello", [("Connection", "close")])
        assert answer.closes and answer.body == b"Hello, World!"
        assert connection.at_eof()


@MODE
def test_http_1_0_closes(server, mode):
    with server().connect() as connection:
        connection.send(f"GET /{mode}/hello HTTP/1.0\r\n\r\n".encode())
        assert connection.response().body == b"Hello, World!"
        assert connection.at_eof()


def test_http_1_0_keep_alive_is_said_when_done(server):
    with server().connect() as connection:
        connection.request("GET", "/sync/hello", fields=[("Connection", "keep-alive")],
                           version="1.0")
        answer = connection.response()
        assert answer.body == b"Hello, World!"
        if (answer.header("Connection") or "").lower() == "keep-alive":
            assert connection.get("/sync/hello").status == 200
        else:
            assert connection.at_eof()


def test_pipelined_answers_come_in_order(server):
    bodies = [b"%d:" % i + b"x" * (i * 97 % 1000) for i in range(48)]
    modes = [b"sync", b"async", b"event"]
    data = b"".join(
        b"POST /%s/echo HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s"
        % (modes[i % 3], len(body), body) for i, body in enumerate(bodies))
    with server().connect() as connection:
        connection.send(data)
        for body in bodies:
            assert connection.response().body == body
        assert connection.is_open()


def test_slow_first_does_not_let_the_second_overtake(server):
    with server().connect() as connection:
        connection.send(b"GET /sync/sleep?ms=200 HTTP/1.1\r\nHost: a\r\n\r\n"
                        b"GET /event/hello HTTP/1.1\r\nHost: a\r\n\r\n")
        assert connection.response().body != b"Hello, World!"
        assert connection.response().body == b"Hello, World!"


def test_all_answers_of_one_read_in_one_send(server, worker_class):
    """In one segment train: the first recv that finds anything finds all of it."""
    path = "/async/hello" if worker_class == "event" else "/event/hello"
    with server().connect() as connection:
        one = len(_raw(connection, path))
        for _ in range(5):
            connection.send(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode() * 16)
            assert len(connection.sock.recv(1 << 20)) == 16 * one


def _raw(connection, path):
    connection.send(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
    return connection.sock.recv(65536)


@MODE
def test_half_closed_client_gets_every_answer(server, mode):
    with server().connect() as connection:
        connection.send(f"GET /{mode}/hello HTTP/1.1\r\nHost: a\r\n\r\n".encode() * 3)
        connection.sock.shutdown(1)
        for _ in range(3):
            assert connection.response().body == b"Hello, World!"
        assert connection.at_eof()


def test_any_split_of_the_bytes_is_the_same(server):
    data = (b"POST /event/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
            b"GET /event/hello HTTP/1.1\r\nHost: a\r\n\r\n")
    with server().connect() as connection:
        for byte in data:
            connection.send(bytes([byte]))
        assert connection.response().body == b"hello"
        assert connection.response().body == b"Hello, World!"


def test_not_found(server):
    with server().connect() as connection:
        assert connection.get("/nowhere").status == 404
        assert connection.get("/sync/hello").status == 200, "a 404 keeps the connection"


def test_wrong_method_names_the_right_ones(server):
    answer = server().post("/sync/hello", b"x")
    assert answer.status == 405
    assert {"GET", "HEAD"} <= {m.strip() for m in answer.header("Allow").split(",")}


def test_options(server):
    with server().connect() as connection:
        answer = connection.ask("OPTIONS", "/sync/hello")
        assert answer.status in (200, 204)
        assert {"GET", "HEAD", "OPTIONS"} <= {m.strip() for m in answer.header("Allow").split(",")}
        assert connection.ask("OPTIONS", "/nowhere").status == 404


def test_options_of_the_server(server):
    with server().connect() as connection:
        assert connection.ask("OPTIONS", "*").status in (200, 204)
        assert connection.get("/sync/hello").status == 200


def test_query_and_target_are_decoded(server):
    told = facts(server(FACTS).get("/facts?x=1&name=a%20b+c&name=second"))
    assert told["name"] == "a b c"
    assert told["query"] == "x=1&name=a%20b+c&name=second"
    assert told["path"] == "/facts"
    assert told["target"] == "/facts?x=1&name=a%20b+c&name=second"
    assert (told["method"], told["scheme"], told["role"]) == ("GET", "http", "worker")
    assert told["peer"].startswith("127.0.0.1")
    assert told["arg"] == "the route's own"


def test_dot_segments_and_escapes_in_the_path(server):
    told = facts(server(FACTS).get("/a/../%66acts"))
    assert told["path"] == "/facts" and told["target"] == "/a/../%66acts"


def test_path_variables(server):
    with server(FACTS).connect() as connection:
        told = facts(connection.get("/users/a%2Fb"))
        assert (told["id"], told["pattern"]) == ("a/b", "/users/:id")
        assert facts(connection.get("/users/me"))["pattern"] == "/users/me"
        assert facts(connection.get("/tree/a/b/c"))["rest"] == "a/b/c"
        assert facts(connection.ask("DELETE", "/users/7"))["method"] == "DELETE"


def test_repeated_header_is_joined(server):
    told = facts(server(FACTS).get("/facts", [("X-List", "a"), ("x-list", "b")]))
    assert told["x-list"] == "a, b"


def test_set_replaces_add_appends(server):
    answer = server(FACTS).get("/cookies")
    assert answer.status == 201 and answer.header("X-Once") == "second"
    assert [v for k, v in answer.fields if k.lower() == "set-cookie"] == ["a=1", "b=2"]


def test_204_has_no_framing(server):
    with server(FACTS).connect() as connection:
        assert connection.get("/empty").status == 204
        assert connection.get("/empty").status == 204


def test_mount_is_a_prefix(server):
    one = server(FACTS + "mount = /api\n")
    assert one.get("/facts").status == 404
    assert facts(one.get("/api/facts"))["path"] == "/api/facts"


def test_same_plugin_twice(server):
    one = server(FACTS + "[plugin other]\npath = @TEST_PLUGINS@/facts.so\nmount = /other\n")
    assert facts(one.get("/facts")) and facts(one.get("/other/facts"))


def test_hello_plugin_greets(server):
    one = server("""
[server]
listen = 127.0.0.1:0
class = @CLASS@
workers = 1
[plugin hello]
path = @PLUGINS@/hello.so
""")
    assert one.get("/hello?name=x").text == "Hello, x!\n"
    assert one.get("/hello").text == "Hello, world!\n"


def test_both_workers_serve(server):
    """Connections are held, so that sooner or later the other worker gets one."""
    one = server()
    workers, held, pids = one.workers(), [], set()

    def both():
        held.append(one.connect())
        pids.add(int(held[-1].get("/who").text))
        return pids == set(workers)

    try:
        wait_until(both, 10, "an answer of each worker")
    finally:
        for connection in held:
            connection.close()


def test_strict_reader_is_strict(server):
    """The checks that every other test leans on do bite."""
    with server().connect() as connection:
        connection.request("GET", "/sync/hello")
        connection.response(head_only=True)  # its body is still there, as if it were too much
        connection.request("GET", "/sync/hello")
        with pytest.raises(WireError):
            connection.response()
