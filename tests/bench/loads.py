# SPDX-License-Identifier: MIT
"""loads - what the proof of capacity is made of: a server that is watched, loads on it.

A server has its watcher, which reads the scoreboard from outside (watcher.c). Everything
that is started here is ended here.
"""

import json
import os
import re
import signal
import socket
import subprocess
import threading
import time

from measure import daemon

WATCHER = daemon.BUILD / "tests" / "bench" / "watcher"

INI = """
[server]
listen = 127.0.0.1:0
class = {worker_class}
workers = {workers}
threads = {threads}

[limits]
{limits}

[worker]
{worker}

[log]
access = {access}
access_format = %s %{{service}}x

[plugin modes]
path = @TEST_PLUGINS@/modes.so
"""


class Watcher:
    """The C program beside the server: one word, one answer."""

    def __init__(self, pid):
        self.process = subprocess.Popen([str(WATCHER), str(pid)], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, word):
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, f"the watcher died at '{word}'"
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        if self.process.wait(10) != 0:
            raise AssertionError("the watcher failed")


class Server:
    """One remuda of that shape, and its watcher; to be used in a `with`."""

    def __init__(self, shape, limits="", worker="", access="off"):
        self.shape = shape
        text = INI.format(worker_class=shape.worker_class, workers=shape.workers,
                          threads=shape.threads, limits=limits, worker=worker, access=access)
        self.daemon = daemon.Daemon(text)
        self.watcher = None

    def __enter__(self):
        try:
            self.daemon.wait_ready()
            self.watcher = Watcher(self.daemon.pid)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, kind, *_):
        try:
            if self.watcher is not None:
                self.watcher.close()
            if kind is None:
                status = self.daemon.stop()
                assert status == 0, f"TERM ended it with status {status}"
        finally:
            self.daemon.clean_up()
            self.daemon.remove()

    def ask(self, word):
        return self.watcher.ask(word)

    def url(self, target):
        return self.daemon.url + target

    def settle(self, seconds=2.0):
        """The audit once nothing is under way; the last one when that does not come."""
        end = time.monotonic() + seconds
        while True:
            audit = self.ask("audit")
            if audit["idle"] or time.monotonic() > end:
                return audit
            time.sleep(0.01)

    def service_times(self):
        """Microseconds of each answered request that the access log has, in order of size."""
        times = [line.split() for line in self.daemon.access_log()]
        return sorted(int(us) for status, us in times if status == "200")


def start_bench(server, target, clients, *flags):
    command = [str(daemon.REMUDA), "bench", "--json", "-c", str(clients), *map(str, flags),
               server.url(target)]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True)


def end_bench(process, timeout=120):
    """Its report. Exit 1 means failed requests: the report counts them."""
    try:
        text, errors = process.communicate(timeout=timeout)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    assert process.returncode in (0, 1) and text, errors
    return json.loads(text)


def bench(server, target, clients, *flags):
    """One load while the server is watched: the report, and what the sampler saw."""
    server.ask("start")
    begun = time.monotonic()
    process = start_bench(server, target, clients, *flags)
    report = end_bench(process)
    report["took_s"] = time.monotonic() - begun
    return report, server.ask("stop")


def bench_at_one_worker(server, target, clients, *flags):
    """The same, all connections accepted by one worker: the others stand still until it has
    them all. Watched from then on."""
    first, *others = server.daemon.workers()
    for pid in others:
        os.kill(pid, signal.SIGSTOP)
    try:
        process = start_bench(server, target, clients, *flags)
        daemon.wait_until(lambda: accepted_by(server, first) >= clients, 10,
                          f"{clients} connections at one worker")
    finally:
        for pid in others:
            os.kill(pid, signal.SIGCONT)
    time.sleep(0.3)  # what they found when they woke is not what is judged
    server.ask("start")
    report = end_bench(process)
    return report, server.ask("stop")


def accepted_by(server, pid):
    """Connections that this worker has, or has sent to one that stands still."""
    look = server.ask("look")
    return look["coming"] + sum(worker["connections"] for worker in look["workers"]
                                if worker["pid"] == pid)


def wrk(server, target, clients, seconds):
    """Its rate, over the whole of its time; and what it calls errors."""
    done = subprocess.run(["wrk", "-t", "2", "-c", str(clients), "-d", f"{seconds}s",
                           server.url(target)], capture_output=True, text=True,
                          timeout=seconds + 60)
    rate = re.search(r"^Requests/sec:\s+([\d.]+)", done.stdout, re.M)
    assert rate, done.stdout + done.stderr
    errors = re.findall(r"^\s*(Socket errors.*|Non-2xx.*)$", done.stdout, re.M)
    return float(rate[1]), errors


class Drip:
    """Clients that send one byte of a request each second and never come to its end."""

    def __init__(self, server, count):
        host, port = server.daemon.address.rsplit(":", 1)
        self.sockets = [socket.create_connection((host, int(port))) for _ in range(count)]
        self.gone = 0
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._send, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.thread.join()
        for each in self.sockets:
            each.close()

    def _send(self):
        head = b"GET /sync/sleep?ms=100 HTTP/1.1\r\nHost: a\r\nX-Slow: " + b"x" * 4000
        for byte in head:
            for each in self.sockets:
                try:
                    each.send(bytes([byte]))
                except OSError:
                    self.gone += 1
                if self.stopping.wait(1 / len(self.sockets)):
                    return
