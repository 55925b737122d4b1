# SPDX-License-Identifier: MIT
"""USR2: another binary takes over in place. Nothing is lost, nothing is left."""

import os
import pathlib
import signal
import socket
import sys

import wire
from board import Board
from daemon import descriptor_count, links, wait_until
from test_notify import supervisor  # noqa: F401, a fixture
from upgrades import (  # noqa: F401, two are fixtures
    DONE, INI, REFUSED, Clients, Installed, installed, started, upgrade, usr2, wait_only)


def test_master_and_workers_are_the_new_binary(started, installed):
    pid, old = started.pid, started.workers()
    with started.connect() as connection:
        connection.get("/sync/hello")
        upgrade(started, installed)
        assert installed.runs_in(pid), "the same process, another image"
        wait_until(lambda: not set(old) & set(started.workers()), 10, "the old workers' end")
        assert all(installed.runs_in(worker) for worker in started.workers())
        assert connection.get("/sync/hello").status == 200
    assert pathlib.Path(f"/proc/{pid}/comm").read_text() == "remuda\n"
    assert started.get("/sync/hello").status == 200


def test_five_under_load_lose_nothing_and_leave_nothing(started, installed):
    wait_only(started, 2)
    before = descriptor_count(started.pid)
    with Clients(started) as clients:
        for generation in range(2, 7):
            upgrade(started, installed)
            started.log.wait(rf"generation {generation}\) ready", count=2)
    clients.check()
    wait_only(started, 2)
    assert descriptor_count(started.pid) == before, links(started.pid)
    assert started.process.poll() is None


def test_keepalive_connection_outlives_two(started, installed):
    with started.connect() as connection:
        connection.get("/sync/hello")
        port = connection.sock.getsockname()
        for _ in range(2):
            old = started.workers()
            upgrade(started, installed)
            wait_until(lambda: not set(old) & set(started.workers()), 10, "the old workers' end")
            assert connection.is_open()
            assert int(connection.get("/who").text) in started.workers()
        assert connection.sock.getsockname() == port


def test_request_in_flight_is_finished_by_the_old(started, installed):
    with started.connect() as slow:
        old = started.workers()
        slow.request("GET", "/sync/sleep?ms=1500")
        wait_until(lambda: inflight(started) > 0, 10, "the request has begun")
        upgrade(started, installed)
        assert started.get("/sync/hello").status == 200
        assert slow.response().status == 200
        assert slow.get("/sync/hello").status == 200, "the connection has gone on"
    wait_until(lambda: not set(old) & set(started.workers()), 10, "the old workers' end")


def inflight(one):
    board = Board(one.pid)
    count = sum(board.word(i, "inflight") for i in range(4))
    board.close()
    return count


def test_each_request_has_its_line(started, installed):
    for _ in range(10):
        started.get("/sync/hello")
    upgrade(started, installed)
    for _ in range(10):
        started.get("/sync/hello")
    wait_only(started, 2)
    wait_until(lambda: len(started.access_log()) == 20, 10, "20 lines")


def test_the_scoreboard_is_carried_over(started, installed):
    """The same memory: what was counted stays, and the workers of both binaries are in it."""
    board = Board(started.pid)
    begun = board.header["started_ms"]
    upgrade(started, installed)
    assert board.header == {**board.header, "started_ms": begun, "generation": 2, "ready": 1}
    wait_only(started, 2)
    pids = {board.word(i, "pid") for i in range(board.header["worker_slots"])}
    assert pids == {0, *started.workers()}
    board.close()


def test_the_same_binary_again(started):
    """As a reload, then: the file need not have changed."""
    assert usr2(started, DONE)[1] == "2"
    assert started.get("/sync/hello").status == 200


