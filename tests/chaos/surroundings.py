# SPDX-License-Identifier: MIT
"""surroundings - a machine that fails: no descriptors, no disk, no processes, no CPU, another
clock, another PID. As actions.py; and the servers that are born into such places.
"""

import glob
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import threading
import time

import actions
import stage as theater
from load import now_ns
from stage import Skip, daemon

UNPRIVILEGED = 61234  # a user that nobody is: its processes are ours alone
PROBE = "/sync/wait/999999999?ms=0"  # none of the witness's requests
AS_NOBODY = ("setpriv", f"--reuid={UNPRIVILEGED}", f"--regid={UNPRIVILEGED}", "--clear-groups")


# ---- servers ----

def quiet_sanitizer(env=os.environ):
    """A fault that is asked for is no finding."""
    return {"ASAN_OPTIONS": env.get("ASAN_OPTIONS", os.environ.get("ASAN_OPTIONS", ""))
            + ":handle_segv=0:handle_abort=0"}


def plain_server(stage, text, home):
    return daemon.Daemon(text, home, env=quiet_sanitizer())


def server_with_own_plugin(stage, text, home):
    shutil.copy(theater.HERE / "drudge.so", home)
    return plain_server(stage, text, home)


def server_by_a_link(stage, text, home):
    """Its binary is what a name in its directory stands for."""
    (home / "remuda").symlink_to(daemon.REMUDA)
    return daemon.Daemon(text, home, wrapper=[home / "remuda"], env=quiet_sanitizer())


def wrapped_server(*wrapper):
    def make(stage, text, home):
        words = [str(word).replace("@DIR@", str(home)) for word in wrapper]
        return daemon.Daemon(text, home, wrapper=[*words, daemon.REMUDA],
                             env=quiet_sanitizer())
    return make


def need_root():
    if os.geteuid() != 0:
        raise Skip("needs root")


def need_tool(name):
    if shutil.which(name) is None:
        raise Skip(f"{name} is not installed")


def need_no_sanitizer(why):
    if daemon.sanitized():
        raise Skip(f"with sanitizers {why}")


# ---- descriptors ----

def cpu_seconds(pids):
    """User and system time of these processes so far."""
    ticks = 0
    for pid in pids:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def crowd(stage, _):
    """500 clients that a server with 64 descriptors cannot have; then they leave."""
    host, port = stage.server.address.rsplit(":", 1)
    pids = [stage.server.pid, *stage.server.workers()]
    crowd_of = []
    for _ in range(500):
        sock = socket.socket()
        sock.setblocking(False)
        sock.connect_ex((host, int(port)))
        crowd_of.append(sock)
    stage.server.log.wait("cannot accept", 10)
    mark, before, begun = stage.server.log.mark(), cpu_seconds(pids), time.monotonic()
    time.sleep(8 if stage.is_long else 3)
    stage.marks["cpu"] = (cpu_seconds(pids) - before) / (time.monotonic() - begun)
    stage.marks["lines"] = len(stage.server.log.lines) - mark
    for sock in crowd_of:
        sock.close()
    begun = time.monotonic()
    assert stage.server.get(PROBE).status == 200
    stage.marks["recovery_s"] = time.monotonic() - begun


def check_crowd(stage):
    stage.note(f"CPU {stage.marks['cpu']:.1%}, recovery {stage.marks['recovery_s']:.3f} s, "
               f"{stage.marks['lines']} lines")
    if stage.marks["cpu"] > 0.1 and not daemon.sanitized():
        stage.complain(f"it took {stage.marks['cpu']:.0%} of a CPU")
    if stage.marks["recovery_s"] > daemon.patience(1) / 2:
        stage.complain(f"recovery took {stage.marks['recovery_s']:.2f} s")
    if stage.marks["lines"] > stage.workers:
        stage.complain(f"{stage.marks['lines']} lines while it lasted")
    actions.check_connections(stage)


# ---- logs ----

def small_disk_server(stage, text, home):
    """A file system of a few KiB for its access log, which no other process sees."""
    (home / "small").mkdir()
    size = "64k" if not daemon.sanitized() else "12k"
    script = f'mount -t tmpfs -o size={size} none "$0/small" && exec "$@"'
    return daemon.Daemon(text, home, env=quiet_sanitizer(),
                         wrapper=["unshare", "--mount", "sh", "-c", script, home,
                                  daemon.REMUDA])


