# SPDX-License-Identifier: MIT
"""measure - what the counting tests share: servers under a tool, clients, bounds.

What is counted here (instructions, system calls) is the same on a busy machine and on an
idle one; nothing depends on time. Exit 77 means: cannot be counted here, and says why.
"""

import configparser
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "blackbox"))
sys.dont_write_bytecode = True

import daemon  # noqa: E402
import wire  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
BOUNDS = HERE / "bounds.ini"
SOAK = daemon.BUILD / "tests" / "bench" / "soak"
TOLERANCE = 1.02
ATTEMPTS = 4
HELLO = b"Hello, World!"

INI = """
[server]
listen = 127.0.0.1:0
class = event
workers = 1
threads = 1

[log]
access = off

[plugin modes]
path = @MODES@
"""

# A worker that became another user could not write what callgrind counted.
NGINX = """
{user}
daemon off;
worker_processes 1;
pid {directory}/nginx.pid;
error_log {directory}/nginx.log;
events {{ worker_connections 512; }}
http {{
    access_log off;
    keepalive_requests 100000000;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    server {{
        listen 127.0.0.1:{port};
        location / {{
            default_type "text/plain; charset=utf-8";
            return 200 "Hello, World!";
        }}
    }}
}}
"""


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(77)


def need_build():
    """What every build holds must be there: its absence is no reason to skip."""
    if not daemon.REMUDA.exists() or not SOAK.exists():
        sys.exit(f"{daemon.BUILD} has no remuda or no soak; REMUDA_BUILD names the build folder")


def need(*tools):
    """Skip unless all of these programs are installed and the build is the plain one."""
    need_build()
    os.environ["PATH"] += ":/usr/sbin:/sbin"  # nginx, for one who is not root
    for tool in tools:
        if shutil.which(tool) is None:
            skip(f"{tool} is not installed")
    if daemon.sanitized():
        skip("a sanitizer's own work would be counted")
    if daemon.cached("CMAKE_BUILD_TYPE") == "Debug":
        skip("bounds are for the optimised build")
    take_turns()


