# SPDX-License-Identifier: MIT
"""Where it listens: TCP, IPv6, unix sockets, several, and what systemd hands over."""

import os
import socket
import stat
import sys

import pytest

import wire
from conftest import MODES
from daemon import REMUDA, run


def ini(listen, more=""):
    return MODES.replace("listen = 127.0.0.1:0", f"listen = {listen}\n{more}")


def hello(address):
    with wire.Connection(address) as connection:
        answer = connection.get("/sync/hello")
        assert answer.body == b"Hello, World!"
        return answer


def need_ipv6():
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError as error:
        pytest.skip(f"no IPv6 here: {error}")


def test_unix_socket(server):
    one = server(ini("unix:@DIR@/sock"))
    assert one.address == f"unix:{one.directory}/sock"
    hello(one.address)
    assert stat.S_ISSOCK(os.stat(one.directory / "sock").st_mode)
    assert one.stop() == 0
    assert not (one.directory / "sock").exists(), "removed at exit"


def test_dead_unix_socket_is_replaced(server, directory):
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(directory / "sock"))
    left.close()
    one = server(ini("unix:@DIR@/sock"))
    hello(one.address)


def test_foreign_file_is_not_replaced(write, directory):
    (directory / "sock").write_text("precious")
    assert run("-c", write("r.ini", ini("unix:@DIR@/sock"))).returncode != 0
    assert (directory / "sock").read_text() == "precious"


def test_successors_socket_is_left_alone(server, directory):
    one = server(ini("unix:@DIR@/sock"))
    path = directory / "sock"
    path.unlink()
    with socket.socket(socket.AF_UNIX) as successor:
        successor.bind(str(path))
        assert one.stop() == 0
        assert path.exists(), "not ours any more"


def test_ipv6(server):
    need_ipv6()
    one = server(ini("[::1]:0"))
    assert one.address.startswith("[::1]:")
    hello(one.address)


def test_any_address_is_both_families(server):
    need_ipv6()
    one = server(ini("*:0"))
    families = {address.rsplit(":", 1)[0] for address in one.addresses}
    assert families == {"0.0.0.0", "[::]"}, one.addresses
    for address in one.addresses:
        host, port = address.rsplit(":", 1)
        hello(f"127.0.0.1:{port}" if host == "0.0.0.0" else f"[::1]:{port}")


def test_several(server):
    one = server(ini("127.0.0.1:0\nlisten = unix:@DIR@/a\nlisten = unix:@DIR@/b"))
    assert len(one.addresses) == 3
    for address in one.addresses:
        hello(address)


def test_address_file(server):
    one = server(ini("127.0.0.1:0\nlisten = unix:@DIR@/a", "address_file = @DIR@/addresses"))
    assert (one.directory / "addresses").read_text().split() == one.addresses


def test_bound_port_is_never_0(server):
    assert int(server().address.rsplit(":", 1)[1]) > 0


# LISTEN_PID must be the pid of the process that gets the sockets, so it is set between
# fork and exec; descriptors start at 3.
SYSTEMD = """
import os, sys
for i, fd in enumerate(map(int, sys.argv[1].split(","))):
    os.dup2(fd, 100 + i)
count = len(sys.argv[1].split(","))
for i in range(count):
    os.dup2(100 + i, 3 + i)
    os.close(100 + i)
os.environ["LISTEN_PID"] = str(os.getpid())
os.environ["LISTEN_FDS"] = str(count)
os.execv(sys.argv[2], sys.argv[2:])
"""


def systemd(*sockets):
    """Options of server(): start with these sockets passed as systemd does."""
    fds = [sock.fileno() for sock in sockets]
    return {"wrapper": [sys.executable, "-c", SYSTEMD, ",".join(map(str, fds)), REMUDA],
            "fds": fds}


def test_sockets_from_systemd_by_name(server):
    with socket.create_server(("127.0.0.1", 0)) as web:
        port = web.getsockname()[1]
        one = server(ini("fd:web"), env={"LISTEN_FDNAMES": "web"}, **systemd(web))
        hello(f"127.0.0.1:{port}")
        assert one.stop() == 0
        socket.create_connection(("127.0.0.1", port)).close()  # still held by "systemd"


def test_socket_from_systemd_by_address(server):
    """A listen line that names the address of a passed socket takes that socket."""
    with socket.create_server(("127.0.0.1", 0)) as web:
        port = web.getsockname()[1]
        server(ini(f"127.0.0.1:{port}"), env={"LISTEN_FDNAMES": "web"}, **systemd(web))
        hello(f"127.0.0.1:{port}")


def test_several_from_systemd(server, directory):
    path = str(directory / "from-systemd")
    with socket.create_server(("127.0.0.1", 0)) as web, socket.socket(socket.AF_UNIX) as local:
        local.bind(path)
        local.listen()
        one = server(ini("fd:web\nlisten = fd:local"), env={"LISTEN_FDNAMES": "web:local"},
                     **systemd(web, local))
        hello(f"127.0.0.1:{web.getsockname()[1]}")
        hello(f"unix:{path}")
        assert one.stop() == 0
        assert os.path.exists(path), "a socket of systemd is not ours to unlink"


def test_unclaimed_socket_from_systemd_is_78(server):
    with socket.create_server(("127.0.0.1", 0)) as web:
        one = server(ini("127.0.0.1:0"), ready=False, env={"LISTEN_FDNAMES": "web"}, **systemd(web))
        assert one.wait_exit() == 78
        assert any("web" in line for line in one.log.lines)


def test_sockets_meant_for_another_process_are_ignored(server):
    with socket.create_server(("127.0.0.1", 0)) as web:
        one = server(ini("127.0.0.1:0"), fds=[web.fileno()],
                     env={"LISTEN_PID": "1", "LISTEN_FDS": "1"})
        hello(one.address)


def test_no_foreign_descriptor_reaches_a_worker(server):
    """The heritage's, the worker's own, and nothing that we left open for it."""
    read, write = os.pipe()
    try:
        inode = os.fstat(read).st_ino
        one = server(fds=[read])
        for pid in one.workers():
            links = [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")]
            assert f"pipe:[{inode}]" not in links
    finally:
        os.close(read)
        os.close(write)
