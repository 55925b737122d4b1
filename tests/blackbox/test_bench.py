# SPDX-License-Identifier: MIT
"""remuda bench: against the real server it tells the rate that the slots make, and against
stubs that misbehave it counts every failure by its kind."""

import json
import os
import pty
import select
import signal
import socket
import struct
import subprocess
import threading
import time

import pytest

from daemon import REMUDA, environment, is_crowded, patience, run, wait_until

SLOTS = """
[server]
listen = 127.0.0.1:0
listen = unix:@DIR@/s
class = @CLASS@
workers = 1
threads = 4

[plugin modes]
path = @TEST_PLUGINS@/modes.so
"""

KEYS = ["url", "loop", "connections", "close", "rate_asked", "arrivals", "duration_s",
        "warmup_s", "timeout_s", "think_ms", "sent", "answered", "failed", "status",
        "retry_after", "connects", "body_bytes", "connect_s", "run_s", "window_s",
        "completions", "rate", "latency_ms", "unexpected_ms", "lag_ms", "fairness",
        "per_connection", "seconds"]
KINDS = ["refused", "reset", "short", "timeout", "malformed", "status", "unsent", "local"]

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
LAST = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"


def bench(*args, check_code=0):
    """The report of a load, as its JSON says it."""
    done = run("bench", "--json", *args, check_code=check_code)
    assert done.stderr == "", "no progress but on a terminal"
    report = json.loads(done.stdout)
    assert sum(report["failed"][kind] for kind in KINDS) == report["failed"]["total"]
    assert report["sent"] == (report["answered"] + report["failed"]["total"]
                              - report["failed"]["unsent"])
    return report


class Stub:
    """A server on a port of its own; behave(connection) in a thread per connection."""

    def __init__(self, behave):
        self.behave = behave
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = "http://127.0.0.1:%d/" % self.listener.getsockname()[1]
        self.times = []
        self.asked = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with connection:
            try:
                self.behave(self, connection)
            except OSError:
                pass

    def read(self, connection):
        """One request without a body; False at the end."""
        data = b""
        while not data.endswith(b"\r\n\r\n"):
            piece = connection.recv(4096)
            if not piece:
                return False
            data += piece
        self.times.append(time.monotonic())
        self.asked.set()
        return True

    def close(self):
        """Whoever comes now is refused, also who waits in accept()."""
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


@pytest.fixture
def stub():
    made = []

    def make(behave):
        made.append(Stub(behave))
        return made[-1]

    yield make
    for one in made:
        try:
            one.close()
        except OSError:
            pass


def answer(one, connection):
    while one.read(connection):
        connection.sendall(OK)


def answer_with(data):
    def behave(one, connection):
        if one.read(connection):
            connection.sendall(data)
    return behave


# ---- the rate that the slots make

def test_closed_loop_tells_the_rate_of_the_slots(server):
    one = server(SLOTS)
    for _ in range(3):  # a busy machine can only slow it down
        report = bench("-c", "4", "-d", "4s", "--warmup", "1s", "--starts", "spread",
                       "--slots", "4", "--service", "100", f"{one.url}/sync/sleep?ms=100")
        assert report["rate"] < 40 * 1.05
        if report["rate"] > 40 * 0.95:
            break
    assert report["rate"] == pytest.approx(4000 / report["latency_ms"]["mean"], rel=0.1)
    assert report["failed"]["total"] == 0
    assert report["status"] == {"200": report["answered"]}
    assert report["latency_ms"]["min"] >= 100
    if not is_crowded():
        assert report["rate"] == pytest.approx(40, rel=0.05)
        assert report["latency_ms"]["p50"] == pytest.approx(100, rel=0.1)
        assert report["fairness"]["starved"] == 0
    assert report["fairness"]["jain"] > 0.95
    assert len(report["per_connection"]) == 4
    assert sum(report["per_connection"]) == report["completions"]
    assert report["connects"] == 4


