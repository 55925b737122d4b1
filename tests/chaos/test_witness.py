# SPDX-License-Identifier: MIT
"""The witness against servers that do each wrong thing once: it must see every one of them,
as what it is, and see nothing where nothing is wrong."""

import pathlib
import re
import socket
import struct
import sys
import threading
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "blackbox"))

import load  # noqa: E402

PLAIN = dict.fromkeys(("wait5", "wait100", "stream", "echo", "idle", "close", "split", "pair"), 0)
COUNT, SPOILT = 60, 20  # at least; which request meets the fault
REQUEST = re.compile(rb"GET /\w+/wait/(\d+)\?ms=0 HTTP/1\.1\r\n.*?\r\n\r\n", re.S)


def right(number, fields=b""):
    body = b"%d\n" % number
    return b"HTTP/1.1 200 OK\r\nX-Worker: 42\r\nContent-Length: %d\r\n%s\r\n%s" % (
        len(body), fields, body)


def reset(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


class Stub:
    """Answers each request rightly but for number SPOILT, which goes to `spoil(sock, number)`;
    that closes the socket, or goes on."""

    def __init__(self, spoil):
        self.spoil = spoil
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.threads = []
        self.acceptor = threading.Thread(target=self._accept, daemon=True)
        self.acceptor.start()

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(sock,), daemon=True)
            self.threads.append(thread)
            thread.start()

    def _serve(self, sock):
        data = b""
        try:
            while sock.fileno() >= 0:
                piece = sock.recv(65536)
                if not piece:
                    break
                data += piece
                while sock.fileno() >= 0 and (match := REQUEST.match(data)):
                    data = data[match.end():]
                    self._answer(sock, int(match[1]), b"Connection: close" in match[0])
        except OSError:
            pass
        if sock.fileno() >= 0:
            sock.close()

    def _answer(self, sock, number, is_last):
        if number == SPOILT:
            self.spoil(sock, number)
        else:
            sock.sendall(right(number, b"Connection: close\r\n" if is_last else b""))
            if is_last:
                sock.close()

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def witness(tmp_path, spoil, shares=None, timeout_s=20, keep=2, rate=500):
    """One run; the result. Of more requests than COUNT, if we come late to end it."""
    stub = Stub(spoil)
    one = load.Witness(stub.address, rate, COUNT, 3, {**PLAIN, **(shares or {})},
                       tmp_path / "table", keep=keep, idle=1, timeout_s=timeout_s)
    try:
        one.wait_open()
        return one.end()
    finally:
        one.clean_up()
        stub.close()


def send_and_close(data):
    def spoil(sock, _):
        sock.sendall(data)
        sock.close()
    return spoil


def status_503(sock, _):
    sock.sendall(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")


def nothing(sock, _):
    pass


def early_reset(sock, _):
    reset(sock)


def cut_and_reset(sock, _):
    sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Len")
    reset(sock)


def anothers(sock, number):
    sock.sendall(right(number + 1))


def longer(sock, number):
    sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n%d\n\n" % number)


FAULTS = {
    "closed": send_and_close(b""),
    "short": send_and_close(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n2"),
    "reset": early_reset,
    "status": status_503,
    "bytes": anothers,
    "malformed": send_and_close(b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\n20\n"),
    "timeout": nothing,
}


@pytest.mark.parametrize("outcome", FAULTS)
def test_each_fault_is_seen_as_what_it_is(tmp_path, outcome):
    result = witness(tmp_path, FAULTS[outcome], timeout_s=3 if outcome == "timeout" else 20)
    assert result["outcomes"][outcome] == 1 and result["failed"] == 1, result.said
    assert result["outcomes"]["ok"] == result["sent"] - 1 >= COUNT - 1
    failure = result.failures[0]
    assert failure["id"] == SPOILT and failure["port"] > 0
    assert failure["held_by"] in (0, 42) and failure["begun_ns"] <= failure["ended_ns"]
    assert len(list(result.rows())) == result["sent"]


@pytest.mark.parametrize("spoil, outcome", [(cut_and_reset, "short"), (longer, "bytes")])
def test_other_forms_of_it(tmp_path, spoil, outcome):
    result = witness(tmp_path, spoil)
    assert result["outcomes"][outcome] == 1 and result["failed"] == 1, result.said


def test_nothing_is_wrong_with_a_good_server(tmp_path):
    result = witness(tmp_path, lambda sock, number: sock.sendall(right(number)),
                     {"split": 0.3, "idle": 0.2})
    assert result["failed"] == 0 and not result.drops, result.said
    assert result["outcomes"]["ok"] == result["sent"] and result["connects"] == 3
    assert result.same_connections() == {"keep": [True, True], "idle": [True]}


def test_a_second_request_behind_a_lost_one_fails_too(tmp_path):
    result = witness(tmp_path, FAULTS["short"], {"pair": 1})
    assert result["failed"] == 2 and result["outcomes"]["closed"] == 1, result.said
    assert {failure["is_piped"] for failure in result.failures} == {False, True}


KEPT = 90


@pytest.mark.parametrize("how", ["said", "closed", "reset"])
def test_a_kept_connection_that_ends_between_two_requests(tmp_path, how):
    """So many and so slowly that its turn does not come again."""
    def spoil(sock, number):
        sock.sendall(right(number, b"Connection: close\r\n" if how == "said" else b""))
        time.sleep(0.2)  # it has read that
        if how == "reset":
            reset(sock)
        else:
            sock.close()

    result = witness(tmp_path, spoil, keep=KEPT, rate=100)
    assert result["failed"] == 0, result.said
    assert [drop["kind"] for drop in result.drops] == [how]
    assert sum(result.same_connections()["keep"]) == KEPT - 1


def test_nobody_listens_any_more(tmp_path):
    """The connections that stand go on; whoever needs a new one is refused, or was in the queue
    when it was closed."""
    holder = []

    def spoil(sock, number):
        sock.sendall(right(number, b"Connection: close\r\n"))
        sock.close()
        holder[0].close()

    stub = Stub(spoil)
    holder.append(stub)
    one = load.Witness(stub.address, 100, COUNT, 3, {**PLAIN, "close": 0.5},
                       tmp_path / "table", keep=2, idle=1)
    try:
        one.wait_open()
        result = one.end()
    finally:
        one.clean_up()
    refused = [failure for failure in result.failures if failure["outcome"] == "refused"]
    assert refused != [] and all(failure["sent_ns"] == 0 for failure in refused), result.said
    assert all(failure["nth"] <= 1 for failure in result.failures), result.said


def test_an_answer_that_does_not_end_as_it_was_asked(tmp_path):
    result = witness(tmp_path, lambda sock, number: sock.sendall(right(number)), {"close": 1})
    assert result["outcomes"]["malformed"] == 1 and result["failed"] == 1, result.said
    assert "Connection: close" in result.failures[0]["why"]


def test_every_scenario_is_run_by_ctest():
    """But those that wait for something the server cannot do yet."""
    import scenarios

    listed = (pathlib.Path(__file__).parent / "CMakeLists.txt").read_text()
    names = re.search(r"foreach\(scenario (.*?)\)", listed, re.S)[1].split()
    assert names == [one.name for one in scenarios.TABLE if not one.pending]
