# SPDX-License-Identifier: MIT
"""Workers that die as soon as they start, forks that fail, descriptors that run out: little is
tried, all is said, and it is over when the cause is."""

import os
import pathlib
import signal
import socket
import subprocess
import time

import pytest

import wire
from board import Board
from control import ctl, serving
from daemon import (OBITUARY, REMUDA, TEST_PLUGINS, WORKER_READY, children_of, lend, patience,
                    sanitized, wait_until)
from test_notify import Supervisor
from test_stop import CLOSED, word_is

INI = """
[server]
listen = 127.0.0.1:0
class = @CLASS@
workers = 3
threads = 2

[plugin frail]
path = @TEST_PLUGINS@/frail.so
file = @DIR@/die
after = @AFTER@
"""
DEGRADED = r"degraded: generation 1: (.*); next try in (\d+) s"
WORKERS = 3


def ini(after="0"):
    return INI.replace("@AFTER@", after)


def cpu_seconds(*pids):
    ticks = 0
    for pid in pids:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def kill_all(one):
    for pid in one.workers():
        one.kill_worker(pid)


@pytest.mark.parametrize("after", ("0", "1500ms"))
def test_a_crash_loop(server, directory, after):
    """Whether they die at once or a while later; nobody asks them anything."""
    supervisor = Supervisor(str(directory / "notify"))
    one = server(ini(after), env={"NOTIFY_SOCKET": str(directory / "notify")})
    board = Board(one.pid)
    assert board.header["degraded"] == 0
    (directory / "die").touch()
    before, begin = cpu_seconds(one.pid), time.monotonic()
    kill_all(one)
    supervisor.wait("^STATUS=degraded: . of 3 workers serve")
    one.log.wait(DEGRADED, count=3, timeout=20)
    wait_until(lambda: board.header["degraded"] == 3, 5, "the word")
    delays = [int(match[2]) for match in one.log.matches(DEGRADED)]
    assert delays == [1, 2, 4]
    assert len(one.log.matches(OBITUARY)) - WORKERS <= 3, "one probe at a time"
    if not sanitized():
        assert cpu_seconds(one.pid) - before < 0.02 * (time.monotonic() - begin) + 0.05
    (directory / "die").unlink()
    forget(supervisor)
    recovers(one, board, supervisor)


def forget(supervisor):
    """What it was told so far; its queue is short."""
    supervisor.sock.setblocking(False)
    try:
        while supervisor.sock.recv(65536):
            continue
    except BlockingIOError:
        supervisor.sock.settimeout(patience(10))


def recovers(one, board, supervisor):
    """The probe serves; its first answer releases the others."""
    one.log.wait(WORKER_READY, start=one.log.mark(), timeout=20)
    assert one.get("/fine").status == 200
    one.log.wait("recovered: generation 1")
    wait_until(lambda: len(one.workers()) == WORKERS, 10, "all workers")
    wait_until(lambda: board.header["degraded"] == 0, 5, "the word")
    supervisor.wait("^STATUS=ready: 3 workers")
    board.close()
    supervisor.sock.close()


def test_recovers_without_a_request(server, directory):
    """One after the other: each has to live for a while."""
    one = server(ini())
    kill_all(one)
    one.log.wait(DEGRADED)
    one.log.wait("recovered: generation 1", timeout=30)
    assert len(one.workers()) == WORKERS


def test_a_death_after_an_answer_is_no_crash_loop(server):
    one = server(ini())
    assert one.get("/fine").status == 200
    board = Board(one.pid)
    index = next(i for i in range(WORKERS) if board.counters(i)["r2xx"] > 0)
    victim = board.word(index, "pid")
    board.close()
    start = one.log.mark()
    one.kill_worker(victim)
    one.log.wait(WORKER_READY, start=start)
    assert not one.log.matches("degraded")


def test_one_that_closes_its_channel_and_stays_is_a_death(server, directory):
    """It is killed, and what comes after it waits as after a crash."""
    one = server(ini() + """
[plugin bad]
path = @TEST_PLUGINS@/bad_start.so
mount = /bad
how = deaf
flag = @DIR@/deaf
""")
    (directory / "deaf").touch()
    kill_all(one)
    one.log.wait(DEGRADED, count=2, timeout=20)
    assert "it closed its channel and stayed" in one.log.wait(OBITUARY, count=4).string
    (directory / "deaf").unlink()
    one.log.wait("recovered: generation 1", timeout=40)
    assert one.get("/fine").status == 200


# ---- what is missing is not wanted any more ----