def test_short_sleeps_too(server):
    one = server(SLOTS)
    report = bench("-c", "2", "-d", "3s", "--warmup", "1s", "--starts", "spread",
                   f"{one.url}/sync/sleep?ms=20")
    assert report["rate"] <= 105
    assert report["rate"] == pytest.approx(2000 / report["latency_ms"]["mean"], rel=0.1), (
        "Little's law: clients = rate x latency")


def test_think_time_counts(server):
    one = server(SLOTS)
    for _ in range(3):  # a busy machine lets a client think for longer
        report = bench("-c", "4", "-d", "3s", "--warmup", "1s", "--starts", "spread",
                       "--think", "100", f"{one.url}/sync/sleep?ms=100")
        expected = 4000 / (100 + report["latency_ms"]["mean"])
        assert report["rate"] < min(22, expected * 1.1)
        if report["rate"] > expected * 0.9:
            break
    assert report["rate"] > expected * 0.9 or is_crowded()


def test_open_loop_sends_what_was_asked(server):
    """A machine that stands still while the warm-up ends moves answers to after it."""
    one = server(SLOTS)
    for _ in range(3):
        report = bench("-r", "50", "-c", "32", "-d", "3s", "--warmup", "1s",
                       f"{one.url}/sync/sleep?ms=20")
        assert report["sent"] == report["answered"] == 150
        if report["rate"] == pytest.approx(50, rel=0.07):
            break
    assert report["rate"] == pytest.approx(50, rel=0.07)
    assert report["fairness"] is None and report["lag_ms"]["count"] == 100


def test_open_loop_charges_the_wait_of_an_overload(server):
    """One slot, 100 ms, 20 a second: half of it waits longer every second."""
    one = server(SLOTS.replace("threads = 4", "threads = 1"))
    report = bench("-r", "20", "-c", "4", "-d", "2s", "--warmup", "0",
                   f"{one.url}/sync/sleep?ms=100", check_code=1)
    assert report["failed"]["unsent"] == report["failed"]["total"] > 5
    assert report["sent"] + report["failed"]["unsent"] == 40
    assert report["latency_ms"]["count"] == 40
    assert report["latency_ms"]["p90"] > 500, "4 at once alone would have waited 400 ms"


def test_poisson_arrivals_are_those_of_the_seed(stub):
    one = stub(answer)
    counts = [bench("-r", "100", "--poisson", "--seed", seed, "-d", "1s", one.url)["sent"]
              for seed in ("5", "5", "6")]
    assert counts[0] == counts[1] != counts[2]
    assert all(50 < n < 150 for n in counts)


# ---- where it connects, what it sends

@pytest.mark.parametrize("how", ["flag", "url"])
def test_unix_socket(server, how):
    one = server(SLOTS)
    path = one.directory / "s"
    args = (["--unix", path, "http://localhost/sync/hello"] if how == "flag"
            else [f"http+unix:{path}:/sync/hello"])
    report = bench("-c", "2", "-d", "300ms", *args)
    assert report["answered"] > 0


def test_ipv6(server):
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("no IPv6 here")
    one = server(SLOTS.replace("127.0.0.1", "[::1]"))
    assert bench("-c", "2", "-d", "300ms", f"{one.url}/sync/hello")["answered"] > 0


def test_a_connection_per_request(server):
    one = server(SLOTS)
    report = bench("--close", "-c", "2", "-d", "300ms", f"{one.url}/sync/hello")
    assert report["connects"] == report["sent"] == report["answered"] > 2


@pytest.mark.parametrize("order", ["sequential", "together", "bursts=3"])
def test_order_of_the_connections(server, order):
    one = server(SLOTS)
    report = bench("--connect", order, "-c", "8", "-d", "300ms", f"{one.url}/sync/hello")
    assert report["connects"] == 8 and report["failed"]["total"] == 0


