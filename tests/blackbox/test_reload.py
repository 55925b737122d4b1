# SPDX-License-Identifier: MIT
"""HUP: a good config replaces every worker at once, a bad one changes nothing."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import threading
import time

import pytest

from daemon import TEST_PLUGINS, WORKER_READY, is_ours, wait_until

INI = """
[server]
listen = 127.0.0.1:0
class = @CLASS@
workers = 2
threads = 2

[worker]
boot_timeout = 10s

[plugin version]
path = @DIR@/version.so
"""

DONE = r"reload done: generation (\d+)"
REFUSED = r"reload refused: (.*)"


@pytest.fixture
def started(server, directory):
    """A server whose plugin answers "a" and lies in the test's directory."""
    shutil.copy(TEST_PLUGINS / "version_a.so", directory / "version.so")
    one = server(INI)
    assert one.get("/version").text == "a"
    return one


def reload(one, wanted, timeout=20):
    start = one.log.mark()
    one.send_signal(signal.SIGHUP)
    return one.log.wait(wanted, timeout=timeout, start=start)


def test_new_workers_and_new_plugin(started, directory):
    old = started.workers()
    shutil.copy(TEST_PLUGINS / "version_b.so", directory / "new.so")
    (directory / "new.so").rename(directory / "version.so")
    assert reload(started, DONE)[1] == "2"
    wait_until(lambda: started.get("/version").text == "b", 5, "the new plugin's answer")
    wait_until(lambda: not any(is_ours(pid) for pid in old), 10, "the old workers' end")
    new = started.workers()
    assert len(new) == 2 and not set(new) & set(old)


def test_overwritten_plugin_file_hurts_nobody(started, directory):
    """Written over in place: the old generation has its own copy of the image."""
    (directory / "version.so").write_bytes(b"not a library " * 10_000)
    for _ in range(10):
        assert started.get("/version").text == "a"
    started.kill_worker(started.workers()[0])
    started.log.wait(WORKER_READY, count=3)
    for _ in range(10):
        assert started.get("/version").text == "a", "a late respawn loads the same image"


def test_several_in_a_row(started):
    for generation in range(2, 6):
        assert reload(started, DONE)[1] == str(generation)
        assert started.get("/version").text == "a"
    wait_until(lambda: len(started.workers()) == 2, 10, "two workers")


def test_changed_settings_take_effect(started):
    started.write_ini(INI.replace("workers = 2", "workers = 3"))
    reload(started, DONE)
    wait_until(lambda: len(started.workers()) == 3, 10, "three workers")
    started.write_ini(INI.replace("workers = 2", "workers = 1"))
    reload(started, DONE)
    wait_until(lambda: len(started.workers()) == 1, 10, "one worker")


def test_class_can_change(started, worker_class):
    other = "thread" if worker_class == "event" else "event"
    started.write_ini(INI.replace("@CLASS@", other))
    reload(started, DONE)
    assert started.get("/version").text == "a"


def test_listener_added_and_dropped(started):
    kept = started.address
    unix = f"unix:{started.directory}/s"
    started.write_ini(INI.replace("listen = 127.0.0.1:0", f"listen = 127.0.0.1:0, {unix}"))
    start = started.log.mark()
    reload(started, DONE)
    assert started.address == kept and started.get("/version").status == 200
    assert started.log.matches(r"listening on unix:", start)
    started.write_ini(INI)
    reload(started, DONE)
    assert not (started.directory / "s").exists()
    assert started.get("/version").status == 200


def guest(path):
    """The config with another plugin of the test's own."""
    return INI.replace("@DIR@/version.so", f"@TEST_PLUGINS@/{path}")


