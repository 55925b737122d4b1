#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""handoff_kills - workers are killed at random while connections move between them.

    handoff_kills.py [--full] [--shape CLASS.WxT] [--seed N]

Which connections may fail is known exactly, from outside: a victim is stopped, the sockets in
its descriptor table are noted, then it is killed. A stop and a kill leave it no instruction
in between, so this is a SIGKILL at a random instant. What stands in its table alone dies with
it; what was on its way to it lies in its inbox, which is not its own, and must be answered by
another; a socket that it had sent but not closed yet may live as well. So:

  - no connection fails that was not in the table of a victim;
  - every request that was not lost in this way is answered, once, and correctly;
  - no request is executed twice, a lost one neither; the access log has it once;
  - idle again: every load is 0, every `sent` equal to its `seen`;
  - no descriptor is lost, in the master nor in any worker;
  - no worker has made an epoll set more than once.

A fifth of the kills comes without the stop. Between the look at the table and the kill a
connection may come, so then some may fail that were not in it, but no idle one that was last
answered by another worker: an idle connection does not move. Some kills take two workers at
once, one of them the heir of the other's inbox.
"""

import argparse
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

import errands  # noqa: E402
import loads  # noqa: E402
from loads import daemon  # noqa: E402

HERE = daemon.BUILD / "tests" / "chaos"
SERVING = 3  # BOARD_SERVING
LATE_S = 1.0  # after a kill without a stop
QUIET_S = 60  # until everything is answered

# class, workers, threads, clients, what a handler sleeps
SHAPES = {
    "thread.5x8": ("thread", 5, 8, 60, (1, 2, 5, 40)),
    "event.5x8": ("event", 5, 8, 60, (1, 2, 5, 40)),
    "thread.8x1": ("thread", 8, 1, 20, (1, 2, 5, 10)),
    "event.8x1": ("event", 8, 1, 20, (1, 2, 5, 10)),
    "event.2x4": ("event", 2, 4, 16, (1, 2, 5, 20)),
}

INI = """
[server]
listen = 127.0.0.1:0
class = @CLASS@
workers = @WORKERS@
threads = @THREADS@

[log]
access = @DIR@/access.log
access_format = "%r %s"

