# SPDX-License-Identifier: MIT
"""actions - what an operator, a fault or a bad plugin does to the server, and when it has taken.

Each action is called with the stage and its number; it returns when the server has done what
it was told, as its log or its scoreboard says. `allows_...` say which requests may fail for
it, `check_...` what must be true in the end.
"""

import os
import re
import signal
import time

import stage as theater
from load import now_ns
from stage import daemon

MILLISECOND = 1_000_000
AFTER_NS = 50 * MILLISECOND  # how long the clients of a dead worker cannot know it
CUT = ("reset", "closed", "short")
SIGNALS = (signal.SIGHUP, signal.SIGTTIN, signal.SIGTTOU, signal.SIGUSR1, signal.SIGUSR2,
           signal.SIGWINCH, signal.SIGCHLD)


def nothing(stage, number=0):
    pass


def allows_nothing(stage, failure):
    return False


# ---- changes of a generation ----

def reload(stage, _=0, timeout=40, **changes):
    """HUP with this config, until every new connection gets a new worker."""
    stage.write_config(**changes)
    mark, begun = stage.server.log.mark(), now_ns()
    stage.server.send_signal(signal.SIGHUP)
    done = stage.server.log.wait(r"reload (done|refused): (?:generation (\d+))?", timeout,
                                 start=mark)
    assert done[1] == "done", done.string
    generation = int(done[2])
    assert generation > stage.generation, f"generation {generation} after {stage.generation}"
    stage.generation = generation
    stage.marks.setdefault("reloads", []).append((begun, now_ns()))


def check_reloads(stage):
    done = len(stage.server.log.matches(r"reload done: "))
    if done != len(stage.marks["reloads"]):
        stage.complain(f"{done} reloads were done, {len(stage.marks['reloads'])} ordered")
    check_connections(stage)


def check_connections(stage):
    """The kept connections are the TCP connections they were before the first request."""
    for group, same in stage.result.same_connections().items():
        if not all(same):
            stage.complain(f"{same.count(False)} of {len(same)} connections of group {group} "
                           "are not those that were opened first")


BAD_CONFIGS = (
    ({"SERVER": "no_such_key = 1"}, "the configuration has 1 mistake"),
    ({"PLUGIN": "/nonexistent/plugin.so"}, "the configuration has 1 mistake"),
    ({"PLUGIN": theater.daemon.TEST_PLUGINS / "bad_abi.so"}, "ABI|abi"),
    ({"OPTIONS": "how = crash"}, r"signal \d+"),
    ({"OPTIONS": "how = hang", "WORKER": "boot_timeout = 1s"}, "boot_timeout"),
)


def refused_reload(stage, number):
    """Every kind in turn; nobody is replaced."""
    changes, why = BAD_CONFIGS[number % len(BAD_CONFIGS)]
    before = {w["pid"] for w in stage.look()}
    stage.write_config(**changes)
    mark = stage.server.log.mark()
    stage.server.send_signal(signal.SIGHUP)
    line = stage.server.log.wait(r"reload (done|refused): (.*)", 30, start=mark)
    if line[1] != "refused" or not re.search(why, line[2]):
        stage.complain(f"a reload with {changes}: {line.string}")
    if {w["pid"] for w in stage.look()} != before:
        stage.complain(f"a refused reload ({changes}) has changed the workers")


def reload_slow_application(stage, _):
    reload(stage, OPTIONS="boot = 3s")


def check_slow_application(stage):
    """p99 at most that of the same run without it + 50 ms, none above 1 s."""
    check_reloads(stage)
    (begun, done), = stage.marks["reloads"]
    if done - begun < 3000 * MILLISECOND:
        stage.complain(f"the application took 3 s, the reload {(done - begun) / 1e9:.1f} s")
    judge_latencies(stage, begun, done)


def judge_latencies(stage, begun, done):
    first, last = stage.result["start_ns"], stage.result["last_due_ns"]
    during = stage.excess_ms(begun, done + 200 * MILLISECOND)
    control = sorted(stage.excess_ms(first, begun)
                     + stage.excess_ms(done + 200 * MILLISECOND, last))
    figures = [theater.percentile(values, 0.99) for values in (during, control)]
    stage.note(f"p99 {figures[0]:.1f} ms, else {figures[1]:.1f} ms, "
               f"longest {during[-1]:.0f} ms")
    slack = (5 if daemon.sanitized() else 1) * (4 if daemon.is_crowded() else 1)
    if figures[0] > figures[1] + 50 * slack or during[-1] > 1000 * slack:
        stage.complain("requests were held up")


def scale(stage, number):
    """One worker more, then one less."""
    name, by = (("TTIN", 1), ("TTOU", -1))[number % 2]
    want = len(stage.look()) + by
    mark = stage.server.log.mark()
    stage.server.send_signal(getattr(signal, f"SIG{name}"))
    stage.server.log.wait(rf"{name}: {want} workers", 10, start=mark)
    stage.wait_serving(want)
    stage.marks["scaled"] = stage.marks.get("scaled", 0) + 1