def piped_server(is_broken):
    """Standard output is a pipe that nobody reads; broken: whose reader has gone."""
    def make(stage, text, home):
        reader, writer = os.pipe()
        one = daemon.Daemon(text, home, fds=[writer], env=quiet_sanitizer(),
                            wrapper=["sh", "-c", f'exec "$0" "$@" >&{writer}', daemon.REMUDA])
        os.close(writer)
        if is_broken:
            os.close(reader)
        else:
            stage.marks["reader"] = reader
        return one
    return make


def relayed_server(stage, text, home):
    """Standard error goes through a relay, which an action will kill."""
    relay = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    fd = relay.stdin.fileno()
    one = daemon.Daemon(text, home, fds=[fd], env=quiet_sanitizer(),
                        wrapper=["sh", "-c", f'exec "$0" "$@" 2>&{fd}', daemon.REMUDA])
    relay.stdin.close()
    one.log.thread.join(10)
    one.log = daemon.Log(relay.stdout, home / "stderr")
    stage.marks["relay"] = relay
    return one


def change_unheard(stage):
    """A reload and a worker more, while no line can be read: the scoreboard says that it took."""
    for number, want in ((signal.SIGHUP, stage.workers), (signal.SIGTTIN, stage.workers + 1)):
        before = {w["pid"] for w in stage.look()}
        stage.server.process.send_signal(number)
        daemon.wait_until(lambda: {w["pid"] for w in stage.look()} - before, 20, "new workers")
        daemon.wait_until(lambda: len(stage.look()) == want, 20, f"{want} workers")


def lose_error_log(stage, _):
    relay = stage.marks["relay"]
    relay.kill()
    relay.wait()
    change_unheard(stage)


def stall_error_log(stage, _):
    """Its reader stands still until the pipe is more than full."""
    relay, mark = stage.marks["relay"], stage.server.log.mark()
    stage.freeze(relay.pid)
    for _ in range(4000):
        stage.server.process.send_signal(signal.SIGUSR1)  # a line each
        time.sleep(0.0005)
    change_unheard(stage)
    relay.send_signal(signal.SIGCONT)
    stage.server.log.wait("logs reopened", 10, start=mark)
    actions.reload(stage)
    stage.server.log.wait(r"lines lost: \d+", 10, start=mark)


def check_dropped_lines(stage):
    if not stage.server.log.matches(r"access log"):
        stage.complain("nothing says that lines of the access log are lost")


# ---- time ----

def faketime():
    found = glob.glob("/usr/lib/*/faketime/libfaketime.so.1")
    if not found:
        raise Skip("libfaketime is not installed")
    return found[0]


def need_faketime():
    need_no_sanitizer("another library cannot be loaded first")
    faketime()


def server_of_another_time(stage, text, home):
    """Its wall clock follows a file; the monotonic one stays real, as when somebody sets the
    clock of a machine."""
    (home / "clock").write_text("+0s\n")
    return daemon.Daemon(text, home, env={
        "LD_PRELOAD": faketime(), "FAKETIME_TIMESTAMP_FILE": str(home / "clock"),
        "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"})


def jump(stage, number):
    """An hour on, a day back, and home."""
    text = ("+3600s", "-86400s", "+0s")[number % 3]
    (stage.server.directory / "clock").write_text(text + "\n")
    time.sleep(1.2)  # each second the workers look at the clock
    actions.reload(stage)


# ---- CPU ----

def starve(stage, _):
    """Master and workers run 5 of each 50 ms; heartbeat_timeout is 1 s."""
    stop = threading.Event()
    log = stage.server.log

    def cycle():
        while not stop.is_set():
            pids = [stage.server.pid, *stage.server.workers()]
            for number, seconds in ((signal.SIGSTOP, 0.045), (signal.SIGCONT, 0.005)):
                for pid in pids:
                    try:
                        os.kill(pid, number)
                    except ProcessLookupError:
                        pass
                time.sleep(seconds)

    thread = threading.Thread(target=cycle)
    thread.start()
    time.sleep(10 if stage.is_long else 3)
    stop.set()
    thread.join()
    stage.marks["starved"] = log.mark()


