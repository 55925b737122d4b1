# SPDX-License-Identifier: MIT
"""The static plugin: files below its root, and nothing else, however it is asked."""

import os
import random

import pytest

INI = """
[server]
listen = 127.0.0.1:0
class = @CLASS@
workers = 1
threads = 2
[plugin static]
path = @PLUGINS@/static.so
mount = /files
root = @DIR@/root
"""

SECRET = b"must not be read"


@pytest.fixture
def files(server, directory):
    root = directory / "root"
    (root / "sub").mkdir(parents=True)
    (root / "a.txt").write_text("text\n")
    (root / "sub" / "b.html").write_text("<p>b</p>\n")
    (root / "big").write_bytes(random.Random(3).randbytes(2_000_000))
    (root / "empty").write_bytes(b"")
    (root / "with space").write_text("space")
    (directory / "secret").write_bytes(SECRET)
    (directory / "root-evil").mkdir()
    (directory / "root-evil" / "secret").write_bytes(SECRET)
    os.symlink(directory / "secret", root / "link")
    os.symlink("..", root / "up")
    os.mkfifo(root / "fifo")
    return server(INI)


def test_files(files, directory):
    with files.connect() as connection:
        for name in ("a.txt", "sub/b.html", "big", "empty"):
            answer = connection.get(f"/files/{name}")
            assert answer.status == 200, answer
            assert answer.body == (directory / "root" / name).read_bytes()
        assert connection.get("/files/with%20space").text == "space"
        assert connection.get("/files/a.txt").header("Content-Type").startswith("text/plain")
        assert connection.get("/files/sub/b.html").header("Content-Type").startswith("text/html")


def test_head(files):
    with files.connect() as connection:
        answer = connection.ask("HEAD", "/files/big")
        assert answer.status == 200 and answer.header("Content-Length") == "2000000"
        assert connection.get("/files/a.txt").text == "text\n"


def test_missing_and_wrong_method(files):
    with files.connect() as connection:
        assert connection.get("/files/none").status == 404
        assert connection.get("/files/a.txt/x").status == 404
        assert connection.ask("POST", "/files/a.txt", b"x").status == 405


@pytest.mark.parametrize("target", [
    "/files/../secret", "/files/%2e%2e/secret", "/files/..%2fsecret", "/files/%2e%2e%2fsecret",
    "/files/sub/../../secret", "/files/sub/%2e%2e/%2e%2e/secret", "/files/./../secret",
    "/files//../secret", "/files/../root-evil/secret", "/files/..%2froot-evil/secret",
    "/files/link", "/files/up/secret", "/files/..\\secret", "/files/%5c..%5csecret",
    "/files//etc/passwd", "/files/%2fetc/passwd", "/files/a.txt%00.html",
    "/files/%c0%ae%c0%ae/secret", "/files/....//secret", "/files/sub/..;/../secret",
])
def test_no_escape(files, target):
    answer = files.get(target)
    assert answer.status in (400, 403, 404), answer
    assert SECRET not in answer.body and b"root:" not in answer.body


def test_no_file_but_a_regular_one(files):
    """A FIFO must not hang a slot, a directory is not a file."""
    with files.connect() as connection:
        assert connection.get("/files/fifo").status in (403, 404)
        assert connection.get("/files/sub").status in (301, 302, 308, 403, 404)
        assert connection.get("/files/").status in (403, 404)
        assert connection.get("/files/a.txt").status == 200