def check_scaling(stage):
    lines = len(stage.server.log.matches(r"TT(IN|OU): \d+ workers"))
    if lines != stage.marks["scaled"]:
        stage.complain(f"{lines} workers came or went, {stage.marks['scaled']} were ordered")
    check_connections(stage)


def scale_hastily(stage, _):
    """One more, and at once one less, while the first is still starting: it alone may go. The
    reload before gives the newcomer a place in the table before those that serve."""
    reload(stage, OPTIONS="boot = 1s")
    daemon.wait_until(lambda: len(stage.server.workers()) == stage.workers, 20, "the old to go")
    mark = stage.server.log.mark()
    begun = now_ns()
    for name, want in (("TTIN", stage.workers + 1), ("TTOU", stage.workers)):
        stage.server.process.send_signal(getattr(signal, f"SIG{name}"))
        stage.server.log.wait(rf"{name}: {want} workers", 10, start=mark)
    time.sleep(1.5)
    stage.wait_serving(stage.workers)
    stage.marks.setdefault("hasty", []).append((begun, now_ns()))


def check_hasty_scaling(stage):
    """The application takes a second to start: whoever was told to go before it served leaves a
    hole of a second, which a third of these requests fall into. In a crowd one may be slow by
    itself, but not a fifth of them."""
    check_connections(stage)
    for begun, done in stage.marks["hasty"]:
        excess = stage.excess_ms(begun, done)
        stage.note(f"longest {excess[-1]:.0f} ms")
        is_hole = theater.percentile(excess, 0.8) > 200 if daemon.is_crowded() else excess[-1] > 700
        if is_hole:
            stage.complain(f"nobody served for a while: {excess[-1]:.0f} ms")
    if stage.server.log.matches("degraded"):
        stage.complain("a worker that was not needed counts as one that died")


