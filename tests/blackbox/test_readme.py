# SPDX-License-Identifier: MIT
"""Each command of README.md is executed, in the order they stand in, in a copy of the tree.

The convention: a block fenced ```sh is commands, run by `sh -e`. So is a block indented by
four spaces that begins with `./dev`: `./dev run` is kept running until the end, once it
listens; `./dev test` is the one thing not run, since it is what runs this. Lines that begin
with "# " are comments. Blocks of another kind (```c, ```ini, ```console) are no commands.
"""

import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess

import pytest

from daemon import SOURCE, Log, patience, sanitized

README = SOURCE / "README.md"
BLOCK = re.compile(r"^```(?P<kind>\w*)\n(?P<text>.*?)^```$|^(?P<indented>(?:    \./dev [^\n]*\n)+)",
                   re.M | re.S)


@pytest.fixture
def readme():
    if not README.exists():
        pytest.skip("there is no README.md yet")
    return README.read_text()


def steps(readme):
    """The command blocks, in order."""
    for match in BLOCK.finditer(readme):
        if match["indented"]:
            yield re.sub(r"^    ", "", match["indented"], flags=re.M)
        elif match["kind"] == "sh":
            lines = match["text"].splitlines(keepends=True)
            yield "".join(line for line in lines if not line.startswith("# "))


@pytest.fixture
def clone(directory):
    """What a clone would hold: nothing that was built."""
    path = directory / "remuda"
    ignored = shutil.ignore_patterns(".git", "build", ".cache", "__pycache__")
    shutil.copytree(SOURCE, path, ignore=ignored, symlinks=True)
    return path


@pytest.fixture
def port_8000():
    """The README's commands name it, so it must be free."""
    try:
        socket.create_server(("127.0.0.1", 8000)).close()
    except OSError as error:
        pytest.skip(f"port 8000 is taken on this machine: {error}")


class Server:
    """`./dev run` in the background, in a session of its own, until it listens."""

    def __init__(self, script, cwd, env, log):
        # without a shell between, which would report the signal and not the server's status
        self.process = subprocess.Popen(script.split(), cwd=cwd, env=env,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, start_new_session=True)
        self.log = Log(self.process.stdout, log)

    def wait(self):
        self.log.wait(r"ready: ", timeout=300)

    def end(self):
        """Ctrl-C: the terminal sends INT to the whole foreground group."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(patience(30))


def execute(script, cwd, env):
    done = subprocess.run(["sh", "-e", "-c", script], cwd=cwd, env=env, timeout=600, text=True,
                          stdin=subprocess.DEVNULL, capture_output=True)
    assert done.returncode == 0, f"{script}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"


@pytest.mark.skipif(bool(sanitized()), reason="the README is about the release build")
def test_every_command(readme, clone, directory, port_8000):
    env = {**os.environ, "REMUDA_NO_SETUP": "1", "HOME": str(directory)}
    server = None
    ran = 0
    try:
        for script in steps(readme):
            if script.startswith("./dev run"):
                server = Server(script, clone, env, directory / "dev-run.log")
                server.wait()
            elif not script.startswith("./dev test"):
                execute(script, clone, env)
            ran += 1
    finally:
        status = server.end() if server else None
    assert ran >= 4 and server is not None
    assert status == 0, "Ctrl-C ends it well"


def test_every_block_says_of_what_kind_it_is(readme):
    """A command must not hide in an unnamed block."""
    fences = re.findall(r"^```(\w*)$", readme, re.M)
    assert len(fences) % 2 == 0
    assert all(fences[::2]) and not any(fences[1::2])


def test_links_lead_somewhere(readme):
    for target in re.findall(r"\]\(((?!https?:|#)[^)#]+)", readme):
        assert pathlib.Path(SOURCE / target).exists(), target
