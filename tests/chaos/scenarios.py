# SPDX-License-Identifier: MIT
"""scenarios - the table: what is done to the server under load, and which requests may fail.

Numbers in pairs are (short, long): the short form is run by ctest, the long one by
`./dev chaos`. What a scenario does not name is that of the class: no request may fail, no
kept connection may end, the server runs until TERM and then ends with 0.
"""

import dataclasses
import typing

import actions as act
import surroundings as place


@dataclasses.dataclass
class Scenario:
    name: str
    about: str
    action: typing.Callable = act.nothing
    steps: tuple = (5, 20)
    rate: tuple = (1000, 2500)
    requests: tuple = (4000, 100000)
    config: dict = dataclasses.field(default_factory=dict)
    mix: dict = dataclasses.field(default_factory=dict)
    flags: tuple = ()
    kept: int = 50                      # connections, twice
    allows: typing.Callable = act.allows_nothing
    allows_drop: typing.Callable = act.allows_nothing
    check: typing.Callable = act.check_connections
    check_end: typing.Callable = act.nothing    # when the server has ended, its logs too
    before: typing.Callable = act.nothing
    before_end: typing.Callable = act.nothing
    make_server: typing.Callable = place.plain_server
    exit_status: int = 0
    stops_master: bool = False          # for a while: else the machine stood still
    need: tuple = ()                    # each raises Skip where it cannot be shown
    pending: str = ""                   # what the server cannot do yet
    classes: tuple = ("event", "thread")


NO_CLOSE = {"close": 0}
SLOW = {"rate": (300, 500), "requests": (1500, 6000)}