def take_turns():
    """One CPU for all that is started from here, and no wake-up cuts the client short: so a
    server finds the request when it accepts, instead of now and then being too early."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def go_first():
    """In the client, between fork and exec."""
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def tool_of_valgrind(name):
    """valgrind with that tool, quiet, over all processes, output in @DIR@."""
    return ["valgrind", "-q", f"--tool={name}", "--trace-children=yes", "--vgdb=no"]


def stripped(path, directory):
    """A copy without debug information, which an older valgrind may fail to read."""
    copy = directory / path.name
    shutil.copy(path, copy)
    if shutil.which("strip"):
        subprocess.run(["strip", "--strip-debug", str(copy)], check=True)
    return copy


class Remuda:
    """One worker, class event, the `modes` test plugin."""

    name = "remuda"

    def __init__(self, wrapper=(), ini=INI):
        home = pathlib.Path(tempfile.mkdtemp(prefix="remuda-bench-"))
        binary, plugin = daemon.REMUDA, daemon.TEST_PLUGINS / "modes.so"
        if wrapper:
            binary, plugin = stripped(binary, home), stripped(plugin, home)
        self.daemon = daemon.Daemon(ini.replace("@MODES@", str(plugin)), home,
                                    wrapper=[*wrapper, binary])
        self.directory = home

    def wait_ready(self):
        # under a tool the binary that runs is the tool's: no look at /proc/PID/exe here
        self.daemon.log.wait(daemon.READY, timeout=60)
        self.address = self.daemon.address
        return self

    def worker(self):
        return int(self.daemon.log.wait(daemon.WORKER_READY)[2])

    def stop(self):
        status = self.daemon.stop(timeout=60)
        assert status == 0, f"remuda ended with {status}\n{self.daemon.log.text()}"

    def clean_up(self):
        self.daemon.clean_up()
        self.daemon.remove()


class Nginx:
    """The peer: one worker that answers every request with the same bytes. It inherits its
    listening socket, as in its own binary upgrade, so that no port has to be guessed."""

    name = "nginx"

    def __init__(self, wrapper=()):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="remuda-nginx-"))
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=511)
        port = self.listener.getsockname()[1]
        self.address = f"127.0.0.1:{port}"
        conf = self.directory / "nginx.conf"
        user = "user root;" if os.geteuid() == 0 else ""
        conf.write_text(NGINX.format(directory=self.directory, port=port, user=user))
        fd = self.listener.fileno()
        self.process = subprocess.Popen(
            [*wrapper, "nginx", "-p", str(self.directory), "-c", str(conf),
             "-e", str(self.directory / "nginx.log")],
            cwd=self.directory, pass_fds=[fd], env={**os.environ, "NGINX": f"{fd};"},
            stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def wait_ready(self):
        try:
            with wire.Connection(self.address, 60) as connection:  # waits in the backlog
                assert connection.get("/").body == HELLO
        except OSError as error:
            log = self.directory / "nginx.log"
            raise AssertionError(f"nginx: {error}\n{log.read_text() if log.exists() else ''}")
        return self

    def worker(self):
        return daemon.children_of(self.process.pid)[0]

    def stop(self):
        self.process.terminate()
        self.process.wait(60)

    def clean_up(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.listener.close()
        shutil.rmtree(self.directory, ignore_errors=True)


def post(address, count):
    """`count` requests with a small body on one connection."""
    head = f"POST /async/echo HTTP/1.1\r\nHost: test\r\nContent-Length: {len(HELLO)}\r\n\r\n"
    with wire.Connection(address, 60) as connection:
        for _ in range(count):
            connection.send(head.encode() + HELLO)
            answer = connection.response()
            assert answer.status == 200 and answer.body == HELLO, answer


def soak(address, count, connections=1, close=False):
    """GETs by the C client, which sends at once after it has connected."""
    host, port = address.rsplit(":", 1)
    command = [str(SOAK), "-n", str(count), "-c", str(connections), *(["-x"] if close else [])]
    done = subprocess.run([*command, host, port], capture_output=True, text=True, timeout=120,
                          preexec_fn=go_first)
    assert done.returncode == 0, done.stdout + done.stderr


def compiler():
    """The section of bounds.ini: gcc-12, clang-14."""
    path = daemon.cached("CMAKE_C_COMPILER") or "cc"
    text = subprocess.run([path, "--version"], capture_output=True, text=True).stdout
    kind = "clang" if "clang" in text else "gcc"
    match = re.search(r"(\d+)\.\d+\.\d+", text)
    return f"{kind}-{match[1] if match else 0}"


def load_bounds():
    bounds = configparser.ConfigParser()
    bounds.read(BOUNDS)
    return bounds


def record(key, value):
    """Write a measured value as the bound of this compiler; comments at the top stay."""
    bounds, section = load_bounds(), compiler()
    if not bounds.has_section(section):
        bounds.add_section(section)
    bounds[section][key] = value
    comments = []
    if BOUNDS.exists():
        for line in BOUNDS.read_text().splitlines():
            if not line.startswith((";", "#")):
                break
            comments.append(line)
    for name in bounds.sections():
        bounds[name] = dict(sorted(bounds[name].items()))
    with open(BOUNDS, "w") as out:
        out.write("\n".join(comments) + "\n\n")
        bounds.write(out)
    print(f"recorded: [{section}] {key} = {value}")


def bound_of(key):
    text = load_bounds().get(compiler(), key, fallback=None)
    return None if text is None else float(text)


def is_within(key, measured, ceiling):
    bound = bound_of(key)
    return measured <= ceiling and (bound is None or measured <= bound * TOLERANCE)


def least(key, ceiling, count):
    """The smallest of up to ATTEMPTS counts; fewer when one is within its limits. What else
    runs on the machine only adds: a client held up between connect and send costs a server
    that is ready the calls for one more turn."""
    best = count()
    for _ in range(ATTEMPTS - 1):
        if is_within(key, best, ceiling):
            break
        best = min(best, count())
    return best


def judge(key, measured, ceiling, ceiling_name):
    """Print the figures; false when the ceiling, or the recorded bound + 2 %, is passed."""
    bound = bound_of(key)
    good = measured <= ceiling
    print(f"{key}: {measured:.2f}, {ceiling_name} {ceiling:.2f}: {'ok' if good else 'TOO MANY'}")
    if bound is None:
        print(f"no bound for {compiler()} in bounds.ini yet; write it with --record")
    else:
        within = measured <= bound * TOLERANCE
        print(f"bound of {compiler()} {bound:g} (+2 %): {'ok' if within else 'RISEN'}")
    return is_within(key, measured, ceiling)
