# SPDX-License-Identifier: MIT
"""hostile - clients that split, pipeline, half-close, reset, read slowly and leave.

A run is a seed: each conversation is built from it alone, so what went wrong can be said
again with --seed. A conversation that is not cut by its client must be answered to the last
byte; whatever the others did, the worker must then be as empty as it was at the start: the
drain ends at once, and the access log has one line for each request of the polite ones.
"""

import argparse
import collections
import os
import pathlib
import random
import re
import selectors
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

Wanted = collections.namedtuple("Wanted", "method path status body chunked cut")
PATIENCE = 60

CONFIG = """\
[server]
listen = 127.0.0.1:0
workers = {workers}
class = {klass}
threads = {threads}
[worker]
max_inflight = {flights}
[limits]
write_timeout = 15s
[log]
access = {access}
access_format = "%r %s %B %X"
[plugin hostile]
path = {plugin}
body = 1m
"""


def pieces(n):
    return b"".join(bytes([97 + i % 26]) * 1024 for i in range(n))


def get(rng, mode):
    """One random GET: path, status, body, whether it streams."""
    kind = rng.choice(["sleep", "stream", "big", "file", "rc", "peer", "missing"])
    if kind == "sleep" and mode != "event":
        return f"/{mode}/sleep?ms={rng.choice([0, 1, 5, 20])}", 200, b"slept", False
    if kind == "stream" and mode != "event" and rng.random() < 0.2:
        return f"/long/{mode}?n=5&ms={rng.choice([1, 20])}", 200, pieces(5), True
    if kind == "stream":
        n = rng.choice([0, 1, 2, 31] + ([300] if mode != "event" else []))
        return f"/{mode}/stream?n={n}", 200, pieces(n), True
    if kind == "big":
        n = rng.choice([0, 1, 8191, 8192, 8193, 16384, 100000, 3000000])
        return f"/{mode}/big?n={n}", 200, b"b" * n, False
    if kind == "file":
        n = rng.choice([0, 1, 4096, 200000])
        return f"/{mode}/file?n={n}", 200, (b"0123456789abcdef" * (n // 16 + 1))[:n], False
    if kind == "rc":
        return f"/{mode}/rc?rc=418", 418, None, False
    if kind == "peer":
        return "/peer", 200, b"127.0.0.1", False
    if kind == "sleep":
        path = rng.choice(["/event/early", "/event/thread?ms=2"])
        return path, 200, b"from a thread", False
    return "/nothing/here", 404, None, False


def chunks(rng, body):
    out, at = b"", 0
    while at < len(body):
        n = min(len(body) - at, rng.choice([1, 2, 100, 5000, 16384]))
        out += b"%x\r\n" % n + body[at : at + n] + b"\r\n"
        at += n
    return out + b"0\r\n\r\n"


def post(rng, mode):
    size = rng.choice([0, 1, 100, 8192, 8193, 16384 - 150, 16384, 16385, 40000, 300000])
    size = max(0, size + rng.randint(-70, 70)) if size > 200 else size
    body = rng.randbytes(size)
    head = f"POST /{mode}/echo HTTP/1.1\r\nHost: x\r\n".encode()
    if rng.random() < 0.2:
        head += b"X-Long: " + b"y" * rng.choice([3000, 7000]) + b"\r\n"
    if rng.random() < 0.2:
        head += b"Expect: 100-continue\r\n"
    if rng.random() < 0.4:
        few = body[: 600 if rng.random() < 0.5 else None]
        raw = head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks(rng, few)
        return raw, Wanted("POST", f"/{mode}/echo", 200, few, False, False)
    raw = head + b"Content-Length: %d\r\n\r\n" % size + body
    return raw, Wanted("POST", f"/{mode}/echo", 200, body, False, False)


def request(rng):
    mode = rng.choice(["sync", "async", "event"])
    if rng.random() < 0.35:
        return post(rng, mode)
    path, status, body, is_stream = get(rng, mode)
    method = "HEAD" if rng.random() < 0.15 else "GET"
    raw = f"{method} {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    return raw, Wanted(method, path, status, b"" if method == "HEAD" else body, is_stream, False)


class Mistake(Exception):
    pass


class Reader:
    """Responses out of a socket."""

    def __init__(self, sock, rng, slow):
        self.sock, self.rng, self.slow, self.data = sock, rng, slow, b""

    def more(self):
        if self.slow:
            time.sleep(self.rng.random() * 0.01)
        got = self.sock.recv(self.rng.choice([1, 500, 4096, 65536]) if self.slow else 262144)
        if not got:
            raise EOFError
        self.data += got

    def until(self, mark):
        while mark not in self.data:
            self.more()
        head, _, self.data = self.data.partition(mark)
        return head

    def exactly(self, n):
        while len(self.data) < n:
            self.more()
        out, self.data = self.data[:n], self.data[n:]
        return out

    def chunked(self):
        out = []
        while True:
            n = int(self.until(b"\r\n"), 16)
            out.append(self.exactly(n))
            if self.exactly(2) != b"\r\n":
                raise Mistake("a chunk that does not end")
            if n == 0:
                return b"".join(out)

    def response(self, wanted):
        head = self.until(b"\r\n\r\n")
        while head.startswith(b"HTTP/1.1 100"):
            head = self.until(b"\r\n\r\n")
        status = int(head.split(b" ", 2)[1])
        fields = {k.lower(): v for k, _, v in (f.partition(b": ") for f in head.split(b"\r\n"))}
        if status != wanted.status:
            raise Mistake(f"{wanted.path}: {status}, not {wanted.status}: {head!r}")
        body = b""
        if wanted.method != "HEAD":
            if b"transfer-encoding" in fields:
                body = self.chunked()
            else:
                body = self.exactly(int(fields[b"content-length"]))
        if wanted.body is not None and body != wanted.body:
            raise Mistake(f"{wanted.path}: {len(body)} bytes, not the {len(wanted.body)}")
        return fields


def send_split(sock, raw, rng):
    at = 0
    most = rng.choice([1 << 20, 1 << 20, 16384, 4096, 700])
    while at < len(raw):
        n = rng.randint(1, most)
        sock.sendall(raw[at : at + n])
        at += n
        if rng.random() < 0.05:
            time.sleep(0.002)


def polite(sock, rng, wanted, raw, may_end):
    """Everything is sent and everything must come back. The count of requests; a client
    that has ended its side counts as gone, so its last requests may stay without answer."""
    half_close = may_end and rng.random() < 0.3 and not any("sleep" in w.path for w in wanted)
    half_close = half_close and not any("stream" in w.path for w in wanted)

    def send():
        try:
            send_split(sock, raw, rng)
            if half_close:
                sock.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    sender = threading.Thread(target=send)
    sender.start()
    reader = Reader(sock, random.Random(rng.random()), rng.random() < 0.1)
    try:
        for i, w in enumerate(wanted):
            try:
                reader.response(w)
            except EOFError:
                if half_close and not reader.data: # one that has to wait may be dropped
                    break
                raise Mistake(f"answer {i} of {len(wanted)} ({w.method} {w.path}) "
                              f"never came; half_close {half_close}") from None
    except Mistake:
        sock.close()
        raise
    finally:
        sender.join()
    return len(wanted)


def rude(sock, rng, raw):
    """Sends a part, reads a little or nothing, and goes."""
    cut = rng.randint(0, len(raw))
    sock.settimeout(0.2)
    try:
        send_split(sock, raw[:cut], rng)
        for _ in range(rng.randint(0, 3)):
            sock.recv(rng.choice([1, 1000, 100000]))
    except OSError:
        pass
    how = rng.choice(["close", "reset", "half", "linger"])
    try:
        if how == "reset":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif how == "half":
            sock.shutdown(socket.SHUT_WR)
            sock.recv(1 << 20)
        elif how == "linger":
            time.sleep(rng.random() * 0.05)
    except OSError:
        pass


def converse(port, seed, only):
    """One conversation; the polite ones return how many requests they made."""
    rng = random.Random(seed)
    made = [request(rng) for _ in range(rng.choice([1, 1, 2, 3, 8, 30]))]
    raw, wanted = b"".join(r for r, _ in made), [w for _, w in made]
    with socket.socket() as sock:
        sock.settimeout(PATIENCE)
        if rng.random() < 0.2:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.connect(("127.0.0.1", port))
        if only == "polite" or (only is None and rng.random() < 0.5):
            return polite(sock, rng, wanted, raw, only is None)
        rude(sock, rng, raw)
        return 0


class Server:
    def __init__(self, options, directory):
        self.access = pathlib.Path(directory, "access.log")
        config = pathlib.Path(directory, "remuda.ini")
        config.write_text(CONFIG.format(klass=options.klass, workers=options.workers,
                                        threads=options.threads, flights=options.flights,
                                        plugin=options.plugin, access=self.access))
        self.process = subprocess.Popen([options.remuda, "-c", config], stderr=subprocess.PIPE,
                                        text=True, env={**os.environ,
                                                        "RUNTIME_DIRECTORY": str(directory)})
        self.lines = []
        self.port = self.wait_for(r"listening on 127.0.0.1:(\d+)")
        self.wait_for(r"ready: (\d+) worker")
        self.drinker = threading.Thread(target=lambda: self.lines.extend(self.process.stderr))
        self.drinker.start()

    def wait_for(self, pattern):
        for line in self.process.stderr:
            self.lines.append(line)
            match = re.search(pattern, line)
            if match:
                return int(match[1])
        raise SystemExit("the server did not start:\n" + "".join(self.lines))

    def stop(self):
        """The seconds that the drain took."""
        begun = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(PATIENCE)
        self.drinker.join()
        return time.monotonic() - begun


def run(options, port):
    """All conversations, a few at a time. (requests of the polite, mistakes)"""
    end = time.monotonic() + options.seconds
    total, mistakes, lock = [0], [], threading.Lock()
    numbers = iter(range(1 << 30))

    def work():
        while time.monotonic() < end and (options.early or not mistakes):
            with lock:
                seed = options.seed * 1000000 + next(numbers)
            try:
                made = converse(port, seed, options.only)
            except (Mistake, OSError, ValueError, EOFError) as e:
                mistakes.append(f"conversation {seed}: {type(e).__name__}: {e}")
                if not isinstance(e, ConnectionRefusedError):
                    continue
                return
            with lock:
                total[0] += made

    threads = [threading.Thread(target=work) for _ in range(options.clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return total[0], mistakes


BAD_LINES = re.compile(r"Sanitizer|runtime error|CHECK|died|did not end in time|SUMMARY|"
                       r"WARNING: Thread|none of ours|could not be received")


def judge(options, server, total, mistakes, drain_s):
    bad = [i for i, line in enumerate(server.lines) if BAD_LINES.search(line)]
    if bad:
        mistakes.append("the server's log:\n" + "".join(server.lines[bad[0] - 1 :][:80]))
    if server.process.returncode != 0:
        mistakes.append(f"exit {server.process.returncode}")
    if drain_s > options.drain:
        mistakes.append(f"the drain took {drain_s:.1f} s: something was still counted")
    lines = len(server.access.read_text().splitlines())
    if options.only == "polite" and not mistakes and lines != total:
        mistakes.append(f"{lines} access lines for {total} requests")
    return mistakes


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("remuda")
    parser.add_argument("plugin")
    parser.add_argument("--klass", default="event")
    parser.add_argument("--workers", type=int, default=1, help="with more, connections move")
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--flights", type=int, default=100)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--drain", type=float, default=8)
    parser.add_argument("--early", type=float, help="drain after so many seconds, under load")
    parser.add_argument("--only", choices=["polite", "rude"])
    parser.add_argument("--seed", type=int, default=int(time.time()) % 1000000)
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    with tempfile.TemporaryDirectory() as directory:
        server = Server(options, directory)
        if options.early:
            drain = threading.Timer(options.early, server.process.terminate)
            drain.start()
        total, mistakes = run(options, server.port)
        if options.early: # whoever was cut off is right to complain; the log is judged
            mistakes.clear()
        mistakes = judge(options, server, total, mistakes, server.stop())
    print(f"{total} requests answered to the last byte")
    for mistake in mistakes:
        print(mistake)
    return 1 if mistakes else 0


if __name__ == "__main__":
    sys.exit(main())
