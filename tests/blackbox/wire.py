# SPDX-License-Identifier: MIT
"""wire - HTTP/1.1 over a raw socket: send any bytes, read an answer strictly.

A client library repairs what a server gets wrong; this one refuses it. Every answer is
checked for its status line, its field syntax, its Date and exactly one kind of framing.
"""

import re
import socket
import time

STATUS_LINE = re.compile(rb"HTTP/1\.1 ([1-5][0-9]{2}) ([\t -~]*)\Z")
FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t -~\x80-\xff]*?)[ \t]*\Z")
DATE = re.compile(
    r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), [0-3][0-9] "
    r"(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [0-9]{4} "
    r"[0-2][0-9]:[0-5][0-9]:[0-6][0-9] GMT\Z"
)


class WireError(AssertionError):
    """The bytes from the server are not what HTTP/1.1 allows."""


class Closed(WireError):
    """The connection ended before the answer did."""


class Response:
    def __init__(self, status, reason, fields):
        self.status = status
        self.reason = reason
        self.fields = fields
        self.body = b""
        self.chunks = 0

    def header(self, name):
        """The value of the only field of that name, or None."""
        values = [value for key, value in self.fields if key.lower() == name.lower()]
        if len(values) > 1:
            raise WireError(f"{name} is there {len(values)} times")
        return values[0] if values else None

    @property
    def text(self):
        return self.body.decode()

    @property
    def closes(self):
        return "close" in (self.header("Connection") or "").lower()

    def __repr__(self):
        return f"<{self.status} {self.reason} {self.fields} {self.body[:80]!r}>"


def connect(address, timeout=20.0, receive_buffer=None):
    """A connected socket. `address`: "127.0.0.1:80", "[::1]:80" or "unix:/path"."""
    if address.startswith("unix:"):
        sock = socket.socket(socket.AF_UNIX)
        target = address[len("unix:"):]
    else:
        host, port = address.rsplit(":", 1)
        family = socket.AF_INET6 if host.startswith("[") else socket.AF_INET
        sock = socket.socket(family)
        target = (host.strip("[]"), int(port))
    if receive_buffer:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    sock.settimeout(timeout)
    sock.connect(target)
    return sock


class Connection:
    """One connection; `response` reads exactly one answer and leaves the rest buffered."""

    def __init__(self, address, timeout=20.0, receive_buffer=None):
        self.sock = connect(address, timeout, receive_buffer)
        self.timeout = timeout
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.sock.close()

    def send(self, data):
        self.sock.sendall(data)

    def request(self, method, target, body=None, fields=(), version="1.1"):
        """Send one well-formed request; Host and Content-Length are added."""
        lines = [f"{method} {target} HTTP/{version}", "Host: test"]
        lines += [f"{name}: {value}" for name, value in fields]
        if body is not None:
            lines.append(f"Content-Length: {len(body)}")
        self.send(("\r\n".join(lines) + "\r\n\r\n").encode() + (body or b""))

    def ask(self, method, target, body=None, fields=()):
        """request and response."""
        self.request(method, target, body, fields)
        return self.response(head_only=method == "HEAD")

    def get(self, target, fields=()):
        return self.ask("GET", target, fields=fields)

    def response(self, head_only=False):
        head = self._until(b"\r\n\r\n").split(b"\r\n")
        match = STATUS_LINE.match(head[0])
        if not match:
            raise WireError(f"status line {head[0]!r}")
        answer = Response(int(match[1]), match[2].decode(), [_field(line) for line in head[1:]])
        if answer.status >= 200:
            _check_fields(answer)
            self._read_body(answer, head_only)
        return answer

    def at_eof(self):
        """Wait for the end of the stream; any further byte, or a reset, is an error."""
        if self.buffer:
            raise WireError(f"bytes after the answer: {self.buffer[:200]!r}")
        piece = self.sock.recv(4096)
        if piece:
            raise WireError(f"bytes after the answer: {piece[:200]!r}")
        return True

    def wait_gone(self, timeout):
        """Wait until the server has closed, orderly or by a reset, reading what comes."""
        end = time.monotonic() + timeout
        received = 0
        while time.monotonic() < end:
            self.sock.settimeout(max(0.01, end - time.monotonic()))
            try:
                piece = self.sock.recv(65536)
            except ConnectionError:
                return received
            except socket.timeout:
                break
            if not piece:
                return received
            received += len(piece)
        raise WireError(f"still open after {timeout} s")

    def is_open(self):
        """Nothing to read and no end: the connection is idle and alive at this moment."""
        self.sock.setblocking(False)
        try:
            self.sock.recv(1, socket.MSG_PEEK)
            return False
        except BlockingIOError:
            return True
        except ConnectionError:
            return False
        finally:
            self.sock.settimeout(self.timeout)

    def _fill(self):
        piece = self.sock.recv(262144)
        if not piece:
            raise Closed(f"closed with {self.buffer[:200]!r} unfinished")
        self.buffer += piece

    def _until(self, mark):
        while mark not in self.buffer:
            self._fill()
        piece, self.buffer = self.buffer.split(mark, 1)
        return piece

    def _exactly(self, count):
        parts, missing = [], count
        while missing > 0:
            if not self.buffer:
                self._fill()
            piece, self.buffer = self.buffer[:missing], self.buffer[missing:]
            parts.append(piece)
            missing -= len(piece)
        return b"".join(parts)

    def _read_body(self, answer, head_only):
        length = answer.header("Content-Length")
        coding = answer.header("Transfer-Encoding")
        if answer.status in (204, 304):
            if coding is not None or (answer.status == 204 and length is not None):
                raise WireError(f"framing in a {answer.status}")
            return
        if head_only:
            return
        if coding is not None:
            self._read_chunks(answer)
        elif length is not None:
            answer.body = self._exactly(int(length))
        elif answer.closes:
            answer.body = self._rest()
        else:
            raise WireError("neither a length, nor chunks, nor a close")

    def _read_chunks(self, answer):
        parts = []
        while True:
            size_line = self._until(b"\r\n")
            if not re.fullmatch(rb"[0-9A-Fa-f]{1,16}", size_line):
                raise WireError(f"chunk size {size_line!r}")
            size = int(size_line, 16)
            if size == 0:
                break
            parts.append(self._exactly(size))
            if self._exactly(2) != b"\r\n":
                raise WireError("a chunk without CRLF at its end")
        if self._exactly(2) != b"\r\n":
            raise WireError("unexpected trailers")
        answer.body, answer.chunks = b"".join(parts), len(parts)

    def _rest(self):
        parts = [self.buffer]
        while True:
            piece = self.sock.recv(262144)
            if not piece:
                break
            parts.append(piece)
        self.buffer = b""
        return b"".join(parts)


def _field(line):
    match = FIELD.match(line)
    if not match:
        raise WireError(f"header line {line!r}")
    return match[1].decode(), match[2].decode("latin-1")


def _check_fields(answer):
    date = answer.header("Date")
    if date is None or not DATE.match(date):
        raise WireError(f"Date is {date!r}")
    length, coding = answer.header("Content-Length"), answer.header("Transfer-Encoding")
    if length is not None and coding is not None:
        raise WireError("Content-Length and Transfer-Encoding together")
    if length is not None and not re.fullmatch(r"[0-9]+", length):
        raise WireError(f"Content-Length is {length!r}")
    if coding not in (None, "chunked"):
        raise WireError(f"Transfer-Encoding is {coding!r}")
