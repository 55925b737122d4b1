# SPDX-License-Identifier: MIT
"""errands - keep-alive clients that know which answer is due, in one thread.

Each request bears a number of its own, and its answer must repeat it, with the length and a
checksum of the body that was sent. A connection that ends although its client did not end
it is a loss; whether that may be is the caller's to say (`is_doomed`).
"""

import re
import selectors
import socket
import time
import zlib

HEAD = re.compile(rb"HTTP/1\.1 (\d{3}) [^\r\n]*\r\n(.*?\r\n)\r\n", re.S)
CLOSE = re.compile(rb"^Connection: close\r$", re.M)
LENGTH = re.compile(rb"^Content-Length: (\d+)\r$", re.M)
BODIES = (0, 0, 0, 0, 0, 0, 10, 2000, 20000, 40000, 150000) # above 32 KiB: beside the socket
PIPELINE, THINK = 0.2, 0.2  # how often, of all requests
LEAVE = 0.0002  # in each turn that one waits


class Wrong(Exception):
    """The server said what it must not say."""


def body_of(number, size):
    return (b"%d," % number * (size // 2 + 1))[:size]


def request(rng, number, ms):
    """Its bytes, and (number, size, checksum), which its answer must have."""
    body = body_of(number, rng.choice(BODIES))
    head = f"{'POST' if body else 'GET'} /errand/{number}?ms={ms} HTTP/1.1\r\nHost: a\r\n"
    if body and rng.random() < 0.3:
        half = len(body) // 2
        pieces = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece)
                          for piece in (body[:half], body[half:]) if piece)
        raw = (head + "Transfer-Encoding: chunked\r\n\r\n").encode() + pieces + b"0\r\n\r\n"
    else:
        length = f"Content-Length: {len(body)}\r\n" if body else ""
        raw = (head + length + "\r\n").encode() + body
    return raw, (number, len(body), zlib.adler32(body))


class Client:
    def __init__(self, crew):
        self.crew = crew
        self.sock = None
        self.connect()

    def connect(self):
        self.sock = socket.create_connection(self.crew.address)
        self.sock.setblocking(False)
        self.port = self.sock.getsockname()[1]
        self.due = []           # answers, in their order
        self.unsent, self.got = b"", b""
        self.is_last = False    # the server has said that it will close
        self.think_until = 0.0
        self.server = None      # pid of the worker that answered last: an idle one is with it
        self.doomed = None      # number of the first request after its worker's end
        self.events = selectors.EVENT_READ
        self.crew.selector.register(self.sock, self.events, self)

    def close(self):
        self.crew.selector.unregister(self.sock)
        self.sock.close()

    def ask(self, now):
        rng = self.crew.rng
        for _ in range(2 if rng.random() < PIPELINE else 1):
            raw, due = request(rng, self.crew.next_number(), rng.choice(self.crew.sleeps_ms))
            self.unsent += raw
            self.due.append(due + (now,))
        self.write()

    def write(self):
        try:
            while self.unsent:
                self.unsent = self.unsent[self.sock.send(self.unsent):]
        except BlockingIOError:
            pass
        except ConnectionError:
            self.unsent = b""  # what there is to say comes by reading
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if self.unsent else 0)
        if events != self.events:
            self.events = events
            self.crew.selector.modify(self.sock, events, self)

    def on_event(self, events):
        if events & selectors.EVENT_WRITE:
            self.write()
        if not events & selectors.EVENT_READ:
            return
        try:
            piece = self.sock.recv(65536)
        except BlockingIOError:
            return
        except ConnectionError:
            piece = b""
        if not piece:
            self.crew.on_loss(self)
            self.close()
            self.connect()
            return
        self.got += piece
        while self.take_answer():
            pass

    def take_answer(self):
        """One whole answer, checked. False: not there yet."""
        head = HEAD.match(self.got)
        if not head:
            return False
        length = LENGTH.search(head[2])
        if head[1] != b"200" or not length:
            raise Wrong(f"{head[0]!r} for {self.due[:1]}")
        size = head.end() + int(length[1])
        if len(self.got) < size:
            return False
        self.is_last = bool(CLOSE.search(head[2]))
        body, self.got = self.got[head.end():size], self.got[size:]
        number, pid, size, checksum = (int(word) for word in body.split())
        if not self.due or self.due[0][:3] != (number, size, checksum):
            raise Wrong(f"answer {body!r}, due was {self.due[:1]}")
        self.server = pid
        self.crew.on_answer(self, self.due.pop(0))
        if self.is_last:
            self.crew.on_last(self)
        return bool(self.got)


class Crew:
    """All clients. `on_loss(client)` is told of a connection that ended by itself."""

    def __init__(self, address, count, rng, sleeps_ms, on_loss):
        host, port = address.rsplit(":", 1)
        self.address, self.rng = (host, int(port)), rng
        self.sleeps_ms, self.on_loss = sleeps_ms, on_loss
        self.selector = selectors.DefaultSelector()
        self.numbers = 0
        self.answered = set()
        self.is_asking = True
        self.left, self.closed, self.spared, self.slowest = 0, 0, 0, 0.0
        self.clients = [Client(self) for _ in range(count)]

    def next_number(self):
        self.numbers += 1
        return self.numbers

    def on_answer(self, client, due):
        number, now = due[0], time.monotonic()
        self.answered.add(number)
        self.slowest = max(self.slowest, now - due[3])
        if client.doomed is not None and number >= client.doomed:
            client.doomed = None
            self.spared += 1
        if self.rng.random() < THINK:
            client.think_until = now + self.rng.random() * 0.02

    def on_last(self, client):
        """Said with the last answer that is due, never before."""
        if client.due or client.got:
            raise Wrong(f"Connection: close before {client.due}")
        self.closed += 1
        client.close()
        client.connect()

    def leave(self, client):
        """With a request that waits or runs: whoever has it then drops it."""
        self.left += 1
        client.close()
        client.connect()

    def turn(self, timeout):
        for key, events in self.selector.select(timeout):
            if key.data.sock is key.fileobj:
                key.data.on_event(events)
        now = time.monotonic()
        for client in self.clients:
            if client.due:
                if self.is_asking and self.rng.random() < LEAVE:
                    self.leave(client)
            elif self.is_asking and client.think_until <= now:
                client.ask(now)

    def waiting(self):
        return [client for client in self.clients if client.due]

    def ask_once_more(self):
        now = time.monotonic()
        for client in self.clients:
            if not client.due:
                client.ask(now)

    def close(self):
        for client in self.clients:
            client.close()
        self.selector.close()
