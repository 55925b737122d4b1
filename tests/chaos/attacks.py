# SPDX-License-Identifier: MIT
"""attacks - what hostile clients do to an address until they are stopped, and what they saw.

Each runs in a process of its own: attack(address, count, seconds, big) returns a dict, of which
`longest_s` is the life of the longest drip that the server has ended, `open_s` of the longest
that it has not.
"""

import select
import socket
import struct
import time

GET = b"GET /sync/hello HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST /sync/echo HTTP/1.1\r\nHost: a\r\n"
RESET = struct.pack("ii", 1, 0)
PAUSE_S = 0.1


def dial(address, receive_buffer=None):
    host, port = address.rsplit(":", 1)
    sock = socket.socket()
    if receive_buffer:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    sock.settimeout(5)
    sock.connect((host, int(port)))
    return sock


class Drip:
    """One client that says or takes a little at a time."""

    def __init__(self, address, first, drop, take):
        self.sock = dial(address, 4096 if take else None)
        self.sock.sendall(first)
        self.sock.setblocking(False)
        self.begun, self.drop, self.take = time.monotonic(), drop, take

    def has_ended(self):
        """After one drop more. A reset waits behind what was not read yet, but for poll."""
        poller = select.poll()
        poller.register(self.sock, 0)
        if poller.poll(0):
            return True
        try:
            if self.drop:
                self.sock.send(self.drop)
            got = self.sock.recv(self.take or 4096)
            return not self.take or not got  # who drips and is answered is cut
        except BlockingIOError:
            return False
        except OSError:
            return True


def drips(address, count, seconds, first, drop=b"", take=0):
    end, held, ended, longest = time.monotonic() + seconds, [], 0, 0.0
    while time.monotonic() < end:
        turn = time.monotonic() + PAUSE_S
        while len(held) < count and time.monotonic() < turn:
            try:
                held.append(Drip(address, first, drop, take))
            except OSError:
                break
        for one in list(held):
            if one.has_ended():
                longest = max(longest, time.monotonic() - one.begun)
                one.sock.close()
                held.remove(one)
                ended += 1
        time.sleep(max(0, turn - time.monotonic()))
    now = time.monotonic()
    open_s = max((now - one.begun for one in held), default=0)
    for one in held:
        one.sock.close()
    return {"ended": ended, "longest_s": longest, "open_s": open_s}


def slow_heads(address, count, seconds, big):
    return drips(address, count, seconds, GET[:-2], b"X: y\r\n")


def slow_bodies(address, count, seconds, big):
    return drips(address, count, seconds, POST + b"Content-Length: 100000\r\n\r\n", b"x")


def slow_readers(address, count, seconds, big):
    return drips(address, count, seconds,
                 f"GET {big} HTTP/1.1\r\nHost: a\r\n\r\n".encode(), take=100)


def idle(address, count, seconds, big):
    """They never say a word."""
    end, held = time.monotonic() + seconds, []
    while len(held) < count and time.monotonic() < end:
        held.append(dial(address))
    time.sleep(max(0, end - time.monotonic()))
    return {"opened": len(held)}


def again(address, seconds, once):
    """As often as it goes."""
    end, done, refused = time.monotonic() + seconds, 0, 0
    while time.monotonic() < end:
        try:
            with dial(address) as sock:
                once(sock)
                done += 1
        except OSError:
            refused += 1
    return {"done": done, "refused": refused}


def storm(address, count, seconds, big):
    """Connect and close, orderly and not."""
    numbers = iter(range(1 << 40))

    def once(sock):
        if next(numbers) % 2:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)

    return again(address, seconds, once)


def half_closes(address, count, seconds, big):
    """Ends its side behind a request, or within one, and stays."""
    held, numbers = [], iter(range(1 << 40))

    def once(sock):
        sock.sendall(GET if next(numbers) % 2 else GET[:-2])
        sock.shutdown(socket.SHUT_WR)
        time.sleep(0.001)  # these are requests, and a flood of them is not what is shown
        held.append(sock.dup())
        if len(held) > count:
            held.pop(0).close()

    return again(address, seconds, once)


def resets(address, count, seconds, big):
    """In the middle of a response."""
    request = f"GET {big} HTTP/1.1\r\nHost: a\r\n\r\n".encode()

    def once(sock):
        sock.sendall(request)
        sock.recv(1000)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)

    return again(address, seconds, once)


def tiny_chunks(address, count, seconds, big):
    """A million of them, if it is let."""
    piece = b"1\r\na\r\n" * 1000

    def once(sock):
        sock.sendall(POST + b"Transfer-Encoding: chunked\r\n\r\n")
        for _ in range(1000):
            sock.sendall(piece)

    return again(address, seconds, once)


def header_flood(address, count, seconds, big):
    piece = b"".join(b"X-%d: y\r\n" % i for i in range(1000))

    def once(sock):
        sock.sendall(GET[:-2])
        for _ in range(1000):
            sock.sendall(piece)

    return again(address, seconds, once)


def backlog(address, count, seconds, big):
    """More at once than the queue holds, in waves; none is patient."""
    end, done = time.monotonic() + seconds, 0
    host, port = address.rsplit(":", 1)
    while time.monotonic() < end:
        wave = []
        for _ in range(count):
            sock = socket.socket()
            sock.setblocking(False)
            sock.connect_ex((host, int(port)))
            wave.append(sock)
        time.sleep(PAUSE_S)
        done += len(wave)
        for sock in wave:
            sock.close()
    return {"done": done}
