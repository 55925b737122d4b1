# SPDX-License-Identifier: MIT
"""rules - the rules that are about one file: size, banned calls, papers, form.

Each takes a Source and yields (line, message). RULES at the end names them all; each has
a snippet in selftest.py that it must refuse.
"""
import re

import edges

FILE_LINES, HEADER_LINES, FUNCTION_LINES, LINE_COLUMNS = 500, 150, 100, 100

BANNED = {
    r"\bgoto\b": "goto: let x_destroy() take a half-built object",
    r"\b(strcpy|strcat|sprintf|vsprintf|stpcpy|gets)\s*\(": "an unbounded copy",
    r"\bstrtok\s*\(": "strtok keeps hidden state",
    r"\bato(i|l|ll|f)\s*\(": "atoi cannot report an error: use strtol",
    r"\bsignal\s*\(": "signal: use sigaction",
    r"\b(system|popen)\s*\(": "runs a shell",
    r"\bev_default_loop\s*\(": "ev_default_loop reaps children: use ev_loop_new",
    r"\balloca\s*\(": "alloca",
}
BANNED_IN_HOST = {
    r"\bdlclose\s*\(": "dlclose: an image stays loaded for life",
}

TYPEDEF = re.compile(r"^\s*typedef\b(?!.*\()")
HOST = re.compile(r"(?i)\b(?:[a-z0-9-]+\.)+(?:com|org|net|io|dev|cloud|internal|lan)\b"
                  r"(?!\s*\()")
OUR_HOSTS = re.compile(r"(?i)(^|\.)example\.(com|org|net)$")
NAMESPACES = re.compile(r'xmlns(:\w+)?=\\?"[^"]*"')  # names that nobody fetches


def check_size(source):
    limit = HEADER_LINES if source.is_header else FILE_LINES
    if source.path == "include/remuda.h":
        limit = FILE_LINES
    if len(source.lines) > limit:
        yield limit + 1, f"{len(source.lines)} lines, the limit is {limit}: split it by noun"


def check_function_size(source):
    """A function's body is what stands between a { and a } in the first column."""
    if not source.path.endswith(".c"):
        return
    start = None
    for number, line in enumerate(source.code, 1):
        if line.startswith("{"):
            start = number
        elif line.startswith("}") and start is not None:
            if number - start - 1 > FUNCTION_LINES:
                yield start, f"a function of {number - start - 1} lines, limit {FUNCTION_LINES}"
            start = None


def check_banned(source):
    if not source.is_c:
        return
    banned = BANNED if source.is_test else {**BANNED, **BANNED_IN_HOST}
    for number, line in enumerate(source.code, 1):
        if line.lstrip().startswith("#"):
            continue
        for pattern, why in banned.items():
            if re.search(pattern, line):
                yield number, why


def check_typedef(source):
    """No typedef but for function types; the public ABI is written for its users."""
    if not source.is_c or source.path == "include/remuda.h" or source.is_plugin:
        return
    for number, line in enumerate(source.code, 1):
        if TYPEDEF.match(line):
            yield number, "typedef of something that is not a function"


def check_spdx(source):
    if not any("SPDX-License-Identifier: MIT" in line for line in source.lines[:2]):
        yield 1, "no 'SPDX-License-Identifier: MIT' in the first two lines"


def check_head(source):
    """Right after the licence: a comment that begins with the file's own name."""
    if not source.path.endswith((".c", ".h")):
        return
    stem = source.name.rsplit(".", 1)[0]
    head = "\n".join(source.lines[1:4])
    pattern = rf"/\*+(\n \*)? (\w+/)*{re.escape(stem)}(\.[ch])? - \S"
    if not re.match(pattern, head):
        yield 2, f"no head comment '{stem} - what it is'"


def check_form(source):
    """The tables in .def have one row per line, however wide."""
    for number, line in enumerate(source.lines, 1):
        if "\t" in line:
            yield number, "a tab"
        if len(line) > LINE_COLUMNS and not source.path.endswith(".def"):
            yield number, f"{len(line)} columns, the limit is {LINE_COLUMNS}"
        if line != line.rstrip():
            yield number, "blanks at the end of the line"
    if not source.text.endswith("\n"):
        yield len(source.lines), "no newline at the end"


def check_hosts(source):
    """Nothing here depends on a machine elsewhere; examples use example.org."""
    for number, line in enumerate(source.lines, 1):
        for host in HOST.findall(NAMESPACES.sub("", line)):
            if not OUR_HOSTS.search(host):
                yield number, f"the name of an outside host: {host}"


def check_leftovers(source):
    for number, line in enumerate(source.lines, 1):
        if re.search(r"\b(TO" r"DO|FIX" r"ME|X" r"XX)\b", line):
            yield number, "unfinished business: do it, or say what is missing in the docs"


RULES = {
    "edges": edges.check_edges,
    "folder": edges.check_folder,
    "threads": edges.check_threads,
    "size": check_size,
    "function-size": check_function_size,
    "banned": check_banned,
    "typedef": check_typedef,
    "spdx": check_spdx,
    "head": check_head,
    "form": check_form,
    "hosts": check_hosts,
    "leftovers": check_leftovers,
}
