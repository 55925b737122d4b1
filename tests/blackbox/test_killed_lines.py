# SPDX-License-Identifier: MIT
"""Workers killed at random instants under load: one access-log line for each request begun.

The client knows which requests it sent and which were answered, the plugin writes down which
handlers have begun. An answered request has one line, with its status; one whose handler had
begun has one line; one that is neither may have been on its way, and has at most one. A
client that never retries loses only what was outstanding on a connection of the dead.
"""

import collections
import os
import random
import re
import signal
import threading
import time

from daemon import is_ours, patience
from wire import WireError

INI = """
[server]
listen = 127.0.0.1:0
class = @CLASS@
workers = 3
threads = 4

[limits]
queue_timeout = 20s

[log]
access = @DIR@/access.log
access_format = %s %U%q %{note}x

[plugin crash]
path = @TEST_PLUGINS@/crash.so
"""

CLIENTS, SECONDS = 24, 8
LINE = re.compile(r"(\d{3}) (/\S+|-) (\S+)")


class Client(threading.Thread):
    """Asks as fast as it is answered, on one connection while that lasts."""

    def __init__(self, one, name, end):
        super().__init__(daemon=True)
        self.one, self.name, self.end = one, name, end
        self.sent, self.answered, self.wrong = [], [], []

    def ask(self, connection, random_source, i):
        token = f"{self.name}-{i}"
        mode = random_source.choice(("sync", "async"))
        ms = random_source.choice((0, 0, 1, 3))
        self.sent.append(token)
        answer = connection.get(f"/{mode}/work?ms={ms}&id={token}")
        if answer.status == 200 and answer.text == "worked\n":
            self.answered.append(token)
        else:
            self.wrong.append((token, answer))
        return answer.closes

    def run(self):
        random_source, connection, i = random.Random(self.name), None, 0
        while time.monotonic() < self.end:
            try:
                connection = connection or self.one.connect()
                i += 1
                if self.ask(connection, random_source, i):
                    connection.close()
                    connection = None
            except (WireError, OSError):
                connection = None
        if connection is not None:
            connection.close()


def kill_until(one, end, random_source):
    kills = 0
    while time.monotonic() < end:
        time.sleep(random_source.uniform(0.1, 0.5))
        pids = one.workers()
        if len(pids) < 2:
            continue
        pid = random_source.choice(pids)
        number = random_source.choice((signal.SIGKILL, signal.SIGKILL, signal.SIGSEGV,
                                       signal.SIGABRT))
        if is_ours(pid):
            os.kill(pid, number)
            kills += 1
    return kills


def count_lines(one):
    """{token: [status, ...]} and how many lines name none."""
    lines, bare = collections.defaultdict(list), 0
    for line in one.access_log():
        match = LINE.fullmatch(line)
        assert match, line
        token = re.search(r"id=(\S+)", match[2])
        if token is None:
            bare += 1
        else:
            lines[token[1]].append(match[1])
    return lines, bare


def test_one_line_for_each_request(server):
    one = server(INI)
    seed = int(time.time())
    print("seed", seed)
    end = time.monotonic() + SECONDS
    clients = [Client(one, f"{seed}x{i}", end) for i in range(CLIENTS)]
    for client in clients:
        client.start()
    kills = kill_until(one, end, random.Random(seed))
    for client in clients:
        client.join(patience(30))
        assert not client.is_alive()
    time.sleep(6.5)  # what was between two workers is given up after 5 s
    assert one.stop() == 0
    lines, bare = count_lines(one)
    begun = set((one.directory / "begun.log").read_text().split())
    sent = {token for client in clients for token in client.sent}
    answered = {token for client in clients for token in client.answered}
    print(f"{kills} kills, {len(sent)} sent, {len(answered)} answered, {len(begun)} begun,"
          f" {sum(map(len, lines.values()))} lines, {bare} without a target")
    assert [client.wrong for client in clients if client.wrong] == []
    assert kills >= 5 and len(answered) > 100, "it was no test"
    assert {t: s for t, s in lines.items() if len(s) > 1} == {}, "twice"
    assert {t for t in begun if t not in lines} == set(), "begun, and no line"
    assert {t for t in answered if lines.get(t) != ["200"]} == set(), "answered"
    lost = {t for t, s in lines.items() if s != ["200"]}
    assert {s for t in lost for s in lines[t]} <= {"000", "499"}
    assert lost <= sent and len(sent - answered) <= kills * CLIENTS
