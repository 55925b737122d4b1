# SPDX-License-Identifier: MIT
"""`remuda ctl`: each order waits until it has taken, and its exit status says whether."""

import os
import pty
import select
import signal
import time

import wire
from conftest import MODES
from control import (DONE, PAUSE, RELOAD, REOPEN, RESUME, Peer, begin, ctl, end, look, serving,
                     workers)
from daemon import is_ours, patience, wait_until

# Each start of a worker waits while the file `flag` is there.
SLOW = MODES + """
[plugin slow]
path = @TEST_PLUGINS@/bad_start.so
mount = /slow
how = wait
flag = @DIR@/flag
"""


def has_answer(connection, seconds):
    return bool(select.select([connection.sock], [], [], seconds)[0])


def sentence(one):
    return look(one)["status"]


def first_words(one, verb):
    """What the server says at once to an order, which is not waited for."""
    with Peer(one) as peer:
        peer.ask(verb)
        return peer.hear()


# ---- reload ----

def test_reload_is_done_when_it_says_so(server):
    one = server()
    before = set(one.workers())
    done = ctl(one, "reload")
    assert done.stdout == "reload done: generation 2, 2 workers x 4 threads = 8 slots\n"
    assert done.stderr == ""
    one.log.wait(r"reload done: generation 2")
    assert not before & serving(one)
    one.log.wait(r"control socket: reload, by pid \d+ of user \d+")


def test_reload_refused_says_why(server):
    one = server()
    before = one.workers()
    one.write_ini(MODES + "[limits]\nbodi = 1\nbody_timeout = x\n")
    done = ctl(one, "reload", code=70)
    assert "remuda.ini:11: limits.bodi" in done.stderr, "each mistake, with its place"
    assert "remuda.ini:12: limits.body_timeout" in done.stderr
    assert "reload refused: the configuration has 2 mistakes; generation 1 goes on" in done.stderr
    assert done.stdout == ""
    assert one.workers() == before
    one.write_ini(MODES)
    assert "generation 2" in ctl(one, "reload").stdout


def test_so_many_mistakes_leave_room_for_the_last_word(server):
    one = server()
    one.write_ini(MODES + "[limits]\n" + "".join(f"k{i} = 1\n" for i in range(120)))
    with Peer(one) as slow:
        slow.ask(RELOAD)
        one.log.wait(r"reload refused: ")
        assert "the configuration has 120 mistakes" in slow.answer()["text"]
    assert "has 120 mistakes; generation 1 goes on" in ctl(one, "reload", code=70).stderr


def test_each_key_that_needs_a_restart_is_told(server):
    one = server()
    one.write_ini(MODES.replace("[server]", "[server]\nchdir = /\npid_file = @DIR@/pid"))
    said = ctl(one, "reload", code=70).stderr
    assert "server.chdir takes effect by a restart only" in said
    assert "reload refused: server.pid_file takes effect by a restart only" in said


def test_reload_refused_by_a_worker_says_why(server):
    one = server()
    one.write_ini(SLOW.replace("how = wait", "how = fail"))
    done = ctl(one, "reload", code=70)
    assert "reload refused: plugin slow: its start failed" in done.stderr
    assert one.get("/sync/hello").status == 200


def test_a_second_reload_is_answered_when_its_own_has_ended(server, directory):
    one = server(SLOW)
    (directory / "flag").touch()
    first = begin(one, "reload")
    one.log.wait(r"reload: generation 1 runs")
    second = begin(one, "reload")
    one.log.wait(r"reload waits: one is running")
    third = begin(one, "reload")
    one.log.wait(r"reload waits: one is running", count=2)
    (directory / "flag").unlink()
    assert "generation 2" in end(first)[1]
    assert "generation 3" in end(second)[1], "not the one that ran when it was asked for"
    assert "generation 3" in end(third)[1], "one that has not begun serves all who ask"
    one.log.wait(r"reload done", count=2)
    assert look(one)["generation"] == 3


def test_hup_and_ctl_share_a_reload(server, directory):
    one = server(SLOW)
    (directory / "flag").touch()
    one.send_signal(signal.SIGHUP)
    one.log.wait(r"reload: generation 1 runs")
    mine = begin(one, "reload")
    one.log.wait(r"reload waits")
    (directory / "flag").unlink()
    assert "generation 3" in end(mine)[1]


# ---- workers ----

def test_worker_add_serves_when_it_says_so(server):
    one = server()
    done = ctl(one, "worker", "add")
    assert "3 workers x 4 threads = 12 slots" in done.stdout
    assert len(serving(one)) == 3
    assert sentence(one).startswith("ready: 3 workers")
    assert "generation 2, 2 workers" in ctl(one, "reload").stdout, "until the next reload"


