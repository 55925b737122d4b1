# SPDX-License-Identifier: MIT
"""`remuda ctl upgrade`: one image is asked, another answers; and what the master keeps that an
upgrade must not lose: the control socket, orders that wait, a pause, a drain, the number of
workers.
"""

import signal
import socket
import time

from control import RELOAD, Peer, begin, ctl, end, look, path, serving
from daemon import descriptor_count, links, patience, wait_until
from upgrades import (  # noqa: F401, two are fixtures
    BACK, INI, TRIED, installed, started, upgrade, wait_only)

HANGS = b"#!/bin/sh\nexec sleep 600\n"
# its workers come up one after the other, while a file is there
SLOW = INI + """
[plugin slow]
path = @TEST_PLUGINS@/bad_start.so
mount = /slow
how = wait
flag = @DIR@/flag
"""


def failing(one):
    """A generation that the trial finds nothing wrong with."""
    one.write_ini(INI.replace("modes.so", "bad_start.so\nhow = fail").replace("modes]", "other]"))


# ---- its answer ----

def test_it_has_taken_when_it_says_so(started, installed):
    old = set(started.workers())
    commit = installed.next_version(started)
    done = ctl(started, "upgrade")
    assert done.stdout.startswith("upgrade done: generation 2, remuda ")
    assert f"({commit}), 2 workers x 4 threads = 8 slots\n" in done.stdout
    assert done.stderr == ""
    assert installed.runs_in(started.pid)
    assert not old & serving(started), "every new connection gets a new worker"


def test_refused_by_the_trial_says_why(started, installed):
    workers = started.workers()
    installed.replace(b"#!/bin/sh\nexit 3\n")
    done = ctl(started, "upgrade", code=70)
    assert "upgrade refused: " in done.stderr
    assert "exit status 3; generation 1 goes on" in done.stderr
    assert done.stdout == ""
    assert started.workers() == workers
    upgrade(started, installed)


def test_each_mistake_is_told_with_its_place(started, installed):
    started.write_ini(INI + "[limits]\nbodi = 1\nbody_timeout = x\n")
    installed.next_version(started)
    done = ctl(started, "upgrade", code=70)
    line = INI.count("\n") + 2
    assert f"remuda.ini:{line}: limits.bodi" in done.stderr
    assert f"remuda.ini:{line + 1}: limits.body_timeout" in done.stderr
    assert "upgrade refused: the configuration has 2 mistakes; generation 1" in done.stderr


def test_so_many_mistakes_leave_room_for_the_last_word(started, installed):
    started.write_ini(INI + "[limits]\n" + "".join(f"k{i} = 1\n" for i in range(300)))
    installed.next_version(started)
    done = ctl(started, "upgrade", code=70)
    assert "upgrade refused: the configuration has" in done.stderr
    assert "mistakes; generation 1 goes on" in done.stderr


def test_refused_after_exec_is_answered_by_the_image_before(started, installed):
    workers, before = started.workers(), descriptor_count(started.pid)
    failing(started)
    installed.next_version(started)
    done = ctl(started, "upgrade", code=70)
    assert "upgrade refused: " in done.stderr and "its start failed" in done.stderr
    started.log.wait("took over from")
    started.log.wait(BACK)
    assert not installed.runs_in(started.pid)
    wait_only(started, 2)
    assert started.workers() == workers
    wait_until(lambda: descriptor_count(started.pid) == before, 10, links(started.pid))
    started.write_ini(INI)
    assert "generation " in ctl(started, "upgrade").stdout


def test_a_stop_ends_the_waiting(started, installed):
    installed.replace(HANGS)
    order = begin(started, "upgrade")
    started.log.wait(TRIED)
    ctl(started, "stop")
    code, _, err = end(order)
    assert code == 70 and "the server is stopping" in err
    assert started.wait_exit() == 0


# ---- one change at a time ----

