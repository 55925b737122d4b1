# SPDX-License-Identifier: MIT
"""The control socket: who may use it, where it is, and peers without manners."""

import os
import socket
import subprocess
import sys

import pytest

from conftest import MODES
from control import (DONE, PROGRESS, RELOAD, SHOW_BOARD, STOP, Peer, begin, close_all, ctl, look,
                     path, serving)
from daemon import REMUDA, environment, patience, run, wait_until

root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: other users")
STRANGER, OVERFLOW = 12345, 65534


def by(uid, gid, words):
    """`remuda` as another user; (status, stderr)."""
    done = subprocess.run(
        ["setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups", str(REMUDA), *words],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        timeout=patience(30), env=environment(None))
    return done.returncode, done.stderr


# ---- who ----

def test_the_file_is_its_owners(server):
    one = server()
    assert path(one).stat().st_mode & 0o7777 == 0o600
    assert one.log.matches(rf"control socket: {path(one)}$")


@root
def test_another_user_may_not_open_it(server):
    one = server()
    one.directory.chmod(0o755)
    status, err = by(STRANGER, STRANGER, ["ctl", "--socket", str(path(one)), "stop"])
    assert status == 77 and "Permission denied" in err
    ctl(one, "show", "workers")


@root
def test_another_user_may_not_ask(server):
    """Even where the file's mode lets it in."""
    one = server()
    one.directory.chmod(0o755)
    path(one).chmod(0o666)
    status, err = by(STRANGER, STRANGER, ["ctl", "--socket", str(path(one)), "stop"])
    assert status == 77 and "may not use" in err
    one.log.wait(rf"control socket: pid \d+ of user {STRANGER}: may not use it")
    ctl(one, "show", "workers")


@root
def test_the_admin_group_may(server):
    one = server(MODES + "[admin]\nadmin_group = daemon\n")
    one.directory.chmod(0o755)
    stat = path(one).stat()
    assert stat.st_mode & 0o7777 == 0o660 and stat.st_gid == 1 and stat.st_uid == 0
    words = ["ctl", "--socket", str(path(one))]
    assert by(STRANGER, 1, [*words, "reload"])[0] == 0
    assert by(STRANGER, 1, [*words, "show", "workers"])[0] == 0
    assert by(STRANGER, STRANGER, [*words, "reload"])[0] == 77
    status, err = by(OVERFLOW, 1, [*words, "reload"])
    assert status == 77 and "may not use" in err, "that could be anyone"


OPEN_ANEW = """
import os, sys
sys.path.insert(0, sys.argv[1])
from control import Peer, SHOW_BOARD
import pathlib
class one: directory = pathlib.Path(sys.argv[2])
with Peer(one) as peer:
    peer.ask(SHOW_BOARD)
    (fd,) = peer.answer()["fds"]
try:
    os.pwrite(fd, b"x", 0)
    print("written")
except OSError:
    pass
try:
    os.open(f"/proc/self/fd/{fd}", os.O_RDWR)
    print("opened to write")
except PermissionError:
    print("read only")
"""


@root
def test_what_show_hands_over_cannot_be_written(server):
    """Not even by one that opens it anew."""
    one = server(MODES + "[admin]\nadmin_group = daemon\n")
    one.directory.chmod(0o755)
    done = subprocess.run(
        ["setpriv", f"--reuid={STRANGER}", "--regid=1", "--clear-groups", sys.executable, "-c",
         OPEN_ANEW, os.path.dirname(__file__), str(one.directory)],
        stdout=subprocess.PIPE, text=True, timeout=patience(30))
    assert done.stdout == "read only\n"


# ---- where ----

def test_off_without_a_name(server, directory):
    """`remuda run` has no file, and so no folder of its own."""
    one = server(None, args=("-b", "127.0.0.1:0", str(REMUDA.parent / "plugins" / "hello.so")),
                 env={"RUNTIME_DIRECTORY": "", "XDG_RUNTIME_DIR": ""})
    assert one.log.matches(r"control socket: off: ")
    assert one.get("/hello").status == 200


@pytest.mark.skipif(os.geteuid() == 0, reason="root has /run/remuda")
def test_in_the_folder_of_a_user(server, directory):
    one = server(env={"RUNTIME_DIRECTORY": "", "XDG_RUNTIME_DIR": str(directory)})
    socket_path = directory / "remuda" / "remuda" / "control.sock"
    assert one.log.matches(rf"control socket: {socket_path}$")
    run("ctl", "-c", one.ini, "show", "workers", check_code=0,
        env={"RUNTIME_DIRECTORY": "", "XDG_RUNTIME_DIR": str(directory)})


def test_found_by_the_config(server, directory):
    one = server()
    here = {"RUNTIME_DIRECTORY": str(directory)}
    run("ctl", "-c", one.ini, "reload", check_code=0, env=here)
    run("ctl", "-c", "remuda.ini", "reload", check_code=0, env=here, cwd=one.directory)
    link = directory / "current"
    link.symlink_to(directory)
    run("ctl", "-c", link / "remuda.ini", "reload", check_code=0, env=here)
    other = directory / "other"
    other.mkdir()
    (other / "remuda.ini").write_text(one.ini.read_text())
    done = run("ctl", "-c", other / "remuda.ini", "stop", check_code=69, env=here)
    assert f"runs with {one.ini}" in done.stderr, "not the server that was meant"


