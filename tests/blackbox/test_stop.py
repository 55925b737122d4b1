# SPDX-License-Identifier: MIT
"""The end: nothing that was sent before it is lost, and nobody who is silent delays it.

No client here tries anything twice.
"""

import contextlib
import os
import pathlib
import re
import signal
import socket
import threading
import time

import pytest

import wire
from board import Board
from daemon import is_ours, patience, sanitized, wait_until
from test_listeners import systemd

INI = """
[server]
listen = @LISTEN@
class = @CLASS@
workers = 2
threads = 4

[worker]
@WORKER@

[plugin modes]
path = @TEST_PLUGINS@/modes.so
[plugin blocker]
path = @TEST_PLUGINS@/blocker.so
mount = /blocker
"""
QUEUED = 20
SILENT_S = 1.0   # an idle connection delays the exit by no more
SLACK_S = 1.0 if not sanitized() else 5.0


def ini(listen="127.0.0.1:0", worker="", **more):
    text = INI.replace("@LISTEN@", listen).replace("@WORKER@", worker)
    for key, value in more.items():
        text = re.sub(rf"^{key} = .*$", f"{key} = {value}", text, flags=re.M)
    return text


@contextlib.contextmanager
def stopped(pids):
    """None of them runs: what clients send waits in the kernel."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            if is_ours(pid):
                os.kill(pid, signal.SIGCONT)


def send_all(address, target="/async/hello"):
    connections = [wire.Connection(address, patience(20)) for _ in range(QUEUED)]
    for connection in connections:
        connection.request("GET", target)
    return connections


def assert_served(connections, closes=True):
    """closes None: whether it does depends on who comes first."""
    for connection in connections:
        answer = connection.response()
        assert answer.status == 200 and closes in (None, answer.closes)
        connection.close()


CLOSED = 2  # all workers drain


def word_is(one, name, value):
    board = Board(one.pid)
    try:
        wait_until(lambda: board.header[name] == value, 5, f"{name} {value}")
    finally:
        board.close()


def backlog_is(one, length):
    board = Board(one.pid)
    try:
        wait_until(lambda: board.backlog(0)[0] == length, 5, "the queue as the master sees it")
    finally:
        board.close()


# ---- what is in the accept queue ----


def test_queued_connections_are_served(server):
    one = server(ini())
    with stopped(one.workers()):
        connections = send_all(one.address)
        backlog_is(one, QUEUED)
        one.send_signal(signal.SIGTERM)
        one.log.wait(r"\bstopping\b")
        wait_until(lambda: refused_or_dropped(one.address), 5, "nobody new")
    assert_served(connections)
    assert one.wait_exit() == 0


def refused_or_dropped(address):
    """No connection within half a second: its SYN was dropped."""
    host, port = address.rsplit(":", 1)
    with socket.socket() as sock:
        sock.settimeout(0.5)
        try:
            sock.connect((host, int(port)))
            return False
        except (socket.timeout, ConnectionRefusedError):
            return True


def test_queued_connections_of_a_unix_socket(server, directory):
    path = directory / "s"
    one = server(ini(f"unix:{path}"))
    with stopped(one.workers()):
        connections = send_all(one.address)
        one.send_signal(signal.SIGTERM)
        wait_until(lambda: not path.exists(), 5, "the end of its name")
    assert_served(connections)
    assert one.wait_exit() == 0


def test_a_socket_of_systemd_is_left_to_the_successor(server):
    with socket.create_server(("127.0.0.1", 0), backlog=64) as web:
        one = server(ini("fd:web"), env={"LISTEN_FDNAMES": "web"}, **systemd(web))
        address = "127.0.0.1:%d" % web.getsockname()[1]
        with stopped(one.workers()):
            connections = send_all(address)
            one.send_signal(signal.SIGTERM)
            word_is(one, "closing", CLOSED)
        assert_served(connections)
        assert one.wait_exit() == 0
        late = send_all(address)
        two = server(ini("fd:web"), env={"LISTEN_FDNAMES": "web"}, **systemd(web))
        assert_served(late, closes=False)
        assert two.stop() == 0


def test_a_listener_that_a_reload_drops(server):
    """The old workers take what is queued; the other listener is the new ones' at once."""
    one = server(ini("127.0.0.1:0, localhost:0"))
    kept, dropped = one.addresses[:2]
    old = one.workers()
    one.write_ini(ini())
    with stopped(old):
        connections = send_all(dropped)
        one.send_signal(signal.SIGHUP)
        one.log.wait(r"no longer listening on " + dropped)
        wait_until(lambda: refused_or_dropped(dropped), 5, "nobody new")
        assert one_by_one(kept)
    assert_served(connections, closes=None)
    one.log.wait("reload done")
    wait_until(lambda: not any(is_ours(pid) for pid in old), 10, "the end of the old")
    with pytest.raises(ConnectionRefusedError):
        wire.connect(dropped)