def test_orders_about_workers_are_refused_meanwhile(server, installed):
    one = server(INI.replace("20s", "3s"), binary=installed.path)
    installed.replace(HANGS)
    order = begin(one, "upgrade")
    one.log.wait(TRIED)
    for words in (["worker", "add"], ["worker", "remove"], ["worker", "recycle"]):
        assert "an upgrade is running" in ctl(one, *words, code=75).stderr
    assert "another upgrade is running" in ctl(one, "upgrade", code=75).stderr
    assert end(order)[0] == 70
    assert "3 workers" in ctl(one, "worker", "add").stdout


def test_no_worker_is_recycled_meanwhile(server, installed):
    one = server(INI.replace("20s", "3s\nmax_requests = 10\nmax_requests_jitter = 0"),
                 binary=installed.path)
    installed.replace(HANGS)
    order = begin(one, "upgrade")
    one.log.wait(TRIED)
    with one.connect() as connection:
        for _ in range(15):
            connection.get("/sync/hello")
    assert end(order)[0] == 70
    refused, recycled = (one.log.wait(pattern, start=0).string for pattern in
                         (r"upgrade refused: ", r"is recycled: "))
    assert one.log.lines.index(refused) < one.log.lines.index(recycled)
    wait_until(lambda: len(serving(one)) == 2, 20, "its successor")


def test_it_waits_for_an_order_about_workers(server, directory, installed):
    one = server(SLOW, binary=installed.path)
    (directory / "flag").touch()
    order = begin(one, "worker", "add")
    one.log.wait(r"worker add: 3 workers")
    installed.next_version(one)
    begun = begin(one, "upgrade")
    one.log.wait(r"upgrade waits: 'worker add' is running")
    time.sleep(0.5)
    assert not one.log.matches(TRIED)
    (directory / "flag").unlink()
    assert end(order)[0] == 0
    assert end(begun)[0] == 0


def test_a_reload_that_waits_is_done_by_the_next_image(server, directory, installed):
    one = server(SLOW, binary=installed.path)
    (directory / "flag").touch()
    installed.next_version(one)
    first = begin(one, "upgrade")
    one.log.wait(r"upgrade: generation 1 runs")
    second = begin(one, "reload")
    one.log.wait(r"reload waits: one is running")
    assert "an upgrade is running" in ctl(one, "worker", "add", code=75).stderr
    (directory / "flag").unlink()
    assert "upgrade done: generation 2" in end(first)[1]
    assert "reload done: generation 3" in end(second)[1]


def test_a_reload_asked_for_during_the_trial_goes_over(server, directory, installed):
    one = server(INI, binary=installed.path)
    real = directory / "real"
    real.write_bytes(installed.path.read_bytes())
    real.chmod(0o755)
    installed.replace(f"#!/bin/sh\nwhile [ -e {directory}/flag ]; do sleep 0.05; done\n"
                      f"exec {real} \"$@\"\n".encode())
    (directory / "flag").touch()
    first = begin(one, "upgrade")
    one.log.wait(TRIED)
    second = begin(one, "reload")
    one.log.wait(r"reload waits: an upgrade is tried")
    (directory / "flag").unlink()
    assert "upgrade done: generation 2" in end(first)[1]
    assert "reload done: generation 3" in end(second)[1]
    one.binary = real


def test_an_upgrade_that_waits_goes_back_too(server, directory, installed):
    """Asked for while the next image starts its workers, which fail: the image before does it."""
    one = server(SLOW, binary=installed.path)
    (directory / "flag").touch()
    installed.next_version(one)
    first = begin(one, "upgrade")
    one.log.wait(r"upgrade: generation 1 runs")
    second = begin(one, "upgrade")
    one.log.wait(r"control socket: upgrade, by", count=2)
    start = one.log.mark()
    fresh = set(wait_until(lambda: len(one.workers()) == 4 and one.workers(), 20,
                           "the workers of both")) - serving(one)
    one.kill_worker(fresh.pop())
    assert "upgrade refused: " in end(first)[2]
    one.log.wait(BACK, start=start)
    one.log.wait(TRIED, start=start)
    (directory / "flag").unlink()
    status, out, err = end(second)
    assert status == 0 and "upgrade done: generation 3" in out, err