def test_worker_add_has_an_end(server):
    one = server(MODES.replace("threads = 4", "threads = 4\nworker_slots = 4"))
    ctl(one, "worker", "add")
    ctl(one, "worker", "add")
    assert "server.worker_slots" in ctl(one, "worker", "add", code=70).stderr
    assert len(serving(one)) == 4


def test_worker_remove_has_left_when_it_says_so(server):
    one = server()
    pid = workers(one)[0]["pid"]
    done = ctl(one, "worker", "remove", "0")
    assert f"worker 0 (pid {pid}) has left: 1 worker x 4 threads" in done.stdout
    assert not is_ours(pid)
    assert one.get("/sync/hello").status == 200
    assert "the last worker stays" in ctl(one, "worker", "remove", code=70).stderr
    one.log.wait("the last worker stays")
    assert "worker 9 does not serve" in ctl(one, "worker", "remove", "9", code=70).stderr


def test_worker_remove_without_a_number_is_the_last(server):
    one = server()
    rows = workers(one)
    ctl(one, "worker", "remove")
    assert serving(one) == {rows[0]["pid"]}


def test_worker_recycle_has_a_successor_before_it_leaves(server, directory):
    """It serves while the successor starts, ends what it has, and its connections stay."""
    one = server(SLOW)
    rows = workers(one)
    with one.connect() as connection:
        pid = int(connection.get("/who").text)
        index = next(i for i, row in rows.items() if row["pid"] == pid)
        (directory / "flag").touch()
        order = begin(one, "worker", "recycle", str(index))
        wait_until(lambda: workers(one)[index]["state"] == "retiring", 10, "its retirement")
        assert int(connection.get("/who").text) == pid, "it serves on"
        assert sentence(one).startswith("ready:"), "nothing is missing"
        connection.request("GET", "/sync/sleep?ms=700")
        (directory / "flag").unlink()
        assert connection.response().status == 200
        status, out, _ = end(order)
        assert status == 0 and f"worker {index} (pid {pid}) has left, worker" in out
        assert not is_ours(pid)
        assert int(connection.get("/who").text) in serving(one), "the same connection, elsewhere"
    assert len(serving(one)) == 2
    one.log.wait(rf"worker {index} \(pid {pid}, generation 1\) left: drained")


def test_worker_recycle_of_all(server):
    one = server()
    before = serving(one)
    assert "2 workers recycled" in ctl(one, "worker", "recycle").stdout
    assert len(serving(one)) == 2 and not before & serving(one)


def test_worker_whose_successor_fails_stays(server, directory):
    one = server(SLOW.replace("how = wait", "how = balk"))
    before = serving(one)
    (directory / "flag").touch()
    done = ctl(one, "worker", "recycle", "0", code=70)
    assert "cannot start: plugin slow: its start failed" in done.stderr
    assert serving(one) == before
    assert "cannot start" in ctl(one, "worker", "add", code=70).stderr
    wait_until(lambda: len(one.workers()) == 2, 10, "the end of the failed one")
    assert sentence(one) == "ready: 2 workers x 4 threads = 8 slots", "nothing is degraded"
    (directory / "flag").unlink()
    ctl(one, "worker", "recycle", "0")
    assert len(serving(one)) == 2 and len(before & serving(one)) == 1


def test_one_change_at_a_time(server, directory):
    one = server(SLOW)
    (directory / "flag").touch()
    order = begin(one, "worker", "add")
    one.log.wait(r"worker add: 3 workers")
    for words in (["worker", "add"], ["worker", "remove"], ["worker", "recycle", "0"]):
        assert "another 'worker add' is running" in ctl(one, *words, code=75).stderr
    one.send_signal(signal.SIGTTIN)
    one.log.wait(r"TTIN ignored: an order of ctl is running")
    (directory / "flag").unlink()
    assert end(order)[0] == 0
    (directory / "flag").touch()
    reload = begin(one, "reload")
    one.log.wait(r"reload: generation 1 runs")
    assert "a reload is running" in ctl(one, "worker", "add", code=75).stderr
    (directory / "flag").unlink()
    assert end(reload)[0] == 0


def test_a_reload_overtakes_an_order(server, directory):
    one = server(SLOW)
    (directory / "flag").touch()
    order = begin(one, "worker", "recycle", "1")
    one.log.wait(r"worker 1 \(.*\) is to be recycled")
    reload = begin(one, "reload")
    one.log.wait(r"reload: generation 1 runs")
    (directory / "flag").unlink()
    assert end(reload)[0] == 0
    assert end(order)[0] == 0, "whoever overtook it, that worker leaves"
    assert len(serving(one)) == 2


