# SPDX-License-Identifier: MIT
"""A wrong config: every mistake in one pass, the right exit status, nothing started."""

import os
import pathlib
import re
import signal
import socket
import subprocess

import pytest

from conftest import MODES
from daemon import TEST_PLUGINS, environment, lend, run

INI = """
[server]
listen = unix:@DIR@/sock
address_file = @DIR@/addresses
pid_file = @DIR@/pid
workers = 1
[plugin modes]
path = @TEST_PLUGINS@/modes.so
"""

FIVE_MISTAKES = """
[server]
listen = unix:@DIR@/sock
wrokers = 2
threads = many
[limits]
head_timeout = 10 parsecs
body = 5000T
[log]
level = loud
[plugin modes]
path = @TEST_PLUGINS@/modes.so
"""


def test_five_mistakes_five_lines(write, directory):
    ini = write("five.ini", FIVE_MISTAKES)
    for command in (["-t", "-c", ini], ["-c", ini]):
        done = run(*command, check_code=78)
        lines = done.stderr.splitlines()
        found = [line for line in lines if re.search(r"five\.ini:\d+: ", line)]
        assert len(found) == 5, done.stderr
        for number, key in ((4, "server.wrokers"), (5, "server.threads"),
                            (7, "limits.head_timeout"), (8, "limits.body"), (10, "log.level")):
            place = f"five.ini:{number}: {key}: "
            assert any(place in line for line in found), (place, lines)
        assert any("did you mean workers" in line for line in found)
    assert not (directory / "sock").exists()