def change_plugin_file(stage, number):
    """The file is spoiled, in place or by rename: whoever runs does not mind, nor does a worker
    that is born late. Then a good one takes its place, and a reload takes that."""
    path = stage.server.directory / "drudge.so"
    good = (theater.HERE / "drudge.so").read_bytes()

    def put(data):
        if number % 2 == 0:
            with open(path, "r+b") as file:
                file.truncate(len(data) // 2)
                file.write(data)
        else:
            beside = path.with_suffix(".new")
            beside.write_bytes(data)
            os.rename(beside, path)

    put(b"\0" * len(good))
    scale(stage, 0)
    scale(stage, 1)
    put(good)
    reload(stage)


def storm_of_signals(stage, _):
    """A thousand in a second. Some fall together, as signals do; afterwards it must be sane."""
    for _ in range(1000):
        stage.server.process.send_signal(stage.rng.choice(SIGNALS))
        time.sleep(0.0007)
    log, quiet = stage.server.log, 0
    while quiet < 20:
        mark = log.mark()
        time.sleep(0.1)
        quiet = 0 if log.matches(r"reload|upgrade|TT(IN|OU)|ready|drained", mark) else quiet + 1
    stage.generation = max(w["generation"] for w in stage.look())
    reload(stage)
    stage.wait_serving(stage.workers)


# ---- another binary, another worker ----

def wait_upgrade(stage, number=signal.SIGUSR2):
    """The verdict of an upgrade: a match of done or refused, and why."""
    mark = stage.server.log.mark()
    stage.server.send_signal(number)
    line = stage.server.log.wait(r"upgrade (done|refused): (.*)", 60, start=mark)
    if not daemon.is_ours(stage.server.pid):
        stage.complain("the pid is another's now")
    return line


def upgrade(stage, _):
    line = wait_upgrade(stage)
    if line[1] != "done":
        stage.complain(line.string)
    stage.wait_serving(stage.workers)


BAD_BINARIES = ("#!/bin/sh\nexit 3\n", "#!/bin/sh\nexec sleep 600\n",
                "#!/bin/sh\nexec cat >/dev/null\n")


def refused_upgrade(stage, number):
    """To a program that exits, one that hangs, one that cannot read the state."""
    path, before = stage.server.directory / "remuda", {w["pid"] for w in stage.look()}
    bad = path.with_suffix(".bad")
    bad.write_text(BAD_BINARIES[number % len(BAD_BINARIES)])
    bad.chmod(0o755)
    os.rename(bad, path)
    line = wait_upgrade(stage)
    if line[1] != "refused":
        stage.complain(line.string)
    if {w["pid"] for w in stage.look()} != before:
        stage.complain("a refused upgrade has changed the workers")


def check_recycling(stage):
    """As often as the limit says, one at a time: a share of them may still be under way."""
    recycled = len(stage.server.log.matches(r"is recycled: "))
    stage.note(f"{recycled} workers recycled")
    if recycled < stage.result["sent"] / stage.life / stage.workers:
        stage.complain(f"only {recycled} workers were recycled")
    check_connections(stage)


def check_some_recycled(stage):
    if not stage.server.log.matches(r"is recycled: "):
        stage.complain("no worker was recycled")
    check_connections(stage)


def recycle(stage, _):
    """One worker, by the operator's word."""
    index = stage.rng.choice(stage.look())["index"]
    before = {w["pid"] for w in stage.look()}
    daemon.run("ctl", "--socket", stage.server.directory / "control.sock", "worker", "recycle",
               index, check_code=0)
    daemon.wait_until(lambda: len(stage.look()) == stage.workers
                      and len({w["pid"] for w in stage.look()} & before) == stage.workers - 1,
                      20, "a successor")


CHANGES = {False: {1: recycle, 3: upgrade},
           True: {4: recycle, 8: upgrade, 12: recycle, 16: upgrade, 20: recycle}}


def change(stage, number):
    """Reloads, and now and then a recycling or an upgrade between them."""
    CHANGES[stage.is_long].get(number, reload)(stage, number)


def allows_the_endless(stage, failure):
    """The request that never ends, and no other."""
    return failure.is_extra


def check_the_endless(stage):
    """Each is answered with 504. The witness gives up the connection of what has failed; no other
    may have ended."""
    failures = stage.result.failures
    if not failures or any(failure["status"] != 504 for failure in failures):
        stage.complain(f"answered otherwise: {[f['status'] for f in failures]}")
    same = stage.result.same_connections()
    closed = same["keep"].count(False) + same["idle"].count(False)
    if closed != sum(failure["group"] == "keep" for failure in failures):
        stage.complain(f"{closed} kept connections have ended")


# ---- stops ----

def stop(stage, _):
    stage.marks["stop_ns"] = now_ns()
    begun = time.monotonic()
    stage.ended = stage.server.stop(timeout=30)
    stage.marks["stop_s"] = time.monotonic() - begun


def allows_after_stop(stage, failure):
    """Only what was not wholly sent yet when the master was told."""
    return failure.sent_ns == 0 or failure.sent_ns > stage.marks["stop_ns"]


def allows_drop_after_stop(stage, drop):
    return drop.at_ns > stage.marks["stop_ns"]


def check_stop(stage):
    """Streams of 2 s, and idle connections: 1 s more at most."""
    stage.note(f"the stop took {stage.marks['stop_s']:.2f} s")
    if stage.marks["stop_s"] > 3.5 * daemon.patience(1) / 2:
        stage.complain(f"the stop took {stage.marks['stop_s']:.1f} s")


def kill_master(stage, _):
    """Nobody is told: the workers see that their channel is closed."""
    stage.server.workers()
    stage.marks["stop_ns"] = now_ns()
    stage.server.process.kill()
    stage.ended = stage.server.wait_exit()
    begun = time.monotonic()
    daemon.wait_until(lambda: not stage.server.leftovers(), 10, "the end of the workers")
    stage.marks["stop_s"] = time.monotonic() - begun


# ---- deaths ----

class Death:
    """Of one worker. Exact: it was stopped when its descriptors were looked at, and killed so.
    Else its loop ran on until it died: it may have taken in more since, and handed on what it
    had."""

    def __init__(self, pid, ports, is_exact):
        self.pid, self.ports, self.is_exact = pid, ports, is_exact
        self.from_ns = self.until_ns = now_ns()

    def has_taken(self, failure, holders, begun_ns):
        """After the look: its line says so, or the master's that it was lost between two.
        Without a line nobody had begun it: then its connection was new, or last answered by
        the dead, and nobody hands on one where no request waits."""
        return (bool(holders) or failure.held_by == self.pid
                or (failure.nth == 1 and begun_ns > self.from_ns - AFTER_NS))

    def excuses(self, stage, failure):
        """Was it outstanding on, or sent within 50 ms after it to, a connection that the worker
        held? Nobody else, as far as the access log knows."""
        begun_ns = failure.begun_ns or failure.due_ns
        holders = stage.holders(failure)
        is_cut = (failure.outcome in CUT and failure.ended_ns >= self.from_ns
                  and begun_ns <= self.until_ns + AFTER_NS)
        return is_cut and holders <= {self.pid, stage.LOST} and (
            failure.port in self.ports
            or (not self.is_exact and self.has_taken(failure, holders, begun_ns)))

    def excuses_drop(self, drop):
        is_held = drop.port in self.ports or (not self.is_exact and drop.worker == self.pid)
        return is_held and drop.at_ns >= self.from_ns


def kill(stage, number):
    """KILL, SEGV, ABRT in turn, of a worker that has served; until its successor serves."""
    what = (signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT)[number % 3]
    stage.wait_serving(stage.workers)
    pid = stage.rng.choice(stage.look())["pid"]
    mark = stage.server.log.mark()
    stage.freeze(pid)
    death = Death(pid, stage.ports_of(pid), what == signal.SIGKILL)
    stage.server.kill_worker(pid, what)
    if not death.is_exact:
        os.kill(pid, signal.SIGCONT)
    stage.marks.setdefault("deaths", []).append(death)
    stage.server.log.wait(rf"\(pid {pid}, .*died: signal {int(what)} ", 20, start=mark)
    death.until_ns = now_ns()  # a crowd of others may delay even a KILL
    stage.wait_serving(stage.workers, without=pid)


def allows_by_death(stage, failure):
    return any(death.excuses(stage, failure) for death in stage.marks.get("deaths", ()))


def allows_drop_by_death(stage, drop):
    return any(death.excuses_drop(drop) for death in stage.marks.get("deaths", ()))


def check_deaths(stage):
    died = len(stage.server.log.matches(daemon.OBITUARY))
    if died != len(stage.marks["deaths"]):
        stage.complain(f"{died} obituaries for {len(stage.marks['deaths'])} deaths")


def check_lines_of_the_lost(stage):
    """Each request begun has its line in the access log."""
    begun = set((stage.server.directory / "journal").read_text().split())
    lines = set(re.findall(r"/(\d+)[? ]", "\n".join(stage.server.access_log())))
    if begun - lines:
        stage.complain(f"{len(begun - lines)} requests were begun and have no line in the "
                       f"access log: {sorted(begun - lines)[:10]}")


def stand_still(stage, _):
    """A worker is stopped for a while, and goes on."""
    pid = stage.rng.choice(stage.look())["pid"]
    stage.freeze(pid)
    time.sleep(0.5)
    os.kill(pid, signal.SIGCONT)
    stage.wait_serving(stage.workers)


def stand_still_for_good(stage, _):
    """Until the master has replaced it."""
    stage.wait_serving(stage.workers)
    pid = stage.rng.choice(stage.look())["pid"]
    mark = stage.server.log.mark()
    stage.freeze(pid)
    death = Death(pid, stage.ports_of(pid), True)
    stage.marks.setdefault("deaths", []).append(death)
    stage.server.log.wait(rf"\(pid {pid}, .*died: ", 30, start=mark)
    death.until_ns = now_ns()
    stage.wait_serving(stage.workers, without=pid)


def allows_crashes(stage, failure):
    """The request that crashes its worker, and what went down with that one: on a connection
    that was last answered by one that died, or by nobody yet; or that had just moved there."""
    if failure.outcome not in CUT:
        return False
    return failure.is_extra or failure.nth == 1 or is_of_the_dead(
        stage, failure.held_by, failure.ended_ns)


def allows_drop_by_crashes(stage, drop):
    return is_of_the_dead(stage, drop.worker, drop.at_ns)


def is_of_the_dead(stage, pid, at_ns):
    dead = deaths_in_log(stage)
    return pid in dead or any(abs(at_ns - died_ns) < 1000 * MILLISECOND
                              for died_ns in dead.values())


def deaths_in_log(stage):
    """The time of each obituary, by pid."""
    if "dead" not in stage.marks:
        log = stage.server.log
        found = [(re.search(daemon.OBITUARY, line), at_ns)
                 for at_ns, line in zip(log.read_ns, log.lines)]
        stage.marks["dead"] = {int(match[2]): at_ns for match, at_ns in found if match}
    return stage.marks["dead"]


def check_crashes(stage):
    """Each death is one that was asked for, and the service is there in the end."""
    crashes = sum(1 for said in stage.result.failures if said["is_extra"])
    deaths = len(deaths_in_log(stage))
    stage.note(f"{deaths} workers died of {crashes} requests")
    if not 0 < deaths <= crashes:
        stage.complain(f"{deaths} deaths, {crashes} requests that crash")
    stage.server.get("/sync/wait/999999999?ms=0")  # none of the witness's requests


# ---- the master ----

def stop_master(stage, _):
    """SIGSTOP, for longer than heartbeat_timeout; nobody is to be blamed for it afterwards."""
    stage.freeze(stage.server.pid)
    time.sleep(10 if stage.is_long else 3)
    os.kill(stage.server.pid, signal.SIGCONT)
    mark = stage.server.log.mark()
    reload(stage)
    bad = stage.server.log.matches(r"died|has not turned|degraded", mark)
    if bad:
        stage.complain(f"the master's absence was blamed on others: {bad[0].string}")


def check_nobody_died(stage):
    bad = stage.server.log.matches(r"died: |has not turned|degraded")
    if bad:
        stage.complain(f"a worker was lost: {bad[0].string}")
    check_connections(stage)
