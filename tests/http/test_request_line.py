# SPDX-License-Identifier: MIT
"""The request line: its blanks, its end, its version. RFC 9112 2.2, 2.3, 3."""

from letter import bad, body, check, good

HOST = b"Host: a\r\n\r\n"
OK = b"GET /hello HTTP/1.1\r\n" + HOST


def line(text):
    return text + b"\r\n" + HOST


CASES = [
    good("line", "9112 3", OK, body(b"hello")),
    good("line-crlf-before", "9112 2.2: SHOULD ignore at least one CRLF before it", b"\r\n" + OK),
    good("line-two-crlf-before", "9112 2.2", b"\r\n\r\n" + OK),
    good("line-four-crlf-before", "9112 2.2; our bound", b"\r\n" * 4 + OK),
    bad("line-five-crlf-before", "9112 2.2; our bound", b"\r\n" * 5 + OK),
    bad("line-20000-crlf-before", "hazards 16: line ends without a bound", b"\r\n" * 10_000 + OK),
    bad("line-lf-before", "9112 2.2: CRLF alone is ignored", b"\n" + OK),
    bad("line-cr-before", "hazards 16", b"\r" + OK),
    bad("line-crcrlf-before", "hazards 26", b"\r\r\n" + OK),
    bad("line-nul-before", "hazards 26", b"\0" + OK),
    bad("line-space-before", "9112 3: no blank before the method", b" " + OK),
    bad("line-tab-before", "9112 3", b"\t" + OK),
    bad("line-bom-before", "9112 3: octets, no text", b"\xef\xbb\xbf" + OK),
    bad("line-two-spaces-1", "hazards 16: two spaces behind the method",
        line(b"GET  /hello HTTP/1.1")),
    bad("line-two-spaces-2", "hazards 16: two spaces before the version",
        line(b"GET /hello  HTTP/1.1")),
    bad("line-tab-1", "9112 3: SP, no tab", line(b"GET\t/hello HTTP/1.1")),
    bad("line-tab-2", "9112 3: SP, no tab", line(b"GET /hello\tHTTP/1.1")),
    bad("line-vt-1", "9112 3: SP, no VT", line(b"GET\v/hello HTTP/1.1")),
    bad("line-ff-2", "9112 3: SP, no FF", line(b"GET /hello\fHTTP/1.1")),
    bad("line-cr-1", "9112 2.2: bare CR", line(b"GET\r/hello HTTP/1.1")),
    bad("line-cr-2", "9112 2.2: bare CR", line(b"GET /hello\rHTTP/1.1")),
    bad("line-cr-in-target", "9112 2.2: bare CR", line(b"GET /hel\rlo HTTP/1.1")),
    bad("line-nul-1", "9112 3", line(b"GET\0/hello HTTP/1.1")),
    bad("line-space-after", "9112 3: no blank behind the version", line(b"GET /hello HTTP/1.1 ")),
    bad("line-tab-after", "9112 3", line(b"GET /hello HTTP/1.1\t")),
    bad("line-word-after", "9112 3: three parts", line(b"GET /hello HTTP/1.1 x")),
    bad("line-crcrlf", "9112 2.2: bare CR at the end", line(b"GET /hello HTTP/1.1\r")),
    bad("line-bare-lf", "9112 2.2: we take no bare LF", b"GET /hello HTTP/1.1\nHost: a\r\n\r\n"),
    bad("line-bare-cr", "9112 2.2", b"GET /hello HTTP/1.1\rHost: a\r\n\r\n"),
    bad("line-lfcr", "9112 2.2", b"GET /hello HTTP/1.1\n\rHost: a\r\n\r\n"),
    bad("line-lf-in-target", "hazards 11: a bare LF ends the request line",
        b"GET /hello\nHost: a\r\nContent-Length: 5\r\n\r\nhello"),
    bad("line-space-in-target", "9112 3.2: no blank in a target", line(b"GET /he llo HTTP/1.1")),
    bad("line-one-word", "9112 3", line(b"GET")),
    bad("line-method-only", "9112 3", line(b"GET ")),
    bad("line-no-target", "9112 3", line(b"GET HTTP/1.1")),
    bad("line-empty-target", "9112 3", line(b"GET  HTTP/1.1")),
    bad("line-no-method", "9112 3", line(b"/hello HTTP/1.1")),
    bad("line-09", "hazards 10: no version", b"GET /hello\r\n\r\n"),
    bad("line-09-crlf-blank", "hazards 10", line(b"GET /hello ")),
    bad("line-tls", "a TLS client that knocks",
        b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03\r\n\r\n"),
    bad("line-status", "a response is no request", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
    # the version, 9112 2.3
    good("version-10", "9112 2.3", b"GET /hello HTTP/1.0\r\n" + HOST, stays=False),
    good("version-12", "9110 2.5: a higher minor is read as ours", line(b"GET /hello HTTP/1.2"),
         body(b"hello")),
    good("version-19", "9110 2.5", line(b"GET /hello HTTP/1.9"), body(b"hello")),
    bad("version-12-no-host", "9110 2.5: and Host is due", b"GET /hello HTTP/1.2\r\n\r\n"),
    bad("version-20", "9110 15.6.6: a major that we lack", line(b"GET /hello HTTP/2.0"), 505),
    bad("version-30", "9110 15.6.6", line(b"GET /hello HTTP/3.0"), 505),
    bad("version-99", "9110 15.6.6", line(b"GET /hello HTTP/9.9"), 505),
    bad("version-09", "9110 15.6.6", line(b"GET /hello HTTP/0.9"), (400, 505)),
    bad("version-00", "9110 15.6.6", line(b"GET /hello HTTP/0.0"), (400, 505)),
    bad("version-preface", "hazards 12: the preface of HTTP/2",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    bad("version-two-digits", "9112 2.3: one digit", line(b"GET /hello HTTP/1.10")),
    bad("version-two-majors", "9112 2.3: one digit", line(b"GET /hello HTTP/11.1")),
    bad("version-zero-major", "9112 2.3: one digit", line(b"GET /hello HTTP/01.1")),
    bad("version-no-minor", "9112 2.3", line(b"GET /hello HTTP/1")),
    bad("version-dot-only", "9112 2.3", line(b"GET /hello HTTP/1.")),
    bad("version-no-major", "9112 2.3", line(b"GET /hello HTTP/.1")),
    bad("version-no-number", "9112 2.3", line(b"GET /hello HTTP/")),
    bad("version-comma", "9112 2.3", line(b"GET /hello HTTP/1,1")),
    bad("version-letter", "9112 2.3", line(b"GET /hello HTTP/1.x")),
    bad("version-hex", "9112 2.3", line(b"GET /hello HTTP/1.a")),
    bad("version-minus", "9112 2.3", line(b"GET /hello HTTP/-1.1")),
    bad("version-plus", "9112 2.3", line(b"GET /hello HTTP/1.+1")),
    bad("version-blank", "9112 2.3", line(b"GET /hello HTTP/ 1.1")),
    bad("version-no-slash", "9112 2.3", line(b"GET /hello HTTP1.1")),
    bad("version-backslash", "9112 2.3", line(b"GET /hello HTTP\\1.1")),
    bad("version-lower", "9112 2.3: the name has upper case", line(b"GET /hello http/1.1")),
    bad("version-mixed", "9112 2.3", line(b"GET /hello Http/1.1")),
    bad("version-https", "9112 2.3", line(b"GET /hello HTTPS/1.1")),
    bad("version-rtsp", "hazards 13", line(b"DESCRIBE /hello RTSP/1.0"), (400, 501)),
    bad("version-rtsp-get", "hazards 13", line(b"GET /hello RTSP/1.0")),
    bad("version-ice", "hazards 13", line(b"SOURCE /hello ICE/1.0"), (400, 501)),
    bad("version-nul", "9112 2.3", line(b"GET /hello HTTP/1.1\0")),
]


def test_letter(outcomes, case, way):
    check(outcomes, case, way)
