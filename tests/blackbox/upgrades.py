# SPDX-License-Identifier: MIT
"""upgrades - a server that runs a copy of the binary under test, and what is put in its place:
another copy in which the commit reads differently, or something that is no remuda at all.
"""

import os
import pathlib
import shutil
import signal
import threading

import pytest

from daemon import REMUDA, children_of, wait_until

INI = """
[server]
listen = 127.0.0.1:0
class = @CLASS@
workers = 2
threads = 4

[worker]
boot_timeout = 20s

[log]
access = @DIR@/access.log

[plugin modes]
path = @TEST_PLUGINS@/modes.so
"""

DONE = r"upgrade done: generation (\d+), remuda \S+ \((\S+)\)"
REFUSED = r"upgrade refused: (.*); generation (\d+) goes on"
TRIED = r"upgrade: (\S+) is tried \(pid (\d+)\)"
BACK = r"going back to the binary before"
COMMIT = r"remuda \S+ \(([0-9a-z-]+)\), pid"


class Installed:
    """The file that the server was started from, and what is put in its place."""

    def __init__(self, directory):
        self.path = directory / "remuda"
        self.count = 0
        shutil.copy(REMUDA, self.path)

    def replace(self, content, mode=0o755):
        """By a rename, as a package manager does it."""
        fresh = self.path.with_suffix(".new")
        fresh.write_bytes(content)
        fresh.chmod(mode)
        fresh.rename(self.path)

    def patched(self, old, new):
        assert len(old) == len(new)
        content = REMUDA.read_bytes()
        assert old in content
        return content.replace(old, new)

    def next_version(self, one):
        """A remuda of another commit is installed; that commit."""
        self.count += 1
        commit = one.log.wait(COMMIT)[1]
        name = f"next{self.count}".ljust(len(commit), "-")[:len(commit)]
        self.replace(self.patched(commit.encode() + b"\0", name.encode() + b"\0"))
        return name

    def runs_in(self, pid):
        """Is it this very file that runs in that process?"""
        return os.path.samefile(f"/proc/{pid}/exe", self.path)


@pytest.fixture
def installed(directory):
    return Installed(directory)


@pytest.fixture
def started(server, installed):
    return server(INI, binary=installed.path)


def usr2(one, wanted, timeout=30):
    start = one.log.mark()
    one.send_signal(signal.SIGUSR2)
    return one.log.wait(wanted, timeout=timeout, start=start)


def upgrade(one, installed):
    """One upgrade to a new version, waited for."""
    commit = installed.next_version(one)
    assert usr2(one, DONE)[2] == commit
    return commit


def has_zombie(pid):
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            stat = pathlib.Path(f"/proc/{entry}/stat").read_text()
        except OSError:
            continue
        state, parent = stat.rpartition(")")[2].split()[:2]
        if int(parent) == pid and state == "Z":
            return True
    return False


def wait_only(one, count):
    """Until there are so many workers and no other child, dead or alive."""
    wait_until(lambda: len(children_of(one.pid)) == count == len(one.workers())
               and not has_zombie(one.pid), 20, f"{count} workers and nothing else")


class Clients:
    """Threads that never retry: one half with a connection each, the other with one per
    request."""

    def __init__(self, one, count=4):
        self.one = one
        self.errors = []
        self.answered = 0
        self.ending = threading.Event()
        self.threads = [threading.Thread(target=self._run, args=(i % 2 == 0,))
                        for i in range(count)]

    def _run(self, keeps):
        try:
            connection = self.one.connect()
            while not self.ending.is_set():
                if not keeps:
                    connection.close()
                    connection = self.one.connect()
                answer = connection.get("/sync/hello")
                assert answer.status == 200 and answer.body == b"Hello, World!", answer
                assert not answer.closes
                self.answered += 1
            connection.close()
        except Exception as error:  # whatever it is, it is a lost request
            self.errors.append(repr(error))

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        wait_until(lambda: self.answered > 20 or self.errors, 20, "the load")
        return self

    def __exit__(self, *_):
        before = self.answered
        wait_until(lambda: self.answered > before + 20 or self.errors, 20, "the load goes on")
        self.ending.set()
        for thread in self.threads:
            thread.join()

    def check(self):
        assert not self.errors, self.errors
