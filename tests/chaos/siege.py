# SPDX-License-Identifier: MIT
"""siege - hostile clients, and a well-behaved one beside them that must not notice.

For each attack: the probe is answered without a failure, each drip is ended within its limit and
a second, the memory of the workers stays within a bound, and the worst that the probe sees is
no worse than nginx's under the same attack in the same run. Without nginx that is not judged.
"""

import dataclasses
import functools
import json
import multiprocessing
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import typing

import attacks
from stage import daemon

import wire  # noqa: E402  stage has extended the path

LIMIT_S = 1.0          # of heads, bodies and responses alike
BIG = 20_000_000       # more than any socket buffer holds
FLOOR_S = 0.050        # nobody is judged by less
ATTEMPTS = 3           # of which one must do: others use this machine too
PROBE_PAUSE_S = 0.01

INI = """
[server]
listen = 127.0.0.1:0
class = @CLASS@
workers = 2
threads = 4
backlog = @BACKLOG@
[limits]
worker_connections = 8000
head_timeout = @HEAD_TIMEOUT@
body_timeout = 1s
body_min_rate = 1k
write_timeout = 1s
write_min_rate = 1M
keepalive = 1m
[plugin modes]
path = @TEST_PLUGINS@/modes.so
"""

NGINX = """
worker_processes 2;
daemon off;
pid @DIR@/nginx.pid;
error_log @DIR@/nginx.log crit;
events { worker_connections 8000; }
http {
    access_log off;
    client_header_timeout 1s;
    client_body_timeout 1s;
    send_timeout 1s;
    client_body_temp_path @DIR@/body;
    proxy_temp_path @DIR@/proxy;
    fastcgi_temp_path @DIR@/fastcgi;
    uwsgi_temp_path @DIR@/uwsgi;
    scgi_temp_path @DIR@/scgi;
    server {
        listen 127.0.0.1:@PORT@ backlog=@BACKLOG@;
        location = /sync/hello { return 200 "hello"; }
        # by itself: it reads the whole body first, as we do
        location = /sync/echo { proxy_pass http://127.0.0.1:@PORT@/sync/hello; }
        location = /sync/file { alias @DIR@/big; }
    }
}
"""


@dataclasses.dataclass
class Attack:
    about: str
    run: typing.Callable
    count: tuple = (200, 2000)      # short, long
    processes: int = 2
    mark: str = ""                  # of the limit that ends its drips, or that it must meet
    backlog: int = 4096
    head_timeout: str = "1s"
    probes_new: bool = True         # connections too, not the kept one alone


TABLE = {
    "slow_heads": Attack("a field line now and then", attacks.slow_heads, mark="head-timeout"),
    "slow_bodies": Attack("a byte now and then", attacks.slow_bodies, mark="body-rate"),
    "slow_readers": Attack("take a response byte by byte", attacks.slow_readers,
                           count=(50, 300), mark="write-rate"),
    "idle": Attack("thousands of connections without a word", attacks.idle,
                   count=(1000, 4000), head_timeout="1m"),
    "storm": Attack("connect and close", attacks.storm),
    "half_closes": Attack("end their side and stay", attacks.half_closes),
    "resets": Attack("RST in the middle of a response", attacks.resets),
    "tiny_chunks": Attack("a million chunks of a byte", attacks.tiny_chunks, mark="framing"),
    "header_flood": Attack("endless fields", attacks.header_flood, mark="too-many-fields"),
    "backlog": Attack("more at once than the accept queue holds", attacks.backlog,
                      backlog=16, probes_new=False),
}


# ---- the two servers ----

class Remuda:
    name = "remuda"

    def __init__(self, attack, klass, home):
        ini = daemon.fill(INI, home, CLASS=klass, BACKLOG=attack.backlog,
                          HEAD_TIMEOUT=attack.head_timeout)
        self.one = daemon.Daemon(ini, home).wait_ready(30)
        self.address = self.one.address

    def pids(self):
        return self.one.workers()

    def limits(self):
        said = daemon.run("ctl", "--socket", self.one.directory / "control.sock", "show",
                          "limits", "--json").stdout
        return {row["mark"]: row["met"] for row in json.loads(said)["limits"] if row["met"]}

    def stop(self):
        """What is wrong about its end."""
        status = self.one.stop()
        died = self.one.log.matches(r"died|Sanitizer|runtime error|CHECK")
        return ([f"exit status {status}"] if status else []) + [m.string for m in died]

    def clean_up(self):
        self.one.clean_up()


