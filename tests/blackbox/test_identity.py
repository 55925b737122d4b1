# SPDX-License-Identifier: MIT
"""Who the client is: PROXY headers, forwarding fields and request ids, believed from trusted
proxies and from nobody else."""

import json
import re
import signal
import socket
import struct

import pytest

import wire
from daemon import patience, wait_until

INI = """
[server]
listen = @LISTEN@
class = @CLASS@
workers = 2
threads = 2
trusted_proxies = @TRUSTED@
@MORE@

[limits]
head_timeout = @HEAD@

[log]
access = @DIR@/access.log
access_format = json

[plugin facts]
path = @TEST_PLUGINS@/facts.so
"""

V1 = b"PROXY TCP4 203.0.113.7 192.0.2.1 56324 443\r\n"
V2_START = b"\r\n\r\n\0\r\nQUIT\n"
V2 = V2_START + b"\x21\x11\0\x0c" + bytes([203, 0, 113, 7, 192, 0, 2, 1]) + b"\xdc\4\1\xbb"
V2_V6 = (V2_START + b"\x21\x21\0\x24" + socket.inet_pton(socket.AF_INET6, "2001:db8::7") * 2
         + b"\xdc\4\1\xbb")
V2_LOCAL = V2_START + b"\x20\0\0\0"
V2_TLV = V2[:15] + b"\x92" + V2[16:] + b"\x04" + struct.pack("!H", 131) + b"x" * 131
GET = b"GET /facts HTTP/1.1\r\nHost: a\r\n\r\n"
STRANGER = "127.0.0.9"


def ini(more="", trusted="127.0.0.1", listen="127.0.0.1:0", head="10s"):
    text = INI.replace("@MORE@", more).replace("@TRUSTED@", trusted)
    return text.replace("@LISTEN@", listen).replace("@HEAD@", head)


def facts(answer):
    assert answer.status == 200, answer
    return dict(line.split("=", 1) for line in answer.text.splitlines())


class From(wire.Connection):
    """A connection of another of this machine's addresses."""

    def __init__(self, one, source):
        self.sock = socket.socket()
        self.sock.settimeout(patience(20))
        self.sock.bind((source, 0))
        host, port = one.address.rsplit(":", 1)
        self.sock.connect((host, int(port)))
        self.timeout, self.buffer = patience(20), b""


def logged(one, count):
    wait_until(lambda: len(one.access_log()) >= count, 10, f"{count} access-log lines")
    return [json.loads(line) for line in one.access_log()]


# ---- the PROXY protocol ----

@pytest.mark.parametrize("mode", ("optional", "required", "on"))
@pytest.mark.parametrize("header, peer", ((V1, "203.0.113.7"), (V2, "203.0.113.7"),
                                          (V2_V6, "2001:db8::7"), (V2_TLV, "203.0.113.7"),
                                          (V2_LOCAL, "127.0.0.1"),
                                          (b"PROXY UNKNOWN\r\n", "127.0.0.1")))
def test_proxy_header(server, mode, header, peer):
    """It holds for all requests of the connection, and for the log; it is no request itself."""
    one = server(ini(f"proxy_protocol = {mode}"))
    with one.connect() as connection:
        connection.sock.sendall(header + GET + GET)
        assert [facts(connection.response())["peer"] for _ in range(2)] == [peer, peer]
        assert facts(connection.get("/facts"))["peer"] == peer
    assert one.stop() == 0
    assert [line["client"] for line in logged(one, 3)] == [peer] * 3


@pytest.mark.parametrize("header", (V1, V2))
def test_proxy_header_in_pieces(server, header):
    one = server(ini("proxy_protocol = required"))
    for cut in range(1, len(header) + 1):
        with one.connect() as connection:
            connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.sock.sendall(header[:cut])
            connection.sock.sendall(header[cut:] + GET)
            assert facts(connection.response())["peer"] == "203.0.113.7"
    with one.connect() as connection:
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in header + GET:
            connection.sock.sendall(bytes([byte]))
        assert facts(connection.response())["peer"] == "203.0.113.7"


@pytest.mark.parametrize("sent", (GET, b"PROXY TCP4 1.2.3.4 5.6.7.8 x 1\r\n" + GET,
                                  V2_START + b"\x21\x12\0\x0c" + b"x" * 12 + GET,
                                  b"\r\n" + V1 + GET, V1 + V1 + GET))
def test_required_and_not_there(server, sent):
    """A trusted proxy that says it wrong is answered 400 once, and never parsed on."""
    one = server(ini("proxy_protocol = required"))
    with one.connect() as connection:
        connection.sock.sendall(sent)
        answer = connection.response()
        assert answer.status in (400, 501) and answer.closes  # PROXY is no method of ours
        assert connection.at_eof()
    assert len(logged(one, 1)) == 1


def test_required_of_a_stranger(server):
    """It may forge nothing, and is not served."""
    one = server(ini("proxy_protocol = required"))
    with From(one, STRANGER) as connection:
        with pytest.raises((wire.Closed, ConnectionError)):
            connection.sock.sendall(V1 + GET)
            connection.response()
    one.log.wait(f"a connection of {STRANGER} is refused: proxy_protocol = required")


