#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""proxies - nginx and HAProxy in front, keep-alive to us: every answer is its request's own.

    proxies.py [--full] [--class CLASS] [--seed N] [nginx] [haproxy]

Clients of different addresses send a mix through the proxy: bodies with a length and in chunks,
HEAD, 404, 405, 304, streams, Expect, and now and then one that leaves before its answer or in
the midst of its body. Each request that is waited for is checked: status, length, bytes; what
can carry a token of its own does, and who the client is must have arrived, by X-Forwarded-For
from nginx and by a PROXY header, version 2, from HAProxy. Neither proxy may try twice, so
that a connection that we close under a request shows as a 502.

Short: 1,500 requests each. --full: 100,000. Exit status 77 where neither proxy is installed.
"""

import argparse
import collections
import multiprocessing
import os
import pathlib
import random
import shutil
import socket
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "blackbox"))
sys.dont_write_bytecode = True

import daemon  # noqa: E402
import wire    # noqa: E402

CLIENTS = 8
SHORT, FULL = 1500, 100_000

INI = """
[server]
listen = 127.0.0.1:0
class = @CLASS@
workers = 2
threads = 4
trusted_proxies = 127.0.0.1
@MORE@
[plugin modes]
path = @TEST_PLUGINS@/modes.so
[plugin facts]
path = @TEST_PLUGINS@/facts.so
[plugin static]
path = @PLUGINS@/static.so
mount = /files
root = @DIR@/files
"""

NGINX = """
daemon off;
pid @DIR@/nginx.pid;
error_log @DIR@/nginx.log error;
events { worker_connections 1024; }
http {
    access_log off;
    client_body_temp_path @DIR@/body;
    proxy_temp_path @DIR@/proxy;
    fastcgi_temp_path @DIR@/fastcgi;
    uwsgi_temp_path @DIR@/uwsgi;
    scgi_temp_path @DIR@/scgi;
    upstream remuda { server @TO@; keepalive 32; }
    server {
        listen 127.0.0.1:@PORT@;
        keepalive_requests 1000000;
        client_max_body_size 8m;
        location / {
            proxy_pass http://remuda;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_next_upstream off;
            proxy_request_buffering off;
        }
    }
}
"""

HAPROXY = """
global
    maxconn 2000
defaults
    mode http
    retries 0
    timeout connect 5s
    timeout client 60s
    timeout server 60s
frontend in
    bind 127.0.0.1:@PORT@
    default_backend out
backend out
    http-reuse safe
    server remuda @TO@ send-proxy-v2
"""


class Proxy:
    """One that is in front of `to`, in a directory of its own."""

    def __init__(self, name, to):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix=f"remuda-{name}-"))
        with socket.socket() as probe:  # a free port; neither can say which one it got
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        text = {"nginx": NGINX, "haproxy": HAPROXY}[name]
        text = daemon.fill(text, self.directory, PORT=self.port, TO=to)
        if name == "nginx" and os.geteuid() == 0:
            text = "user root;\n" + text
        config = self.directory / "conf"
        config.write_text(text)
        command = {"nginx": ["nginx", "-c", config, "-p", self.directory],
                   "haproxy": ["haproxy", "-db", "-f", config]}[name]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        daemon.wait_until(self.answers, 10, name)

    def answers(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 5).close()
            return True
        except OSError:
            return False

    def stop(self):
        self.process.terminate()
        self.process.wait(daemon.patience(20))
        shutil.rmtree(self.directory, ignore_errors=True)


class From(wire.Connection):
    """A connection of another of this machine's addresses."""

    def __init__(self, port, source):
        self.sock = socket.socket()
        self.timeout, self.buffer = daemon.patience(20), b""
        self.sock.settimeout(self.timeout)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock.bind((source, 0))
        self.sock.connect(("127.0.0.1", port))


