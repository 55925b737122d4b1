# SPDX-License-Identifier: MIT
"""Each limit on size: one byte under it is served, one over it is refused."""

from letter import bad, body, check, good

HOST = b"Host: a\r\n"


def line(n):
    """A request line of n bytes, CRLF included."""
    return b"GET /at/".ljust(n - 11, b"x") + b" HTTP/1.1\r\n"


def post(n, more=b""):
    return b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % n + more


def fields(n):
    return b"GET /hello HTTP/1.1\r\n" + HOST + b"X: y\r\n" * (n - 1) + b"\r\n"


def sized(n):
    """n bytes of field lines, the empty one included."""
    return b"GET /hello HTTP/1.1\r\n" + HOST + b"X: ".ljust(n - len(HOST) - 4, b"y") + b"\r\n\r\n"


CASES = [
    good("limit-line", "1k", line(1024) + HOST + b"\r\n"),
    bad("limit-line-over", "9112 3: 414", line(1025) + HOST + b"\r\n", 414),
    bad("limit-line-endless", "9112 3: 414 without its end", b"GET /" + b"x" * 5000, 414),
    bad("limit-method-endless", "9112 3: no end of the method", b"G" * 5000, (400, 414, 501)),
    good("limit-fields", "20", fields(20)), bad("limit-fields-over", "6585 5: 431", fields(21),
        431),
    good("limit-size", "4k", sized(4096)), bad("limit-size-over", "6585 5: 431", sized(4097), 431),
    bad("limit-field-endless", "6585 5", b"GET /hello HTTP/1.1\r\nX: " + b"y" * 9000, 431),
    bad("limit-name-endless", "6585 5", b"GET /hello HTTP/1.1\r\n" + b"y" * 9000, 431),
    good("limit-body", "10k", post(10_240, b"x" * 10_240), body(b"x" * 10_240)),
    bad("limit-body-over", "9110 15.5.14: before a byte of it", post(10_241), 413),
    bad("limit-body-much", "the answer survives what is unread", post(10**9, b"x" * 50_000), 413),
    good("limit-chunks", "10k",
        b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
         b"1400\r\n" + b"x" * 5120 + b"\r\n1400\r\n" + b"x" * 5120 + b"\r\n0\r\n\r\n",
         body(b"x" * 10_240)),
    bad("limit-chunks-over", "413 by the size line", b"POST /echo HTTP/1.1\r\nHost: a\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n1400\r\n" + b"x" * 5120 + b"\r\n1401\r\n", 413),
]


def test_letter(outcomes, case, way):
    check(outcomes, case, way)
