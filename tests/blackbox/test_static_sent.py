# SPDX-License-Identifier: MIT
"""The static plugin: several ranges, compressed siblings, files that change while they are
sent, and a kernel without openat2."""

import errno
import gzip
import os
import random
import re
import sys

import pytest

import daemon

INI = """
[server]
listen = 127.0.0.1:0
class = @CLASS@
workers = 1
threads = 2
[plugin static]
path = @PLUGINS@/static.so
root = @DIR@/root
"""

TEXT = "".join(f"{i:05d}" for i in range(20000))
SECRET = b"must not be read"


@pytest.fixture
def root(directory):
    path = directory / "root"
    path.mkdir()
    (path / "text.txt").write_text(TEXT)
    return path


@pytest.fixture
def files(server, root):
    return server(INI)


# ---- several ranges

def parts(answer):
    """(first, last, size, type, bytes) of each part of a multipart/byteranges, read strictly."""
    kind = re.fullmatch(r"multipart/byteranges; boundary=([0-9a-f]{32})",
                        answer.header("Content-Type"))
    assert kind, answer
    mark = b"--" + kind[1].encode()
    pieces = answer.body.split(mark)
    assert pieces[0] == b"" and pieces[-1] == b"--\r\n"
    found = []
    for piece in pieces[1:-1]:
        head, body = piece.split(b"\r\n\r\n", 1)
        match = re.fullmatch(rb"\r\nContent-Type: ([^\r\n]+)\r\n"
                             rb"Content-Range: bytes (\d+)-(\d+)/(\d+)", head)
        assert match and body.endswith(b"\r\n"), piece[:200]
        found.append((*map(int, match.groups()[1:]), match[1].decode(), body[:-2]))
    return found


@pytest.mark.parametrize("value, want", [
    ("bytes=0-0,-1", [(0, 0), (99999, 99999)]),
    ("bytes=50000-50009, 10-19", [(50000, 50009), (10, 19)]),
    ("bytes=0-9,1000-1009,5-14,99999-", [(0, 14), (1000, 1009), (99999, 99999)]),
    ("bytes=0-0,200000-,1000-1000", [(0, 0), (1000, 1000)]),
    ("bytes=" + ",".join(f"{i}-{i}" for i in range(0, 16000, 1000)),
     [(i, i) for i in range(0, 16000, 1000)]),
])
def test_several_ranges(files, value, want):
    answer = files.get("/text.txt", [("Range", value)])
    assert answer.status == 206 and answer.header("Content-Range") is None
    assert answer.header("ETag") == files.get("/text.txt").header("ETag")
    got = parts(answer)
    assert [part[:2] for part in got] == want
    for first, last, size, kind, body in got:
        assert size == len(TEXT) and kind == "text/plain; charset=utf-8"
        assert body == TEXT[first:last + 1].encode()


@pytest.mark.parametrize("value", [
    "bytes=" + ",".join(f"{i}-{i}" for i in range(0, 17000, 1000)),  # one too many
    "bytes=" + ",".join(["0-"] * 65),
    "bytes=0-0,1000-999",
])
def test_too_much_at_once(files, value):
    answer = files.get("/text.txt", [("Range", value)])
    assert answer.status == 200 and answer.text == TEXT


def test_ranges_that_are_one(files):
    answer = files.get("/text.txt", [("Range", "bytes=0-,0-,-1,5-7")])
    assert answer.status == 206 and answer.text == TEXT
    assert answer.header("Content-Range") == "bytes 0-99999/100000"


def test_large_parts_are_the_whole_file(server, root):
    """What is in memory is bounded: by default 256 KiB."""
    (root / "large").write_bytes(bytes(1 << 20))
    one = server(INI)
    for second, status in [(131072, 206), (131073, 200)]:
        answer = one.get("/large", [("Range", f"bytes=0-131071,-{second}")])
        assert answer.status == status
    two = server(INI.replace("@DIR@", "@DIR@/..") + "multipart = 1\n"
                 + "[plugin more]\npath = @PLUGINS@/static.so\nroot = @DIR@/../root\n"
                 + "mount = /x\nmultipart = 2\n")
    assert two.get("/large", [("Range", "bytes=0-0,-1")]).status == 200
    assert two.get("/x/large", [("Range", "bytes=0-0,-1")]).status == 206


# ---- compressed siblings

@pytest.fixture
def siblings(root, files):
    (root / "text.txt.gz").write_bytes(gzip.compress(TEXT.encode()))
    (root / "text.txt.br").write_bytes(b"as if it were brotli")
    (root / "photo.png").write_bytes(b"png")
    (root / "photo.png.gz").write_bytes(b"no")
    for name in os.listdir(root):  # else Last-Modified keeps behind the clock for a second
        os.utime(root / name, (1_000_000_000,) * 2)
    return files


