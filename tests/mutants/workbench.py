# SPDX-License-Identifier: MIT
"""workbench - a copy of the tree, its builds, and its tests: clean or with one mutant in it.

Owns:   build/mutants/: tree-N/ (the copies, with build folders of their own) and the logs.
Rule:   what a test starts is in the session of its ctest; at its end all of that is killed.
        Each copy belongs to one thread.
Needs:  cmake, a compiler; no git.
"""
import contextlib
import fcntl
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as xml

SKIPPED = {"build", ".git", ".cache", "__pycache__", ".pytest_cache"}
LAYERS = ("common/", "conf/", "http/", "worker/", "admin/", "cli/", "master/")
LIFE_S = 20        # between two signs of life
LOOK_S = 0.2       # between two looks whether we were interrupted
HELD_S = 10        # longer than that between two looks: we were stopped, or the machine slept
BUILD_S = 1800     # at most
BASE_S = 700       # at most, of a test on the clean tree: more than any ctest has
SPARE_S = 60       # a mutated test may take three times as long and this

given_up = threading.Event()  # set once, at an interruption: all threads are to end
one_line = threading.Lock()


def say(text):
    with one_line:
        print(f"mutants: {text}", flush=True)


class GivenUp(Exception):
    """We were interrupted."""


class Finished:
    """How a command ended, or that it did not in time; what it said; was time lost?"""

    def __init__(self, pid, status, hung, text, was_held=False):
        self.pid, self.status, self.hung, self.text = pid, status, hung, text
        self.was_held = was_held

    def tail(self, count=12):
        return "\n".join(self.text.splitlines()[-count:])


def run(command, log, limit_s, env=None, what=""):
    """Run a command in a session of its own, its output appended to `log`."""
    begun = told = last = time.monotonic()
    was_held = False
    with open(log, "a+b") as output:
        at = output.seek(0, os.SEEK_END)
        child = subprocess.Popen(list(map(str, command)), stdin=subprocess.DEVNULL,
                                 stdout=output, stderr=subprocess.STDOUT, env=env,
                                 start_new_session=True)
        try:
            while child.poll() is None and time.monotonic() - begun < limit_s:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    child.wait(LOOK_S)
                now = time.monotonic()
                was_held, last = was_held or now - last > HELD_S, now
                if what and now - told > LIFE_S:
                    told = now
                    say(f"  ... {what}: {told - begun:.0f} s")
                if given_up.is_set():
                    raise GivenUp
            hung = child.poll() is None
            was_held = was_held or time.monotonic() - last > HELD_S
        finally:
            end_session(child.pid)
            child.wait()
        output.seek(at)
        text = output.read().decode("utf-8", "replace")
        return Finished(child.pid, child.returncode, hung, text, was_held)


def end_session(leader):
    """Kill what is left of a session that we have begun; a mutant may leave orphans."""
    for _ in range(20):
        left = [pid for pid in map(int, filter(str.isdigit, os.listdir("/proc")))
                if is_in_session(pid, leader)]
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if not left:
            return
        time.sleep(0.05)


def is_in_session(pid, leader):
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    state, _, _, session = stat.rpartition(")")[2].split()[:4]
    return int(session) == leader and state != "Z"


