# SPDX-License-Identifier: MIT
"""A page in a real browser, its files from the static plugin: Chromium, headless.

The page loads a style, two pictures and a script; the script fetches a file in ranges and
reports in a request what it saw. Skipped where there is no Chromium.
"""

import collections
import gzip
import json
import os
import re
import shutil
import struct
import subprocess
import tempfile
import zlib

import pytest

import daemon

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser",
                                                "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium here")

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--disable-dev-shm-usage", "--window-size=640,480"]

INI = """
[server]
listen = 127.0.0.1:0
class = @CLASS@
workers = 1
threads = 2
[log]
access = @DIR@/access.log
access_format = %r %s %b %{If-None-Match}i
[plugin static]
path = @PLUGINS@/static.so
root = @DIR@/root
cache_control = no-cache
"""

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Remuda</title>
<link rel="stylesheet" href="style.css">
<script src="script.js" defer></script></head>
<body><h1>Grüße aus dem Stall</h1>
<p><img id="png" src="dot.png" width="64" height="64" alt="a square">
<img id="svg" src="ring.svg" width="64" height="64" alt="a ring"></p>
<pre id="seen">nothing yet</pre></body></html>
"""

STYLE = """body { background: #123456; color: white; font: 20px sans-serif }
pre { white-space: pre-wrap; font-size: 12px }
"""

RING = ('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64">'
        '<circle cx="32" cy="32" r="24" fill="none" stroke="orange" stroke-width="12"/></svg>')

SCRIPT = """
const seen = {};
const image = id => document.getElementById(id);
async function part(range) {
    const answer = await fetch("data.bin", {headers: {Range: range}, cache: "no-store"});
    return [answer.status, answer.headers.get("Content-Range"), await answer.text()];
}
window.addEventListener("load", async () => {
    seen.title = document.querySelector("h1").textContent;
    seen.background = getComputedStyle(document.body).backgroundColor;
    seen.images = [image("png").naturalWidth, image("svg").naturalWidth];
    seen.parts = [await part("bytes=2-5"), await part("bytes=-3"), await part("bytes=99-")];
    seen.cached = await (await fetch("data.bin")).text();
    seen.turn = Number(sessionStorage.getItem("turn") || 0);
    if (seen.turn === 0) {
        sessionStorage.setItem("turn", "1");
        location.reload();
        return;
    }
    image("seen").textContent = JSON.stringify(seen);
});
"""


def png(side):
    """A red square."""
    def chunk(kind, data):
        return (struct.pack(">I", len(data)) + kind + data
                + struct.pack(">I", zlib.crc32(kind + data)))
    rows = (b"\0" + b"\xe0\x20\x20" * side) * side
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head)
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


@pytest.fixture
def site(server, directory):
    root = directory / "root"
    root.mkdir()
    (root / "index.html").write_text(PAGE)
    (root / "style.css").write_text(STYLE)
    (root / "script.js").write_text(SCRIPT)
    (root / "script.js.gz").write_bytes(gzip.compress(SCRIPT.encode()))
    (root / "dot.png").write_bytes(png(32))
    (root / "ring.svg").write_text(RING)
    (root / "data.bin").write_bytes(b"0123456789")
    for name in os.listdir(root):
        os.utime(root / name, (1_000_000_000,) * 2)
    return server(INI)


def browse(url, *what):
    """One run of the browser, with a profile of its own; its standard output."""
    with tempfile.TemporaryDirectory(prefix="remuda-profile-",
                                     ignore_cleanup_errors=True) as profile:
        done = subprocess.run([CHROMIUM, *FLAGS, f"--user-data-dir={profile}", *what, url],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=daemon.patience(90),
                              env={**os.environ, "HOME": profile})
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout


def pixels(image):
    """How often each colour occurs in a PNG of 8-bit RGB or RGBA."""
    at, data, head = 8, b"", None
    while at < len(image):
        size, kind = struct.unpack(">I4s", image[at:at + 8])
        if kind == b"IHDR":
            head = struct.unpack(">IIBBBBB", image[at + 8:at + 8 + size])
        elif kind == b"IDAT":
            data += image[at + 8:at + 8 + size]
        at += size + 12
    width, _, depth, colour = head[:4]
    assert depth == 8 and colour in (2, 6)
    return count(zlib.decompress(data), width, {2: 3, 6: 4}[colour])


def predict(kind, left, up, corner):
    """The filters of PNG."""
    if kind == 3:
        return (left + up) // 2
    if kind == 4:
        base = left + up - corner
        return min((left, up, corner), key=lambda near: abs(base - near))
    return (0, left, up)[kind]


def count(data, width, step):
    above, found = bytes(width * step), collections.Counter()
    for row in range(0, len(data), width * step + 1):
        kind, line = data[row], bytearray(data[row + 1:row + 1 + width * step])
        for i, byte in enumerate(line):
            left, corner = (line[i - step], above[i - step]) if i >= step else (0, 0)
            line[i] = (byte + predict(kind, left, above[i], corner)) & 255
        found.update(bytes(line[i:i + 3]) for i in range(0, len(line), step))
        above = line
    return found


def asked(site):
    """(path, status, whether a tag was sent along) of each request."""
    lines = [line.split() for line in site.access_log()]
    return {(line[1], int(line[3]), line[5] != "-") for line in lines if len(line) == 6}


def test_page(site):
    """Everything loads, ranges are what they should be, and a reload is answered by 304s."""
    dom = browse(f"{site.url}/", "--virtual-time-budget=20000", "--dump-dom")
    seen = json.loads(re.search(r'<pre id="seen">(\{.*\})</pre>', dom)[1])
    assert seen["title"] == "Grüße aus dem Stall" and seen["turn"] == 1
    assert seen["background"] == "rgb(18, 52, 86)" and seen["images"][0] == 32
    assert seen["images"][1] > 0 and seen["cached"] == "0123456789"
    assert seen["parts"] == [[206, "bytes 2-5/10", "2345"], [206, "bytes 7-9/10", "789"],
                             [416, "bytes */10", "416 Range Not Satisfiable\n"]]
    wanted = {("/data.bin", 206, False), ("/data.bin", 416, False)}
    for path in ("/", "/style.css", "/script.js", "/dot.png", "/ring.svg"):
        wanted |= {(path, 200, False), (path, 304, True)}
    daemon.wait_until(lambda: wanted <= asked(site), what=f"{wanted} in the access log")


def test_compressed_script(site, directory):
    """What the script says it saw it says although only its sibling is good."""
    script = directory / "root" / "script.js"
    script.write_text("broken(" * len(SCRIPT))  # or its sibling would be no smaller
    os.utime(script, (1_000_000_000,) * 2)
    dom = browse(f"{site.url}/", "--virtual-time-budget=20000", "--dump-dom")
    assert '"turn":1' in dom


def test_picture(site, directory):
    """A square, a ring and the colour behind them are on the screen."""
    path = directory / "screen.png"
    browse(f"{site.url}/", "--virtual-time-budget=20000", f"--screenshot={path}")
    colours = pixels(path.read_bytes())
    assert colours[b"\xe0\x20\x20"] > 64 * 64 * 0.9, colours.most_common(8)
    assert colours[b"\xff\xa5\x00"] > 1000, colours.most_common(8)
    assert colours[b"\x12\x34\x56"] > 640 * 480 // 2, colours.most_common(8)
