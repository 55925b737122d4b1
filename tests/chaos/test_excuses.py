# SPDX-License-Identifier: MIT
"""Which failures the death of a worker excuses: those of connections that it held, no others."""

import pathlib
import sys
import types

import pytest

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent)]

import actions  # noqa: E402
from stage import Failure, Stage  # noqa: E402

DEAD, OTHER, LOST = 42, 43, Stage.LOST
PORT = 1000
MS = 1_000_000
FROM_MS, UNTIL_MS = 1000, 1010


def death(is_exact):
    one = actions.Death(DEAD, {PORT}, is_exact)
    one.from_ns, one.until_ns = FROM_MS * MS, UNTIL_MS * MS
    return one


def excuses(is_exact, holders=(), **more):
    """Of a request on another port than those that were seen, unless the case says so."""
    case = {"port": 2000, "nth": 7, "held_by": OTHER, "outcome": "closed",
            "begun": FROM_MS, "ended": UNTIL_MS, **more}
    failure = Failure({**case, "begun_ns": case["begun"] * MS, "ended_ns": case["ended"] * MS,
                       "due_ns": 0})
    stage = types.SimpleNamespace(holders=lambda _: set(holders), LOST=LOST)
    return death(is_exact).excuses(stage, failure)


# what, the case, excused where nothing can have moved, and where the loop ran on
CASES = [
    ("seen with it", {"port": PORT}, True, True),
    ("and somebody else ran it", {"port": PORT, "holders": [OTHER]}, False, False),
    ("seen with it, but over before", {"port": PORT, "ended": FROM_MS - 1}, False, False),
    ("seen with it, sent long after", {"port": PORT, "begun": UNTIL_MS + 51}, False, False),
    ("a wrong status", {"port": PORT, "outcome": "status"}, False, False),
    ("of another", {}, False, False),
    ("of another, who ran it", {"holders": [OTHER]}, False, False),
    ("handed to it", {"holders": [DEAD]}, False, True),
    ("handed to it, and not claimed", {"holders": [LOST]}, False, True),
    ("last answered by it, and read by nobody", {"held_by": DEAD}, False, True),
    ("last answered by it, run by another", {"held_by": DEAD, "holders": [OTHER]}, False, False),
    ("new", {"nth": 1, "held_by": 0}, False, True),
    ("opened long before", {"nth": 1, "held_by": 0, "begun": FROM_MS - 51}, False, False),
]


@pytest.mark.parametrize("what, case, exact, inexact", CASES, ids=[c[0] for c in CASES])
def test_excuse(what, case, exact, inexact):
    assert (excuses(True, **case), excuses(False, **case)) == (exact, inexact)


@pytest.mark.parametrize("port, worker, exact, inexact", [
    (PORT, OTHER, True, True), (2000, OTHER, False, False), (2000, DEAD, False, True)])
def test_excuse_of_a_drop(port, worker, exact, inexact):
    drop = Failure({"port": port, "worker": worker, "at_ns": UNTIL_MS * MS})
    assert [death(is_exact).excuses_drop(drop) for is_exact in (True, False)] == [exact, inexact]


def test_who_held_what_failed_together():
    """Of two on one connection the second was not read: the first has the line for both."""
    one = Stage.__new__(Stage)
    one.held, one.settings = None, {"ACCESS": "@DIR@/access.log"}
    one.server = types.SimpleNamespace(access_log=lambda: [
        "GET /sync/wait/1?ms=5 HTTP/1.1 200 43", "GET /sync/wait/2 HTTP/1.1 000 42",
        "POST /async/echo/3 HTTP/1.1 200 42", "-  000 42"])
    failed = [{"id": i, "port": port, "ended_ns": 9} for i, port in
              ((1, 11), (2, 12), (3, 13), (4, 12), (5, 15))]
    one.result = types.SimpleNamespace(failures=failed)
    assert [one.holders(Failure(f)) for f in failed] == [{43}, {LOST}, {42}, {LOST}, set()]
