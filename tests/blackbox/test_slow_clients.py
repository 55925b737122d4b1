# SPDX-License-Identifier: MIT
"""A client that is slow holds no slot: 200 that send one byte a second change nothing for 40
whose requests take 100 ms, at 5 x 8."""

import json
import threading
import time

from daemon import run

CLIENTS, SLOW = 40, 200
ATTEMPTS = 6

INI = """
[server]
listen = 127.0.0.1:0
class = @CLASS@
workers = 5
threads = 8

[limits]
head_timeout = 5m
body_timeout = 5m

[log]
access = off

[plugin modes]
path = @TEST_PLUGINS@/modes.so
"""

# What is complete but for its end, which comes byte by byte: a head, a body, a chunk.
BYTES = b"x" * 300
SLOWLY = {
    "head": (b"GET /sync/hello HTTP/1.1\r\nHost: a\r\nX-Slow: ", BYTES, b"\r\n\r\n",
             b"Hello, World!"),
    "body": (b"POST /sync/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 300\r\n\r\n",
             BYTES, b"", BYTES),
    "chunk": (b"POST /sync/echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
              b"12c\r\n", BYTES, b"\r\n0\r\n\r\n", BYTES),
}


class Drip:
    """Connections that each send one byte a second, on a thread of their own."""

    def __init__(self, one):
        self.clients = []
        for i in range(SLOW):
            kind = list(SLOWLY)[i % len(SLOWLY)]
            connection = one.connect()
            connection.send(SLOWLY[kind][0])
            self.clients.append((connection, kind))
        self.sent = 0
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self):
        """All of them at the beginning of each second."""
        begun = time.monotonic()
        while not self.stopping.is_set():
            for connection, _ in self.clients:
                connection.send(b"x")
            self.sent += 1
            self.stopping.wait(max(0.0, begun + self.sent - time.monotonic()))

    def finish(self):
        """All of them are still there: each sends the rest at once and is answered."""
        self.stopping.set()
        self.thread.join()
        for connection, kind in self.clients:
            _, middle, end, _ = SLOWLY[kind]
            connection.send(middle[self.sent:] + end)
        for connection, kind in self.clients:
            answer = connection.response()
            assert answer.status == 200 and answer.body == SLOWLY[kind][3], (kind, answer)
            connection.close()


def rate(one):
    """Requests a second of CLIENTS clients, over two and a half seconds."""
    done = run("bench", "--json", "-c", CLIENTS, "-d", "3s", "--warmup", "500ms",
               f"{one.url}/sync/sleep?ms=100", check_code=0)
    return json.loads(done.stdout)["rate"]


def test_slow_clients_hold_no_slot(server):
    """Alternately without and with them, until one pair is equal: others use this machine too."""
    one = server(INI)
    pairs = []
    for _ in range(ATTEMPTS):
        without = rate(one)
        drip = Drip(one)
        beside = rate(one)
        drip.finish()
        pairs.append((without, beside))
        if beside >= 0.98 * without:
            return
    raise AssertionError(f"requests a second without and beside {SLOW} slow clients: {pairs}")
