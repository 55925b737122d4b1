#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""selftest - each lint rule is fed what it must refuse and what it must let pass.

A rule without a row in REFUSED fails too: a rule that cannot fail is a defect.
"""
import sys

sys.dont_write_bytecode = True

import lint   # noqa: E402
import rules  # noqa: E402
import tree   # noqa: E402

SPDX = "/* SPDX-License-Identifier: MIT */\n"
LONG_FUNCTION = "int f(void)\n{\n" + "    g();\n" * 101 + "}\n"

# (rule, path, text): the rule must say something
REFUSED = [
    ("edges", "common/fd.c", '#include "conf/conf.h"\n'),
    ("edges", "common/fd.c", "#include <ev.h>\n"),
    ("edges", "conf/load.c", '#include "http/parser.h"\n'),
    ("edges", "http/parser.c", '#include "conf/conf.h"\n'),
    ("edges", "http/parser.c", '  #  include "worker/conn.h" /* so */\n'),
    ("edges", "worker/conn.c", '#include "master/slot.h"\n'),
    ("edges", "worker/conn.c", "#include <llhttp.h>\n"),
    ("edges", "master/slot.c", '#include "http/parser.h"\n'),
    ("edges", "master/spawn.c", '#include "worker/conn.h"\n'),
    ("edges", "master/slot.c", '#include "cli/cli.h"\n'),
    ("edges", "cli/ctl.c", '#include "worker/worker.h"\n'),
    ("edges", "plugins/echo.c", '#include "common/slice.h"\n'),
    ("edges", "plugins/static/range.c", '#include "worker/ctx.h"\n'),
    ("edges", "plugins/echo.c", '#include "static.h"\n'),
    ("edges", "tests/plugins/bad.c", '#include "common/slice.h"\n'),
    ("folder", "worker/conn.c", '#include "conn.h"\n'),
    ("folder", "worker/conn.c", '#include "worker/../http/parser.h"\n'),
    ("threads", "http/parser.c", "#include <pthread.h>\n"),
    ("size", "worker/conn.c", "\n" * 501),
    ("size", "worker/conn.h", "\n" * 151),
    ("size", "tests/blackbox/test_x.py", "\n" * 501),
    ("size", "plugins/echo.c", "\n" * 501),
    ("function-size", "worker/conn.c", LONG_FUNCTION),
    ("banned", "worker/conn.c", "    goto out;\n"),
    ("banned", "worker/conn.c", "    strcpy(a, b);\n"),
    ("banned", "worker/conn.c", "    strcat (a, b);\n"),
    ("banned", "worker/conn.c", '    n = sprintf(a, "x");\n'),
    ("banned", "worker/conn.c", "    strtok(a, b);\n"),
    ("banned", "worker/conn.c", "    return atoi(a);\n"),
    ("banned", "master/signals.c", "    signal(SIGHUP, f);\n"),
    ("banned", "master/spawn.c", '    system("ls");\n'),
    ("banned", "worker/worker.c", "    loop = ev_default_loop(0);\n"),
    ("banned", "worker/conn.c", "    p = alloca(n);\n"),
    ("banned", "worker/plugin.c", "    dlclose(h);\n"),
    ("typedef", "worker/conn.h", "typedef struct conn conn_t;\n"),
    ("spdx", "worker/conn.c", "/* conn - a connection. */\nint x;\n"),
    ("spdx", "dev", "#!/bin/bash\nset -e\n# SPDX-License-Identifier: MIT\n"),
    ("head", "worker/conn.c", SPDX + "#include <stdio.h>\n"),
    ("head", "worker/conn.c", SPDX + "/*\n * client - a connection.\n */\n"),
    ("form", "worker/conn.c", "\tint x;\n"),
    ("form", "worker/conn.c", "x" * 101 + "\n"),
    ("form", "worker/conn.c", "int x; \n"),
    ("form", "worker/conn.c", "int x;"),
    ("hosts", "tests/blackbox/test_x.py", "get('http" + "://www.sample." + "com/x')\n"),
    ("hosts", "conf/remuda.ini", "# see docs.sample." + "org\n"),
    ("hosts", "cli/svg.c", 'f("<a href=\\"http' + '://www.sample.' + 'org/2000/svg\\">");\n'),
    ("leftovers", "worker/conn.c", "/* TO" + "DO: later */\n"),
]

# (rule, path, text): the rule must keep silent
ACCEPTED = [
    ("edges", "worker/conn.c", '#include "http/parser.h"\n#include <ev.h>\n'),
    ("edges", "master/main.c", '#include "cli/cli.h"\n#include "worker/worker.h"\n'),
    ("edges", "plugins/echo.c", "#include <remuda.h>\n#include <string.h>\n"),
    ("edges", "plugins/static/range.c", '#include "static.h"\n'),
    ("edges", "tests/unit/test_fd.c", '#include "common/fd.h"\n'),
    ("folder", "worker/conn.c", '#include "worker/conn.h"\n'),
    ("threads", "worker/pool.c", "#include <pthread.h>\n"),
    ("size", "worker/conn.c", "\n" * 500),
    ("size", "include/remuda.h", "\n" * 300),
    ("function-size", "worker/conn.c", LONG_FUNCTION.replace("    g();\n", "", 1)),
    ("banned", "worker/conn.c", '/* goto strcpy(a) */ log("system(x)"); on_signal(3);\n'),
    ("banned", "worker/conn.c", "    snprintf(a, n, b);\n    remuda_system(1);\n"),
    ("banned", "tests/unit/test_plugin.c", "    dlclose(h);\n"),
    ("form", "conf/options.def", "x" * 101 + "\n"),
    ("typedef", "worker/conn.h", "typedef void (*conn_fn)(struct conn *c);\n"),
    ("head", "worker/conn.c", SPDX + "/*\n * conn - a connection.\n */\n"),
    ("head", "worker/conn.h", SPDX + "/* worker/conn - a connection. */\n"),
    ("hosts", "cli/svg.c", 'f("<svg xmlns=\\"http' + '://www.sample.' + 'org/2000/svg\\">");\n'),
    ("hosts", "tests/blackbox/test_x.py", "Host: www.example.org, 127.0.0.1, a.conf\n"),
]


def fires(rule, path, text):
    return any(found[2] == rule for found in lint.findings(tree.Source(path, text)))


def main():
    wrong = [f"{rule}: let this pass in {path}: {text[:60]!r}"
             for rule, path, text in REFUSED if not fires(rule, path, text)]
    wrong += [f"{rule}: refused this in {path}: {text[:60]!r}"
              for rule, path, text in ACCEPTED if fires(rule, path, text)]
    wrong += [f"{rule}: has no row that it must refuse"
              for rule in rules.RULES if rule not in {row[0] for row in REFUSED}]
    for line in wrong:
        print(line)
    print(f"selftest: {len(REFUSED)} to refuse, {len(ACCEPTED)} to accept, {len(wrong)} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