@pytest.mark.parametrize("accept, coding", [
    (None, None), ("gzip", "gzip"), ("br", "br"), ("gzip, deflate, br, zstd", "br"),
    ("gzip;q=1.0, br;q=0.5", "gzip"), ("gzip;q=0", None), ("*", "br"), ("br;q=0, *;q=0.1", "gzip"),
    ("identity", None), ("identity, gzip;q=0.5", None), ("deflate", None), ("gzip;q=7", None),
    ("X-GZIP", "gzip"),
])
def test_coding(siblings, root, accept, coding):
    fields = [("Accept-Encoding", accept)] if accept else []
    suffix = {None: "", "gzip": ".gz", "br": ".br"}[coding]
    with siblings.connect() as connection:
        answer = connection.get("/text.txt", fields)
        assert answer.status == 200 and answer.header("Content-Encoding") == coding
        assert answer.body == (root / f"text.txt{suffix}").read_bytes()
        assert answer.header("Content-Type") == "text/plain; charset=utf-8"
        assert answer.header("Vary") == "Accept-Encoding"
        head = connection.ask("HEAD", "/text.txt", fields=fields)
        assert [f for f in head.fields if f[0] != "Date"] \
            == [f for f in answer.fields if f[0] != "Date"]
        tag = answer.header("ETag")
        again = connection.get("/text.txt", [*fields, ("If-None-Match", tag)])
        assert again.status == 304 and again.header("Vary") == "Accept-Encoding"
        assert again.header("ETag") == tag and again.header("Content-Encoding") is None


def test_each_coding_has_its_own_tag(siblings):
    tags = {siblings.get("/text.txt", [("Accept-Encoding", coding)]).header("ETag")
            for coding in ("identity", "gzip", "br")}
    assert len(tags) == 3
    for tag in tags:
        answer = siblings.get("/text.txt", [("Accept-Encoding", "gzip"), ("If-None-Match", tag)])
        assert (answer.status == 304) == (answer.header("ETag") == tag)


def test_ranges_of_a_sibling(siblings, root):
    zipped = (root / "text.txt.gz").read_bytes()
    fields = [("Accept-Encoding", "gzip")]
    answer = siblings.get("/text.txt", [*fields, ("Range", "bytes=2-5")])
    assert answer.status == 206 and answer.body == zipped[2:6]
    assert answer.header("Content-Encoding") == "gzip"
    assert answer.header("Content-Range") == f"bytes 2-5/{len(zipped)}"
    answer = siblings.get("/text.txt", [*fields, ("Range", "bytes=0-0,-1")])
    assert answer.status == 200 and answer.body == zipped
    answer = siblings.get("/text.txt", [*fields, ("Range", f"bytes={len(zipped)}-")])
    assert answer.header("Content-Range") == f"bytes */{len(zipped)}"


def test_what_is_no_sibling(siblings, root, directory):
    fields = [("Accept-Encoding", "gzip, br")]
    answer = siblings.get("/photo.png", fields)
    assert answer.body == b"png" and answer.header("Vary") is None, "images are compressed"
    os.utime(root / "text.txt.br", (1, 1))  # older than its file: of another version
    assert siblings.get("/text.txt", fields).header("Content-Encoding") == "gzip"
    (root / "text.txt.gz").write_bytes(b"")  # a compressor that was interrupted
    assert siblings.get("/text.txt", fields).text == TEXT
    (root / "text.txt.gz").write_bytes(b"x" * len(TEXT))  # no smaller: what for?
    assert siblings.get("/text.txt", fields).text == TEXT
    os.remove(root / "text.txt.gz")
    os.mkfifo(root / "text.txt.gz")
    assert siblings.get("/text.txt", fields).text == TEXT
    os.remove(root / "text.txt.gz")
    (directory / "secret").write_bytes(SECRET)
    os.symlink(directory / "secret", root / "text.txt.gz")
    assert siblings.get("/text.txt", fields).text == TEXT
    os.remove(root / "text.txt")
    (root / "alone.txt.gz").write_bytes(b"gz")
    assert siblings.get("/alone.txt", fields).status == 404
    answer = siblings.get("/alone.txt.gz", fields)
    assert answer.header("Content-Type") == "application/gzip"
    assert answer.header("Content-Encoding") is None


def test_siblings_of_an_index(siblings, root):
    (root / "index.html").write_text("<p>plain" * 100)
    (root / "index.html.gz").write_bytes(gzip.compress(b"<p>zipped"))
    answer = siblings.get("/", [("Accept-Encoding", "gzip")])
    assert gzip.decompress(answer.body) == b"<p>zipped"
    assert answer.header("Content-Type") == "text/html; charset=utf-8"


def test_siblings_turned_off(server, root):
    (root / "text.txt.gz").write_bytes(gzip.compress(TEXT.encode()))
    one = server(INI + "precompressed = no\n")
    answer = one.get("/text.txt", [("Accept-Encoding", "gzip")])
    assert answer.text == TEXT and answer.header("Vary") is None