[plugin errand]
path = @CHAOS@/errand.so
journal = @DIR@/journal
"""


def kinds(pid):
    """How many descriptors of each kind: {"socket": 12, ...}."""
    return collections.Counter(re.sub(r"\[\d+\]|:\d+$|(?<=/)\d+(?=/)", "", link)
                               for _, link in daemon.links(pid))


def is_stopped(pid):
    """All of its threads."""
    for task in os.listdir(f"/proc/{pid}/task"):
        stat = pathlib.Path(f"/proc/{pid}/task/{task}/stat").read_text()
        if stat.rpartition(")")[2].split()[0] != "T":
            return False
    return True


class Run:
    def __init__(self, options, shape):
        klass, self.workers, threads, clients, sleeps_ms = SHAPES[shape]
        self.options = options
        self.rng = random.Random(options.seed)
        home = pathlib.Path(tempfile.mkdtemp(prefix="remuda-kills-"))
        ini = daemon.fill(INI, home, CLASS=klass, WORKERS=self.workers, THREADS=threads,
                          CHAOS=HERE)
        asan = os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"
        self.server = daemon.Daemon(ini, home, env={
            "LD_PRELOAD": str(HERE / "epolls.so"), "EPOLLS": str(home / "epolls"),
            "ASAN_OPTIONS": asan})
        self.complaints, self.killed, self.plain_kills, self.pairs = [], set(), 0, 0
        self.lost, self.lost_idle, self.late = set(), 0, 0
        self.doomed, self.last_plain = 0, -LATE_S
        self.deck = []
        self.board = self.crew = None
        self.clients, self.sleeps_ms = clients, sleeps_ms
        self.born = self.workers  # in all
        self.unneeded = 0  # so many of these at most are not: a reload came before them

    def complain(self, text):
        self.complaints.append(text)

    # ---- what may end ----

    def on_loss(self, client):
        numbers = [due[0] for due in client.due]
        self.lost.update(numbers)
        self.lost_idle += not numbers
        if client.doomed is not None:
            return
        is_late = time.monotonic() < self.last_plain + LATE_S
        if is_late and (numbers or client.server in (None, *self.killed)):
            self.late += 1
            return
        self.complain(f"connection {client.port} ended, was with no victim; requests {numbers}")

    def doom(self, pid):
        ports = daemon.client_ports(pid, self.crew.address[1])
        for client in self.crew.clients:
            if client.port in ports:
                client.doomed = self.crew.numbers + 1
                self.doomed += 1

    def draw(self, kinds):
        """In random order, but each once before one comes again."""
        if not self.deck:
            kinds = list(kinds)
            self.deck = self.rng.sample(kinds, len(kinds))
        return self.deck.pop()

    def choose(self, alive, is_pair):
        """One victim, or two: then one is the first that serves, who inherits."""
        victims = [self.rng.choice(alive)]
        if is_pair:
            heir = min((w for w in alive if w is not victims[0]), key=lambda w: w["index"])
            victims.append(heir)
            self.pairs += 1
        return [worker["pid"] for worker in victims]

    def kill(self, pids, is_plain):
        for pid in pids:
            if not is_plain:
                os.kill(pid, signal.SIGSTOP)
        for pid in pids:
            if not is_plain:
                daemon.wait_until(lambda: is_stopped(pid), 5, "a stop")
            self.doom(pid)
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        self.killed.update(pids)
        self.born += len(pids)
        if is_plain:
            self.plain_kills += 1
            self.last_plain = time.monotonic()

    def disturb(self, alive):
        kind = self.draw(("pair", "plain", "stopped", "stopped", "stopped"))
        self.kill(self.choose(alive, kind == "pair" and len(alive) > 2), kind == "plain")

    def missing(self):
        """The disturbances without which a run has shown nothing."""
        had = {"five kills": len(self.killed) >= 5, "a pair": self.pairs or self.workers == 2,
               "a kill without a stop": self.plain_kills}
        return [what for what, is_had in had.items() if not is_had]

    # ---- the run ----

    def storm(self, moves, gap):
        """Until so many hand-offs, and every disturbance that there must be; one about every
        `gap`, when all serve again and have answered: one that dies before is started anew
        after a delay only."""
        next_kill, end = gap, time.monotonic() + self.options.seconds
        while True:
            until = time.monotonic() + 0.01
            while time.monotonic() < until:
                self.crew.turn(0.005)
            sent = self.board.ask("totals")["sent"]
            alive = [w for w in self.board.ask("look")["workers"] if w["state"] == SERVING
                     and w["answered"] > 0 and w["pid"] not in self.killed]
            if len(alive) == self.workers and sent >= next_kill:
                self.disturb(alive)
                next_kill = sent + self.rng.randint(gap // 2, gap + gap // 2)
            if self.complaints or (sent >= moves and not self.missing()):
                return sent
            if time.monotonic() > end:
                self.complain(f"only {sent} hand-offs in {self.options.seconds} s; never "
                              f"happened: {self.missing()}")
                return sent

    def settle(self):
        """No new requests; then one more on every connection: whoever lives must answer."""
        self.crew.is_asking = False
        for is_last in (False, True):
            if is_last:
                self.crew.ask_once_more()
            end = time.monotonic() + daemon.patience(QUIET_S)
            while self.crew.waiting() and time.monotonic() < end:
                self.crew.turn(0.05)
            for client in self.crew.waiting():
                self.complain(f"connection {client.port}: no answer to {client.due}")

    def check_idle(self):
        def is_level():
            workers = self.board.ask("look")["workers"]
            return len(workers) == self.workers and self.board.ask("audit")["idle"]

        try:
            daemon.wait_until(is_level, 5)
        except AssertionError:
            self.complain(f"not level when idle: {self.board.ask('look')}, "
                          f"{self.board.ask('audit')}")

    def check_descriptors(self, baseline):
        """`baseline`: the master's, and a worker's, when they were new."""
        def differences():
            found = []
            for pid in (self.server.pid, *self.server.workers()):
                want = baseline[0] if pid == self.server.pid else baseline[1]
                have = kinds(pid)
                if have != want:
                    found.append(f"process {pid}: too many {dict(have - want)}, too few "
                                 f"{dict(want - have)}")
            return found

        try:
            daemon.wait_until(lambda: not differences(), 5)
        except AssertionError:
            self.complaints += differences()

    def check_epolls(self):
        """The master may meet a channel that a child, just forked, has not closed yet."""
        lines = (self.server.directory / "epolls").read_text().split()
        again = {pid: n for pid, n in collections.Counter(lines).items()
                 if n != 1 and int(pid) != self.server.pid}
        made = len(set(lines)) - 1
        if again or not self.born - self.unneeded <= made <= self.born:
            self.complain(f"{made} workers of {self.born} made epoll sets; more than one: {again}")

    def check_journal(self):
        done = collections.Counter((self.server.directory / "journal").read_text().split())
        twice = [number for number, times in done.items() if times > 1]
        if twice:
            self.complain(f"executed more than once: {twice[:10]}")
        missing = [n for n in self.crew.answered if str(n) not in done]
        if missing:
            self.complain(f"answered but not executed: {missing[:10]}")

    def check_access_log(self):
        logged = collections.Counter()
        for line in self.server.access_log():
            match = re.search(r"/errand/(\d+)\?ms=\d+ HTTP/1.1\"? (\d+)", line)
            if match and match[2] == "200":
                logged[int(match[1])] += 1
        wrong = [(n, logged[n]) for n in self.crew.answered if logged[n] != 1]
        if wrong:
            self.complain(f"lines of answered requests (number, lines): {wrong[:10]}")

    def judge(self, baseline):
        self.settle()
        self.check_idle()
        self.crew.close()
        self.check_descriptors(baseline)
        if self.late > len(self.crew.clients) // 4 * self.plain_kills:
            self.complain(f"{self.late} connections that were with no victim ended at "
                          f"{self.plain_kills} kills without a stop")
        if self.server.stop() != 0:
            self.complain(f"TERM ended it with {self.server.exit_status}")
        self.check_epolls()
        self.check_journal()
        self.check_access_log()

    def run(self, moves, gap):
        self.server.wait_ready()
        self.board = loads.Watcher(self.server.pid)
        workers = self.server.workers()
        baseline = (kinds(self.server.pid), kinds(workers[0]))
        self.crew = errands.Crew(self.server.address, self.clients, self.rng, self.sleeps_ms,
                                 self.on_loss)
        begun = time.monotonic()
        sent = self.storm(moves, gap)
        seconds = time.monotonic() - begun
        self.judge(baseline)
        crew = self.crew
        print(f"{sent} hand-offs in {seconds:.1f} s, {len(self.killed)} workers gone "
              f"({self.pairs} pairs, {self.plain_kills} without a stop): {len(crew.answered)} "
              f"requests answered, {len(self.lost)} lost with their worker, {self.lost_idle} "
              f"idle connections; of {self.doomed} in a victim's table {crew.spared} live on, "
              f"{self.late} late; {crew.left} left; slowest {crew.slowest:.2f} s", flush=True)

    def clean_up(self):
        self.server.clean_up()
        if self.board:
            self.board.close()


def one(run, shape, moves, gap):
    """True: it is as it should be. What went wrong is printed."""
    print(f"{shape}, seed {run.options.seed}: ", end="", flush=True)
    try:
        run.run(moves, gap)
    except errands.Wrong as error:
        run.complain(str(error))
    finally:
        run.clean_up()
    for complaint in run.complaints:
        print("FAILED:", complaint)
    if run.complaints:
        print(f"kept: {run.server.directory}\n" + "\n".join(run.server.log.lines[-40:]))
    else:
        run.server.remove()
    return not run.complaints


def main(make_run, description, full, short):
    """`full`, `short`: how many hand-offs, and about how many between two disturbances."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--full", action="store_true",
                        help=f"{full[0]:,} hand-offs, about {full[0] // full[1]} disturbances")
    parser.add_argument("--shape", choices=SHAPES, action="append")
    parser.add_argument("--seconds", type=float, default=0, help="at most so long")
    parser.add_argument("--seed", type=int, default=int(time.time()) % 1000000)
    options = parser.parse_args()
    options.seconds = options.seconds or (900 if options.full else 120)
    good = [one(make_run(options, shape), shape, *(full if options.full else short))
            for shape in options.shape or SHAPES]
    sys.exit(0 if all(good) else 1)


if __name__ == "__main__":
    main(Run, __doc__.splitlines()[0], (10000, 100), (300, 30))