def test_by_a_link_that_is_turned(server, directory, installed):
    """The name we were started by is what counts, not the file it led to."""
    (directory / "link").symlink_to(installed.path)
    one = server(INI, wrapper=[directory / "link"], binary=installed.path)
    other = Installed.__new__(Installed)
    other.path, other.count = directory / "other", 0
    commit = other.next_version(one)
    (directory / "link2").symlink_to(other.path)
    (directory / "link2").rename(directory / "link")
    assert usr2(one, DONE)[2] == commit
    assert other.runs_in(one.pid)
    one.binary = other.path


def test_by_a_name_of_the_path(server, directory, installed):
    one = server(INI, wrapper=["sh", "-c", 'exec remuda "$@"', "sh"], binary=installed.path,
                 env={"PATH": f"{directory}:{os.environ['PATH']}"})
    upgrade(one, installed)
    assert installed.runs_in(one.pid)


def test_a_worker_that_dies_meanwhile_is_replaced(started, installed):
    """Whichever image is there when it is reaped: it has its line, and no zombie stays."""
    for _ in range(3):
        victim = started.workers()[0]
        installed.next_version(started)
        start = started.log.mark()
        started.kill_worker(victim)
        started.send_signal(signal.SIGUSR2)
        started.log.wait(DONE, timeout=30, start=start)
        started.log.wait(rf"worker \d+ \(pid {victim}, generation \d+\) died: ", start=start)
        wait_only(started, 2)


def test_scaled_and_stopped_after_it(started, installed):
    upgrade(started, installed)
    started.send_signal(signal.SIGTTIN)
    wait_only(started, 3)
    started.send_signal(signal.SIGHUP)
    started.log.wait(r"reload done: generation 3")
    wait_only(started, 2)


def test_unix_socket_pid_file_and_address_file(server, directory, installed):
    extra = "listen = 127.0.0.1:0\npid_file = @DIR@/pid\naddress_file = @DIR@/addresses\n" \
            "listen = unix:@DIR@/sock"
    one = server(INI.replace("listen = 127.0.0.1:0", extra), binary=installed.path)
    addresses = (directory / "addresses").read_text()
    inode = os.stat(directory / "sock").st_ino
    upgrade(one, installed)
    assert (directory / "pid").read_text() == f"{one.pid}\n"
    assert (directory / "addresses").read_text() == addresses
    assert os.stat(directory / "sock").st_ino == inode, "the same socket"
    with wire.Connection(f"unix:{directory}/sock") as connection:
        assert connection.get("/sync/hello").status == 200
    assert one.stop() == 0
    assert not (directory / "sock").exists() and not (directory / "pid").exists()


SYSTEMD = """
import os, sys
fd = int(sys.argv[1])
os.dup2(fd, 100)
os.dup2(100, 3)
os.close(100)
os.environ["LISTEN_PID"] = str(os.getpid())
os.environ["LISTEN_FDS"] = "1"
os.execv(sys.argv[2], sys.argv[2:])
"""


def test_socket_and_notify_socket_of_systemd(server, installed, supervisor):  # noqa: F811
    with socket.create_server(("127.0.0.1", 0)) as web:
        port = web.getsockname()[1]
        one = server(INI.replace("127.0.0.1:0", "fd:web"), binary=installed.path,
                     wrapper=[sys.executable, "-c", SYSTEMD, web.fileno(), installed.path],
                     fds=[web.fileno()],
                     env={"LISTEN_FDNAMES": "web", "NOTIFY_SOCKET": supervisor.name})
        supervisor.wait("^READY=1$")
        for _ in range(2):
            upgrade(one, installed)
            supervisor.wait("^STATUS=upgrading: ")
            supervisor.wait("^RELOADING=1$")
            supervisor.wait("^READY=1$")
            with wire.Connection(f"127.0.0.1:{port}") as connection:
                assert connection.get("/sync/hello").status == 200
        installed.replace(b"#!/bin/sh\nexit 3\n")
        usr2(one, REFUSED)
        supervisor.wait("^STATUS=upgrade refused: .*exit status 3; ready: 2 workers")
