# SPDX-License-Identifier: MIT
"""Experiments 3, 4 and 15 to 17 of `remuda lab`, in their short form."""

import pytest

from daemon import sanitized
from test_lab_waiting import agreeing, report, rows


@pytest.mark.skipif(bool(sanitized()), reason="the speed of a build with sanitizers")
def test_the_loop_is_measured():
    """Its rates want the machine for themselves."""
    report(4)


@pytest.mark.parametrize("number", (3, 15, 16))
def test_agrees(number):
    agreeing(number)


def test_a_reload_fails_no_request():
    """And closes no connection."""
    said = agreeing(17, "requests that failed", "rate", "generations")
    closed, = rows(said, ["connections that were closed"])
    assert closed["measured"] == 0, said
