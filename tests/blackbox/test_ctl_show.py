# SPDX-License-Identifier: MIT
"""What `remuda ctl show` prints, and what becomes of it where it is written."""

import os

from conftest import MODES
from control import begin, ctl, end, look
from daemon import wait_until


def broken_pipe():
    """Whose reader has gone."""
    reader, writer = os.pipe()
    os.close(reader)
    return open(writer, "w")


def test_show_workers(server):
    one = server()
    one.get("/sync/hello")
    shown = look(one)
    assert shown["readiness"] == "ready" and shown["pid"] == one.pid
    assert shown["generation"] == 1 and shown["requests"] >= 1
    assert shown["status"] == "ready: 2 workers x 4 threads = 8 slots"
    rows = shown["workers"]
    assert {row["pid"] for row in rows} == set(one.workers())
    assert all(row["state"] == "serving" and row["slots"] == 4 for row in rows)
    text = ctl(one, "show", "workers").stdout.splitlines()
    assert text[0] == shown["status"]
    assert text[1].startswith(f"readiness ready, master {one.pid}, generation 1, up ")
    assert text[3].split()[:4] == ["WORKER", "STATE", "PID", "GEN"]
    assert {int(line.split()[2]) for line in text[4:]} == set(one.workers())
    wait_until(lambda: all(row["rss_bytes"] > 0 for row in look(one)["workers"]), 10, "their RSS")


def test_show_slots(server):
    one = server()
    with one.connect() as busy:
        busy.request("GET", "/sync/sleep?ms=1500")
        (row,) = wait_until(lambda: look(one, "slots")["requests"], 10, "the request")
        assert (row["method"], row["path"]) == ("GET", "/sync/sleep")
        assert row["client"] == "127.0.0.1" and row["age_ms"] >= 0
        assert sum(w["load"] for w in look(one)["workers"]) == 1
        text = ctl(one, "show", "slots").stdout
        assert "of 8 slots are taken" in text and "GET /sync/sleep" in text
        busy.response()


def test_show_listeners(server):
    one = server(MODES.replace("listen = 127.0.0.1:0",
                               "listen = 127.0.0.1:0\nlisten = unix:@DIR@/http.sock"))
    first, second = look(one, "listeners")["listeners"]
    assert first["name"] == one.addresses[0] and first["queued"] == 0 and first["backlog"] > 0
    assert second == {"name": f"unix:{one.directory}/http.sock", "queued": None, "backlog": None}
    ctl(one, "pause")
    waiting = [one.connect() for _ in range(3)]
    assert look(one, "listeners")["listeners"][0]["queued"] == 3, "as of now"
    text = ctl(one, "show", "listeners").stdout
    assert f"3 {first['backlog']:7}  {one.addresses[0]}" in text
    ctl(one, "resume")
    for connection in waiting:
        assert connection.get("/sync/hello").status == 200
        connection.close()


def test_show_config_is_what_runs(server, directory):
    secret = directory / "secret"
    secret.write_text("tell nobody")
    one = server(MODES + f"[env]\nKEY = ${{file:{secret}}}\n")
    one.write_ini(MODES.replace("workers = 2", "workers = 3"))
    shown = look(one, "config")
    assert shown["server"]["workers"]["value"] in (2, "2"), "not what the file says now"
    assert "limits" not in shown
    text = ctl(one, "show", "config").stdout
    assert "workers = 2" in text and "tell nobody" not in text and str(secret) in text
    assert "head_timeout = 10s" in ctl(one, "show", "config", "--defaults").stdout
    ctl(one, "reload")
    assert look(one, "config")["server"]["workers"]["value"] in (3, "3")


# ---- its output ----

def test_an_order_has_taken_whoever_reads_the_answer(server):
    one = server()
    for sink in (broken_pipe(), open("/dev/full", "w")):
        status, _, err = end(begin(one, "reload", stdout=sink))
        assert status == 0, err
        sink.close()
    one.log.wait(r"reload done: generation 3")
    assert "No space left" in err


def test_a_show_that_cannot_be_written(server):
    one = server()
    with open("/dev/full", "w") as full:
        status, _, err = end(begin(one, "show", "workers", stdout=full))
    assert status == 71 and "No space left" in err
    with broken_pipe() as pipe:
        assert end(begin(one, "show", "workers", stdout=pipe))[::2] == (0, "")
