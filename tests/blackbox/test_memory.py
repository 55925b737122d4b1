# SPDX-License-Identifier: MIT
"""What a connection may hold of a worker's memory, whatever its client does: docs/HTTP.md."""

import pytest

from daemon import sanitized, status_number, wait_until

INI = """
[server]
listen = 127.0.0.1:0
class = @CLASS@
workers = 1
threads = 100

[limits]
body = 100M
body_buffer = 64k
head_timeout = 5m
body_timeout = 5m
body_min_rate = 0
write_timeout = 5m
write_min_rate = 0
request_timeout = 0

[plugin modes]
path = @TEST_PLUGINS@/modes.so
[plugin intake]
path = @TEST_PLUGINS@/intake.so
mount = /intake
"""
CLIENTS = 100
KIB_OWN = 16  # a connection, its request, their first blocks, a page or two of a stack
HEAD = 8 + 16 + 16  # request_line, header_size, a block
POST = b"POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n"
# name: (what is sent, KiB that it may hold)
WORST = {
    "a long head": (b"GET /" + b"x" * 8000 + b" HTTP/1.1\r\n" + b"A: " + b"x" * 16000, HEAD),
    "half a body": (POST % (b"/sync/echo", 65536) + b"x" * 65000, HEAD + 64),
    "half a body in chunks": (b"POST /sync/echo HTTP/1.1\r\nHost: a\r\n"
                              b"Transfer-Encoding: chunked\r\n\r\nfde8\r\n" + b"x" * 64000,
                              HEAD + 64),
    "half a body in a file": (POST % (b"/sync/echo", 50_000_000) + b"x" * 300_000, HEAD),
    "a body that nobody reads": (POST % (b"/intake/async/late?ms=60000", 300_000)
                                 + b"x" * 200_000, HEAD + 64),
    "a stream that is not read": (b"GET /async/stream?n=20000 HTTP/1.1\r\nHost: a\r\n\r\n",
                                  HEAD + 64 + 32 + 32),
    "requests behind a stream": (b"GET /sync/stream?n=20000 HTTP/1.1\r\nHost: a\r\n\r\n" * 2000,
                                 HEAD + 64 + 32 + 32),
}


@pytest.mark.parametrize("name", WORST)
def test_the_worst_a_client_can_do(server, name):
    sent, kib = WORST[name]
    one = server(INI)
    (pid,) = one.workers()
    before = status_number(pid, "RssAnon")
    clients = [one.connect(receive_buffer=4096) for _ in range(CLIENTS)]
    for client in clients:
        client.sock.setblocking(False)
        try:
            client.sock.send(sent)
        except BlockingIOError:
            pass
    seen = []

    def steady():
        seen.append(status_number(pid, "RssAnon"))
        return len(seen) > 100 and max(seen[-100:]) == min(seen[-100:])

    wait_until(steady, 20, "a steady size")
    each = (seen[-1] - before) / CLIENTS
    print(f"{name}: {each:.1f} KiB each, {kib + KIB_OWN} allowed")
    assert sanitized() or each <= kib + KIB_OWN
    for client in clients:
        client.close()
