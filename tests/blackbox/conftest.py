# SPDX-License-Identifier: MIT
"""What every black-box test gets: a `server` factory, the class under test, kept logs."""

import os
import pathlib
import shutil
import sys
import tempfile

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import daemon  # noqa: E402

# Two workers and every mode, the config most tests start from.
MODES = """
[server]
listen = 127.0.0.1:0
class = @CLASS@
workers = 2
threads = 4

[plugin modes]
path = @TEST_PLUGINS@/modes.so
"""


def pytest_sessionstart():
    if not daemon.REMUDA.exists():
        pytest.exit(f"{daemon.REMUDA} is not built; REMUDA_BUILD names the build folder", 1)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if report.when == "call":
        item.call_failed = report.failed


@pytest.fixture
def worker_class():
    return os.environ.get("REMUDA_CLASS", "event")


@pytest.fixture
def directory(request):
    """A short-named directory (unix socket paths are bounded); kept after a failure."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="remuda-test-"))
    yield path
    if getattr(request.node, "call_failed", True):
        print(f"directory kept: {path}")
    else:
        shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def server(request, directory):
    """server(ini) starts a remuda and waits until it is ready. One that still runs at the
    end is stopped by TERM: it must exit 0 and leave no process behind."""
    started = []

    def start(ini=MODES, ready=True, **options):
        home = directory / str(len(started)) if started else directory
        home.mkdir(exist_ok=True)
        one = daemon.Daemon(ini, home, **options)
        started.append(one)
        return one.wait_ready() if ready else one

    yield start
    failed = getattr(request.node, "call_failed", True)
    problems = []
    for one in started:
        try:
            if one.process.poll() is None and not failed:
                status = one.stop()
                if status != 0:
                    problems.append(f"TERM ended it with status {status}")
                if one.leftovers():
                    problems.append(f"processes left: {one.leftovers()}")
        except Exception as error:  # the clean-up below must run
            problems.append(repr(error))
        finally:
            one.clean_up()
        if failed or problems:
            request.node.call_failed = True
            print(one.report())
    assert not problems, problems


@pytest.fixture
def write(directory):
    """write(name, text) makes a file in the test's directory, @NAMES@ filled in."""

    def make(name, text, mode=None):
        path = directory / name
        path.write_text(daemon.fill(text, directory))
        if mode is not None:
            path.chmod(mode)
        return path

    return make