def one_by_one(address):
    with wire.Connection(address, patience(20)) as connection:
        return connection.get("/async/hello").status == 200


# ---- under load ----


class Client(threading.Thread):
    """Asks without a pause until the server says that it is over, in one of the ways it may."""

    def __init__(self, address, keeps):
        super().__init__()
        self.address, self.keeps = address, keeps
        self.answers, self.failure = 0, None

    def run(self):
        try:
            while self.ask_on_one():
                continue
        except Exception as error:  # whatever it is, it is a lost request
            self.failure = repr(error)

    def ask_on_one(self):
        """False: nobody listens any more."""
        try:
            connection = wire.Connection(self.address, patience(20))
        except (ConnectionRefusedError, FileNotFoundError):
            return False
        with connection:
            while True:
                answer = connection.get("/async/sleep?ms=5")
                assert answer.status == 200 and answer.text == "slept"
                self.answers += 1
                if answer.closes or not self.keeps:
                    return True


@pytest.mark.parametrize("listen", ("127.0.0.1:0", "unix:@DIR@/s"))
def test_a_stop_under_load_loses_nothing(server, listen):
    one = server(ini(listen))
    clients = [Client(one.address, keeps) for keeps in [True, False] * 4]
    for client in clients:
        client.start()
    wait_until(lambda: all(client.answers > 20 for client in clients), 20, "a load")
    assert one.stop() == 0
    for client in clients:
        client.join()
    assert [client.failure for client in clients if client.failure] == []


def test_requests_on_idle_connections_during_a_stop(server):
    """Whoever of the workers has them: no sibling takes them over, and each is answered."""
    one = server(ini(workers=4))
    idle = [one.connect() for _ in range(40)]
    for connection in idle:
        connection.get("/async/hello")
    with one.connect() as busy:
        busy.request("GET", "/sync/sleep?ms=1500")
        wait_until(lambda: one.get("/who").status == 200, 5, "its turn")
        one.send_signal(signal.SIGTERM)
        word_is(one, "closing", CLOSED)
        for connection in idle:
            connection.request("GET", "/async/hello")
        assert_served(idle)
        assert busy.response().status == 200
    assert one.wait_exit() == 0


# ---- idle connections ----


def test_an_idle_connection_delays_by_a_second_at_most(server):
    one = server(ini())
    with one.connect() as used, one.connect() as fresh:
        used.get("/async/hello")
        begin = time.monotonic()
        assert one.stop() == 0
        assert time.monotonic() - begin < SILENT_S + SLACK_S
        assert used.at_eof() and fresh.at_eof(), "an orderly end, not a reset"


def test_a_client_that_closes_delays_nothing(server):
    """It sees the end after half a second, and closes its side."""
    one = server(ini())
    with one.connect() as used:
        used.get("/async/hello")
        one.send_signal(signal.SIGTERM)
        assert used.at_eof()
    begin = time.monotonic()
    assert one.wait_exit() == 0
    assert time.monotonic() - begin < SLACK_S / 2


# ---- drain_delay ----


