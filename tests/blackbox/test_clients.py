# SPDX-License-Identifier: MIT
"""Real clients: curl, wrk, ab, h2load's HTTP/1 mode, python's http.client."""

import http.client
import os
import re
import shutil
import subprocess

import pytest

from daemon import patience, sanitized


def tool(name, *arguments, stdin=b"", timeout=60):
    """Run a client; its standard output. Skips where it is not installed."""
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    done = subprocess.run([name, *map(str, arguments)], input=stdin, capture_output=True,
                          timeout=patience(timeout))
    assert done.returncode == 0, (done.returncode, done.stdout[-2000:], done.stderr[-2000:])
    return done.stdout


def curl(*arguments, stdin=b""):
    return tool("curl", "-sS", "--max-time", "30", *arguments, stdin=stdin)


@pytest.fixture
def upload(directory):
    path = directory / "upload"
    path.write_bytes(os.urandom(500_000))
    return path


def test_curl_get(server):
    assert curl(f"{server().url}/async/hello") == b"Hello, World!"


@pytest.mark.parametrize("mode", ["sync", "async", "event"])
def test_curl_upload(server, upload, mode):
    """Over 1 MB curl waits for 100-continue; below it sends at once. Both must come back."""
    url, data = f"{server().url}/{mode}/echo", ("--data-binary", f"@{upload}")
    assert curl(*data, url) == upload.read_bytes()
    assert curl("-H", "Expect: 100-continue", *data, url) == upload.read_bytes()


@pytest.mark.parametrize("mode", ["sync", "async", "event"])
def test_curl_chunked_upload(server, upload, mode):
    got = curl("-H", "Transfer-Encoding: chunked", "--data-binary", f"@{upload}",
               f"{server().url}/{mode}/echo")
    assert got == upload.read_bytes()


def test_curl_upload_from_a_pipe(server):
    got = curl("-X", "POST", "-T", "-", f"{server().url}/sync/echo", stdin=b"x" * 100_000)
    assert got == b"x" * 100_000


def test_curl_head(server):
    text = curl("-I", f"{server().url}/sync/hello").decode()
    assert text.startswith("HTTP/1.1 200 ") and "Content-Length: 13" in text


def test_curl_reuses_its_connection(server):
    url = f"{server().url}/async/hello"
    got = curl("-w", "%{num_connects} ", "-o", "/dev/null", url, "-o", "/dev/null", url,
               "-o", "/dev/null", url)
    assert got.split() == [b"1", b"0", b"0"]


def test_curl_http_1_0(server):
    assert len(curl("--http1.0", f"{server().url}/sync/stream?n=10")) == 10240


@pytest.mark.parametrize("mode", ["sync", "async", "event"])
def test_wrk(server, mode):
    out = tool("wrk", "-t1", "-c32", "-d1s", f"{server().url}/{mode}/hello").decode()
    assert int(re.search(r"(\d+) requests in", out)[1]) > 100
    assert "Socket errors" not in out and "Non-2xx" not in out, out


@pytest.mark.parametrize("keep", [True, False])
def test_ab(server, keep):
    count = 500 if sanitized() else 5000
    out = tool("ab", "-q", *(["-k"] if keep else []), "-n", count, "-c", 16,
               f"{server().url}/async/hello").decode()
    assert re.search(rf"Complete requests: +{count}$", out, re.M), out
    assert re.search(r"Failed requests: +0$", out, re.M), out
    assert "Non-2xx" not in out
    if keep:
        assert int(re.search(r"Keep-Alive requests: +(\d+)", out)[1]) == count


def test_ab_post(server, upload):
    out = tool("ab", "-q", "-k", "-n", 100, "-c", 4, "-T", "application/octet-stream", "-p",
               upload, f"{server().url}/sync/echo").decode()
    assert re.search(r"Failed requests: +0$", out, re.M), out
    assert re.search(r"Complete requests: +100$", out, re.M), out


def test_h2load_http_1(server):
    count = 500 if sanitized() else 5000
    out = tool("h2load", "--h1", "-n", count, "-c", 8, f"{server().url}/async/hello").decode()
    assert f"{count} succeeded, 0 failed, 0 errored, 0 timeout" in out, out


def test_h2load_pipelines(server):
    url = f"{server().url}/event/hello"
    out = tool("h2load", "--h1", "-m", 8, "-n", 800, "-c", 4, url).decode()
    assert "800 succeeded, 0 failed" in out, out


def test_http_client(server, upload):
    one = server()
    host, port = one.address.rsplit(":", 1)
    connection = http.client.HTTPConnection(host, int(port), timeout=patience(10))
    local = None
    for mode in ("sync", "async", "event"):
        connection.request("GET", f"/{mode}/hello")
        assert connection.getresponse().read() == b"Hello, World!"
        local = local or connection.sock.getsockname()
        connection.request("POST", f"/{mode}/echo", body=upload.read_bytes())
        assert connection.getresponse().read() == upload.read_bytes()
        connection.request("POST", f"/{mode}/echo", body=iter([b"a" * 1000, b"b"]),
                           encode_chunked=True, headers={"Transfer-Encoding": "chunked"})
        assert connection.getresponse().read() == b"a" * 1000 + b"b"
        connection.request("HEAD", f"/{mode}/hello")
        assert connection.getresponse().read() == b""
    connection.request("GET", "/sync/stream?n=64")
    assert len(connection.getresponse().read()) == 65536
    assert connection.sock.getsockname() == local, "one connection for all of it"
    connection.close()
