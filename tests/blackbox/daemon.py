# SPDX-License-Identifier: MIT
"""daemon - one remuda under test: its directory, its log, its processes, its end.

Nothing here sleeps to let something happen: every wait names what it waits for and gives
up at a deadline. Only processes that were started here are ever signalled.
"""

import functools
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time

import wire

SOURCE = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("REMUDA_BUILD", SOURCE / "build" / "release")).resolve()
REMUDA = BUILD / "remuda"
PLUGINS = BUILD / "plugins"
TEST_PLUGINS = BUILD / "tests" / "plugins"

LISTENING = r"listening on (\S+)"
READY = r"ready: (\d+) workers? x (\d+) threads? = (\d+) slots?"
WORKER_READY = r"worker (\d+) \(pid (\d+), generation (\d+)\) ready"
OBITUARY = r"worker (\d+) \(pid (\d+), generation (\d+)\) died: "


def sanitized():
    """The sanitizers of the build, or ""; ctest says it, else the build's cache does."""
    return os.environ.get("REMUDA_SANITIZE", cached("REMUDA_SANITIZE"))


@functools.lru_cache(maxsize=None)
def cached(name):
    """A variable of the build's CMakeCache.txt, or ""."""
    cache = BUILD / "CMakeCache.txt"
    text = cache.read_text() if cache.exists() else ""
    match = re.search(rf"^{re.escape(name)}:\w+=(.*)$", text, re.M)
    return match[1] if match else ""


def patience(seconds):
    """A deadline for something that should be quick; longer where the build is slow."""
    return seconds * (5 if sanitized() else 2)


def is_crowded():
    """Others keep the machine busy: twice as many want to run as there are processors."""
    return os.getloadavg()[0] > 2 * len(os.sched_getaffinity(0))


class TimedOut(AssertionError):
    """It did not come in time: a busy machine may be the cause."""


def wait_until(predicate, timeout=10.0, what="the condition"):
    """Poll until predicate() is true; its value is returned."""
    end = time.monotonic() + patience(timeout)
    while True:
        value = predicate()
        if value:
            return value
        if time.monotonic() > end:
            raise TimedOut(f"{what}: not within {patience(timeout)} s")
        time.sleep(0.005)


def is_ours(pid, binary=REMUDA):
    """Does this process run the binary under test? A zombie does not."""
    try:
        return os.readlink(f"/proc/{pid}/exe").removesuffix(" (deleted)") == str(binary)
    except OSError:
        return False


def children_of(pid):
    """The live child processes of pid."""
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            stat = pathlib.Path(f"/proc/{entry}/stat").read_text()
        except OSError:
            continue
        state, parent = stat.rpartition(")")[2].split()[:2]
        if int(parent) == pid and state != "Z":
            found.append(int(entry))
    return found


class Log:
    """The lines of a pipe, read by a thread, kept in memory and in a file."""

    def __init__(self, pipe, path):
        self.lines = []
        self.read_ns = []  # when each was read, on the monotonic clock
        self.changed = threading.Condition()
        self.ended = False
        self.thread = threading.Thread(target=self._read, args=(pipe, path), daemon=True)
        self.thread.start()

    def _read(self, pipe, path):
        with open(path, "ab", buffering=0) as copy:
            for raw in iter(pipe.readline, b""):
                copy.write(raw)
                with self.changed:
                    self.read_ns.append(time.monotonic_ns())
                    self.lines.append(raw.decode("utf-8", "replace").rstrip("\n"))
                    self.changed.notify_all()
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def mark(self):
        """A place to start waiting from."""
        return len(self.lines)

    def matches(self, pattern, start=0):
        return [m for m in (re.search(pattern, line) for line in self.lines[start:]) if m]

    def wait(self, pattern, timeout=10.0, start=0, count=1):
        """Wait for the count-th line that matches; returns that match."""
        end, found = time.monotonic() + patience(timeout), []
        with self.changed:
            while True:
                found += self.matches(pattern, start)
                start = len(self.lines)
                if len(found) >= count:
                    return found[count - 1]
                left = end - time.monotonic()
                if left <= 0 or self.ended:
                    raise (AssertionError if self.ended else TimedOut)(
                        f"no log line {pattern!r} x {count}"
                        f" ({'the log ended' if self.ended else 'timed out'}); last lines:\n"
                        + "\n".join(self.lines[-15:]))
                self.changed.wait(left)

    def text(self):
        return "\n".join(self.lines)


