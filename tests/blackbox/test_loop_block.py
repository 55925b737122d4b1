# SPDX-License-Identifier: MIT
"""A handler that blocks the loop is named, once, with a stack; one that waits is not."""

import re
import time

import pytest

from daemon import sanitized, status_number, wait_until

INI = """
[server]
listen = 127.0.0.1:0
class = @CLASS@
workers = 1
threads = 4

[worker]
loop_block = @BLOCK@

[plugin blocker]
path = @TEST_PLUGINS@/blocker.so
"""

BLOCKED = (r"warn master: worker 0 \(pid (\d+), generation 1\):"
           r" its loop is blocked for (\d+) ms, (.*)")
STACK = r"warn worker 0: stack: "
BLOCK_MS = 400 if sanitized() else 200


def ini(block_ms=BLOCK_MS):
    return INI.replace("@BLOCK@", f"{block_ms}ms")


def wait_for_end(one, start):
    """Everything about what was asked before is in the log: the loop turns, and the master has
    looked again."""
    assert one.get("/sync/block?ms=0").status == 200
    time.sleep(2 * BLOCK_MS / 1000)
    return one.log.matches(BLOCKED, start)


@pytest.mark.parametrize("target, function", [("/event/block", "blocker_hold"),
                                              ("/async/block", "blocker_hold"),
                                              ("/async/spin", "blocker_spin"),
                                              ("/async/task", "blocker_hold")])
def test_blocked_loop_names_the_handler(server, worker_class, target, function):
    if worker_class == "thread" and target != "/event/block":
        pytest.skip("in the thread class ASYNC runs on the pool")
    one = server(ini())
    (pid,) = one.workers()
    assert one.get(f"{target}?ms={6 * BLOCK_MS}").status == 200
    (match,) = wait_for_end(one, 0)
    assert int(match[1]) == pid
    assert int(match[2]) > BLOCK_MS
    assert match[3] == f"in GET {target} from 127.0.0.1"
    one.log.wait(STACK + rf"the loop runs GET {target} of plugin blocker$")
    one.log.wait(STACK + rf"#\d+ \S*/blocker\.so\({function}\+0x[0-9a-f]+\)$")
    frames = [int(m[1]) for m in one.log.matches(STACK + r"#(\d+) ")]
    assert frames == list(range(len(frames))) and len(frames) >= 4, "one whole stack"


def test_each_blockage_has_its_warning(server):
    """However long it lasts; and the next one has its own."""
    one = server(ini())
    for times in (6, 3, 3):
        start = one.log.mark()
        assert one.get(f"/event/block?ms={times * BLOCK_MS}").status == 200
        assert len(wait_for_end(one, start)) == 1
    assert len(one.log.matches(BLOCKED)) == 3


def test_many_requests_wait_for_the_one_that_blocks(server):
    """One is named in a turn, and the loop serves them all."""
    one = server(ini())
    held = [one.connect() for _ in range(4)]
    for connection in held:
        connection.request("GET", f"/event/block?ms={2 * BLOCK_MS}")
    for connection in held:
        assert connection.response().status == 200
        connection.close()
    assert 1 <= len(wait_for_end(one, 0)) <= 4


def test_handlers_that_wait_are_not_named(server, worker_class):
    one = server(ini())
    held = [one.connect() for _ in range(3)]
    targets = ["/async/sleep", "/sync/block", "/async/pool"]
    if worker_class == "thread":
        targets.append("/async/block")
    for target in targets:
        for connection in held:
            connection.request("GET", f"{target}?ms={3 * BLOCK_MS}")
        for connection in held:
            assert connection.response().status == 200
    for connection in held:
        connection.close()
    assert wait_for_end(one, 0) == []
    assert one.log.matches(STACK) == []


def test_zero_names_none(server):
    one = server(INI.replace("@BLOCK@", "0"))
    assert one.get(f"/event/block?ms={3 * BLOCK_MS}").status == 200
    assert wait_for_end(one, 0) == []


def test_request_without_a_record_is_named_by_the_worker(server, worker_class):
    """More in flight than there are records: the stack still says which route."""
    if worker_class == "thread":
        pytest.skip("in the thread class each request has a slot, and a record")
    one = server(ini())
    held = [one.connect() for _ in range(256)]
    for connection in held:
        assert connection.get("/sync/block").status == 200
        connection.request("GET", f"/async/sleep?ms={10 * BLOCK_MS}")
    assert one.get("/sync/block").status == 200, "all of them are in flight"
    assert one.get(f"/event/block?ms={4 * BLOCK_MS}").status == 200
    match = one.log.wait(BLOCKED)
    assert re.fullmatch(r"in a handler of route \d+, without a record", match[3])
    one.log.wait(STACK + "the loop runs GET /event/block of plugin blocker$")
    for connection in held:
        assert connection.response().status == 200
        connection.close()


def wakes(pid):
    return status_number(pid, "voluntary_ctxt_switches")


def test_idle_master_wakes_seldom(server):
    """A look each half loop_block and the watchdog's second, and nothing else."""
    one = server(ini(100))
    wait_until(lambda: one.get("/sync/block").status == 200, what="an answer")
    seconds, before, begun = 3, wakes(one.pid), time.monotonic()
    time.sleep(seconds)
    took = time.monotonic() - begun
    assert 0 < (wakes(one.pid) - before) / took <= 30
