# SPDX-License-Identifier: MIT
"""requirements.tsv: each rule has cases that exist, or a reason why there are none."""

import collections
import importlib
import pathlib
import re

import pytest

HERE = pathlib.Path(__file__).resolve().parent
TABLE = (HERE / "requirements.tsv").read_text(encoding="ascii").splitlines()
ROWS = [(number, *line.split("\t")) for number, line in enumerate(TABLE[1:], 2)]


def modules():
    return [importlib.import_module(path.stem) for path in sorted(HERE.glob("test_*.py"))]


def ids():
    """Of each raw-byte case."""
    return [case.id for module in modules() for case in getattr(module, "CASES", [])]


@pytest.fixture(scope="module")
def known():
    """Cases, and the names of tests that are no tables."""
    names = {name for module in modules() for name in vars(module) if name.startswith("test_")}
    return set(ids()) | names - {"test_letter"}


def test_no_two_cases_of_one_name():
    assert len(ids()) > 400
    assert [name for name, count in collections.Counter(ids()).items() if count > 1] == []


@pytest.mark.parametrize("row", ROWS, ids=[f"line-{row[0]}" for row in ROWS])
def test_row(row, known):
    assert len(row) == 4, f"line {row[0]}: section, rule, cases"
    _, section, rule, cases = row
    assert re.fullmatch(r"91(10|12) [0-9]+(\.[0-9]+)*", section) and rule
    if not re.fullmatch(r"n/a: \S.*", cases):
        missing = set(cases.split()) - known
        assert cases.split() and not missing, f"no such case: {missing}"


def test_table():
    """No rule twice; both RFCs are there."""
    assert TABLE[0] == "section\trule\tcases"
    rules = [row[1:3] for row in ROWS]
    assert len(set(rules)) == len(rules) > 150
    assert {section[:4] for section, _ in rules} == {"9110", "9112"}
