# SPDX-License-Identifier: MIT
"""edges - who may include whom. The arrows of the architecture, as a table.

    common <- conf, http <- worker <- master;  cli and admin beside them;  a plugin sees
    include/remuda.h and nothing else.

A new arrow is a change of the architecture: change the table in a commit of its own.
"""
import re

# folder: folders it may include (its own is always allowed)
ALLOWED = {
    "common": set(),
    "conf": {"common"},
    "http": {"common", "include"},
    "worker": {"common", "conf", "http", "include"},
    "admin": {"common", "include"},
    "master": {"common", "conf"},
    "cli": {"common", "conf"},
    "include": set(),
}

# one file of a foreign folder, for one file or folder of ours
DOORS = {
    ("master/", "worker/worker.h"),
    ("master/main.c", "cli/cli.h"),
    ("master/main.c", "admin/admin.h"),
}

# headers of libraries: the folders that may use them
LIBRARIES = {
    "ev.h": {"worker", "master"},
    "llhttp.h": {"http"},
    "ini.h": {"conf"},
}

# The only files that may include <pthread.h> or <threads.h>: a thread is a decision.
THREADED = {
    "worker/pool.c", "worker/pool.h", "worker/self.h", "worker/done.h", "worker/family.h",
    "worker/stream.c", "worker/intake.c", "cli/sampler.c",
}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def includes(source):
    """(line number, quote, path) of each #include."""
    for number, line in enumerate(source.code, 1):
        found = INCLUDE.match(line)
        if found:
            yield number, found.group(1), found.group(2)


def own_headers(source):
    """A plugin of several files has a folder, and one header of the folder's name in it."""
    parts = source.path.split("/")
    return {parts[1] + ".h"} if parts[0] == "plugins" and len(parts) == 3 else set()


def check_edges(source):
    """Yields (line, message) for each include that turns an arrow round."""
    if not source.is_c or (source.is_test and not source.is_plugin):
        return
    for number, quote, path in includes(source):
        if quote == "<":
            users = LIBRARIES.get(path)
            if users is not None and source.folder not in users:
                yield number, f"<{path}> belongs to {' and '.join(sorted(users))}"
            continue
        target = path.split("/")[0]
        if source.is_plugin:
            if path != "remuda.h" and path not in own_headers(source):
                yield number, f"a plugin includes remuda.h only, not {path}"
        elif target not in {source.folder} | ALLOWED.get(source.folder, set()):
            if not any(source.path.startswith(who) and path == door for who, door in DOORS):
                yield number, f"{source.folder}/ may not include {path}"


def check_folder(source):
    """An include names its folder, so that a grep can follow the arrows."""
    if not source.is_c or source.is_plugin:
        return
    for number, quote, path in includes(source):
        if quote == '"' and "/" not in path:
            yield number, f'#include "{path}" without its folder'
        if ".." in path.split("/"):
            yield number, f'#include "{path}" climbs'


def check_threads(source):
    """Few files know of threads."""
    if not source.is_c or source.is_test:
        return
    for number, _, path in includes(source):
        if path in ("pthread.h", "threads.h") and source.path not in THREADED:
            yield number, f"<{path}> outside the files that own threads (edges.py)"