# ---- pause, drain ----

def test_pause_leaves_new_connections_to_the_kernel(server):
    one = server()
    with one.connect() as old:
        assert old.get("/sync/hello").status == 200
        done = ctl(one, "pause")
        assert done.stdout.startswith("paused: ")
        with one.connect() as new:
            new.request("GET", "/sync/hello")
            assert not has_answer(new, 0.3)
            assert old.get("/sync/hello").status == 200, "what is connected is served"
            assert look(one)["readiness"] == "paused"
            assert not has_answer(new, 0)
            assert ctl(one, "resume").stdout.startswith("ready: ")
            assert new.response().status == 200
    assert look(one)["readiness"] == "ready"


def test_pause_outlasts_a_reload(server):
    one = server()
    ctl(one, "pause")
    ctl(one, "reload")
    with one.connect() as new:
        new.request("GET", "/sync/hello")
        assert not has_answer(new, 0.3), "new workers are paused from the start"
        ctl(one, "resume")
        assert new.response().status == 200


def test_a_death_at_that_moment_pauses_all_the_same(server):
    """The master hears the order before it knows that it cannot tell one of them."""
    one = server()
    victim = workers(one)[0]["pid"]
    with Peer(one) as peer:
        os.kill(one.pid, signal.SIGSTOP)
        try:
            one.kill_worker(victim)
            wait_until(lambda: not is_ours(victim), 10, "its death")
            peer.ask(PAUSE)
        finally:
            os.kill(one.pid, signal.SIGCONT)
        assert peer.answer()["status"] == 0
    wait_until(lambda: len(serving(one)) == 2, 10, "its successor")
    with one.connect() as new:
        new.request("GET", "/sync/hello")
        assert not has_answer(new, 0.5)
        ctl(one, "resume")
        assert new.response().status == 200


def test_a_stop_while_paused_serves_what_waits(server):
    one = server()
    ctl(one, "pause")
    with one.connect() as new:
        new.request("GET", "/sync/hello")
        ctl(one, "stop")
        assert new.response().status == 200
    assert one.wait_exit() == 0


def test_drain_closes_connections_with_their_answers(server):
    one = server()
    with one.connect() as connection, one.connect() as idle:
        assert not connection.get("/sync/hello").closes
        idle.get("/sync/hello")
        done = ctl(one, "drain")
        assert done.stdout.startswith("draining: ")
        assert look(one)["readiness"] == "draining"
        assert connection.get("/sync/hello").closes
        assert connection.at_eof()
        assert one.get("/async/hello").closes
        assert ctl(one, "undrain").stdout.startswith("ready: ")
        assert not idle.get("/sync/hello").closes, "one that was idle is still there"
    assert look(one)["readiness"] == "ready"


def test_drain_outlasts_a_reload(server):
    one = server()
    ctl(one, "drain")
    ctl(one, "reload")
    assert one.get("/sync/hello").closes
    assert look(one)["readiness"] == "draining"


def test_a_worker_that_cannot_be_told_changes_nothing(server):
    """It stands still, and what it was told before fills its channel."""
    one = server(MODES + "[worker]\nheartbeat_timeout = 1h\n[log]\naccess = @DIR@/access.log\n")
    still = max(workers(one).items())[1]["pid"]
    os.kill(still, signal.SIGSTOP)
    try:
        def is_refused():  # one that runs, but not yet, may have a full channel for a moment, too
            said = first_words(one, RESUME)
            return (said["type"] == DONE and said["status"] == 70
                    and f"(pid {still}) cannot be told" in said["text"])

        wait_until(is_refused, 30, "a channel that is full")
        assert first_words(one, PAUSE)["status"] == 70
        assert look(one)["readiness"] == "ready"
        assert one.get("/sync/hello").status == 200, "who had been told has been told otherwise"
        said = first_words(one, REOPEN)
        assert said["status"] == 70 and f"(pid {still}) keeps its log" in said["text"]
    finally:
        os.kill(still, signal.SIGCONT)
    ctl(one, "pause")
    ctl(one, "resume")
    ctl(one, "reopen")


# ---- logs, stop ----