def test_usr2_and_ctl_share_an_upgrade(server, directory, installed):
    """Whoever asks before it has begun."""
    one = server(SLOW, binary=installed.path)
    (directory / "flag").touch()
    order = begin(one, "worker", "add")
    one.log.wait(r"worker add: 3 workers")
    one.send_signal(signal.SIGUSR2)
    one.log.wait(r"upgrade waits: 'worker add' is running")
    first, second = begin(one, "upgrade"), begin(one, "upgrade")
    one.log.wait(r"control socket: upgrade, by", count=2)
    (directory / "flag").unlink()
    assert end(order)[0] == 0
    for process in (first, second):
        assert "upgrade done: generation 2" in end(process)[1]


# ---- what goes over ----

def test_the_control_socket_goes_over(started, installed):
    """The same file, and who is connected to it is still heard; at the end it is removed."""
    file = path(started)
    before = file.stat()
    with Peer(started) as silent:
        for _ in range(2):
            upgrade(started, installed)
        assert (file.stat().st_ino, file.stat().st_mode) == (before.st_ino, before.st_mode)
        assert look(started)["readiness"] == "ready"
        silent.ask(RELOAD)
        answer = silent.answer()
        assert answer["status"] == 0 and "reload done" in answer["text"]
    assert ctl(started, "stop").stdout == "stopped\n"
    assert not file.exists()


def test_a_peer_that_says_nothing_has_no_longer_than_before(started, installed):
    with Peer(started) as silent:
        upgrade(started, installed)
        silent.sock.settimeout(patience(20))
        assert silent.hear() is None


def test_a_pause_goes_over(started, installed):
    ctl(started, "pause")
    upgrade(started, installed)
    assert look(started)["readiness"] == "paused"
    with started.connect() as new:
        new.request("GET", "/sync/hello")
        new.sock.settimeout(0.3)
        try:
            assert new.sock.recv(1) == b"", "nobody accepts"
            raise AssertionError("it was closed")
        except socket.timeout:
            pass
        new.sock.settimeout(patience(10))
        assert ctl(started, "resume").stdout.startswith("ready: ")
        assert new.response().status == 200


def test_a_drain_goes_over(started, installed):
    ctl(started, "drain")
    upgrade(started, installed)
    assert look(started)["readiness"] == "draining"
    assert started.get("/sync/hello").closes
    assert ctl(started, "undrain").stdout.startswith("ready: ")


def test_the_number_of_workers_is_as_before_when_it_is_refused(started, installed):
    assert "3 workers" in ctl(started, "worker", "add").stdout
    failing(started)
    installed.next_version(started)
    ctl(started, "upgrade", code=70)
    started.log.wait(BACK)
    wait_only(started, 3)
    started.write_ini(INI)
    upgrade(started, installed)
    wait_only(started, 2)
    started.log.wait(r"workers: 2, as configured")


def test_orders_work_after_it(started, installed):
    upgrade(started, installed)
    wait_only(started, 2)
    assert "workers recycled" in ctl(started, "worker", "recycle").stdout
    assert ctl(started, "reopen").stdout == "logs reopened\n"
    assert "3 workers" in ctl(started, "worker", "add").stdout
    assert look(started, "config")


def test_a_connection_outlives_an_upgrade_and_three_recyclings(started, installed):
    with started.connect() as connection:
        connection.get("/sync/hello")
        port = connection.sock.getsockname()
        upgrade(started, installed)
        wait_only(started, 2)
        for _ in range(3):
            before = serving(started)
            ctl(started, "worker", "recycle")
            assert not before & serving(started)
            assert not connection.get("/sync/hello").closes
            assert int(connection.get("/who").text) in started.workers()
        assert connection.sock.getsockname() == port
