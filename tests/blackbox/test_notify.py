# SPDX-License-Identifier: MIT
"""What a supervisor is told over NOTIFY_SOCKET."""

import re
import signal
import socket

import pytest

from conftest import MODES
from control import ctl, look
from daemon import patience, wait_until


class Supervisor:
    """The receiving end; messages are kept in order."""

    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind(path)
        self.sock.settimeout(patience(10))
        self.messages = []

    def wait(self, pattern):
        """Read until a message matches; the match."""
        while True:
            message = self.sock.recv(65536).decode()
            self.messages.append(message)
            match = re.search(pattern, message, re.M)
            if match:
                return match


@pytest.fixture(params=["path", "abstract"])
def supervisor(request, directory):
    name = str(directory / "notify")
    one = Supervisor(name if request.param == "path" else "\0" + name)
    one.name = name if request.param == "path" else "@" + name
    yield one
    one.sock.close()


def test_ready_status_stopping(server, supervisor):
    one = server(MODES, env={"NOTIFY_SOCKET": supervisor.name})
    supervisor.wait("^READY=1$")
    assert any(re.search(r"^STATUS=.*\d", message, re.M) for message in supervisor.messages)
    assert one.get("/sync/hello").status == 200
    one.send_signal(signal.SIGTERM)
    supervisor.wait("^STOPPING=1$")
    assert one.wait_exit() == 0


def extension(supervisor):
    """How much time it asks for next, in seconds."""
    return int(supervisor.wait(r"^EXTEND_TIMEOUT_USEC=(\d+)$")[1]) / 1e6


def test_as_much_time_as_the_config_allows(server, supervisor):
    """To start, to reload, to stop: whatever the unit's own limits are."""
    one = server(MODES + "[worker]\nboot_timeout = 5m\ngraceful_timeout = 10m\n",
                 env={"NOTIFY_SOCKET": supervisor.name})
    assert extension(supervisor) > 300
    supervisor.wait("^READY=1$")
    one.write_ini(MODES + "[worker]\nboot_timeout = 7m\ndrain_delay = 1ms\n")
    with one.connect() as busy:
        busy.request("GET", "/sync/sleep?ms=60000")  # so that an old worker is still there
        wait_until(lambda: sum(row["load"] for row in look(one)["workers"]), 10, "the request")
        one.send_signal(signal.SIGHUP)
        supervisor.wait("^RELOADING=1$")
        assert extension(supervisor) > 420
        supervisor.wait("^READY=1$")
        one.send_signal(signal.SIGTERM)
        supervisor.wait("^STOPPING=1$")
        assert extension(supervisor) > 600, "the old worker may take so long"
        one.send_signal(signal.SIGQUIT)
    assert one.wait_exit() == 0


def test_ready_only_when_all_workers_are(server, supervisor):
    one = server("""
[server]
listen = 127.0.0.1:0
workers = 2
[worker]
boot_timeout = 500ms
[plugin bad]
path = @TEST_PLUGINS@/bad_start.so
how = hang
""", ready=False, env={"NOTIFY_SOCKET": supervisor.name})
    assert one.wait_exit() == 70
    supervisor.sock.setblocking(False)
    try:
        while True:
            supervisor.messages.append(supervisor.sock.recv(65536).decode())
    except BlockingIOError:
        pass
    assert not any("READY=1" in message for message in supervisor.messages)


def test_reload_is_bracketed(server, supervisor):
    one = server(MODES, env={"NOTIFY_SOCKET": supervisor.name})
    supervisor.wait("^READY=1$")
    one.send_signal(signal.SIGHUP)
    supervisor.wait("^RELOADING=1$")
    assert any(re.search(r"^MONOTONIC_USEC=\d+$", message, re.M) for message in supervisor.messages)
    supervisor.wait("^READY=1$")


def test_refused_reload_ends_in_ready_too(server, supervisor):
    one = server(MODES, env={"NOTIFY_SOCKET": supervisor.name})
    supervisor.wait("^READY=1$")
    one.write_ini("[broken\n")
    one.send_signal(signal.SIGHUP)
    supervisor.wait("^RELOADING=1$")
    supervisor.wait(r"^READY=1\nERRNO=22\nSTATUS=reload refused: .*; ready: 2 workers")
    assert one.get("/sync/hello").status == 200


def test_readiness_is_said(server, supervisor):
    one = server(MODES, env={"NOTIFY_SOCKET": supervisor.name})
    for order, said in (("drain", "draining"), ("undrain", "ready"), ("pause", "paused"),
                        ("resume", "ready")):
        ctl(one, order)
        supervisor.wait(f"^STATUS={said}: 2 workers")


def test_not_passed_on_to_workers(server, supervisor):
    one = server(MODES, env={"NOTIFY_SOCKET": supervisor.name})
    supervisor.wait("^READY=1$")
    assert one.get("/sync/hello").status == 200
    assert len([m for m in supervisor.messages if "READY=1" in m]) == 1
