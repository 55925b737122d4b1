# SPDX-License-Identifier: MIT
"""The static plugin: files below its root, and nothing else, however it is asked."""

import email.utils
import os
import random
import time

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


# ---- what the client has already

CHANGED_S = 784111777
CHANGED = "Sun, 06 Nov 1994 08:49:37 GMT"


@pytest.fixture
def old(files, directory):
    """The same files, a.txt and big last changed in 1994."""
    for name in ("a.txt", "big"):
        os.utime(directory / "root" / name, (CHANGED_S, CHANGED_S))
    return files


def field_names(answer):
    return {name.lower() for name, _ in answer.fields}


def test_validators(old):
    with old.connect() as connection:
        answer = connection.get("/files/a.txt")
        assert answer.header("Last-Modified") == CHANGED
        assert answer.header("ETag").startswith('"'), "strong"
        assert answer.header("Accept-Ranges") == "bytes"
        assert answer.header("X-Content-Type-Options") == "nosniff"
        assert connection.get("/files/a.txt").header("ETag") == answer.header("ETag")
        assert connection.get("/files/big").header("ETag") != answer.header("ETag")


def test_another_tag_for_each_change(old, directory):
    path = directory / "root" / "a.txt"
    with old.connect() as connection:
        tags = [connection.get("/files/a.txt").header("ETag")]
        os.utime(path, ns=(0, CHANGED_S * 10**9 + 1))  # a nanosecond later
        tags.append(connection.get("/files/a.txt").header("ETag"))
        path.write_text("text!\n")
        os.utime(path, (CHANGED_S, CHANGED_S))
        tags.append(connection.get("/files/a.txt").header("ETag"))
        (directory / "new").write_text("Text!\n")
        os.utime(directory / "new", (CHANGED_S, CHANGED_S))
        os.rename(directory / "new", path)  # same size, same time
        tags.append(connection.get("/files/a.txt").header("ETag"))
        assert len(set(tags)) == 4, tags


@pytest.mark.parametrize("ahead_s", [0, 3600])
def test_last_modified_is_never_later_than_date(old, directory, ahead_s):
    path = directory / "root" / "a.txt"
    with old.connect() as connection:
        os.utime(path, (time.time() + ahead_s,) * 2)
        answer = connection.get("/files/a.txt")
        changed, date = (email.utils.parsedate_to_datetime(answer.header(name))
                         for name in ("Last-Modified", "Date"))
        assert changed <= date
        assert (date - changed).total_seconds() < 60


@pytest.mark.parametrize("fields, status", [
    ([("If-None-Match", "@")], 304), ([("If-None-Match", "W/@")], 304),
    ([("If-None-Match", '"x", @')], 304), ([("If-None-Match", '"x"'), ("If-None-Match", "@")], 304),
    ([("If-None-Match", "*")], 304), ([("If-None-Match", '"x"')], 200),
    ([("If-Modified-Since", CHANGED)], 304),
    ([("If-Modified-Since", "Sunday, 06-Nov-94 08:49:37 GMT")], 304),
    ([("If-Modified-Since", "Sun Nov  6 08:49:37 1994")], 304),
    ([("If-Modified-Since", "Sun, 06 Nov 1994 08:49:36 GMT")], 200),
    ([("If-Modified-Since", "6 Nov 1994")], 200),
    ([("If-Modified-Since", CHANGED), ("If-Modified-Since", CHANGED)], 200),
    ([("If-None-Match", '"x"'), ("If-Modified-Since", CHANGED)], 200),
    ([("If-None-Match", "@"), ("If-Modified-Since", "Sun, 06 Nov 1994 08:49:36 GMT")], 304),
    ([("If-Match", "@")], 200), ([("If-Match", "*")], 200), ([("If-Match", '"x"')], 412),
    ([("If-Match", "W/@")], 412), ([("If-Unmodified-Since", CHANGED)], 200),
    ([("If-Unmodified-Since", "Sun, 06 Nov 1994 08:49:36 GMT")], 412),
    ([("If-Match", "@"), ("If-Unmodified-Since", "Sun, 06 Nov 1994 08:49:36 GMT")], 200),
    ([("If-Match", '"x"'), ("If-None-Match", "@")], 412),
    ([("If-Match", "@"), ("If-None-Match", "@")], 304),
    ([("If-None-Match", "@"), ("Range", "bytes=0-0")], 304),
    ([("If-Match", '"x"'), ("Range", "bytes=99-")], 412),
])
def test_conditions(old, fields, status):
    with old.connect() as connection:
        tag = connection.get("/files/a.txt").header("ETag")
        fields = [(name, value.replace("@", tag)) for name, value in fields]
        for method in ("GET", "HEAD"):
            answer = connection.ask(method, "/files/a.txt", fields=fields)
            assert answer.status == status, answer
            if status == 200:
                assert answer.body == (b"text\n" if method == "GET" else b"")
        assert connection.get("/files/a.txt").text == "text\n"