def test_drain_delay_serves_on(server):
    """Not ready at once; new connections are served, each answer closes, dead workers are
    replaced; then it ends."""
    one = server(ini(worker="drain_delay = 3s"))
    board = Board(one.pid)
    idle = one.connect()
    owner = int(idle.get("/who").text)
    assert (board.header["ready"], board.header["closing"]) == (1, 0)
    begin, start = time.monotonic(), one.log.mark()
    one.send_signal(signal.SIGTERM)
    one.log.wait(r"stopping: not ready any more, serves for another 3000 ms")
    assert (board.header["ready"], board.header["closing"]) == (0, 1)
    other, = set(one.workers()) - {owner}
    one.kill_worker(other)
    one.log.wait(r"worker \d+ \(pid \d+, generation 1\) ready", start=start)
    assert one.get("/async/hello").closes
    assert idle.get("/async/hello").closes
    idle.close()
    board.close()
    assert one.wait_exit() == 0
    assert 3 <= time.monotonic() - begin < 3 + SILENT_S + SLACK_S


def test_quit_overtakes_drain_delay(server):
    one = server(ini(worker="drain_delay = 60s"))
    one.send_signal(signal.SIGTERM)
    one.log.wait(r"\bstopping\b")
    begin = time.monotonic()
    assert one.stop(signal.SIGQUIT) == 0
    assert time.monotonic() - begin < patience(5)


def test_a_crash_loop_in_drain_delay_is_governed(server, directory):
    one = server(ini(worker="drain_delay = 3s") + f"""
[plugin frail]
path = @TEST_PLUGINS@/frail.so
mount = /frail
file = {directory}/die
""")
    (directory / "die").touch()
    one.send_signal(signal.SIGTERM)
    one.log.wait(r"\bstopping\b")
    for pid in one.workers():
        one.kill_worker(pid)
    assert one.wait_exit() == 0
    assert len(one.log.matches(r"died: ")) <= 2 + 3


# ---- graceful_timeout ----


def test_at_graceful_timeout_the_rest_has_503(server):
    """What runs and heeds its ctx, what does not, and what waits for a slot."""
    one = server(ini(worker="graceful_timeout = 500ms", workers=1, threads=2))
    targets = ("/sync/sleep?ms=60000", "/blocker/sync/block?ms=60000",
               "/sync/sleep?ms=60001")
    connections = []
    board = Board(one.pid)
    for count, target in enumerate(targets, 1):
        connections.append(one.connect())
        connections[-1].request("GET", target)
        wait_until(lambda: board.word(0, "load") == count, 10, "it begins, or waits")
    board.close()
    begin = time.monotonic()
    one.send_signal(signal.SIGTERM)
    for connection in connections:
        answer = connection.response()
        assert answer.status == 503 and answer.closes
    assert one.wait_exit() == 0
    assert time.monotonic() - begin < patience(5)


def test_a_started_response_is_cut_at_graceful_timeout(server):
    one = server(ini(worker="graceful_timeout = 500ms"))
    with one.connect(receive_buffer=4096) as connection:
        connection.request("GET", "/sync/stream?n=100000")
        connection._until(b"\r\n\r\n")
        one.send_signal(signal.SIGTERM)
        one.log.wait(r"\bstopping\b")
        assert one.wait_exit() == 0
        rest = b""
        with contextlib.suppress(ConnectionError):
            while piece := connection.sock.recv(65536):
                rest = rest[-16:] + piece
        assert not rest.endswith(b"0\r\n\r\n"), "cut, not ended"


def test_the_pid_file_goes_last(server):
    one = server(ini().replace("[worker]", "pid_file = @DIR@/pid\n[worker]", 1))
    path = pathlib.Path(one.directory / "pid")
    with one.connect() as connection:
        connection.get("/async/hello")
        one.send_signal(signal.SIGTERM)
        one.log.wait(r"\bstopping\b")
        assert path.exists()
        assert connection.at_eof()
    assert one.wait_exit() == 0
    assert not path.exists()