def lock(home):
    """The copies are there once, so one run at a time; an open file, or None."""
    home.mkdir(parents=True, exist_ok=True)
    locked = open(home / "lock", "w", encoding="ascii")
    try:
        fcntl.flock(locked, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        locked.close()
        return None
    return locked


class Workbench:
    def __init__(self, source, number=1):
        self.source = pathlib.Path(source)
        self.home = self.source / "build" / "mutants"
        self.number = number
        self.tree = self.home / f"tree-{number}"
        self.built = set()  # presets: without a mutant, in this run

    def log(self, name):
        return self.home / f"{name}.log"

    # ---- the copy ----

    def renew(self):
        """Make the copy equal to the source; what is equal already keeps its time, so that
        little is built anew. Mends what an interrupted run has left."""
        self.tree.mkdir(parents=True, exist_ok=True)
        wanted = set(files_of(self.source))
        for path in wanted:
            here, there = self.source / path, self.tree / path
            if is_equal(here, there):
                continue
            there.parent.mkdir(parents=True, exist_ok=True)
            there.unlink(missing_ok=True)
            shutil.copy(here, there, follow_symlinks=False)
        for path in set(files_of(self.tree)) - wanted:
            (self.tree / path).unlink()

    @contextlib.contextmanager
    def infected(self, mutant):
        """The copy with the mutant in it, for as long as the `with` lasts."""
        texts = mutant.changed(self.tree)
        before = {path: (self.tree / path).read_bytes() for path in texts}
        try:
            for path, text in texts.items():
                (self.tree / path).write_text(text)
            yield
        finally:
            for path, data in before.items():
                (self.tree / path).write_bytes(data)

    # ---- builds ----

    def folder(self, preset):
        return self.tree / "build" / preset

    def build(self, preset, targets, log, what=""):
        """Configure where that was not done yet; build. Warnings are none of our business."""
        folder = self.folder(preset)
        env = dict(os.environ)
        if not is_configured(folder, self.tree):
            shutil.rmtree(folder, ignore_errors=True)
            if shutil.which("ninja"):
                env.setdefault("CMAKE_GENERATOR", "Ninja")
            done = run(["cmake", "-S", self.tree, "--preset", preset, "-DREMUDA_TESTS=ON"],
                       log, BUILD_S, env)
            if done.status != 0:
                return done
        jobs = os.environ.get("CMAKE_BUILD_PARALLEL_LEVEL") or os.cpu_count() or 1
        return run(["cmake", "--build", folder, "--parallel", jobs, "--target", *targets],
                   log, BUILD_S, env, what)

    def targets(self, mutant):
        """The few that its test needs; tests and plugins are built on the clean tree."""
        unit = re.fullmatch(r"unit\\?\.(\w+)", mutant.test)
        if unit:
            return [unit[1]]
        fuzz = re.fullmatch(r"fuzz\\?\.(\w+)", mutant.test)
        if fuzz:
            return ["replay_" + fuzz[1]]
        return ["remuda"] if all(path.startswith(LAYERS) for path in mutant.paths) else ["all"]

    # ---- tests ----

    def test(self, mutant, log, limit_s=BASE_S, what=""):
        """(verdict, seconds): "passed", "failed", "hung", "skipped" or "not there"."""
        folder = self.folder(mutant.preset)
        junit = folder / "mutant.xml"
        command = ["ctest", "--test-dir", folder, "--output-on-failure", "--output-junit", junit,
                   "--no-tests=ignore", "--stop-on-failure", "-R", f"^({mutant.test})$"]
        if mutant.preset == "tsan":  # as ./dev test does
            command = ["setarch", "-R", *command]
        options = f"-x -k {mutant.case}" if mutant.case else "-x"
        while True:
            junit.unlink(missing_ok=True)
            begun = time.monotonic()
            done = run(command, log, limit_s, {**os.environ, "PYTEST_ADDOPTS": options}, what)
            if not done.was_held:
                return verdict(done, junit), time.monotonic() - begun
            say(f"held up for more than {HELD_S} s: {what or mutant.name} is tested again")


def verdict(done, junit):
    if done.hung:
        return "hung"
    if not junit.exists():
        return "failed" if done.status else "not there"
    cases = xml.parse(junit).getroot().findall("testcase")
    if not cases:
        return "not there"
    if any(case.get("status") == "fail" for case in cases):
        return "failed"
    return "passed" if all(case.get("status") == "run" for case in cases) else "skipped"


def files_of(root):
    """The paths of all files below root, but for what is built."""
    for folder, dirs, names in os.walk(root):
        dirs[:] = [name for name in dirs if name not in SKIPPED]
        for name in names:
            path = pathlib.Path(folder, name)
            if name != ".git" and (path.is_symlink() or path.is_file()):
                yield path.relative_to(root)


def is_equal(here, there):
    if here.is_symlink() or there.is_symlink() or not there.exists():
        return False
    same_mode = here.stat().st_mode == there.stat().st_mode
    return same_mode and here.read_bytes() == there.read_bytes()


def is_configured(folder, tree):
    """A build folder that was moved along with its tree is of no use."""
    cache = folder / "CMakeCache.txt"
    home = f"CMAKE_HOME_DIRECTORY:INTERNAL={tree}"
    return cache.exists() and home in cache.read_text().splitlines()


def list_tests(folder):
    """The names of the tests of a build."""
    done = subprocess.run(["ctest", "--test-dir", str(folder), "-N"], capture_output=True,
                          text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"mutants: ctest -N in {folder}: {done.stderr.strip()}")
    return re.findall(r"^ *Test +#\d+: (\S+)$", done.stdout, re.M)
