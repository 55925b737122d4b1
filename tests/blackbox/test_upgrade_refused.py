# SPDX-License-Identifier: MIT
"""USR2 with a binary or a configuration that will not do: one line, and nothing has changed."""

import os
import pathlib
import re
import shutil
import signal
import time

import pytest

from daemon import REMUDA, descriptor_count, links, wait_until
from upgrades import (  # noqa: F401, two are fixtures
    BACK, DONE, INI, REFUSED, TRIED, Clients, installed, started, upgrade, usr2, wait_only)


# ---- the binary is refused ----

BAD = {
    "exits": (b"#!/bin/sh\nexit 3\n", 0o755, "exit status 3"),
    "says nothing": (b"#!/bin/sh\nexit 0\n", 0o755, "exit status 0"),
    "crashes": (b"#!/bin/sh\nkill -SEGV $$\n", 0o755, r"signal 11 \(SEGV\)"),
    "hangs": (b"#!/bin/sh\nexec sleep 600\n", 0o755, "did not end within boot_timeout"),
    "ignores": (b"#!/bin/sh\ntrap '' TERM\nexec sleep 600\n", 0o755, "did not end within"),
    "is no program": (b"hello", 0o755, "cannot be executed: Exec format error"),
    "may not run": (b"#!/bin/sh\nexit 0\n", 0o644, "cannot be executed: Permission denied"),
    "knows no upgrade": (None, 0o755, "exit status 64"),
    "reads another state": (None, 0o755, "this binary reads 'remuda-estatf 1'"),
}


def bad_binary(installed, name):
    content, mode, why = BAD[name]
    if name == "knows no upgrade":
        content = installed.patched(b"--upgrade-trial=", b"--upgrade-triql=")
    elif content is None:
        content = installed.patched(b"remuda-estate\0", b"remuda-estatf\0")
    installed.replace(content, mode)
    return why


@pytest.mark.parametrize("name", BAD)
def test_bad_binary_changes_nothing(server, installed, name):
    one = server(INI.replace("20s", "1s") if name in ("hangs", "ignores") else INI,
                 binary=installed.path)
    workers, before = one.workers(), descriptor_count(one.pid)
    image = os.stat(f"/proc/{one.pid}/exe").st_ino
    why = bad_binary(installed, name)
    with Clients(one) as clients:
        assert re.search(why, usr2(one, REFUSED)[1])
    clients.check()
    assert len(one.log.matches(REFUSED)) == 1, "one line"
    assert os.stat(f"/proc/{one.pid}/exe").st_ino == image
    assert one.workers() == workers, "the same processes"
    wait_only(one, 2)
    assert descriptor_count(one.pid) == before, links(one.pid)
    upgrade(one, installed)


def test_missing_binary_is_refused(started, installed):
    installed.path.unlink()
    assert "No such file" in usr2(started, REFUSED)[1]
    assert started.get("/sync/hello").status == 200


def test_file_that_changes_during_its_trial_is_refused(started, directory, installed):
    """What was tried is what is executed, or nothing is."""
    shutil.copy(REMUDA, directory / "real")
    installed.replace(f"#!/bin/sh\n> {directory}/begun\nsleep 1\n"
                      f"exec {directory}/real \"$@\"\n".encode())
    start = started.log.mark()
    usr2(started, TRIED)
    wait_until((directory / "begun").exists, 10, "the trial")
    installed.replace(b"#!/bin/sh\nexit 3\n")
    assert "has changed since its trial" in started.log.wait(REFUSED, 20, start)[1]
    assert started.get("/sync/hello").status == 200


def test_a_trial_is_not_judged_by_a_master_that_was_stopped(server, directory, installed):
    """It has ended in time, but nobody looked."""
    one = server(INI.replace("20s", "4s"), binary=installed.path)
    shutil.copy(REMUDA, directory / "real")
    installed.replace(f"#!/bin/sh\nsleep 0.5\nexec {directory}/real \"$@\"\n".encode())
    start = one.log.mark()
    usr2(one, TRIED)
    os.kill(one.pid, signal.SIGSTOP)
    try:
        time.sleep(6)
    finally:
        os.kill(one.pid, signal.SIGCONT)
    one.log.wait(r"took over from", 20, start)
    one.log.wait(DONE, 20, start)
    one.binary = directory / "real"


def test_term_ends_a_trial(started, installed):
    installed.replace(b"#!/bin/sh\nexec sleep 600\n")
    trial = int(usr2(started, TRIED)[2])
    assert started.stop() == 0
    wait_until(lambda: not is_running(trial), 10, "the end of the trial")