def test_bodies_and_methods(server, write):
    one = server(SLOTS)
    path = write("body", "x" * 3000)
    for args, size in ((["--body", path], 3000), (["--body-size", "64k"], 65536),
                       (["-m", "POST", "--body-size", "0"], 0)):
        report = bench("-c", "2", "-d", "300ms", *args, f"{one.url}/sync/echo")
        assert report["body_bytes"] == report["answered"] * size and report["answered"] > 0
    report = bench("-m", "HEAD", "-c", "1", "-d", "300ms", f"{one.url}/sync/hello")
    assert report["answered"] > 0 and report["body_bytes"] == 0


def test_streamed_answers(server):
    one = server(SLOTS)
    report = bench("-c", "2", "-d", "300ms", f"{one.url}/sync/stream?n=20")
    assert report["body_bytes"] == report["answered"] * 20 * 1024 > 0


def test_first_requests_are_spread(stub):
    one = stub(answer)
    bench("-c", "4", "--starts", "spread", "--think", "1h", "--warmup", "800ms", "-d", "1s",
          one.url)
    assert len(one.times) == 4
    assert max(one.times) - min(one.times) > 0.25, "planned at 0, 100, 200 and 300 ms"


# ---- failures

def reset(one, connection):
    if one.read(connection):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def one_answer_and_no_more(one, connection):
    if one.read(connection):
        one.close()
        connection.sendall(LAST)


def half_an_answer(one, connection):
    if one.read(connection):
        connection.sendall(OK[:-1])
        one.read(connection)


@pytest.mark.parametrize("kind, behave", [
    ("reset", reset),
    ("short", answer_with(OK[:-1])),
    ("short", answer_with(b"")),
    ("malformed", answer_with(OK.replace(b"\r\n", b"\n"))),
    ("malformed", answer_with(OK + b"!")),
    ("timeout", half_an_answer),
    ("status", answer_with(LAST.replace(b"200", b"500"))),
    ("refused", one_answer_and_no_more),
], ids=lambda value: value if isinstance(value, str) else "")
def test_failures_are_counted_by_kind(stub, kind, behave):
    one = stub(behave)
    timeout = "100ms" if kind == "timeout" else "10s"
    report = bench("-c", "1", "-d", "300ms", "--timeout", timeout, one.url, check_code=1)
    assert report["failed"][kind] == report["failed"]["total"] > 0, report["failed"]


def test_an_idle_connection_may_be_closed(stub):
    """A keep-alive that ends between two requests is no failure."""
    one = stub(answer_with(OK))
    report = bench("-c", "1", "-d", "500ms", "--think", "50ms", one.url)
    assert report["connects"] == report["answered"] > 1


def test_another_status_is_a_failure(server):
    one = server(SLOTS)
    report = bench("-c", "1", "-d", "200ms", f"{one.url}/nowhere", check_code=1)
    assert report["status"] == {"404": report["failed"]["status"]}
    assert report["answered"] == 0 and report["fairness"]["starved"] == 1
    assert report["unexpected_ms"]["count"] > 0 == report["latency_ms"]["count"]
    report = bench("-c", "1", "-d", "200ms", "--expect", "404", f"{one.url}/nowhere")
    assert report["answered"] > 0 == report["failed"]["total"]


def test_a_killed_worker_costs_its_own_only(server):
    one = server(SLOTS.replace("workers = 1", "workers = 2")
                 + "\n[log]\naccess = @DIR@/access.log\n")
    load = subprocess.Popen([str(REMUDA), "bench", "--json", "-c", "4", "-d", "2s",
                             f"{one.url}/sync/sleep?ms=50"],
                            stdout=subprocess.PIPE, env=environment(None))
    wait_until(lambda: len(one.access_log()) > 20, what="the load")
    one.kill_worker(one.workers()[0])
    out, _ = load.communicate(timeout=patience(30))
    report = json.loads(out)
    assert report["failed"]["total"] <= 8, "what it held, never more"
    assert report["answered"] > 40


def test_nobody_there():
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    done = run("bench", f"http://127.0.0.1:{port}/", check_code=1)
    assert done.stdout == ""
    assert f"127.0.0.1:{port}" in done.stderr and "refused" in done.stderr