# ---- processes ----

def server_of_nobody(stage, text, home):
    """As a user of its own, so that the number of its processes can be limited."""
    own, env = daemon.lend(home, theater.HERE / "drudge.so")
    os.chown(home, UNPRIVILEGED, UNPRIVILEGED)
    return daemon.Daemon(text.replace(str(theater.HERE / "drudge.so"), str(home / "drudge.so")),
                         home, env={**env, **quiet_sanitizer(env)}, wrapper=[*AS_NOBODY, own],
                         binary=own)


def no_more_processes(stage, _):
    """One worker more cannot be started, nor can a generation; then they can again."""
    log = stage.server.log

    limits = pathlib.Path(f"/proc/{stage.server.pid}/limits").read_text()
    hard = re.search(r"Max processes +\S+ +(\S+)", limits)[1]

    def limit(soft):
        """By the same user: that needs no capability."""
        subprocess.run([*AS_NOBODY, "prlimit", f"--pid={stage.server.pid}",
                        f"--nproc={soft}:{hard}"], check=True)

    mark = log.mark()
    limit(1)
    stage.server.process.send_signal(signal.SIGTTIN)
    log.wait("cannot start a worker: Resource temporarily unavailable", 10, start=mark)
    stage.server.process.send_signal(signal.SIGHUP)
    line = log.wait("reload (done|refused): (.*)", 20, start=mark)
    if line[1] != "refused" or "Resource temporarily unavailable" not in line[2]:
        stage.complain(f"without a process to be had: {line.string}")
    if len(stage.look()) != stage.workers:
        stage.complain(f"{len(stage.look())} workers serve, not {stage.workers}")
    limit(hard)
    stage.wait_serving(stage.workers + 1, 30)


class PidOne(daemon.Daemon):
    """A remuda that is PID 1 of a namespace of its own. Its log names the pids in there."""

    @property
    def pid(self):
        """Ours for it: the only child of unshare."""
        if not hasattr(self, "inner"):
            daemon.wait_until(lambda: daemon.children_of(self.process.pid), 10, "a child")
            self.inner = daemon.children_of(self.process.pid)[0]
        return self.inner

    def send_signal(self, number):
        self.workers()
        os.kill(self.pid, number)

    def leftovers(self):
        return [pid for pid in self.seen if daemon.is_ours(pid)]

    def clean_up(self):
        if self.process.poll() is None:
            self.workers()
            os.kill(self.pid, signal.SIGKILL)  # and with PID 1 all of its namespace
            self.process.wait()


def server_as_pid_one(stage, text, home):
    """/proc shows other numbers than its own, with which a search for leaks cannot do."""
    env = quiet_sanitizer()
    env["ASAN_OPTIONS"] += ":detect_leaks=0"
    return PidOne(text, home, env=env,
                  wrapper=["unshare", "--pid", "--fork", daemon.REMUDA])


def need_namespaces():
    need_tool("unshare")
    if subprocess.run(["unshare", "--pid", "--fork", "true"], stderr=subprocess.DEVNULL,
                      check=False).returncode != 0:
        raise Skip("PID namespaces are not allowed here")


def orphans(stage, _):
    """Fifty processes whose parents end before them: PID 1 has to wait for each."""
    daemon.wait_until(lambda: len(daemon.children_of(stage.server.pid)) == stage.workers, 30,
                      "the end of the old generation")
    mark = stage.server.log.mark()
    script = "i=0; while [ $i -lt 50 ]; do (sleep 0.0$((i % 10)) &); i=$((i+1)); done"
    subprocess.run(["nsenter", f"--target={stage.server.pid}", "--pid", "sh", "-c", script],
                   check=True)
    time.sleep(0.3)
    daemon.wait_until(lambda: not theater.zombies_of(stage.server.pid), 10, "no zombie")
    if len(daemon.children_of(stage.server.pid)) != stage.workers:
        stage.complain(f"children: {daemon.children_of(stage.server.pid)}")
    said = [line for line in stage.server.log.lines[mark:]
            if not re.search(r"left: drained|its loop is blocked|stack:", line)]
    if said:
        stage.complain(f"orphans are not reaped quietly: {said[:3]}")
    actions.reload(stage)
    stage.marks["at"] = now_ns()
