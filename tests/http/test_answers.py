# SPDX-License-Identifier: MIT
"""How answers are framed: HEAD, 204, 205, 304, streams, HTTP/1.0. RFC 9110 6.4, 15, RFC 9112 6."""

from letter import body, check, good, header


def get(target, method=b"GET", version=b"1.1", more=b""):
    return method + b" " + target + b" HTTP/" + version + b"\r\nHost: a\r\n" + more + b"\r\n"


def status(code, *checks):
    return good(f"answer-{code}", "9110 15", get(b"/status?code=%d" % code), *checks, gets=(code,))


def head(name, target, *checks, gets=(200,)):
    return good(f"answer-head-{name}", "9110 9.3.2: the fields of GET, no body",
                get(target, b"HEAD"), body(b""), *checks, gets=gets, methods=("HEAD",))


def head_status(code, length):
    return head(str(code), b"/status?code=%d" % code, header("Content-Length", length),
        gets=(code,))


LENGTH = header("Content-Length", "5")
NO_LENGTH = header("Content-Length", None)
NO_CODING = header("Transfer-Encoding", None)
ALIVE = b"Connection: keep-alive\r\n"

CASES = [
    good("answer-length", "9110 8.6: the number of octets", get(b"/hello"), LENGTH, body(b"hello")),
    good("answer-type", "9110 8.3", get(b"/hello"), header("Content-Type",
        "text/plain; charset=utf-8")),
    good("answer-empty", "9110 8.6: 0 is said", get(b"/nobody"), header("Content-Length", "0"),
         body(b"")),
    good("answer-no-connection", "9112 9.3: 1.1 persists unsaid", get(b"/hello"),
         header("Connection", None)),
    *[status(code, LENGTH, NO_CODING, body(b"hello"))
      for code in (200, 201, 202, 203, 300, 301, 302, 303, 307, 308, 400, 403, 404, 409, 410, 412,
                   415, 416, 418, 422, 429, 500, 501, 502, 503, 504)],
    status(204, NO_LENGTH, NO_CODING, header("Content-Type", None), body(b"")),
    status(205, header("Content-Length", "0"), NO_CODING, body(b"")),
    status(304, NO_CODING, body(b"")),
    head("plain", b"/hello", LENGTH, NO_CODING), head("empty", b"/nobody",
        header("Content-Length", "0")),
    head("missing", b"/none", gets=(404,)), head("stream", b"/stream", NO_LENGTH),
    head_status(201, "5"), head_status(204, None), head_status(304, None), head_status(404, "5"),
    head_status(500, "5"),
    head("405", b"/echo", gets=(405,)),
    good("answer-head-twice", "9110 9.3.2: nothing between two", get(b"/hello", b"HEAD") * 2,
         body(b"", b""), gets=(200, 200), methods=("HEAD", "HEAD")),
    good("answer-head-get", "9110 9.3.2", get(b"/hello", b"HEAD") + get(b"/hello"),
         body(b"", b"hello"), gets=(200, 200), methods=("HEAD", "GET")),
    good("answer-head-404-get", "9110 9.3.2", get(b"/none", b"HEAD") + get(b"/hello"),
         gets=(404, 200), methods=("HEAD", "GET")),
    good("answer-204-get", "9110 15.3.5", get(b"/status?code=204") + get(b"/hello"),
         body(b"", b"hello"), gets=(204, 200)),
    good("answer-205-get", "9110 15.3.6", get(b"/status?code=205") + get(b"/hello"),
         body(b"", b"hello"), gets=(205, 200)),
    good("answer-304-get", "9110 15.4.5", get(b"/status?code=304") + get(b"/hello"),
         body(b"", b"hello"), gets=(304, 200)),
    good("answer-stream", "9112 7.1: chunks to 1.1", get(b"/stream"),
         header("Transfer-Encoding", "chunked"), NO_LENGTH, body(b"one,two")),
    good("answer-stream-10", "9112 6.1: MUST NOT send chunks to 1.0", get(b"/stream",
        version=b"1.0"),
         NO_CODING, NO_LENGTH, header("Connection", "close"), body(b"one,two"), stays=False),
    good("answer-stream-10-alive", "9112 6.3: its end is the connection's",
         get(b"/stream", version=b"1.0", more=ALIVE), NO_CODING, header("Connection", "close"),
         body(b"one,two"), stays=False),
    good("answer-10", "9112 2.3: our version, not theirs", get(b"/hello", version=b"1.0"), LENGTH,
         header("Connection", "close"), body(b"hello"), stays=False),
    good("answer-10-alive", "9112 9.3", get(b"/hello", version=b"1.0", more=ALIVE), LENGTH,
         header("Connection", "keep-alive"), body(b"hello")),
    good("answer-10-head-alive", "9110 9.3.2", get(b"/hello", b"HEAD", b"1.0", ALIVE), LENGTH,
         body(b""), methods=("HEAD",)),
    good("answer-10-204-alive", "9110 15.3.5", get(b"/status?code=204", version=b"1.0", more=ALIVE),
         NO_LENGTH, body(b""), gets=(204,)),
    good("answer-10-304-alive", "9110 15.4.5", get(b"/status?code=304", version=b"1.0", more=ALIVE),
         body(b""), gets=(304,)),
]


def test_letter(outcomes, case, way):
    check(outcomes, case, way)
