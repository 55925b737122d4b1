# SPDX-License-Identifier: MIT
"""stage - one scenario under load: server, witness, actions in turn, verdict.

Actions are spread evenly over the load. Each is a function that acts and returns when what it
did has taken, so none can be swallowed by the next; while one takes long, the load goes on.
"""

import collections
import os
import pathlib
import random
import re
import signal
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "bench"))
sys.dont_write_bytecode = True

import loads  # noqa: E402
from loads import daemon  # noqa: E402

import load  # noqa: E402

HERE = daemon.BUILD / "tests" / "chaos"
SERVING = 3  # BOARD_SERVING
SLOWER = 5   # a build with sanitizers

# A machine that stood still for seconds lets a crowd in at once: no reason for a 503 here.
INI = """
[server]
listen = 127.0.0.1:0
class = @CLASS@
workers = @WORKERS@
threads = @THREADS@
@SERVER@
[worker]
@WORKER@
[limits]
queue_limit = 100000
queue_timeout = 1m
head_timeout = 10m
@LIMITS@
[log]
access = @ACCESS@
access_format = "%r %s %P"
@LOG@
[plugin drudge]
path = @PLUGIN@
@OPTIONS@
"""

BAD_LINES = re.compile(r"Sanitizer|runtime error|CHECK|an event that cannot happen|SUMMARY:|"
                       r"WARNING: Thread|none of ours|could not be received")
EXECUTED = re.compile(r"/(?:wait|stream|echo|leak|block|spin|crash)/(\d+)\S* HTTP/1\.1\"? "
                      r"(\d+) (\d+)")


class Skip(Exception):
    """This machine, user or build cannot show it; the reason."""


class Failure:
    """A request that failed, with attributes instead of keys."""

    def __init__(self, said):
        self.__dict__.update(said)

    def __str__(self):
        return (f"request {self.id} ({self.group}, {self.mode} {self.kind} {self.ms} ms"
                f"{', split' if self.is_split else ''}{', piped' if self.is_piped else ''}): "
                f"{self.outcome} {self.why or ''} status {self.status} errno {self.errno}; "
                f"port {self.port}, number {self.nth} on it, held by {self.held_by}; due "
                f"{self.due_ns}, begun {ms(self.begun_ns, self.due_ns)}, sent "
                f"{ms(self.sent_ns, self.due_ns)}, ended {ms(self.ended_ns, self.due_ns)}")


def ms(at_ns, since_ns):
    return "never" if at_ns == 0 else f"{(at_ns - since_ns) / 1e6:+.1f} ms"


def is_stopped(pid):
    """All of its threads."""
    for task in os.listdir(f"/proc/{pid}/task"):
        stat = pathlib.Path(f"/proc/{pid}/task/{task}/stat").read_text()
        if stat.rpartition(")")[2].split()[0] != "T":
            return False
    return True