def is_running(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_kill_of_the_master_ends_a_trial(started, installed):
    """Or the workers would not see that their master is gone: the trial has its channels."""
    installed.replace(b"#!/bin/sh\nexec sleep 600\n")
    trial = int(usr2(started, TRIED)[2])
    wait_until(lambda: b"sleep" in pathlib.Path(f"/proc/{trial}/cmdline").read_bytes(), 10,
               "the trial")
    started.workers()
    started.process.kill()
    started.wait_exit()
    wait_until(lambda: not is_running(trial), 10, "the end of the trial")
    wait_until(lambda: not started.leftovers(), 10, "the end of the workers")


def test_a_reload_waits_for_a_trial(server, installed):
    one = server(INI.replace("20s", "1s"), binary=installed.path)
    installed.replace(b"#!/bin/sh\nexec sleep 600\n")
    usr2(one, TRIED)
    start = one.log.mark()
    one.send_signal(signal.SIGHUP)
    one.log.wait("reload waits: an upgrade is tried", start=start)
    one.send_signal(signal.SIGTTIN)
    one.log.wait("TTIN ignored: a reload or an upgrade is running", start=start)
    assert one.log.wait(REFUSED, start=start)[2] == "1", "no other generation came meanwhile"
    one.log.wait("reload done: generation 2", start=start)


# ---- the configuration is refused ----

BAD_CONF = {
    "unknown key": ("[worker]", "colour = red\n[worker]", "the configuration has 1 mistake"),
    "syntax": ("[server]", "[server", "the configuration has"),
    "a plugin is missing": ("modes.so", "nowhere.so", "the configuration has 1 mistake"),
    "a plugin of another abi": ("modes.so", "bad_abi.so", "a plugin cannot be loaded"),
    "a constructor crashes": ("modes.so", "bad_constructor.so", "a plugin cannot be loaded"),
    "a restart is needed": ("[worker]", "pid_file = @DIR@/pid\n[worker]", "server.pid_file takes"),
    "too many workers": ("workers = 2", "workers = 9", "more than the 10 entries"),
}


@pytest.mark.parametrize("name", BAD_CONF)
def test_bad_config_is_refused_in_the_trial(started, installed, name):
    old, new, why = BAD_CONF[name]
    workers = started.workers()
    started.write_ini(INI.replace(old, new))
    installed.next_version(started)
    with started.connect() as kept:
        kept.get("/sync/hello")
        assert why in usr2(started, REFUSED)[1]
        assert kept.get("/sync/hello").status == 200
    assert not installed.runs_in(started.pid)
    assert started.workers() == workers
    assert not started.log.matches("took over from")
    wait_only(started, 2)


# what a trial cannot see: these workers are of a generation that starts for real
LATE = {
    "start fails": ("modes.so", "bad_start.so\nhow = fail"),
    "start crashes": ("modes.so", "bad_start.so\nhow = crash"),
    "start hangs": ("modes.so", "bad_start.so\nhow = hang"),
    "an address cannot be bound": ("127.0.0.1:0", "127.0.0.1:0, 192.0.2.1:1"),
}


@pytest.mark.parametrize("name", LATE)
def test_failed_generation_goes_back_to_the_old_binary(server, installed, name):
    one = server(INI.replace("20s", "1s") if "hangs" in name else INI, binary=installed.path)
    workers, before = one.workers(), descriptor_count(one.pid)
    image = os.stat(f"/proc/{one.pid}/exe").st_ino
    old, new = LATE[name]
    one.write_ini(one.ini.read_text().replace(old, new).replace("modes]", "other]"))
    installed.next_version(one)
    with one.connect() as kept:
        kept.get("/sync/hello")
        with Clients(one) as clients:
            start = one.log.mark()
            usr2(one, REFUSED)
        clients.check()
        assert kept.get("/sync/hello").status == 200
    one.log.wait("took over from", start=start)
    one.log.wait(BACK, start=start)
    assert os.stat(f"/proc/{one.pid}/exe").st_ino == image, "the image before"
    assert pathlib.Path(f"/proc/{one.pid}/comm").read_text() == "remuda\n"
    wait_only(one, 2)  # those that were to follow them are dead, but may not be gone yet
    assert one.workers() == workers, "the same processes"
    assert descriptor_count(one.pid) == before, links(one.pid)
    one.kill_worker(workers[0])
    wait_only(one, 2)
    assert not any(installed.runs_in(worker) for worker in one.workers()), \
        "a respawn is of the old binary and the old configuration"
    one.write_ini(INI)
    upgrade(one, installed)
