# SPDX-License-Identifier: MIT
"""control - `remuda ctl` against a server under test, and its wire spoken by hand."""

import array
import json
import os
import socket
import struct
import subprocess

from daemon import REMUDA, environment, patience, run

MAGIC, BYTES = 0x52444331, 1024
WELCOME, ASK, NOTE, PROGRESS, DONE = range(1, 6)
RELOAD, REOPEN, STOP, PAUSE, RESUME = range(1, 6)
SHOW_BOARD = 11
UPGRADE = 14
ANY_WORKER = -1


def path(one):
    return one.directory / "control.sock"


def ctl(one, *words, code=0, timeout=30.0):
    """One order to the end; the finished process, whose status is checked."""
    return run("ctl", "--socket", path(one), *words, check_code=code, timeout=timeout)


def begin(one, *words, **options):
    """One order that is not waited for."""
    options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE,
               "text": True, "env": environment(None), **options}
    return subprocess.Popen([str(REMUDA), "ctl", "--socket", str(path(one)), *words], **options)


def end(process, timeout=30.0):
    """(status, stdout, stderr) of one that was begun."""
    out, err = process.communicate(timeout=patience(timeout))
    return process.returncode, out, err


def look(one, what="workers"):
    return json.loads(ctl(one, "show", what, "--json").stdout)


def workers(one):
    """Of each worker its row, by its index."""
    return {row["worker"]: row for row in look(one)["workers"]}


def serving(one):
    return {row["pid"] for row in look(one)["workers"] if row["state"] == "serving"}


class Peer:
    """One end of the control socket, with no manners of its own."""

    def __init__(self, one, welcome=True):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.sock.settimeout(patience(10))
        self.sock.connect(str(path(one)))
        if welcome:
            assert self.hear()["type"] == WELCOME

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def ask(self, verb, worker=ANY_WORKER, flags=0):
        self.sock.send(struct.pack("=IIIiiIiI", MAGIC, ASK, verb, 0, worker, flags, 0, 0)
                       .ljust(BYTES, b"\0"))

    def hear(self):
        """The next message, or None at the end."""
        try:
            data, ancillary, _, _ = self.sock.recvmsg(BYTES + 1, socket.CMSG_SPACE(4))
        except ConnectionResetError:
            return None
        if not data:
            return None
        assert len(data) == BYTES
        magic, kind, verb, status, _, _, pid, _ = struct.unpack_from("=IIIiiIiI", data)
        assert magic == MAGIC
        fds = array.array("i")
        for _, _, rights in ancillary:
            fds.frombytes(rights)
        return {"type": kind, "verb": verb, "status": status, "pid": pid, "fds": list(fds),
                "text": data[32:].split(b"\0")[0].decode()}

    def answer(self):
        """The last word."""
        while True:
            message = self.hear()
            if message is None or message["type"] == DONE:
                return message


def close_all(message):
    for fd in message["fds"]:
        os.close(fd)