TABLE = [
    # ---- lossless change ----
    Scenario("reload", "HUP under load", act.reload, check=act.check_reloads),
    Scenario("scale", "TTIN and TTOU", act.scale, steps=(6, 20), check=act.check_scaling),
    Scenario("scale_hastily", "TTIN and at once TTOU, while an application starts",
             act.scale_hastily, steps=(2, 5), requests=(6000, 40000),
             config={"WORKERS": 1, "OPTIONS": "boot = 1s"}, check=act.check_hasty_scaling),
    Scenario("stop", "TERM: what was sent before is answered", act.stop, steps=(1, 1),
             requests=(3000, 20000), allows=act.allows_after_stop,
             allows_drop=act.allows_drop_after_stop, check=act.check_stop),
    Scenario("bad_reload", "config broken, plugin missing, of another ABI, crashing, hanging",
             act.refused_reload, steps=(5, 20), requests=(5000, 100000)),
    Scenario("plugin_file", "the plugin file is overwritten in place, and replaced by rename",
             act.change_plugin_file, steps=(2, 10), make_server=place.server_with_own_plugin,
             config={"PLUGIN": "@DIR@/drudge.so"}),
    Scenario("slow_start", "a reload while the application takes 3 s to start",
             act.reload_slow_application, steps=(1, 1), requests=(8000, 40000),
             check=act.check_slow_application),
    Scenario("signals", "1,000 mixed signals in a second", act.storm_of_signals, steps=(1, 5),
             requests=(5000, 100000)),

    Scenario("max_requests", "recycling each 500 requests", steps=(1, 1),
             requests=(6000, 100000), config={"WORKER": "max_requests = @LIFE@"},
             check=act.check_recycling),
    Scenario("recycle", "a worker is recycled by the operator", act.recycle, steps=(3, 20)),
    Scenario("upgrade", "USR2: another binary, the same pid", act.upgrade, steps=(2, 5),
             make_server=place.server_by_a_link),
    Scenario("bad_upgrade", "to a binary that exits, hangs, cannot read the state",
             act.refused_upgrade, steps=(3, 9), requests=(8000, 100000),
             config={"WORKER": "boot_timeout = 2s"}, make_server=place.server_by_a_link),

    Scenario("changes", "20 reloads, 3 recyclings, 2 upgrades: connections outlive them all",
             act.change, steps=(5, 25), make_server=place.server_by_a_link,
             check=act.check_reloads),

    # ---- deaths ----
    Scenario("kill", "KILL, SEGV, ABRT of workers every 2 s", act.kill, steps=(3, 30),
             rate=(1000, 1700), requests=(4000, 102000), allows=act.allows_by_death,
             allows_drop=act.allows_drop_by_death, check=act.check_deaths),
    Scenario("kill_lines", "the same: each request begun has its access-log line", act.kill,
             steps=(3, 30), rate=(1000, 1700), requests=(4000, 102000),
             config={"OPTIONS": "journal = @DIR@/journal"},
             allows=act.allows_by_death, allows_drop=act.allows_drop_by_death,
             check=act.check_deaths, check_end=act.check_lines_of_the_lost),
    Scenario("still", "STOP of a worker for half a second", act.stand_still, steps=(3, 20)),
    Scenario("hung", "STOP of a worker for good: heartbeat_timeout", act.stand_still_for_good,
             steps=(1, 5), requests=(3000, 100000), rate=(500, 2500),
             config={"WORKER": "heartbeat_timeout = 1s"},
             allows=act.allows_by_death, allows_drop=act.allows_drop_by_death,
             check=act.check_deaths),
    # no more than have their obituaries: twenty in 10 s
    Scenario("crashes", "1 % of the requests crash their worker", steps=(1, 1),
             rate=(300, 100), requests=(1200, 4000), mix={"extra": 0.01},
             flags=("-x", "/crash"), allows=act.allows_crashes,
             allows_drop=act.allows_drop_by_crashes, check=act.check_crashes),

    Scenario("spins", "a handler that never ends: its request alone is lost", steps=(1, 1),
             rate=(300, 300), requests=(1500, 12000), flags=("-x", "/spin"),
             mix={"extra": 0.003, "stream": 0, "pair": 0},
             allows=act.allows_the_endless, check=act.check_the_endless,
             config={"LIMITS": "request_timeout = 1s", "WORKER": "graceful_timeout = 4s"}),
    Scenario("blocks", "handlers that take 30 s: 504 for them, nothing for the others",
             steps=(1, 1), rate=(300, 300), requests=(1500, 12000), flags=("-x", "/block"),
             mix={"extra": 0.003, "stream": 0, "pair": 0},
             allows=act.allows_the_endless, check=act.check_the_endless,
             config={"LIMITS": "request_timeout = 1s", "WORKER": "graceful_timeout = 4s"}),
    Scenario("leaks", "1 MiB lost with each of some requests: max_rss", steps=(1, 1),
             mix={"extra": 0.05}, flags=("-x", "/leak"), check=act.check_some_recycled,
             config={"WORKER": "max_rss = 96M"}),

    # ---- the master ----
    Scenario("master_stopped", "SIGSTOP of the master, longer than heartbeat_timeout",
             act.stop_master, steps=(1, 2), requests=(5000, 60000), stops_master=True,
             config={"WORKER": "heartbeat_timeout = 1s"}, check=act.check_nobody_died),
    Scenario("master_killed", "SIGKILL of the master: workers finish and go", act.kill_master,
             steps=(1, 1), requests=(3000, 20000), allows=act.allows_after_stop,
             allows_drop=act.allows_drop_after_stop, check=act.check_stop, exit_status=-9),
    Scenario("pid_one", "PID 1 of a namespace, with orphans", place.orphans, steps=(3, 10),
             make_server=place.server_as_pid_one, need=(place.need_namespaces,)),
    Scenario("no_fork", "no process to be had, as an unprivileged user",
             place.no_more_processes, steps=(1, 1), requests=(4000, 20000),
             make_server=place.server_of_nobody,
             need=(place.need_root, lambda: place.need_tool("setpriv"))),

    # ---- the machine ----
    Scenario("descriptors", "64 descriptors, 500 clients", place.crowd, steps=(1, 1),
             rate=(50, 50), requests=(300, 1000), mix=NO_CLOSE, kept=5,
             config={"SERVER": "worker_slots = 6"}, check=place.check_crowd,
             make_server=place.wrapped_server("prlimit", "--nofile=64:64")),
    Scenario("disk_full", "the access log on a full device", act.reload, steps=(1, 5),
             config={"ACCESS": "/dev/full"}, check=place.check_dropped_lines),
    Scenario("disk_fills", "the access log on a disk that becomes full", act.reload,
             steps=(1, 5), config={"ACCESS": "@DIR@/small/access.log"},
             make_server=place.small_disk_server, need=(place.need_root,),
             check=place.check_dropped_lines),
    Scenario("pipe_broken", "the access log is a pipe whose reader has gone", act.reload,
             steps=(1, 5), config={"ACCESS": "-"}, make_server=place.piped_server(True),
             check=place.check_dropped_lines),
    Scenario("pipe_stalls", "the access log is a pipe that nobody reads", act.reload,
             steps=(1, 5), config={"ACCESS": "-"}, make_server=place.piped_server(False)),
    Scenario("log_lost", "the reader of the error log dies", place.lose_error_log,
             steps=(1, 1), requests=(3000, 20000), make_server=place.relayed_server),
    Scenario("log_stalls", "the reader of the error log stands still", place.stall_error_log,
             steps=(1, 2), requests=(6000, 30000), make_server=place.relayed_server),
    Scenario("clock", "the wall clock jumps, on and back", place.jump, steps=(3, 9),
             requests=(6000, 100000), make_server=place.server_of_another_time,
             need=(place.need_faketime,)),
    Scenario("starved", "a tenth of the CPU, in pieces; heartbeat_timeout is 1 s",
             place.starve, steps=(1, 2), rate=(50, 50), requests=(250, 1200), stops_master=True,
             mix={"wait100": 0.01, "stream": 0, "echo": 0.05},
             config={"WORKER": "heartbeat_timeout = 1s"}, check=act.check_nobody_died),
]

BY_NAME = {scenario.name: scenario for scenario in TABLE}
