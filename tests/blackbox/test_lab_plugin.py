# SPDX-License-Identifier: MIT
"""The routes of plugins/lab.c: each does what its name says, in both worker classes.

Times are lower bounds; upper ones only tell parallel from serial, or a time limit that
was kept from one that was not.
"""

import threading
import time

import pytest

import daemon
from daemon import patience

INI = """
[server]
listen = 127.0.0.1:0
class = @CLASS@
workers = 1
threads = 8

[plugin lab]
path = @PLUGINS@/lab.so
"""

SIMPLE = ["/sync/noawait?ms=20", "/sync/cpu?ms=20", "/sync/draw?from=20&to=20",
          "/sync/hog?ms=0&hog=20&one_in=1", "/sync/crash?ms=20&one_in=1000000",
          "/sync/deadline?limit=60000&ms=20", "/async/await-one?ms=20",
          "/async/await-many?ms=10,20,5", "/async/wrap-blocking?ms=20",
          "/async/bad-blocking?ms=20", "/async/cpu-bound?ms=20",
          "/async/deadline?limit=60000&ms=20", "/async/semaphore?ms=20"]


def timed(one, target):
    """(status, seconds) of one request on a connection of its own."""
    with one.connect() as connection:
        begun = time.monotonic()
        status = connection.get(target).status
        return status, time.monotonic() - begun


def together(one, target, count):
    """How long that many take at once; all must be 200."""
    seen = []
    clients = [threading.Thread(target=lambda: seen.append(one.get(target).status))
               for _ in range(count)]
    begun = time.monotonic()
    for client in clients:
        client.start()
    for client in clients:
        client.join(patience(20))
    assert seen == [200] * count
    return time.monotonic() - begun


def test_each_takes_its_time(server):
    one = server(INI)
    for target in SIMPLE:
        status, seconds = timed(one, target)
        assert status == 200 and seconds >= 0.0199, (target, status, seconds)
    assert one.get("/sync/exponential?mean=1").status == 200


@pytest.mark.parametrize("target", [
    "/sync/noawait?ms=", "/sync/noawait?ms=-1", "/sync/noawait?ms=60001",
    "/sync/noawait?ms=1e3", "/sync/noawait?ms=99999999999999999999", "/sync/noawait?ms=1,2",
    "/sync/cpu?ms=x", "/sync/draw?from=30&to=20", "/sync/exponential?mean=60000",
    "/sync/hog?one_in=0", "/sync/crash?one_in=0", "/sync/deadline?limit=0",
    "/async/await-one?ms=+5", "/async/await-many?ms=1,,2", "/async/await-many?ms=1,",
    "/async/await-many?ms=" + ",".join("1" * 65), "/async/wrap-blocking?ms=%20",
    "/async/bad-blocking?ms=0x10", "/async/cpu-bound?ms=x", "/async/deadline?ms=x",
    "/async/semaphore?permits=0"])
def test_nonsense_is_400(server, target):
    assert server(INI).get(target).status == 400


def test_await_many_waits_for_all_at_once(server):
    status, seconds = timed(server(INI), "/async/await-many?ms=400,600,500")
    assert status == 200 and 0.6 <= seconds < 1.1


def test_the_pool_runs_as_many_as_it_has_threads(server):
    one = server(INI)
    assert 0.3 <= together(one, "/async/wrap-blocking?ms=300", 8) < 1.2
    assert together(one, "/async/wrap-blocking?ms=300", 9) >= 0.6


def test_bad_blocking_is_one_at_a_time_on_the_loop(server, worker_class):
    seconds = together(server(INI), "/async/bad-blocking?ms=100", 8)
    if worker_class == "event":
        assert seconds >= 0.8
    else:  # it has a thread of its own there
        assert seconds < 0.6


def test_permits_bound_what_runs(server):
    one = server(INI)
    assert together(one, "/async/semaphore?permits=2&ms=200", 6) >= 0.6
    assert 0.2 <= together(one, "/async/semaphore?permits=6&ms=200", 6) < 0.6


def test_a_deadline_ends_what_waits_but_not_what_blocks(server):
    one = server(INI)
    status, seconds = timed(one, "/async/deadline?limit=50&ms=2000")
    assert status == 504 and 0.049 <= seconds < 1
    assert timed(one, "/sync/deadline?limit=50&ms=200")[0] == 504


def test_a_crash_takes_its_worker_and_no_more(server):
    one = server(INI)
    mark = one.log.mark()
    with one.connect() as connection, pytest.raises((AssertionError, OSError)):
        connection.get("/sync/crash?ms=0&one_in=1")
    one.log.wait(daemon.OBITUARY, start=mark)
    one.log.wait(daemon.WORKER_READY, start=mark)
    assert one.get("/async/await-one?ms=1").status == 200


def test_draws_differ_and_keep_their_mean(server):
    """300 draws of mean 5 ms: 8 standard errors around it."""
    one = server(INI)
    seen = []
    with one.connect() as connection:
        for _ in range(300):
            text = connection.get("/sync/exponential?mean=5").text
            seen.append(float(text.split()[4]))
    assert len(set(seen)) > 50
    assert 5 - 8 * 5 / 300 ** 0.5 < sum(seen) / len(seen) < 5 + 8 * 5 / 300 ** 0.5


def test_call_many_asks_another_server_at_once(server):
    back = server(INI)
    front = server(INI + f"upstream_port = {back.address.rsplit(':', 1)[1]}\n")
    status, seconds = timed(front, "/async/call-many?times=8&ms=200")
    assert status == 200 and 0.2 <= seconds < 0.8
    assert timed(front, "/async/call-many?times=9&ms=200")[1] >= 0.4
    assert front.get("/async/call-many?times=0").status == 400
    assert back.get("/async/call-many").status == 404
    back.stop()
    assert front.get("/async/call-many").status == 500


def test_a_port_that_is_none_is_refused(write):
    done = daemon.run("-t", "-c", write("r.ini", INI + "upstream_port = 65536\n"))
    assert done.returncode == 78 and "upstream_port: 65536" in done.stderr