def test_conditions_of_what_is_not_there(old):
    """They count only where the answer would be a file: RFC 9110 13.2.1."""
    fields = [("If-Match", '"x"'), ("If-None-Match", "*")]
    with old.connect() as connection:
        assert connection.get("/files/none", fields).status == 404
        assert connection.get("/files/sub", fields).status == 301
        assert connection.ask("POST", "/files/a.txt", b"", fields).status == 405


def test_fields_of_a_304(old):
    with old.connect() as connection:
        tag = connection.get("/files/a.txt").header("ETag")
        answer = connection.get("/files/a.txt", [("If-None-Match", tag)])
        assert answer.status == 304 and answer.header("ETag") == tag
        assert field_names(answer) == {"server", "date", "etag", "vary"}


# ---- ranges

def ask_range(server, value, fields=(), name="big"):
    return server.get(f"/files/{name}", [("Range", value), *fields])


@pytest.mark.parametrize("value, first, last", [
    ("bytes=0-0", 0, 0), ("bytes=0-999", 0, 999), ("bytes=1999999-1999999", 1999999, 1999999),
    ("bytes=1000-", 1000, 1999999), ("bytes=-1", 1999999, 1999999), ("bytes=-2000001", 0, 1999999),
    ("bytes=1999990-9999999999", 1999990, 1999999), ("Bytes=5-6", 5, 6),
    ("bytes=5-6,7-8", 5, 8), ("bytes=9999999-,5-6", 5, 6),
])
def test_range(old, directory, value, first, last):
    answer = ask_range(old, value)
    assert answer.status == 206, answer
    assert answer.header("Content-Range") == f"bytes {first}-{last}/2000000"
    assert answer.body == (directory / "root" / "big").read_bytes()[first:last + 1]
    assert answer.header("Content-Length") == str(last - first + 1)
    whole = old.get("/files/big")
    for name in ("ETag", "Last-Modified", "Content-Type"):
        assert answer.header(name) == whole.header(name)


@pytest.mark.parametrize("value", ["bytes=2000000-", "bytes=2000000-2000001", "bytes=-0",
                                   "bytes=99999999999999999999999-", "bytes=3000000-,4000000-"])
def test_range_outside(old, value):
    answer = ask_range(old, value)
    assert answer.status == 416, answer
    assert answer.header("Content-Range") == "bytes */2000000"
    assert answer.header("ETag") is None


@pytest.mark.parametrize("value", [
    "bytes=5-4", "bytes=x", "bytes", "bytes=", "bytes=-", "lines=0-1", "bytes=0-1,5-4",
    "bytes=--1", "bytes=0-0x1", "seconds=1-2", "bytes=1 -2",
])
def test_range_ignored(old, value):
    answer = ask_range(old, value)
    assert answer.status == 200 and len(answer.body) == 2_000_000
    assert answer.header("Content-Range") is None


def test_range_is_for_get(old):
    with old.connect() as connection:
        for value in ("bytes=0-0", "bytes=2000000-"):
            answer = connection.ask("HEAD", "/files/big", fields=[("Range", value)])
            assert answer.status == 200 and answer.header("Content-Length") == "2000000"


def test_range_of_an_empty_file(old):
    assert ask_range(old, "bytes=0-", name="empty").header("Content-Range") == "bytes */0"
    answer = ask_range(old, "bytes=-5", name="empty")
    assert answer.status == 200 and answer.body == b""


def test_if_range(old, directory):
    tag = old.get("/files/big").header("ETag")
    for value, status in [(tag, 206), (CHANGED, 206), ("Sun Nov  6 08:49:37 1994", 206),
                          (f"W/{tag}", 200), ('"x"', 200), (f'{tag}, "x"', 200), ("*", 200),
                          ("Sun, 06 Nov 1994 08:49:38 GMT", 200), ("nonsense", 200)]:
        answer = ask_range(old, "bytes=1-2", [("If-Range", value)])
        assert answer.status == status, (value, answer)
    assert ask_range(old, "bytes=9999999-", [("If-Range", '"x"')]).status == 200
    now = time.time()
    os.utime(directory / "root" / "big", (now, now))  # it may change again within that second
    date = old.get("/files/big").header("Last-Modified")
    assert ask_range(old, "bytes=1-2", [("If-Range", date)]).status == 200


def test_beyond_four_gib(old, directory):
    """Sparse, so it takes no room."""
    size = 5 << 30
    with open(directory / "root" / "huge", "wb") as file:
        file.truncate(size)
        file.seek(-4, os.SEEK_END)
        file.write(b"tail")
        file.seek(1 << 32)
        file.write(b"over")
    assert old.connect().ask("HEAD", "/files/huge").header("Content-Length") == str(size)
    for value, want in [("bytes=-4", b"tail"), (f"bytes={size - 4}-", b"tail"),
                        ("bytes=4294967296-4294967299", b"over"),
                        ("bytes=4294967294-4294967297", b"\0\0ov")]:
        assert ask_range(old, value, name="huge").body == want
