# SPDX-License-Identifier: MIT
"""The limit of open files: raised as far as it may be, said once when it is too low, and
survived: connections beyond it wait and are served when others go."""

import signal
import time

from conftest import MODES
from daemon import REMUDA, status_number, wait_until

DONE = r"reload done: generation (\d+)"
CONNECTIONS = "[limits]\nworker_connections = @COUNT@\n"
WARNING = r"worker_connections = (\d+) needs some (\d+) open files .* limit is (\d+):"


def config(count):
    return MODES.replace("workers = 2", "workers = 1") + CONNECTIONS.replace("@COUNT@", str(count))


def limited(soft, hard):
    """`wrapper` of a server that is started with these limits."""
    return ["sh", "-c", f'ulimit -Sn {soft} && ulimit -Hn {hard} && exec "$@"', "sh", REMUDA]


def reload(one):
    start = one.log.mark()
    one.send_signal(signal.SIGHUP)
    one.log.wait(DONE, start=start)


def test_soft_limit_is_raised(server):
    """1,024 connections do not fit in a soft limit of 200, but in the hard one."""
    one = server(config(1024), wrapper=limited(200, 1200))
    assert not one.log.matches(WARNING)
    assert not one.log.matches(r"limit of open files")


def table_size(pid):
    return status_number(pid, "FDSize")


def test_table_is_as_large_as_it_will_be(server):
    """From the start: to grow it under load would stop the worker, and those who read the same
    inbox, until the kernel has heard from every CPU."""
    one = server(config(1024).replace("workers = 1", "workers = 2"))
    assert [table_size(pid) >= 1024 + 256 for pid in one.workers()] == [True, True]
    small = server(config(100000), wrapper=limited(700, 700))
    assert table_size(small.workers()[0]) >= 700


def test_low_limit_is_said_at_each_config(server):
    one = server(config(300), wrapper=limited(300, 300))
    said = one.log.matches(WARNING)
    assert [m.groups() for m in said] == [("300", "378", "300")]  # 7 worker_slots
    one.write_ini(config(1000))
    reload(one)
    assert one.log.matches(WARNING)[1:][0][1] == "1000"
    one.write_ini(config(100))
    reload(one)
    assert len(one.log.matches(WARNING)) == 2


def test_connections_beyond_the_limit_wait(server):
    """All descriptors of the worker are in use: it says so, and serves the rest later."""
    one = server(config(1000), wrapper=limited(120, 120))
    held = [one.connect() for _ in range(150)]
    for connection in held:
        connection.send(b"GET /async/hello HTTP/1.1\r\nHost: a\r\n\r\n")
    one.log.wait("cannot accept: Too many open files")
    begun = time.monotonic()
    for connection in held:  # those in front go, so that those behind get their turn
        assert connection.response().status == 200
        connection.close()
    assert time.monotonic() < begun + 10
    wait_until(lambda: one.get("/async/hello").status == 200, 5, "it serves on")