WRONG = {
    "unknown section": (INI + "[sever]\n", 78),
    "unknown key": (INI.replace("[plugin modes]", "colour = red\n[plugin modes]"), 78),
    "section twice": (INI + "[server]\n", 78),
    "out of range": (INI.replace("workers = 1", "workers = 100000"), 78),
    "not a number": (INI.replace("workers = 1", "workers = few"), 78),
    "unset reference": (INI.replace("workers = 1", "workers = ${REMUDA_TEST_UNSET}"), 78),
    "missing secret": (INI.replace("workers = 1", "workers = ${file:@DIR@/nothing}"), 78),
    "missing include": ("include = nothing.ini\n" + INI, 78),
    "bad listener": (INI.replace("unix:@DIR@/sock", "example.org"), 78),
    "no plugin": (INI.split("[plugin")[0], 78),
    "plugin file missing": (INI.replace("modes.so", "nowhere.so"), 78),
    "no UTF-8": (INI + "# \udcff\n", 78),
    "descriptor from nobody": (INI.replace("unix:@DIR@/sock", "fd:web"), 78),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_config_starts_nothing(directory, name):
    from daemon import fill
    text, status = WRONG[name]
    ini = directory / "wrong.ini"
    ini.write_bytes(fill(text, directory).encode("utf-8", "surrogateescape"))
    done = run("-c", ini, check_code=status)
    assert "listening" not in done.stderr and done.stderr.strip()
    made = sorted(p.name for p in directory.iterdir())
    assert made == ["wrong.ini"], "nothing made, nothing bound"


def test_missing_file_is_66(directory):
    done = run("-c", directory / "nothing.ini", check_code=66)
    assert "nothing.ini" in done.stderr


def test_address_in_use_is_69(write, directory):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ini = write("r.ini", MODES.replace("127.0.0.1:0", f"127.0.0.1:{taken.getsockname()[1]}"))
        done = run("-c", ini, check_code=69)
    assert "in use" in done.stderr.lower()


def test_unix_socket_in_use_is_69(server, write):
    one = server(INI)
    ini = write("second.ini", INI.replace("pid_file = @DIR@/pid\n", ""))
    run("-c", ini, check_code=69)
    assert one.get("/sync/hello").status == 200, "the first one's socket is untouched"


def test_worker_that_never_gets_ready_is_70(write, directory):
    ini = write("r.ini", """
[server]
listen = unix:@DIR@/sock
workers = 2
[plugin bad]
path = @TEST_PLUGINS@/bad_start.so
how = crash
""")
    run("-c", ini, check_code=70)
    assert not (directory / "sock").exists(), "what was bound is taken away again"


def test_start_that_hangs_is_70(write):
    ini = write("r.ini", """
[server]
listen = 127.0.0.1:0
workers = 1
[worker]
boot_timeout = 500ms
[plugin bad]
path = @TEST_PLUGINS@/bad_start.so
how = hang
""")
    run("-c", ini, check_code=70)


@pytest.mark.parametrize("key", ["pid_file", "unix"])
def test_cannot_create_is_73(write, key):
    text = (INI.replace("@DIR@/pid", "@DIR@/none/pid") if key == "pid_file"
            else INI.replace("@DIR@/sock", "@DIR@/none/sock"))
    run("-c", write("r.ini", text), check_code=73)


LENT = MODES.replace("@TEST_PLUGINS@", "@DIR@")


def as_nobody(*command, cwd):
    """Run as uid 65534; a root that may become nobody is needed."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user for this test")
    own, env = lend(cwd, TEST_PLUGINS / "modes.so")
    return subprocess.run([own, *map(str, command)], user=65534, group=65534, extra_groups=[],
                          cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=60, env=environment(env))


def test_unreadable_config_is_77(write, directory):
    directory.chmod(0o755)
    ini = write("r.ini", INI, mode=0o600)
    done = as_nobody("-c", ini, cwd=directory)
    assert done.returncode == 77, done.stderr


def test_privileged_port_is_77(write, directory):
    first = int(pathlib.Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text())
    if first <= 1:
        pytest.skip("every port is open to everyone here")
    directory.chmod(0o755)
    ini = write("r.ini", LENT.replace("127.0.0.1:0", "127.0.0.1:1"), mode=0o644)
    done = as_nobody("-c", ini, cwd=directory)
    assert done.returncode == 77, done.stderr


def test_another_user_without_being_root_is_78(write, directory):
    directory.chmod(0o755)
    ini = write("r.ini", LENT.replace("workers = 2", "workers = 2\nuser = root"), mode=0o644)
    done = as_nobody("-c", ini, cwd=directory)
    assert done.returncode == 78, done.stderr


def test_workers_drop_to_the_user(server, directory):
    if os.geteuid() != 0:
        pytest.skip("only root can drop to a user")
    directory.chmod(0o755)
    one = server(MODES.replace("workers = 2", "workers = 2\nuser = nobody"))
    assert one.get("/sync/hello").status == 200
    for pid in one.workers():
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        assert re.search(r"^Uid:\t65534\t65534\t65534\t65534$", status, re.M)
        assert re.search(r"^CapEff:\t0+$", status, re.M)
        assert re.search(r"^NoNewPrivs:\t1$", status, re.M)


def test_check_says_ok(write):
    done = run("-t", "-c", write("r.ini", INI), check_code=0)
    assert "ok" in (done.stdout + done.stderr).lower()
    run("check", "-c", write("r.ini", INI), check_code=0)


@pytest.mark.parametrize("plugin", ["bad_magic", "bad_abi", "bad_minor", "no_symbol",
                                    "bad_constructor", "host_key"])
def test_check_loads_the_plugins(write, plugin):
    """-t finds a broken plugin, in a child: even one that crashes."""
    ini = write("r.ini", INI.replace("modes.so", f"{plugin}.so"))
    done = run("-t", "-c", ini, check_code=78)
    assert plugin in done.stderr or "modes" in done.stderr


def test_check_asks_the_plugins_own_rule(write):
    ini = write("r.ini", INI.replace("modes.so", "options.so\ntoken = forbidden"))
    done = run("-t", "-c", ini, check_code=78)
    assert "not allowed" in done.stderr


def test_effective_config_with_origins(write):
    ini = write("r.ini", INI)
    done = run("-T", "--defaults", "-c", ini, "-D", "server.threads=5", check_code=0,
               env={"REMUDA__LIMITS__BODY": "2M"})
    text = done.stdout
    for key, origin in (("workers", r"r\.ini:6"), ("threads", "-D"),
                        ("body", "REMUDA__LIMITS__BODY"), ("backlog", "default")):
        assert re.search(rf"^{key} *=.*{origin}", text, re.M), (key, text)
    assert run("config", "-c", ini, check_code=0).stdout


def test_effective_config_is_a_config(write):
    """What -T prints can be read back and gives the same."""
    first = run("-T", "-c", write("r.ini", INI), check_code=0).stdout
    second = run("-T", "-c", write("again.ini", first), check_code=0).stdout
    strip = re.compile(r"\s+[;#].*$", re.M)
    assert strip.sub("", first) == strip.sub("", second)


def test_precedence(server):
    """Built-in < file < environment < -D < flag."""
    one = server(MODES, env={"REMUDA__SERVER__THREADS": "3", "REMUDA__SERVER__WORKERS": "1"},
                 args=("-D", "server.threads=5"))
    assert one.log.matches(r"ready: 1 workers? x 5 threads = 5 slots")


def test_web_concurrency(server):
    one = server(MODES.replace("workers = 2\n", ""), env={"WEB_CONCURRENCY": "3"})
    assert one.log.matches(r"ready: 3 workers x 4 threads = 12 slots")


def test_sync_is_one_thread(server):
    one = server(MODES.replace("@CLASS@", "sync").replace("threads = 4\n", ""))
    assert one.log.matches(r"ready: 2 workers x 1 thread = 2 slots")
    assert one.get("/sync/hello").status == 200


def test_dropins_and_includes(server, directory):
    (directory / "remuda.ini.d").mkdir()
    (directory / "remuda.ini.d" / "10.ini").write_text("[server]\nthreads = 6\n")
    (directory / "more.ini").write_text("[server]\nworkers = 3\n")
    one = server(MODES.replace("workers = 2\n", "") + "include = more.ini\n")
    assert one.log.matches(r"ready: 3 workers x 6 threads = 18 slots")


def test_env_section_reaches_workers_only(server):
    one = server(MODES + "[env]\nREMUDA_TEST_MARK = yes\n")
    (first, *_) = one.workers()
    master = pathlib.Path(f"/proc/{one.pid}/environ").read_bytes()
    assert b"REMUDA_TEST_MARK" not in master
    assert one.get("/sync/hello").status == 200 and first


def test_broken_config_at_start_leaves_the_running_one_alone(server, write):
    one = server(MODES)
    run("-c", write("wrong.ini", FIVE_MISTAKES), check_code=78)
    assert one.get("/sync/hello").status == 200
    one.send_signal(signal.SIGUSR1)
    assert one.get("/sync/hello").status == 200
