# SPDX-License-Identifier: MIT
"""While a worker says its last words its loop goes on, and what it took in would go down with
it. A plugin's handler makes them long."""

import re

from daemon import OBITUARY

INI = """
[server]
listen = 127.0.0.1:0
class = @CLASS@
workers = 2
threads = 3

[plugin crash]
path = @TEST_PLUGINS@/crash.so
linger = 2s
"""

NEW = 8    # connections; without more they would go to the workers in turn
SLOW = 6   # as many run at once in the two workers: with the dying one they would fit


def crash(one):
    """A connection to one that has begun to say its last words, and its pid."""
    fatal = one.connect()
    pid = int(fatal.get("/who").text)
    fatal.request("GET", "/sync/die?how=segv")
    one.log.wait(r"fault: signal SEGV")
    return fatal, pid


def test_nothing_new_is_accepted(server):
    one = server(INI)
    fatal, pid = crash(one)
    with fatal:
        answers = [int(one.get("/who").text) for _ in range(NEW)]
        assert pid not in answers
        assert re.search(rf"pid {pid},", one.log.wait(OBITUARY).string)
    assert one.stop() == 0


def test_nothing_goes_down_with_it(server):
    """Nor what its sibling hands over, for it has free slots."""
    one = server(INI)
    fatal, _ = crash(one)
    with fatal:
        asked = [one.connect() for _ in range(SLOW)]
        for connection in asked:
            connection.request("GET", "/sync/work?ms=2500")
        one.log.wait(OBITUARY)
        assert [connection.response().text for connection in asked] == ["worked\n"] * SLOW
    assert one.stop() == 0