def test_optional_without_one(server):
    one = server(ini("proxy_protocol = optional"))
    assert facts(one.get("/facts"))["peer"] == "127.0.0.1"
    with From(one, STRANGER) as connection:
        assert facts(connection.get("/facts"))["peer"] == STRANGER
        connection.sock.sendall(V1 + GET)  # means nothing from them, and nothing later on
        answer = connection.response()
        assert answer.status in (400, 501) and answer.closes


@pytest.mark.parametrize("header", (V1, V2))
def test_optional_of_a_stranger(server, header):
    """Their very first bytes: a bad request, and the log names whom the kernel names."""
    one = server(ini("proxy_protocol = optional"))
    with From(one, STRANGER) as connection:
        connection.sock.sendall(header + GET)
        answer = connection.response()
        assert answer.status in (400, 501) and answer.closes
    assert [line["client"] for line in logged(one, 1)] == [STRANGER]


def test_off(server):
    one = server(ini())
    with one.connect() as connection:
        connection.sock.sendall(V1 + GET)
        assert connection.response().status in (400, 501)


def test_half_a_header_has_head_timeout(server):
    one = server(ini("proxy_protocol = required", head="300ms"))
    with one.connect() as connection:
        connection.sock.sendall(V1[:20])
        assert connection.at_eof()


def test_unix_socket(server, directory):
    one = server(ini("proxy_protocol = required", "unix:", f"unix:{directory}/http"))
    with one.connect() as connection:
        connection.sock.sendall(V1 + GET)
        assert facts(connection.response())["peer"] == "203.0.113.7"


def test_the_client_moves_with_its_connection(server):
    """Workers are replaced: those that have had their header, and one for which it is due."""
    one = server(ini("proxy_protocol = required"))
    held = [one.connect() for _ in range(4)]
    for connection in held[:2]:
        connection.sock.sendall(V1 + GET)
        assert facts(connection.response())["peer"] == "203.0.113.7"
    held[2].sock.sendall(V1)
    reload(one)
    for connection in held[:3]:
        assert facts(connection.get("/facts"))["peer"] == "203.0.113.7"
    held[3].sock.sendall(V2_V6 + GET)
    assert facts(held[3].response())["peer"] == "2001:db8::7"
    for connection in held:
        connection.close()


def test_who_is_trusted_no_more_is_believed_no_more(server):
    """The header was due, and then a reload took the proxy off the list."""
    one = server(ini("proxy_protocol = optional"))
    held = [one.connect() for _ in range(3)]
    assert facts(held[2].get("/facts"))["peer"] == "127.0.0.1"  # the others are accepted too
    reload(one, ini("proxy_protocol = optional", trusted="127.0.0.2"))
    for connection in held[:2]:
        connection.sock.sendall(V1 + GET)
        answer = connection.response()
        assert answer.status in (400, 501) and answer.closes
    for connection in held:
        connection.close()


def test_a_reload_changes_whom_requests_are_of(server):
    """On a connection that was there before: it moves, and is judged anew."""
    trusting, strict = ini(), ini(trusted="127.0.0.2")
    one = server(strict)
    with one.connect() as connection:
        assert facts(connection.get("/facts", FORGED))["peer"] == "127.0.0.1"
        for text, peer in ((trusting, "198.51.100.1"), (strict, "127.0.0.1")):
            reload(one, text)
            assert facts(connection.get("/facts", FORGED))["peer"] == peer


def reload(one, text=None):
    """With another config, perhaps; until nobody of the old one is left."""
    start, old = one.log.mark(), one.workers()
    if text is not None:
        one.write_ini(text)
    one.send_signal(signal.SIGHUP)
    one.log.wait("reload done", start=start)
    for pid in old:
        one.log.wait(rf"pid {pid}, .*left: drained", start=start, timeout=20)


# ---- forwarding fields ----

FORGED = [("X-Forwarded-For", "198.51.100.1"), ("X-Forwarded-Proto", "https"),
          ("X-Forwarded-Host", "forged.example"), ("Forwarded", "for=198.51.100.2;proto=https"),
          ("X-Request-Id", "forged")]


def test_untrusted_senders_forge_nothing(server):
    one = server(ini("request_id = on", trusted="127.0.0.2, 10.0.0.0/8"))
    told = facts(one.get("/facts", FORGED))
    assert (told["peer"], told["scheme"], told["host"]) == ("127.0.0.1", "http", "test")
    assert told["request-id"] != "forged"
    (line,) = logged(one, 1)
    assert line["client"] == "127.0.0.1"