def test_degraded_ends_when_nothing_is_missing(server, directory):
    """And then a worker may be added again."""
    one = server(ini())
    (directory / "die").touch()
    one.kill_worker(one.workers()[0])
    one.log.wait(DEGRADED)
    one.send_signal(signal.SIGTTOU)
    one.log.wait("recovered: generation 1", timeout=20)
    assert len(one.workers()) == WORKERS - 1
    (directory / "die").unlink()
    ctl(one, "worker", "add")
    assert len(one.workers()) == WORKERS


# ---- fork fails ----


def allow(pid, processes, become):
    subprocess.run([*become, "prlimit", f"--pid={pid}", f"--nproc={processes}:"], check=True)


def by_user(server, directory, user):
    """A server of that user, and what a command begins with that is to be that user's, too."""
    become = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"]
    own, env = lend(directory, TEST_PLUGINS / "frail.so")
    os.chown(directory, user, user)
    return server(ini().replace("@TEST_PLUGINS@", "@DIR@"), wrapper=[*become, own], binary=own,
                  env=env), become


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another user id for its own process limit")
def test_fork_fails(server, directory):
    """RLIMIT_NPROC counts a user's processes, and binds no root: so another user, who has no
    others."""
    one, become = by_user(server, directory, 54321)
    assert one.get("/fine").status == 200
    allow(one.pid, 1, become)
    start = one.log.mark()
    one.kill_worker(one.workers()[0])
    one.log.wait("degraded: .* cannot start a worker: Resource temporarily unavailable;",
                 start=start, count=2)
    one.send_signal(signal.SIGHUP)
    one.log.wait("reload refused: cannot start a worker: Resource temporarily unavailable")
    assert len(one.workers()) == WORKERS - 1
    for _ in range(20):
        assert one.get("/fine").status == 200
    allow(one.pid, 500, become)
    one.log.wait(WORKER_READY, start=start, timeout=20)
    wait_until(lambda: len(one.workers()) == WORKERS, 10, "all workers")
    assert one.get("/fine").status == 200
    one.log.wait("recovered")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another user id for its own process limit")
def test_an_order_that_cannot_fork_is_refused(server, directory):
    """All is as before, and nothing is degraded."""
    one, become = by_user(server, directory, 54322)
    before = one.workers()
    allow(one.pid, 1, become)
    for order in (["worker", "add"], ["worker", "recycle", "1"], ["worker", "recycle"]):
        refused = ctl(one, *order, code=70).stderr
        assert "cannot start a worker: Resource temporarily unavailable" in refused
    assert one.workers() == before and serving(one) == set(before)
    assert not one.log.matches("degraded")
    allow(one.pid, 500, become)
    ctl(one, "worker", "recycle", "1")


# ---- accept fails ----

FEW = 64      # descriptors of each process
CLIENTS = 500


def limited(server):
    return server(ini().replace("threads = 2", "threads = 2\nworker_slots = 4")
                  .replace("workers = 3", "workers = 2"),
                  wrapper=["prlimit", f"--nofile={FEW}:{FEW}", REMUDA])


def knock(address):
    """A connection that is made, and never says anything."""
    host, port = address.rsplit(":", 1)
    sock = socket.socket()
    sock.setblocking(False)
    sock.connect_ex((host, int(port)))
    return sock


def test_out_of_descriptors(server):
    one = limited(server)
    workers = one.workers()
    clients = [knock(one.address) for _ in range(CLIENTS)]
    for count in (1, 2):
        one.log.wait(r"worker \d+: cannot accept: Too many open files", count=count)
    before, begin = cpu_seconds(one.pid, *workers), time.monotonic()
    wait_until(lambda: time.monotonic() - begin > 3, 10, "three seconds of it")
    if not sanitized():
        used = cpu_seconds(one.pid, *workers) - before
        assert used < 0.10 * (time.monotonic() - begin), f"{used} s of CPU"
    for client in clients:
        client.close()
    begin = time.monotonic()
    with wire.Connection(one.address, patience(5)) as connection:
        assert connection.get("/fine").status == 200
    assert time.monotonic() - begin < (1 if not sanitized() else 5)
    assert len(one.log.matches("cannot accept")) == len(workers), "one line each"
    assert one.workers() == workers


def test_a_stop_without_descriptors_serves_the_queue(server):
    """What cannot be accepted now is accepted as others go."""
    one = limited(server)
    clients = [knock(one.address) for _ in range(3 * FEW)]
    one.log.wait("cannot accept", count=2)
    asking = [wire.Connection(one.address, patience(20)) for _ in range(20)]
    for connection in asking:
        connection.request("GET", "/fine")
    one.send_signal(signal.SIGTERM)
    word_is(one, "closing", CLOSED)
    for client in clients:
        client.close()
    for connection in asking:
        assert connection.response().status == 200
        connection.close()
    assert one.wait_exit() == 0
    assert children_of(one.pid) == []
