# SPDX-License-Identifier: MIT
"""letter - the engine of tests/http: many cases at once, over bytes that nobody repairs.

A case is the bytes of one client and what must come back. Each is sent in the ways of WAYS.
Behind a case stands one request more, `/last`: it is answered if, and only if, the connection
is to stay. So both a desync and a second parse after an error show.

How the split is made sure of: over a unix socket, what the server has not read yet is counted
(SIOCOUTQ), so the next part leaves when the one before it has been read, and not before.
"""

import dataclasses
import fcntl
import re
import select
import socket
import struct
import termios
import time

import daemon
import wire

FIRST = b"GET /first HTTP/1.1\r\nHost: a\r\n\r\n"
LAST = b"GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
WAYS = ("whole", "bytewise", "in two", "behind")

AT_ONCE = 200  # connections; beside nothing else on this server
SPLITS_MOST = 240  # of a long case: those at its ends, the rest evenly spread
SECONDS = 30


@dataclasses.dataclass(frozen=True)
class Case:
    """`sends`: the bytes. `gets`: the statuses, in order; a tuple inside allows several.
    `stays`: what follows is answered. `checks`: functions (responses) -> None that assert.
    `ends`: the client ends its side behind the bytes, and sends no further request."""

    id: str
    why: str
    sends: bytes
    gets: tuple
    stays: bool
    checks: tuple = ()
    methods: tuple = ()
    ends: bool = False


def good(name, why, sends, *checks, gets=(200,), methods=(), stays=True):
    """Accepted; what follows on the connection is answered, too."""
    return Case(name, why, sends, tuple(gets), stays, checks, methods)


def bad(name, why, sends, gets=400, *checks):
    """Refused with one answer; nothing behind it is read."""
    return Case(name, why, sends, (gets,), False, checks)


def cut(name, why, sends, gets=()):
    """The client leaves in the middle: no handler runs."""
    return Case(name, why, sends, tuple(gets), False, (), (), True)


# ---- checks ----

def body(*wanted):
    """The bodies, in order."""
    def check(responses):
        got = [r.body for r in responses]
        assert got == list(wanted), f"bodies {got}, not {list(wanted)}"
    return check


def header(name, wanted, at=0):
    """A field of one response: its value, or None for its absence."""
    def check(responses):
        got = responses[at].header(name)
        assert got == wanted, f"{name}: {got!r}, not {wanted!r}"
    return check


def lists(name, *wanted, at=0):
    """A comma list that has at least those."""
    def check(responses):
        got = {part.strip() for part in (responses[at].header(name) or "").split(",")}
        assert set(wanted) <= got, f"{name}: {got}, without some of {wanted}"
    return check


def lacks(text, at=0):
    """Bytes that may stand nowhere in the body."""
    def check(responses):
        assert text not in responses[at].body, f"{text!r} came back"
    return check


# ---- reading answers ----

class Transcript(wire.Connection):
    """The strict reader of wire.py, on bytes that are all there."""

    def __init__(self, data):
        self.buffer = data

    def _fill(self):
        raise wire.Closed(f"closed with {self.buffer[:200]!r} unfinished")

    def _rest(self):
        rest, self.buffer = self.buffer, b""
        return rest


def heads_of(case, way):
    """Which of the answers are to HEAD."""
    flags = [method == "HEAD" for method in case.methods]
    return [False] * (way == "behind") + flags


def read_all(data, heads):
    """Every final response in it; interim ones are skipped."""
    reader, found = Transcript(data), []
    while reader.buffer:
        head_only = len(found) < len(heads) and heads[len(found)]
        response = reader.response(head_only=head_only)
        if response.status >= 200:
            found.append(response)
    return found


def allowed(status, want):
    return status in want if isinstance(want, tuple) else status == want


def judge(case, way, data):
    """What is wrong with these bytes as the answer to the case, or None."""
    try:
        if isinstance(data, Exception):
            raise data
        responses = read_all(data, heads_of(case, way))
        if way == "behind":
            assert responses and responses[0].body == b"first", "the good one is unanswered"
            responses.pop(0)
        if case.stays:
            assert responses and responses[-1].body == b"last", "what follows is unanswered"
            responses.pop()
        statuses = [r.status for r in responses]
        fits = len(statuses) == len(case.gets) and all(map(allowed, statuses, case.gets))
        assert fits, f"{statuses}, not {case.gets}"
        if not case.stays and not case.ends:
            assert responses[-1].closes, "it closes without a word"
        for check in case.checks:
            check(responses)
    except (AssertionError, OSError, IndexError) as error:
        return f"{error!s} [{data!r:.600}]"
    return None


# ---- sending ----

def quits(case):
    """Is the end of the connection what the request wants, and no error?"""
    return not case.stays and case.gets == (200,)


def unread(sock):
    """Bytes of ours that the server has not read yet."""
    return struct.unpack("i", fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, b"\0" * 4))[0]