@pytest.mark.parametrize("fields, peer, scheme", (
    ([("X-Forwarded-For", "203.0.113.7")], "203.0.113.7", "http"),
    ([("X-Forwarded-For", "1.2.3.4, 203.0.113.7"), ("X-Forwarded-Proto", "https")],
     "203.0.113.7", "https"),
    ([("X-Forwarded-For", "1.2.3.4, 203.0.113.7, 10.1.1.1")], "203.0.113.7", "http"),
    ([("X-Forwarded-For", "203.0.113.7"), ("X-Forwarded-For", "10.1.1.1")], "203.0.113.7", "http"),
    ([("X-Forwarded-For", "evil, 10.1.1.1")], "10.1.1.1", "http"),
    ([("Forwarded", "for=198.51.100.2;proto=https")], "127.0.0.1", "http"),
    ([("X-Forwarded-Proto", "https, http")], "127.0.0.1", "http"),
    ([("X-Forwarded-Proto", "HTTPS")], "127.0.0.1", "https"),
    ([], "127.0.0.1", "http"),
))
def test_x_forwarded(server, fields, peer, scheme):
    one = server(ini(trusted="127.0.0.1, 10.0.0.0/8"))
    told = facts(one.get("/facts", fields))
    assert (told["peer"], told["scheme"]) == (peer, scheme)
    (line,) = logged(one, 1)
    assert line["client"] == peer


def test_forwarded(server):
    """The other form is not looked at: a client may have sent it past the proxy."""
    one = server(ini("forwarded_header = forwarded", trusted="127.0.0.1, 10.0.0.0/8"))
    told = facts(one.get("/facts", [
        ("Forwarded", 'for=1.2.3.4, for="[2001:db8::7]:99";proto=https;host="a.example:8443"'),
        ("Forwarded", "for=10.1.1.1"), ("X-Forwarded-For", "198.51.100.1"),
        ("X-Forwarded-Host", "forged.example")]))
    assert (told["peer"], told["scheme"], told["host"]) == ("2001:db8::7", "https",
                                                            "a.example:8443")


def test_host(server):
    one = server(ini())
    assert facts(one.get("/facts"))["host"] == "test"
    for sent, host in (("a.example", "a.example"), ("a.example, b.example", "b.example"),
                       ("a b", "test"), ("u@h", "test")):
        assert facts(one.get("/facts", [("X-Forwarded-Host", sent)]))["host"] == host


def test_what_a_header_names_is_believed_no_more(server):
    """Behind the PROXY header the client speaks: unless it is a trusted proxy itself."""
    one = server(ini("proxy_protocol = required", trusted="127.0.0.1, 10.0.0.0/8"))
    for source, peer in ((b"203.0.113.7", "203.0.113.7"), (b"10.0.0.8", "198.51.100.1")):
        with one.connect() as connection:
            connection.sock.sendall(b"PROXY TCP4 " + source + b" 192.0.2.1 1 2\r\n"
                                    + b"GET /facts HTTP/1.1\r\nHost: a\r\n"
                                    + b"X-Forwarded-For: 198.51.100.1\r\n\r\n")
            assert facts(connection.response())["peer"] == peer


# ---- request ids ----

def test_request_id(server):
    one = server(ini("request_id = on"))
    with one.connect() as connection:
        seen = set()
        for target in ("/facts", "/facts", "/nowhere", "/empty"):
            answer = connection.get(target)
            said = answer.header("X-Request-Id")
            assert re.fullmatch(r"[0-9a-f]{6,12}-[0-9a-f]{6,16}", said)
            assert answer.status != 200 or facts(answer)["request-id"] == said
            seen.add(said)
        answer = connection.get("/facts", [("X-Request-Id", "from-the-proxy.1")])
        assert answer.header("X-Request-Id") == "from-the-proxy.1"
        assert facts(answer)["request-id"] == "from-the-proxy.1"
        seen.add("from-the-proxy.1")
        for bad in ("a b", "a,b", "x" * 129, "<script>", '"q"'):
            answer = connection.get("/facts", [("X-Request-Id", bad)])
            seen.add(answer.header("X-Request-Id"))
            assert answer.header("X-Request-Id") != bad
    assert len(seen) == 10
    assert {line["id"] for line in logged(one, 10)} == seen


def test_no_request_id_unless_asked_for(server):
    one = server(ini())
    answer = one.get("/facts", [("X-Request-Id", "from-the-proxy")])
    assert answer.header("X-Request-Id") is None
    assert facts(answer)["request-id"] != "from-the-proxy"


# ---- connections of one address ----

PER_ADDRESS = "per_address = 2\nhead_timeout"


def test_per_address_counts_clients_not_proxies(server):
    one = server(ini("proxy_protocol = required").replace("head_timeout", PER_ADDRESS)
                 .replace("workers = 2", "workers = 1"))
    held = [one.connect() for _ in range(6)]
    for connection, source in zip(held, (b"203.0.113.7", b"203.0.113.7", b"203.0.113.8",
                                         b"203.0.113.8", b"203.0.113.9")):
        connection.sock.sendall(V1.replace(b"203.0.113.7", source) + GET)
        assert facts(connection.response())["peer"] == source.decode()
    held[5].sock.sendall(V1 + GET)
    answer = held[5].response()
    assert answer.status == 429 and answer.closes
    for connection in held:
        connection.close()