class Client:
    """Asks one thing after the other, and says what was wrong."""

    def __init__(self, port, number, seed):
        self.port, self.source = port, f"127.0.0.{20 + number}"
        self.rng = random.Random(f"{seed} {number}")
        self.counts, self.errors = collections.Counter(), []
        self.connection, self.tag = None, None

    # ---- what is asked; each returns what is wrong, or None ----

    def facts(self):
        token = f"{self.rng.getrandbits(64):x}"
        told = dict(line.split("=", 1) for line in
                    self.expect(200, self.connection.get(f"/facts?{token}")).text.splitlines())
        if (told["query"], told["peer"]) != (token, self.source):
            raise wire.WireError(f"asked {token} as {self.source}: {told}")

    def body(self):
        most = self.rng.choice((0, 10, 1000, 20_000, 300_000))
        return self.rng.randbytes(self.rng.randint(0, most))

    def echo(self):
        body = self.body()
        target = self.rng.choice(("/sync/echo", "/async/echo", "/event/echo"))
        self.same(self.connection.ask("POST", target, body), body)

    def chunked(self):
        body, at = self.body(), 0
        data = [b"POST /sync/echo HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n"]
        while at < len(body):
            piece = body[at:at + self.rng.randint(1, 30_000)]
            data.append(b"%x\r\n%s\r\n" % (len(piece), piece))
            at += len(piece)
        self.connection.send(b"".join(data) + b"0\r\n\r\n")
        self.same(self.connection.response(), body)

    def expecting(self):
        body = self.body() or b"x"
        self.connection.send(b"POST /async/echo HTTP/1.1\r\nHost: test\r\n"
                             b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(body))
        self.expect(100, self.connection.response())
        self.connection.send(body)
        self.same(self.connection.response(), body)

    def head(self):
        answer = self.expect(200, self.connection.ask("HEAD", "/sync/hello"))
        if answer.header("Content-Length") != "13":
            raise wire.WireError(f"{answer}")

    def nowhere(self):
        self.expect(404, self.connection.get("/nowhere"))

    def forbidden(self):
        self.expect(405, self.connection.ask("DELETE", "/sync/hello"))

    def stream(self):
        self.expect(200, self.connection.get("/async/stream?n=20"))

    def known(self):
        fields = [("If-None-Match", self.tag)] if self.tag else []
        answer = self.connection.get("/files/a.txt", fields)
        self.expect(304 if self.tag else 200, answer)
        self.tag = answer.header("ETag")

    def leave(self):
        """Before the answer, or in the midst of a body: nobody else may notice."""
        if self.rng.random() < 0.5:
            self.connection.request("GET", "/sync/sleep?ms=30")
        else:
            self.connection.send(b"POST /sync/echo HTTP/1.1\r\nHost: test\r\n"
                                 b"Content-Length: 5000\r\n\r\n" + b"x" * 2000)
        self.hang_up()

    # ---- how ----

    @staticmethod
    def expect(status, answer):
        if answer.status != status:
            raise wire.WireError(f"{answer}, not {status}")
        return answer

    def same(self, answer, body):
        if self.expect(200, answer).body != body:
            raise wire.WireError(f"another body: {len(answer.body)} bytes of {len(body)}")

    def hang_up(self):
        if self.connection:
            self.connection.close()
        self.connection = None

    def ask_once(self):
        what = self.rng.choices(
            (self.facts, self.echo, self.chunked, self.expecting, self.head, self.nowhere,
             self.forbidden, self.stream, self.known, self.leave),
            (30, 15, 10, 3, 8, 8, 5, 8, 10, 3))[0]
        try:
            if self.connection is None:
                self.connection = From(self.port, self.source)
            what()
            self.counts[what.__name__] += 1
            if self.connection and self.rng.random() < 0.01:
                self.hang_up()
        except (AssertionError, OSError, ValueError, KeyError) as error:
            wrong = f"{self.source} {what.__name__}: {type(error).__name__}: {error}"
            self.errors.append(wrong[:300])
            self.hang_up()

    def run(self, count):
        while self.counts.total() - self.counts["leave"] + len(self.errors) < count:
            self.ask_once()
        self.hang_up()
        return dict(self.counts), self.errors


def run_client(given):
    port, number, seed, count = given
    return Client(port, number, seed).run(count)


def play(name, klass, options):
    """True: nothing went wrong."""
    os.environ["REMUDA_CLASS"] = klass
    home = pathlib.Path(tempfile.mkdtemp(prefix="remuda-proxies-"))
    (home / "files").mkdir()
    (home / "files" / "a.txt").write_text("a file\n")
    os.utime(home / "files" / "a.txt", (1_000_000_000,) * 2)
    more = "proxy_protocol = required" if name == "haproxy" else ""
    one = daemon.Daemon(INI.replace("@MORE@", more), home)
    count = (FULL if options.full else SHORT) // (1 if not daemon.sanitized() else 3)
    proxy = None
    try:
        one.wait_ready()
        proxy = Proxy(name, one.address)
        work = [(proxy.port, k, options.seed, -(-count // CLIENTS)) for k in range(CLIENTS)]
        with multiprocessing.get_context("spawn").Pool(CLIENTS) as pool:
            results = pool.map(run_client, work)
        counts, errors = collections.Counter(), []
        for counted, wrong in results:
            counts.update(counted)
            errors += wrong
        left = counts.pop("leave", 0)
        print(f"{name}.{klass}, seed {options.seed}: {counts.total()} requests, {len(errors)} "
              f"errors, {left} left early; {dict(sorted(counts.items()))}", flush=True)
        for error in errors[:12]:
            print("FAILED:", error)
        status = one.stop()
        if status != 0:
            print(f"FAILED: it ended with {status}")
        bad = [line for line in one.log.lines if "Sanitizer" in line or " died: " in line]
        print("\n".join(bad[:20]), end="")
        return not errors and status == 0 and not bad
    finally:
        if proxy:
            proxy.stop()
        one.clean_up()
        shutil.rmtree(home, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="PROXY", help="nginx, haproxy; both if none")
    parser.add_argument("--full", action="store_true", help="100,000 requests for each")
    parser.add_argument("--class", dest="classes", action="append", choices=["event", "thread"])
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    names = options.names or ["nginx", "haproxy"]
    if set(names) - {"nginx", "haproxy"}:
        parser.error("a proxy is nginx or haproxy")
    ok, ran = True, False
    for name in names:
        if shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin") is None:
            print(f"skipped: {name} is not installed", flush=True)
            continue
        ran = True
        for klass in options.classes or ["event", "thread"]:
            ok = play(name, klass, options) and ok
    return 77 if not ran else 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