class Talk:
    """One connection: its parts, each sent when the one before was read."""

    def __init__(self, key, parts, ends):
        self.key, self.parts, self.ends = key, parts, ends
        self.sock = None
        self.next = 0
        self.data = b""

    def open(self, path):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(SECONDS)
        self.sock.connect(path)
        self.sock.setblocking(False)

    def send(self):
        """false: nothing is left to send."""
        if self.next == len(self.parts):
            return False
        if self.next > 0 and unread(self.sock) > 0:
            return True
        part = self.parts[self.next]
        self.next += 1
        try:
            sent = self.sock.send(part)
            if sent < len(part): # the server reads no further yet
                self.next -= 1
                self.parts[self.next] = part[sent:]
        except BlockingIOError:
            self.next -= 1
        except OSError: # it was refused before its end: what we want
            self.next = len(self.parts)
        if self.next == len(self.parts):
            self.end()
        return self.next < len(self.parts)

    def end(self):
        """Our side, if that is due; behind a good request once that is answered, because a
        client that leaves loses what still waits for a slot."""
        if self.ends and (self.key[1] != "behind" or self.data):
            self.ends = False
            self.sock.shutdown(socket.SHUT_WR)

    def receive(self):
        """false: the server has ended its side."""
        try:
            piece = self.sock.recv(65536)
        except BlockingIOError:
            return True
        except OSError as error:
            # what is sent behind a request that ends the connection may meet a reset
            self.data = self.data if self.data and quits(self.key[0]) else error
            return False
        self.data += piece
        if piece and self.next == len(self.parts):
            self.end()
        return piece != b""


def converse(talks, path):
    """All of these at the same time; each talk's data is then complete, or an error."""
    poller = select.epoll()
    speaking, listening = [], {}
    for talk in talks:
        talk.open(path)
        poller.register(talk.sock, select.EPOLLIN)
        speaking.append(talk)
        listening[talk.sock.fileno()] = talk
    end = time.monotonic() + daemon.patience(SECONDS)
    while listening and time.monotonic() < end:
        speaking = [t for t in speaking if t.sock.fileno() >= 0 and t.send()]
        for fd, _ in poller.poll(0.0005 if speaking else 1):
            if not listening[fd].receive():
                poller.unregister(fd)
                listening.pop(fd).sock.close()
    for talk in listening.values():
        talk.data = wire.WireError(f"no end of the answer; until then {talk.data!r:.400}")
        talk.sock.close()
    poller.close()


def splits_of(data):
    """Where to cut in two: everywhere, or, if it is long, at both ends and evenly between."""
    last = len(data)
    if last <= SPLITS_MOST:
        return list(range(1, last + 1))
    third = SPLITS_MOST // 3
    middle = range(third, last - third, max(1, (last - 2 * third) // third))
    return sorted({*range(1, third), *middle, *range(last - third, last + 1)})


def talks_of(case, way):
    """The connections that this way takes."""
    # a request behind one that ends the connection could meet its end, and a reset
    is_last = quits(case) and way in ("bytewise", "in two")
    tail = b"" if case.ends or is_last else LAST
    data = case.sends
    if way == "whole":
        parts = [[data + tail]]
    elif way == "behind":
        parts = [[FIRST + data + tail]]
    elif way == "bytewise":
        at = [0, *splits_of(data)]
        parts = [[data[a:b] for a, b in zip(at, at[1:])] + [tail] * (tail != b"")]
    else:
        cuts = [at for at in splits_of(data) if at < len(data) + (tail != b"")]
        parts = [[data[:at], data[at:] + tail] for at in cuts]
    return [Talk((case, way), list(p), case.ends) for p in parts]


def run_all(cases, path):
    """(id, way) -> what is wrong, or None."""
    talks = [talk for way in WAYS for case in cases for talk in talks_of(case, way)]
    talks.sort(key=lambda talk: len(talk.parts))
    outcomes, seen = {}, {}
    for at in range(0, len(talks), AT_ONCE):
        batch = talks[at:at + AT_ONCE]
        converse(batch, path)
        for talk in batch:
            case, way = talk.key
            data = talk.data
            if isinstance(data, bytes): # the same answer is judged once
                data = re.sub(rb"\r\nDate: [^\r]*", b"\r\nDate: Tue, 01 Dec 2026 00:00:00 GMT",
                              data)
            known = (case.id, way == "behind", str(data))
            if known not in seen:
                seen[known] = judge(case, way, data)
            wrong = seen[known]
            if wrong is not None and way != "whole":
                wrong = f"parts {[p[-20:] for p in talk.parts[:3]]}: {wrong}"
            outcomes.setdefault((case.id, way), None)
            if outcomes[case.id, way] is None:
                outcomes[case.id, way] = wrong
    return outcomes


def check(outcomes, case, way):
    """The body of each file's test_letter."""
    wrong = outcomes[case.id, way]
    assert wrong is None, f"{case.id} ({case.why}), {way}: {wrong}"