class Nginx:
    name = "nginx"

    def __init__(self, attack, _, home):
        with socket.socket() as probe:  # a free port; nginx cannot say which one it got
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        text = daemon.fill(NGINX, home, PORT=port, BACKLOG=attack.backlog)
        if os.geteuid() == 0:
            text = "user root;\n" + text
        (home / "nginx.conf").write_text(text)
        self.address = f"127.0.0.1:{port}"
        self.process = subprocess.Popen(["nginx", "-c", home / "nginx.conf", "-p", home],
                                        stderr=subprocess.DEVNULL)
        daemon.wait_until(self.answers, 10, "nginx")

    def answers(self):
        try:
            attacks.dial(self.address).close()
            return True
        except OSError:
            return False

    def stop(self):
        self.clean_up()
        return []

    def clean_up(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(30)


# ---- who watches ----

class Probe(threading.Thread):
    """Asks on a kept connection and on new ones; nothing may fail."""

    def __init__(self, address, with_new):
        super().__init__()
        self.address, self.with_new = address, with_new
        self.stopping = threading.Event()
        self.took, self.failures = [], []

    def ask(self, connection):
        begun = time.monotonic()
        try:
            with_own = connection is None
            connection = connection or wire.Connection(self.address, daemon.patience(10))
            if connection.get("/sync/hello").status != 200:
                self.failures.append("not 200")
            if with_own:
                connection.close()
        except (OSError, AssertionError) as error:
            self.failures.append(f"{type(error).__name__}: {error}")
        self.took.append(time.monotonic() - begun)

    def run(self):
        with wire.Connection(self.address, daemon.patience(10)) as kept:
            while not self.stopping.is_set() and len(self.failures) < 10:
                self.ask(kept)
                if self.with_new:
                    self.ask(None)
                time.sleep(PROBE_PAUSE_S)

    def end(self):
        self.stopping.set()
        self.join()


class Scale(threading.Thread):
    """The most that any worker has weighed, in KiB."""

    def __init__(self, pids):
        super().__init__()
        self.pids, self.stopping = pids, threading.Event()
        self.before = self.now()
        self.peak = self.before

    def now(self):
        return max(daemon.memory_kib(pid) for pid in self.pids)

    def run(self):
        while not self.stopping.wait(0.05):
            self.peak = max(self.peak, self.now())

    def end(self):
        self.stopping.set()
        self.join()


def besiege(address, attack, home, is_long):
    """What each attacker saw."""
    seconds, big = 20 if is_long else 3, f"/sync/file?path={home}/big"
    context = multiprocessing.get_context("fork")
    with context.Pool(attack.processes) as pool:
        todo = functools.partial(attack.run, address, attack.count[is_long] // attack.processes,
                                 seconds)
        handles = [pool.apply_async(todo, (big,)) for _ in range(attack.processes)]
        return [handle.get(seconds + daemon.patience(30)) for handle in handles]


def figures(kind, attack, klass, home, is_long):
    """One server under one attack: (worst_s, seen, problems, note)."""
    server = kind(attack, klass, home)
    try:
        probe = Probe(server.address, attack.probes_new)
        scale = Scale(server.pids()) if kind is Remuda else None
        for watcher in filter(None, (probe, scale)):
            watcher.start()
        seen = besiege(server.address, attack, home, is_long)
        for watcher in filter(None, (probe, scale)):
            watcher.end()
        problems = [f"{server.name}: the probe: {what}" for what in probe.failures[:3]]
        note = f"{server.name}: {len(probe.took)} probes, worst {max(probe.took) * 1e3:.1f} ms"
        if kind is Remuda:
            problems += judge(attack, server, scale, seen, is_long)
            note += (f", RSS {scale.before} KiB before, {scale.peak} peak, {scale.now()} after"
                     f", met {server.limits()}")
        problems += server.stop()
        return max(probe.took), seen, problems, note
    finally:
        server.clean_up()


def judge(attack, server, scale, seen, is_long):
    problems = []
    most_s = LIMIT_S + 1 + (4 if daemon.is_crowded() or daemon.sanitized() else 1)
    for one in seen:
        for what in ("longest_s", "open_s"):
            if one.get(what, 0) > most_s:
                problems.append(f"a drip lived for {one[what]:.1f} s ({what})")
        if one.get("ended") == 0:
            problems.append("no drip was ended")
    if attack.mark and not server.limits().get(attack.mark):
        problems.append(f"{attack.mark} is not counted: {server.limits()}")
    bound = 16 * 1024 + 24 * attack.count[is_long]  # KiB; a connection has 16 KiB to read into
    if not daemon.sanitized() and scale.peak - scale.before > bound:
        problems.append(f"a worker grew by {scale.peak - scale.before} KiB")
    return problems


def is_worse(ours, theirs):
    """The best of our worsts: what the machine does to one attempt is no fault of the server."""
    floor = FLOOR_S * (6 if daemon.is_crowded() else 1)
    return not daemon.sanitized() and min(ours) > max(1.5 * max(theirs), floor)


def attempt(name, klass, is_long, kind):
    home = pathlib.Path(tempfile.mkdtemp(prefix="remuda-siege-"))
    try:
        (home / "big").write_bytes(b"x" * BIG)
        worst, seen, problems, note = figures(kind, TABLE[name], klass, home, is_long)
        print(f"siege.{name}.{klass}: {note}; attackers {seen}", flush=True)
        return worst, problems
    finally:
        shutil.rmtree(home, ignore_errors=True)


def play(name, klass, is_long):
    """"ok" or "FAILED"; what there is to say is printed."""
    ours, theirs = [], []
    for _ in range(ATTEMPTS):
        worst, problems = attempt(name, klass, is_long, Remuda)
        if problems:
            print("\n".join(f"FAILED: {problem}" for problem in problems), flush=True)
            return "FAILED"
        if shutil.which("nginx") is None:
            print("nginx is not installed: not compared", flush=True)
            return "ok"
        ours.append(worst)
        theirs.append(attempt(name, klass, is_long, Nginx)[0])
        if not is_worse(ours, theirs):
            return "ok"
    print("FAILED: worse than nginx each time", flush=True)
    return "FAILED"
