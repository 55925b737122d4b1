# SPDX-License-Identifier: MIT
"""docs/CAPACITY.md and `remuda lab` tell of the same experiments."""

import re
import xml.etree.ElementTree as ElementTree

from daemon import SOURCE, run

PAGE = SOURCE / "docs" / "CAPACITY.md"


def test_the_page_lists_the_experiments_of_the_program():
    listed = run("lab", "--help").stdout
    program = re.findall(r"^ +(\d+)  ([a-z-]+) ", listed, re.M)
    page = re.findall(r"^\| (\d+) \| ([a-z-]+) \|", PAGE.read_text(), re.M)
    assert len(program) >= 2, listed
    assert page == program


def test_its_pictures_are_there_and_no_others():
    named = re.findall(r"!\[[^]]+\]\(([^)]+\.svg)\)", PAGE.read_text())
    there = [str(path.relative_to(PAGE.parent)) for path in PAGE.parent.glob("capacity/*")]
    assert named and sorted(named) == sorted(there)
    for name in named:
        picture = ElementTree.parse(PAGE.parent / name).getroot()
        assert picture.tag.endswith("}svg")