def test_reopen_has_taken_when_it_says_so(server):
    one = server(MODES.replace("[server]", "[server]\naddress_file = @DIR@/address")
                 + "[log]\naccess = @DIR@/access.log\nerror = @DIR@/error.log\n", ready=False)
    error, access = one.directory / "error.log", one.directory / "access.log"
    wait_until(lambda: error.exists() and "ready: " in error.read_text(), 10, "the ready line")
    error.rename(one.directory / "error.1")
    access.rename(one.directory / "access.1")
    assert ctl(one, "reopen").stdout == "logs reopened\n"
    with wire.Connection((one.directory / "address").read_text().strip()) as connection:
        connection.get("/sync/hello")
    wait_until(lambda: "hello" in access.read_text(), 10, "a line in the new file")
    assert "hello" not in (one.directory / "access.1").read_text()
    assert "logs reopened" in error.read_text()
    error.unlink()
    error.mkdir()
    assert "error.log" in ctl(one, "reopen", code=70).stderr
    error.rmdir()


def test_stop_waits_until_the_master_has_gone(server):
    one = server()
    with one.connect() as busy:
        busy.request("GET", "/sync/sleep?ms=500")
        wait_until(lambda: look(one, "slots")["requests"] or look(one)["workers"][0]["load"], 10,
                   "the request")
        assert ctl(one, "stop").stdout == "stopped\n"
        assert one.process.poll() == 0, "it has ended, with 0"
        assert busy.response().status == 200
    assert not (one.directory / "control.sock").exists()
    assert ctl(one, "stop", code=69).stderr.strip()


def test_stop_quick_overtakes_a_stop(server):
    one = server()
    with one.connect() as busy:
        busy.request("GET", "/sync/sleep?ms=30000")
        wait_until(lambda: sum(row["load"] for row in look(one)["workers"]), 10, "the request")
        graceful = begin(one, "stop")
        one.log.wait(r"\bstopping\b")
        assert "the server is stopping" in ctl(one, "reload", code=70).stderr
        assert look(one)["readiness"] == "stopping"
        begun = time.monotonic()
        ctl(one, "stop", "--quick")
        assert time.monotonic() - begun < patience(10)
        assert end(graceful)[0] == 0
    assert one.wait_exit() == 0


def test_stop_ends_what_others_wait_for(server, directory):
    one = server(SLOW)
    (directory / "flag").touch()
    reload = begin(one, "reload")
    one.log.wait(r"reload: generation 1 runs")
    order = begin(one, "reload")
    one.log.wait(r"reload waits")
    ctl(one, "stop")
    for process in (reload, order):
        status, _, err = end(process)
        assert status == 70 and "the server is stopping" in err
    assert one.wait_exit() == 0


# ---- degraded ----

def test_degraded_is_shown(server, directory):
    one = server(SLOW.replace("how = wait", "how = balk"))
    (directory / "flag").touch()
    for pid in one.workers():
        one.kill_worker(pid)
    wait_until(lambda: sentence(one) == "degraded: 0 of 2 workers serve", 10, "that none serves")
    assert look(one)["readiness"] == "degraded"
    assert "degraded" in ctl(one, "worker", "add", code=75).stderr
    (directory / "flag").unlink()
    wait_until(lambda: look(one)["readiness"] == "ready", 20, "that it recovers")


# ---- waiting ----

def test_timeout_ends_the_waiting_alone(server, directory):
    one = server(SLOW)
    (directory / "flag").touch()
    done = ctl(one, "reload", "--timeout", "300ms", code=75)
    assert "the server goes on with it" in done.stderr
    (directory / "flag").unlink()
    one.log.wait(r"reload done: generation 2")


def test_a_master_that_stands_still(server):
    one = server()
    one.send_signal(signal.SIGSTOP)
    done = ctl(one, "reload", "--timeout", "300ms", code=75)
    one.send_signal(signal.SIGCONT)
    assert "does not answer" in done.stderr
    ctl(one, "show", "workers")


def test_a_terminal_sees_that_time_passes(server, directory):
    one = server(SLOW)
    (directory / "flag").touch()
    terminal, theirs = pty.openpty()
    order = begin(one, "reload", stderr=theirs)
    os.close(theirs)
    seen = b""
    while b"reload: 1 s, reloading: 2 workers" not in seen:
        assert select.select([terminal], [], [], patience(10))[0], seen
        seen += os.read(terminal, 4096)
    (directory / "flag").unlink()
    assert "generation 2" in end(order)[1]
    os.close(terminal)


def test_nothing_but_the_answer_where_nobody_looks(server, directory):
    one = server(SLOW)
    (directory / "flag").touch()
    order = begin(one, "reload")
    one.log.wait(r"reload: generation 1 runs")
    time.sleep(1.2)  # longer than a terminal is left without a word
    (directory / "flag").unlink()
    status, out, err = end(order)
    assert status == 0 and err == "" and len(out.splitlines()) == 1