# ---- the command

def test_json_has_the_same_keys_in_both_loops(stub):
    one = stub(answer)
    closed = bench("-c", "2", "-d", "1500ms", one.url)
    opened = bench("-r", "20", "-d", "300ms", one.url)
    assert list(closed) == list(opened) == KEYS
    assert list(closed["failed"]) == ["total", *KINDS]
    assert list(closed["latency_ms"]) == ["count", "mean", "min", "p50", "p90", "p99", "p99_9",
                                          "max", "buckets"]
    assert set(closed["fairness"]) == {"jain", "mean", "least", "most", "silence_ms", "starved",
                                       "below_half", "silent"}
    assert closed["loop"] == "closed" and closed["lag_ms"] is None
    assert opened["loop"] == "open" and opened["fairness"] is None
    assert opened["rate_asked"] == 20 and opened["arrivals"] == "constant"
    buckets = closed["latency_ms"]["buckets"]
    assert sum(n for _, n in buckets) == closed["latency_ms"]["count"]
    assert [edge for edge, _ in buckets] == sorted(edge for edge, _ in buckets)
    assert len(closed["seconds"]) == 3
    assert sum(s["answered"] for s in closed["seconds"]) == closed["answered"]


def test_text_says_it_in_a_few_lines(stub):
    one = stub(answer)
    done = run("bench", "-c", "2", "-d", "300ms", one.url, check_code=0)
    lines = done.stdout.splitlines()
    for word in ("rate ", "latency ", "status ", "fairness ", "failed "):
        assert sum(line.startswith(word) for line in lines) == 1, word
    assert "req/s" in done.stdout and "Jain" in done.stdout and "p99.9" in done.stdout


def test_progress_on_a_terminal(stub):
    one = stub(answer)
    terminal, stderr = pty.openpty()
    load = subprocess.Popen([str(REMUDA), "bench", "-c", "1", "-d", "2500ms", one.url],
                            stdout=subprocess.PIPE, stderr=stderr, env=environment(None))
    load.communicate(timeout=patience(30))
    said = ""
    while said.count("\n") < 2 and select.select([terminal], [], [], patience(2))[0]:
        said += os.read(terminal, 65536).decode()  # the kernel may pass them on one by one
    os.close(stderr)
    os.close(terminal)
    assert load.returncode == 0
    assert [line.split()[0] for line in said.splitlines()] == ["1", "2"]


def test_interrupted_it_still_reports(stub):
    one = stub(answer)
    load = subprocess.Popen([str(REMUDA), "bench", "--json", "-d", "1h", one.url],
                            stdout=subprocess.PIPE, env=environment(None))
    assert one.asked.wait(patience(10))
    load.send_signal(signal.SIGINT)
    out, _ = load.communicate(timeout=patience(20))
    report = json.loads(out)
    assert load.returncode == 0 and report["answered"] > 0
    assert report["run_s"] < 60


@pytest.mark.parametrize("args, says", [
    ([], "needs a URL"),
    (["ftp://x/"], "must begin with http://"),
    (["--frobnicate", "http://localhost/"], "unknown flag"),
    (["--thnik", "1", "http://localhost/"], "'--think'"),
    (["-H", "nonsense", "http://localhost/"], "Name: value"),
    (["--poisson", "http://localhost/"], "needs -r"),
])
def test_nonsense_is_64(args, says):
    done = run("bench", *args, check_code=64)
    assert says in done.stderr and "usage: remuda bench" in done.stderr
    assert done.stdout == ""


def test_a_missing_body_is_66(directory):
    done = run("bench", "--body", directory / "none", "http://localhost/", check_code=66)
    assert "none" in done.stderr


def test_help():
    done = run("bench", "--help", check_code=0)
    for word in ("-r", "--poisson", "--starts", "--connect", "--expect", "http+unix:"):
        assert word in done.stdout
    assert "bench" in run("--help", check_code=0).stdout
    assert "'bench'" in run("bnech", check_code=64).stderr