def test_no_server(directory):
    done = run("ctl", "reload", check_code=69,
               env={"RUNTIME_DIRECTORY": str(directory), "XDG_RUNTIME_DIR": ""})
    assert str(directory / "control.sock") in done.stderr
    run("ctl", "--socket", directory / "none", "reload", check_code=69)
    (directory / "file").write_text("")
    run("ctl", "--socket", directory / "file", "reload", check_code=69)


def test_a_namesake_keeps_its_place(server):
    first = server()
    second = server(env={"RUNTIME_DIRECTORY": str(first.directory)})
    assert second.log.matches(r"control socket: off: .*in use")
    assert look(first)["pid"] == first.pid
    assert second.stop() == 0
    assert look(first)["pid"] == first.pid, "it has not unlinked what is another's"


def test_the_socket_of_one_that_was_killed_is_replaced(server, directory):
    one = server(ready=False)
    one.wait_ready()
    one.workers()
    one.process.kill()
    one.process.wait()
    assert path(one).exists()
    wait_until(lambda: not one.leftovers(), 20, "its workers' end")
    second = server(env={"RUNTIME_DIRECTORY": str(one.directory)})
    assert run("ctl", "--socket", path(one), "show", "workers", check_code=0)
    assert second.stop() == 0
    assert not path(one).exists()


# ---- peers ----

def test_the_ninth_peer_is_told_to_come_again(server):
    one = server()
    peers = [Peer(one) for _ in range(8)]
    done = ctl(one, "show", "workers", code=75)
    assert "busy" in done.stderr
    peers.pop().sock.close()
    wait_until(lambda: begin(one, "show", "workers").wait() == 0, 10, "a free place")
    for peer in peers:
        peer.sock.close()


def test_half_a_message_ends_its_peer_alone(server):
    one = server()
    with Peer(one) as half, Peer(one) as good:
        half.sock.send(b"x" * 512)
        assert half.hear() is None
        good.ask(SHOW_BOARD)
        message = good.answer()
        assert message["status"] == 0 and len(message["fds"]) == 1
        close_all(message)
    one.log.wait(r"control socket: pid \d+ of user \d+: sent what is no question")


def test_a_peer_that_goes_away_leaves_its_order(server):
    one = server()
    with Peer(one) as peer:
        peer.ask(RELOAD)
        assert peer.hear()["type"] == PROGRESS
    one.log.wait(r"reload done: generation 2")
    assert "generation 3" in ctl(one, "reload").stdout
    with Peer(one) as peer:
        peer.ask(8)  # worker add
        assert peer.hear()["type"] == PROGRESS
    wait_until(lambda: len(serving(one)) == 3, 10, "the worker that was ordered")
    ctl(one, "worker", "remove")


def test_a_recycling_of_all_ends_with_who_ordered_it(server):
    one = server(MODES.replace("workers = 2", "workers = 3"))
    before = serving(one)
    with Peer(one) as peer:
        peer.ask(10)
        assert peer.hear()["type"] == PROGRESS
    wait_until(lambda: len(serving(one) - before) == 1 and len(one.workers()) == 3, 20,
               "one successor, and no more")
    ctl(one, "worker", "add")
    assert len(serving(one) & before) == 2


def test_a_peer_that_does_not_read_holds_up_nobody(server):
    one = server()
    with Peer(one, welcome=False) as deaf:
        deaf.ask(RELOAD)
        for _ in range(5):
            ctl(one, "reload")
        ctl(one, "pause")
        ctl(one, "resume")
    with Peer(one, welcome=False) as deaf:
        deaf.ask(STOP)
        assert one.wait_exit() == 0


def test_unknown_orders_are_refused(server):
    one = server()
    for verb in (14, 999, 2**32 - 1):
        with Peer(one) as peer:
            peer.ask(verb)
            message = peer.answer()
            assert message["type"] == DONE and message["status"] == 70
            assert "no such command" in message["text"]


def test_descriptors_of_a_peer_do_not_stay(server):
    one = server()
    with Peer(one) as peer:
        before = len(os.listdir(f"/proc/{one.pid}/fd"))
        socket.send_fds(peer.sock, [b"\0" * 1024], [0])
        assert peer.hear() is None
    wait_until(lambda: len(os.listdir(f"/proc/{one.pid}/fd")) == before - 1, 10,
               "its descriptors' end")


def test_workers_do_not_hold_it(server):
    one = server()
    with Peer(one):
        for pid in one.workers():
            ctl(one, "worker", "recycle", str(next(
                row["worker"] for row in look(one)["workers"] if row["pid"] == pid)))
        inodes = {os.readlink(f"/proc/{one.pid}/fd/{fd}")
                  for fd in os.listdir(f"/proc/{one.pid}/fd")}
        listening = {f"socket:[{line.split()[6]}]" for line in open("/proc/net/unix")
                     if str(path(one)) in line}
        assert listening & inodes
        for pid in one.workers():
            theirs = {os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")}
            assert not theirs & listening