# ---- files that change

def test_cut_short_while_it_is_sent(files, root):
    """Fewer bytes than were promised, then the end: nothing that looks like more of them, and
    no answer to what was sent behind."""
    size = 256 << 20
    os.truncate(root / "text.txt", size)
    with files.connect(receive_buffer=65536) as connection:
        connection.request("GET", "/text.txt")
        connection.request("GET", "/text.txt")
        while b"\r\n\r\n" not in connection.buffer:
            connection._fill()
        os.truncate(root / "text.txt", 1 << 20)
        got = len(connection.buffer) + connection.wait_gone(daemon.patience(20))
        assert got < size
    assert files.get("/text.txt").header("Content-Length") == str(1 << 20)


def test_replaced_while_it_is_sent(files, root):
    old = random.Random(5).randbytes(32 << 20)
    (root / "big").write_bytes(old)
    with files.connect(receive_buffer=65536) as connection:
        connection.request("GET", "/big")
        while b"\r\n\r\n" not in connection.buffer:
            connection._fill()
        (root / "new").write_bytes(b"new")
        os.rename(root / "new", root / "big")
        answer = connection.response()
        assert answer.body == old
        again = connection.get("/big", [("If-None-Match", answer.header("ETag"))])
        assert again.status == 200 and again.body == b"new"


# ---- options

def test_cache_control(server, root):
    one = server(INI + "cache_control = public, max-age=60\n")
    with one.connect() as connection:
        answer = connection.get("/text.txt")
        assert answer.header("Cache-Control") == "public, max-age=60"
        again = connection.get("/text.txt", [("If-None-Match", answer.header("ETag"))])
        assert again.status == 304
        assert again.header("Cache-Control") == "public, max-age=60"


def test_dotfiles(server, root):
    (root / ".well-known").mkdir()
    (root / ".well-known" / "a").write_text("well")
    (root / ".git").mkdir()
    (root / ".git" / "config").write_text("hidden")
    (root / ".htpasswd").write_text("hidden")
    targets = ("/.git/config", "/.htpasswd", "/%2ehtpasswd", "/.git/", "/.git")
    one = server(INI)
    assert one.get("/.well-known/a").text == "well"
    for target in targets:
        assert one.get(target).status == 404, target
    two = server(INI.replace("@DIR@", "@DIR@/..") + "dotfiles = yes\n")
    assert [two.get(target).status for target in targets] == [200, 200, 200, 404, 301]
    assert two.get("/%2e%2e/secret").status == 400


@pytest.mark.parametrize("line, complaint", [
    ("index = ../x", "index must be the name of a file"),
    ("cache_control = für immer", "cache_control must be printable ASCII"),
    ("multipart = 1G", "multipart must be at most 16M"),
    ("dotfiles = perhaps", "dotfiles"),
    ("precompressed = 2", "precompressed"),
])
def test_config_is_checked(write, root, line, complaint):
    path = write("remuda.ini", INI + line + "\n")
    done = daemon.run("-t", "-c", path)
    assert done.returncode != 0 and complaint in done.stderr, done.stderr


# ---- no openat2: an old kernel, or a filter of a container

FILTER = """
import ctypes, os, struct, sys
OPENAT2 = 437  # on every architecture
program = b"".join(struct.pack("=HBBI", *line) for line in (
    (0x20, 0, 0, 0), (0x15, 0, 1, OPENAT2), (0x06, 0, 0, 0x00050000 | int(sys.argv[1])),
    (0x06, 0, 0, 0x7fff0000)))
block = ctypes.create_string_buffer(program)
head = ctypes.create_string_buffer(struct.pack("=HxxxxxxQ", len(program) // 8,
                                               ctypes.addressof(block)))
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, ctypes.byref(head), 0, 0) == 0, ctypes.get_errno()
os.execv(sys.argv[2], sys.argv[2:])
"""


@pytest.mark.parametrize("error", ["ENOSYS", "EPERM"])
def test_without_openat2(server, root, directory, error):
    (directory / "secret").write_bytes(SECRET)
    (root / "sub").mkdir()
    (root / "sub" / "index.html").write_text("sub")
    os.symlink("text.txt", root / "inside")
    os.symlink(directory / "secret", root / "link")
    os.symlink("..", root / "up")
    os.mkfifo(root / "fifo")
    one = server(INI, wrapper=(sys.executable, "-c", FILTER, getattr(errno, error),
                               daemon.REMUDA))
    one.log.wait("static: no openat2 here")
    with one.connect() as connection:
        assert connection.get("/text.txt").text == TEXT
        assert connection.get("/sub/").text == "sub"
        assert connection.get("/text.txt", [("Range", "bytes=5-9")]).text == "00001"
        for target in ("/inside", "/link", "/up/secret", "/fifo", "/none", "/text.txt/", "/up"):
            assert connection.get(target).status == 404, target
    assert one.get("/sub/../../secret").status == 400