class Daemon:
    """A running remuda. Made by the `server` fixture, which also ends it."""

    def __init__(self, ini, directory=None, args=(), env=None, fds=(), wrapper=None,
                 binary=REMUDA):
        """`binary`: the remuda, or a copy of it. `wrapper`: what is executed before the
        arguments; it ends in that binary."""
        self.directory = pathlib.Path(directory or tempfile.mkdtemp(prefix="remuda-test-"))
        self.ini = self.directory / "remuda.ini"
        if ini is not None:
            self.write_ini(ini)
            args = ("-c", str(self.ini), *args)
        self.seen = set()
        self.binary = binary
        self.exit_status = None
        self.process = subprocess.Popen(
            [*map(str, wrapper or (binary,)), *args],
            stdin=subprocess.DEVNULL, stdout=open(self.directory / "stdout", "ab"),
            stderr=subprocess.PIPE, cwd=self.directory, pass_fds=fds,
            env=environment({"RUNTIME_DIRECTORY": str(self.directory), **(env or {})}))
        self.log = Log(self.process.stderr, self.directory / "stderr")

    @property
    def pid(self):
        return self.process.pid

    def write_ini(self, ini):
        """Write the config with its @NAMES@ filled in; a later HUP reads it."""
        self.ini.write_text(fill(ini, self.directory))

    def wait_ready(self, timeout=20.0):
        self.log.wait(READY, timeout)
        return self

    @property
    def addresses(self):
        return [m[1] for m in self.log.matches(LISTENING)]

    @property
    def address(self):
        return self.addresses[0]

    @property
    def url(self):
        return f"http://{self.address}"

    def connect(self, timeout=20.0, receive_buffer=None):
        return wire.Connection(self.address, patience(timeout), receive_buffer)

    def get(self, target, fields=()):
        """One GET on a connection of its own."""
        with self.connect() as connection:
            return connection.get(target, fields)

    def post(self, target, body, fields=()):
        with self.connect() as connection:
            return connection.ask("POST", target, body, fields)

    def workers(self):
        """The pids of the processes that serve now."""
        pids = sorted(p for p in children_of(self.pid) if is_ours(p, self.binary))
        self.seen.update(pids)
        return pids

    def send_signal(self, number):
        self.workers()
        self.process.send_signal(number)

    def kill_worker(self, pid, number=signal.SIGKILL):
        assert pid in self.workers(), f"{pid} is not a worker of ours"
        os.kill(pid, number)

    def wait_exit(self, timeout=30.0):
        self.exit_status = self.process.wait(patience(timeout))
        self.log.thread.join(patience(5))
        return self.exit_status

    def stop(self, number=signal.SIGTERM, timeout=30.0):
        """Signal the master, wait for its end; the exit status."""
        self.send_signal(number)
        return self.wait_exit(timeout)

    def leftovers(self):
        """Processes of this daemon that outlive its master."""
        pids = self.seen | {int(m[2]) for m in self.log.matches(WORKER_READY)}
        return [pid for pid in pids if is_ours(pid, self.binary)]

    def clean_up(self):
        """Whatever happened: nothing we started stays."""
        if self.process.poll() is None:
            self.workers()
            self.process.kill()
            self.process.wait()
        for pid in self.leftovers():
            os.kill(pid, signal.SIGKILL)

    def access_log(self, name="access.log"):
        path = self.directory / name
        return path.read_text().splitlines() if path.exists() else []

    def report(self):
        return (f"directory kept: {self.directory}\n--- remuda.ini\n"
                + (self.ini.read_text() if self.ini.exists() else "(none)")
                + "\n--- log\n" + self.log.text())

    def remove(self):
        shutil.rmtree(self.directory, ignore_errors=True)


def environment(more):
    """Ours and `more`. ThreadSanitizer turns a fault into exit status 66, which means
    something here: let the process die of its signal, as it does without it."""
    mixed = {**os.environ, **(more or {})}
    mixed["TSAN_OPTIONS"] = (mixed.get("TSAN_OPTIONS", "")
                             + ":handle_segv=0:handle_sigbus=0:handle_sigfpe=0")
    return mixed


def lend(directory, *files):
    """The binary and these files, copied for another user, who may not look where they were
    built (a clone in /root): its path, and the environment that goes with it."""
    for file in (REMUDA, *files):
        shutil.copy(file, directory)
    lent = {}
    for name in ("ASAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS"):
        for path in re.findall(r"suppressions=(/[^:]+)", os.environ.get(name, "")):
            shutil.copy(path, directory)
            lent[name] = os.environ[name].replace(path, str(directory / pathlib.Path(path).name))
    return directory / "remuda", lent


def fill(text, directory, **more):
    """Replace @DIR@, @CLASS@, @PLUGINS@, @TEST_PLUGINS@ and what else is given."""
    names = {"DIR": directory, "CLASS": os.environ.get("REMUDA_CLASS", "event"),
             "PLUGINS": PLUGINS, "TEST_PLUGINS": TEST_PLUGINS, **more}
    for name, value in names.items():
        text = text.replace(f"@{name}@", str(value))
    return text


def run(*args, timeout=30.0, env=None, cwd=None, check_code=None):
    """Run a remuda command to its end; the finished process, output as text."""
    done = subprocess.run([str(REMUDA), *map(str, args)], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=cwd,
                          timeout=patience(timeout), env=environment(env))
    if check_code is not None:
        assert done.returncode == check_code, (done.returncode, done.stdout, done.stderr)
    return done


def status_number(pid, field):
    """A number of /proc/PID/status; of a size the KiB."""
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(rf"^{field}:\s+(\d+)", text, re.M)[1])


def memory_kib(pid):
    """What is resident."""
    return status_number(pid, "VmRSS")


def thread_count(pid):
    return len(os.listdir(f"/proc/{pid}/task"))


def descriptor_count(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def links(pid):
    """(number, what it is) of each descriptor."""
    found = []
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            found.append((int(fd), os.readlink(f"/proc/{pid}/fd/{fd}")))
        except OSError:
            pass
    return found


def client_ports(pid, server_port):
    """The clients' ports of the connections in this process's descriptor table."""
    inodes = {link[len("socket:["):-1] for _, link in links(pid) if link.startswith("socket:[")}
    ports = set()
    for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]:
        words = line.split()
        if words[9] in inodes and int(words[1].split(":")[1], 16) == server_port:
            ports.add(int(words[2].split(":")[1], 16))
    return ports