BROKEN = {
    "unknown key": (INI.replace("[worker]", "colour = red\n[worker]"), None),
    "syntax": ("[server\n", None),
    "out of range": (INI.replace("workers = 2", "workers = 0"), None),
    "plugin is missing": (INI.replace("version.so", "nowhere.so"), None),
    "plugin is no library": (INI, b"not a library"),
    "plugin has the wrong magic": (guest("bad_magic.so"), None),
    "plugin has the wrong abi": (guest("bad_abi.so"), None),
    "plugin needs a newer host": (guest("bad_minor.so"), None),
    "plugin has no symbol": (guest("no_symbol.so"), None),
    "plugin declares a key of the host": (guest("host_key.so"), None),
    "plugin lacks a required option": (guest("options.so"), None),
    "plugin gets an unknown option": (guest("options.so\ntoken = x\ncolour = red"), None),
    "plugin crashes in its constructor": (guest("bad_constructor.so"), None),
    "start fails": (guest("bad_start.so\nhow = fail"), None),
    "start crashes": (guest("bad_start.so\nhow = crash"), None),
    "start hangs": (guest("bad_start.so\nhow = hang").replace("10s", "1s"), None),
    "start closes its channel": (guest("bad_start.so\nhow = deaf\nflag = /"), None),
    "only one worker starts": (guest("bad_start.so\nhow = first\nmark = @DIR@/mark")
                               .replace("10s", "1s"), None),
    "address cannot be bound": (INI.replace("127.0.0.1:0", "192.0.2.1:1"), None),
    "a key that needs a restart": (INI.replace("[worker]", "pid_file = @DIR@/pid\n[worker]"), None),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_reload_changes_nothing(started, directory, name):
    ini, plugin = BROKEN[name]
    workers = started.workers()
    with started.connect() as kept:
        kept.get("/version")
        started.write_ini(ini)
        if plugin is not None:
            (directory / "version.so").write_bytes(plugin)
        reason = reload(started, REFUSED)[1]
        assert reason.strip(), "a reason"
        assert started.workers() == workers or wait_until(
            lambda: started.workers() == workers, 5, "the trial workers' end")
        assert kept.get("/version").text == "a", "the connection is kept too"
        assert started.get("/version").text == "a"
    # and a good one after it works
    shutil.copy(TEST_PLUGINS / "version_b.so", directory / "fresh.so")
    (directory / "fresh.so").rename(directory / "version.so")
    started.write_ini(INI)
    reload(started, DONE)
    wait_until(lambda: started.get("/version").text == "b", 5, "the new plugin's answer")


def test_request_in_flight_is_finished_by_the_old(server):
    one = server("""
[server]
listen = 127.0.0.1:0
class = @CLASS@
workers = 1
threads = 2
[plugin modes]
path = @TEST_PLUGINS@/modes.so
""")
    with one.connect() as connection, one.connect() as other:
        old = other.get("/who").text
        connection.request("GET", "/sync/sleep?ms=700")
        other.get("/who")
        reload(one, DONE)
        assert one.get("/who").text != old
        assert connection.response().status == 200


def test_no_request_is_lost_by_a_reload(started):
    """Connection per request, without retries, over ten reloads."""
    errors, counts, ending = [], [0], threading.Event()

    def client():
        try:
            while not ending.is_set():
                assert started.get("/version").status == 200
                counts[0] += 1
        except Exception as error:  # whatever it is, it is a lost request
            errors.append(repr(error))

    threads = [threading.Thread(target=client) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(10):
            reload(started, DONE)
    finally:
        ending.set()
        for thread in threads:
            thread.join()
    assert not errors and counts[0] > 100, (errors, counts)


def test_no_connection_is_closed_by_a_reload(started):
    """Nor announced to be: whoever drains has somebody to leave it to, at any moment."""
    closing, counts, ending = [], [0], threading.Event()

    def client():
        with started.connect() as connection:
            while not ending.is_set() and not closing:
                if connection.get("/version").closes:
                    closing.append(counts[0])
                counts[0] += 1

    threads = [threading.Thread(target=client) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(10):
            before = counts[0]
            wait_until(lambda: counts[0] > before + 20 or closing, 20, "the load")
            reload(started, DONE)
    finally:
        ending.set()
        for thread in threads:
            thread.join()
    assert not closing


GO, DRAIN = 4, 5  # common/message.h; the type stands behind four bytes of magic


@contextlib.contextmanager
def told_by(pid, path):
    """Yields a function that reads, after the `with`, the types of what the process has sent."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    watcher = subprocess.Popen(["strace", "-xx", "-s", "8", "-e", "trace=sendmsg", "-o", str(path),
                                "-p", str(pid)], stderr=subprocess.PIPE, text=True,
                               env={**os.environ, "LC_ALL": "C"})
    line = watcher.stderr.readline()
    if "attached" not in line:
        watcher.wait()
        pytest.skip(f"strace cannot attach here: {line.strip()}")
    try:
        yield lambda: [int(m[1], 16) for m in re.finditer(
            r'iov_base="(?:\\x..){4}\\x(..)', path.read_text())]
    finally:
        watcher.send_signal(signal.SIGINT)
        watcher.stderr.read()
        watcher.wait()


def test_the_new_serve_before_the_old_drain(started, directory):
    """Else one that drains finds nobody to whom it could give its idle connections."""
    with told_by(started.pid, directory / "strace") as told:
        reload(started, DONE)
    assert [type for type in told() if type in (GO, DRAIN)] == [GO, GO, DRAIN, DRAIN]


def test_done_is_said_when_the_old_have_heard(started):
    """One that stands still has not; it is waited for, but a second at most."""
    still = started.workers()[0]
    os.kill(still, signal.SIGSTOP)
    try:
        begun = time.monotonic()
        reload(started, DONE)
        assert time.monotonic() >= begun + 1
    finally:
        os.kill(still, signal.SIGCONT)


def test_term_during_a_hanging_reload(started):
    started.write_ini(guest("bad_start.so\nhow = hang"))
    started.send_signal(signal.SIGHUP)
    wait_until(lambda: len(started.workers()) > 2, 10, "a worker of the new generation")
    assert started.stop() == 0
    assert not started.leftovers()
