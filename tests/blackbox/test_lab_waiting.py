# SPDX-License-Identifier: MIT
"""Experiments 7, 8, 10 to 13, 16 and 17 of `remuda lab`, in their short form.

Exact figures: handlers sleep. Each runs once; the tests look at what it said.
"""

import functools
import json

import pytest

from daemon import run, sanitized

pytestmark = pytest.mark.skipif(bool(sanitized()), reason="figures of a build with sanitizers")


@functools.lru_cache(maxsize=None)
def experiment(number):
    done = run("lab", "--short", "--json", number, timeout=60)
    assert done.returncode in (0, 1), done.stderr
    said = json.loads(done.stdout)["experiments"][0]
    assert said["number"] == number and (said["verdict"] == "agrees") == (done.returncode == 0)
    return said


def row(said, label):
    found = [r for r in said["rows"] if label in r["label"]]
    assert len(found) == 1, said["rows"]
    return found[0]


@pytest.mark.parametrize("number", (7, 8, 10, 11, 13, 16))
def test_agrees(number):
    said = experiment(number)
    assert said["verdict"] == "agrees", said


def test_a_deadline_ends_what_waits():
    said = experiment(12)
    assert row(said, "coroutine: 504 after")["agrees"], said
    assert row(said, "coroutine: room")["agrees"], said


def test_a_deadline_cannot_end_what_blocks():
    """What is missing until the host answers for the handler is said, not hidden."""
    said = experiment(12)
    assert row(said, "thread: slot")["agrees"], said
    late = row(said, "thread: 504 after")
    assert late["agrees"] or (99 < late["measured"] < 130 and said["missing"]), said


def test_a_reload_fails_no_request():
    said = experiment(17)
    for label in ("requests that failed", "rate", "generations"):
        assert row(said, label)["agrees"], said
    assert row(said, "closed")["agrees"] or said["missing"], said
