# SPDX-License-Identifier: MIT
"""The control socket: who may use it, where it is, and peers without manners."""

import os
import pathlib
import socket
import subprocess

import pytest

from conftest import MODES
from control import (DONE, PROGRESS, RELOAD, SHOW_BOARD, STOP, Peer, begin, close_all, ctl, look,
                     path, serving)
from daemon import REMUDA, environment, fill, lend, patience, run, wait_until

root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: other users")
STRANGER, OVERFLOW = 12345, 65534


def by(one, uid, gid, *words):
    """ctl as another user, who may not look where the build is; (status, stderr)."""
    own, env = lend(one.directory)
    done = subprocess.run(
        ["setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups", own, "ctl", "--socket",
         path(one), *words],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        timeout=patience(30), env=environment(env))
    return done.returncode, done.stderr


def fork_as(uid, gid, function):
    """What function() returns, a text, in a child that is another user."""
    here, there = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setresgid(gid, gid, gid)
            os.setresuid(uid, uid, uid)
            os.write(there, function().encode())
        finally:
            os._exit(0)
    os.close(there)
    with open(here) as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    return said


# ---- who ----

def test_the_file_is_its_owners(server):
    one = server()
    assert path(one).stat().st_mode & 0o7777 == 0o600
    assert one.log.matches(rf"control socket: {path(one)}$")


@root
def test_another_user_may_not_open_it(server):
    one = server()
    one.directory.chmod(0o755)
    status, err = by(one, STRANGER, STRANGER, "stop")
    assert status == 77 and "Permission denied" in err
    ctl(one, "show", "workers")


@root
def test_another_user_may_not_ask(server):
    """Even where the file's mode lets it in."""
    one = server()
    one.directory.chmod(0o755)
    path(one).chmod(0o666)
    status, err = by(one, STRANGER, STRANGER, "stop")
    assert status == 77 and "may not use" in err
    one.log.wait(rf"control socket: pid \d+ of user {STRANGER}: may not use it")
    ctl(one, "show", "workers")


@root
def test_the_admin_group_may(server):
    one = server(MODES + "[admin]\nadmin_group = daemon\n")
    one.directory.chmod(0o755)
    stat = path(one).stat()
    assert stat.st_mode & 0o7777 == 0o660 and stat.st_gid == 1 and stat.st_uid == 0
    assert by(one, STRANGER, 1, "reload")[0] == 0
    assert by(one, STRANGER, 1, "show", "workers")[0] == 0
    assert by(one, STRANGER, STRANGER, "reload")[0] == 77
    status, err = by(one, OVERFLOW, 1, "reload")
    assert status == 77 and "may not use" in err, "that could be anyone"


@root
def test_what_show_hands_over_cannot_be_written(server):
    """Not even by one that opens it anew."""
    one = server(MODES + "[admin]\nadmin_group = daemon\n")
    one.directory.chmod(0o755)

    def try_to_write():
        with Peer(one) as peer:
            peer.ask(SHOW_BOARD)
            (fd,) = peer.answer()["fds"]
        for attempt in (lambda: os.pwrite(fd, b"x", 0),
                        lambda: os.open(f"/proc/self/fd/{fd}", os.O_RDWR)):
            try:
                attempt()
                return "written"
            except OSError:
                pass
        return f"{os.pread(fd, 1, 0)[0]:#x}"

    assert fork_as(STRANGER, 1, try_to_write) == "0x1", "only read"


# ---- where ----

def test_off_without_a_name(server, directory):
    """`remuda run` has no file, and so no folder of its own."""
    one = server(None, args=("-b", "127.0.0.1:0", str(REMUDA.parent / "plugins" / "hello.so")),
                 env={"RUNTIME_DIRECTORY": "", "XDG_RUNTIME_DIR": ""})
    assert one.log.matches(r"control socket: off: ")
    assert one.get("/hello").status == 200


def test_in_a_folder_of_its_own(server, directory):
    """Root's is below /run, any other user's below XDG_RUNTIME_DIR; it goes with the server."""
    file = directory / f"{directory.name}.ini"
    file.write_text(fill(MODES, directory))
    env = {"RUNTIME_DIRECTORY": "", "XDG_RUNTIME_DIR": str(directory)}
    home = "/run" if os.geteuid() == 0 else directory
    folder = pathlib.Path(home, "remuda", directory.name)
    one = server(None, args=("-c", str(file)), env=env)
    assert one.log.matches(rf"control socket: {folder}/control.sock$")
    run("ctl", "-c", file, "reload", check_code=0, env=env)
    assert one.stop() == 0
    assert not folder.exists()


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


def test_a_recycling_of_all_ends_with_who_ordered_it(server, directory):
    one = server(MODES.replace("workers = 2", "workers = 3") + """
[plugin slow]
path = @TEST_PLUGINS@/bad_start.so
mount = /slow
how = wait
flag = @DIR@/flag
""")
    before = serving(one)
    (directory / "flag").touch()
    with Peer(one) as peer:
        peer.ask(10)
        assert peer.hear()["type"] == PROGRESS
    (directory / "flag").unlink()
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
    for verb in (200, 999, 2**32 - 1):
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