class Stage:
    """What an action is given."""

    threads = 8
    LOST = 0  # no pid: a holder that the master does not know

    def __init__(self, scenario, klass, seed, is_long):
        self.scenario, self.klass, self.seed, self.is_long = scenario, klass, seed, is_long
        self.rng = random.Random(seed)
        self.workers = scenario.config.get("WORKERS", 2)
        self.life = 500 // (SLOWER if daemon.sanitized() else 1)  # requests
        self.complaints, self.notes = [], []
        self.marks = {}          # what actions remember for the verdict
        self.settings = {"SERVER": "", "WORKER": "", "LIMITS": "", "LOG": "", "OPTIONS": "",
                         "ACCESS": "@DIR@/access.log", "PLUGIN": HERE / "drudge.so",
                         "WORKERS": self.workers, "THREADS": self.threads,
                         "LIFE": self.life, **scenario.config}
        self.server = self.board = self.witness = self.result = self.held = None
        self.generation = 1
        self.ended = None        # exit status, where an action ends the server

    def complain(self, text):
        self.complaints.append(text)

    def note(self, text):
        self.notes.append(text)

    # ---- the server ----

    def render(self, home, changes):
        text = INI
        for _ in range(2):  # a value may have a name in it
            for name, value in {**self.settings, **changes}.items():
                text = text.replace(f"@{name}@", str(value))
        return daemon.fill(text, home, CLASS=self.klass)

    def write_config(self, **changes):
        """The config file with these changes; without any, as it was at the start."""
        self.server.ini.write_text(self.render(self.server.directory, changes))

    def start_server(self):
        home = pathlib.Path(tempfile.mkdtemp(prefix="remuda-chaos-"))
        self.server = self.scenario.make_server(self, self.render(home, {}), home)
        self.server.wait_ready(60)
        self.board = loads.Watcher(self.server.pid)

    def look(self, state=SERVING):
        """The workers in this state, as the scoreboard has them."""
        return [w for w in self.board.ask("look")["workers"] if w["state"] == state]

    def wait_serving(self, count, timeout=20.0, without=None):
        """Exactly so many serve, all of which have answered a request; that pid does not: its
        obituary is written before its entry is emptied."""
        def is_so():
            serving = self.look()
            return (len(serving) == count and all(w["answered"] > 0 for w in serving)
                    and all(w["pid"] != without for w in serving))

        daemon.wait_until(is_so, timeout, f"{count} workers that serve and have answered")

    def ports_of(self, pid):
        """The clients' ports of the connections that this process holds."""
        return daemon.client_ports(pid, int(self.server.address.rpartition(":")[2]))

    def freeze(self, pid):
        """It executes nothing any more."""
        os.kill(pid, signal.SIGSTOP)
        daemon.wait_until(lambda: is_stopped(pid), 5, "a stop")

    # ---- the load ----

    def start_load(self):
        s = self.scenario
        rate, count = s.rate[self.is_long], s.requests[self.is_long]
        more = dict(s.mix)
        if daemon.sanitized():
            rate, count = rate / SLOWER, count // SLOWER
            more["extra"] = more.get("extra", 0) * SLOWER  # as many of them
        slots = self.workers * self.threads
        self.witness = load.Witness(
            self.server.address, rate, count, self.seed,
            load.mix_of(rate, slots, more), self.server.directory / "requests.tsv",
            timeout_s=daemon.patience(8), keep=s.kept, idle=s.kept, flags=s.flags)
        self.witness.wait_open()
        return count

    def play(self):
        """All actions; then the end of the load."""
        count = self.start_load()
        steps = self.scenario.steps[self.is_long]
        for i in range(steps):
            self.witness.wait_sent((i + 0.5) * count / steps)
            self.scenario.action(self, i)
        self.witness.wait_sent(count)
        self.scenario.before_end(self)
        self.result = self.witness.end()

    # ---- the verdict ----

    def judge_requests(self):
        kinds = collections.Counter()
        for said in self.result.failures:
            failure = Failure(said)
            if self.scenario.allows(self, failure):
                kinds[failure.outcome] += 1
            else:
                self.complain(str(failure))
        if len(self.result.failures) < self.result["failed"]:
            self.complain(f"{self.result['failed']} requests failed")
        self.marks["allowed"] = sum(kinds.values())
        if kinds:
            self.note(f"failed as they may: {dict(kinds)}")
        for said in self.result.drops:
            drop = Failure(said)
            if not self.scenario.allows_drop(self, drop):
                self.complain(f"a kept connection ended: {said}")

    def has_access_log(self):
        return "@DIR@/access.log" in str(self.settings["ACCESS"])

    def read_holders(self):
        """Of each connection with failures, whose ends it has in common, the pids in the lines
        of their requests; LOST where only the master has written one (000)."""
        pids = {}
        if self.has_access_log():
            matches = filter(None, map(EXECUTED.search, self.server.access_log()))
            pids = {int(match[1]): int(match[3]) if match[2] != "000" else self.LOST
                    for match in matches}
        found = collections.defaultdict(set)
        for failure in self.result.failures:
            if failure["id"] in pids:
                found[failure["port"], failure["ended_ns"]].add(pids[failure["id"]])
        return found

    def holders(self, failure):
        """The workers that had the requests which failed together with this one."""
        if self.held is None:
            self.held = self.read_holders()
        return self.held.get((failure.port, failure.ended_ns), set())

    def judge_access_log(self):
        """Each answered request has one line, none has two that say 200."""
        if not self.has_access_log():
            return
        lines = collections.Counter()
        for line in self.server.access_log():
            match = EXECUTED.search(line)
            if match and match[2] == "200":
                lines[int(match[1])] += 1
        twice = [n for n, times in lines.items() if times > 1]
        if twice:
            self.complain(f"executed twice: {twice[:10]}")
        missing = [row["id"] for row in self.result.rows()
                   if row["outcome"] == "ok" and int(row["id"]) not in lines]
        if missing:
            self.complain(f"{len(missing)} answered requests without a line in the access log:"
                          f" {missing[:10]}")

    def judge_server(self):
        """Idle in the end, no zombies; TERM ends it with 0 and leaves nobody behind."""
        if self.server.process.poll() is None:
            self.check_idle()
            zombies = zombies_of(self.server.pid)
            if zombies:
                self.complain(f"zombies: {zombies}")
            self.ended = self.server.stop()
        if self.ended != self.scenario.exit_status:
            self.complain(f"it ended with {self.ended}")
        try:
            daemon.wait_until(lambda: not self.server.leftovers(), 10)
        except AssertionError:
            self.complain(f"processes left: {self.server.leftovers()}")
        bad = [line for line in self.server.log.lines if BAD_LINES.search(line)]
        if bad:
            self.complain("in the log: " + "\n".join(bad[:10]))

    def check_idle(self):
        try:
            daemon.wait_until(lambda: self.board.ask("audit")["idle"], 5)
        except AssertionError:
            self.complain(f"not level when idle: {self.board.ask('audit')}")

    def run(self):
        """True: it is as it should be."""
        self.start_server()
        self.scenario.before(self)
        self.play()
        self.scenario.check(self)
        self.judge_server()
        self.scenario.check_end(self)
        self.judge_requests()
        self.judge_access_log()
        return not self.complaints

    def stood_still_ms(self):
        """The longest time that the machine gave nobody, as the master saw it."""
        if not self.server or self.scenario.stops_master:
            return 0
        return max((int(said[1]) for said in self.server.log.matches(
            r"the master was held up for (\d+) ms")), default=0)

    def clean_up(self):
        if self.witness:
            self.witness.clean_up()
        if self.server:
            self.server.clean_up()
        if self.board:
            try:
                self.board.close()
            except AssertionError:
                pass

    # ---- figures ----

    def excess_ms(self, since_ns, until_ns):
        """What the answers due in this time took longer than their handlers, in order."""
        found = []
        for row in self.result.rows():
            due = int(row["due_ns"])
            if not since_ns <= due < until_ns or row["outcome"] != "ok":
                continue
            if row["kind"] != "stream" and row["is_piped"] == "0":
                found.append((int(row["ended_ns"]) - due) / 1e6 - int(row["ms"]))
        return sorted(found)


def percentile(values, share):
    return values[min(len(values) - 1, int(len(values) * share))] if values else 0.0


def zombies_of(pid):
    """Children of pid that are dead and have not been waited for, for a second."""
    def look():
        found = set()
        for entry in os.listdir("/proc"):
            if not entry.isdigit():
                continue
            try:
                stat = pathlib.Path(f"/proc/{entry}/stat").read_text()
            except OSError:
                continue
            state, parent = stat.rpartition(")")[2].split()[:2]
            if int(parent) == pid and state == "Z":
                found.add(int(entry))
        return found

    found = look()
    end = time.monotonic() + 1
    while found and time.monotonic() < end:
        time.sleep(0.05)
        found &= look()
    return found
