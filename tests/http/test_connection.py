# SPDX-License-Identifier: MIT
"""Connection, pipelining, Expect, Upgrade, who leaves. RFC 9112 9, RFC 9110 7.6, 7.8, 10.1.1."""

from letter import bad, body, check, cut, good, header

GET = b"GET /hello HTTP/1.1\r\nHost: a\r\n"
GET10 = b"GET /hello HTTP/1.0\r\n"
POST = b"POST /echo HTTP/1.1\r\nHost: a\r\n"
JUNK = b"\x01junk\r\n\r\n"
CLOSED = header("Connection", "close")


def closes(name, value, head=GET, why="9112 9.6"):
    return good(f"connection-{name}", why, head + b"Connection:" + value + b"\r\n\r\n", CLOSED,
                body(b"hello"), stays=False)


def stays(name, value, head=GET, why="9112 9.3"):
    return good(f"connection-{name}", why, head + b"Connection:" + value + b"\r\n\r\n",
                body(b"hello"))


def upgrade(name, token, more=b""):
    return good(f"upgrade-{name}", "9110 7.8: may be ignored", GET + b"Connection: upgrade" + more +
                b"\r\nUpgrade: " + token + b"\r\n\r\n", body(b"hello"))


def expecting(value, head=POST, data=b"abc"):
    return head + b"Content-Length: 3\r\nExpect: " + value + b"\r\n\r\n" + data


CASES = [
    stays("none-said", b"", why="9110 7.6.1: empty"), stays("keep-alive", b" keep-alive"),
    stays("unknown", b" x"), stays("listed", b" x, keep-alive"), stays("not-close", b" closed"),
    stays("not-close-2", b" xclose"), stays("quoted", b' "close"'), stays("dash", b" close-x"),
    closes("close", b" close"), closes("upper", b" CLOSE", why="9110 7.6.1: ignores case"),
    closes("mixed", b" ClOsE"), closes("no-blank", b"close"), closes("tab", b"\tclose\t"),
    closes("first", b" close, x"), closes("last", b" x, close"), closes("middle", b" x,close ,y"),
    closes("with-alive", b" keep-alive, close", why="9112 9.3: close wins"),
    closes("before-alive", b" close, keep-alive"), closes("empty-elements", b" ,, close ,"),
    closes("two-fields", b" keep-alive\r\nConnection: close", why="9110 5.3: a list"),
    closes("two-fields-first", b" close\r\nConnection: keep-alive"),
    closes("two-fields-case", b" x\r\ncONNECTION: close"),
    good("connection-10", "9112 9.3: 1.0 ends", GET10 + b"\r\n", CLOSED, stays=False),
    closes("10-close", b" close", GET10), closes("10-both", b" keep-alive, close", GET10),
    closes("10-unknown", b" x", GET10), stays("10-alive", b" keep-alive", GET10),
    stays("10-alive-case", b" Keep-Alive", GET10), stays("10-alive-listed", b" x , keep-alive",
        GET10),
    good("connection-proxy", "9112 C.2.2: Proxy-Connection is nothing",
         GET + b"Proxy-Connection: close\r\n\r\n", body(b"hello")),
    good("connection-keep-alive-field", "9112 C.2.2", GET + b"Keep-Alive: timeout=1\r\n\r\n"),
    good("connection-close-body", "9112 9.6: the body is read first",
         POST + b"Connection: close\r\nContent-Length: 3\r\n\r\nabc", body(b"abc"), CLOSED,
         stays=False),
    good("connection-crlf-between", "9112 2.2", (GET + b"\r\n") + b"\r\n" + (GET + b"\r\n"),
         body(b"hello", b"hello"), gets=(200, 200)),
    # pipelining
    good("pipeline-order", "9112 9.3.2: MUST answer in order", POST +
        b"Content-Length: 1\r\n\r\n1" +
         GET + b"\r\n" + POST + b"Content-Length: 1\r\n\r\n2", body(b"1", b"hello", b"2"),
         gets=(200, 200, 200)),
    good("pipeline-100", "9112 9.3.2", (GET + b"\r\n") * 100, gets=(200,) * 100),
    good("pipeline-404", "9112 9.3.2: an error of one ends nothing",
         b"GET /none HTTP/1.1\r\nHost: a\r\n\r\n" + GET + b"\r\n", gets=(404, 200)),
    good("pipeline-chunked", "9112 7.1: ends where it ends", POST +
         b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n" + GET + b"\r\n",
         body(b"x", b"hello"), gets=(200, 200)),
    good("pipeline-close", "9112 9.6: MUST NOT read behind a close",
         GET + b"Connection: close\r\n\r\n" + GET + b"\r\n", body(b"hello"), stays=False),
    *[good(f"pipeline-error-{n}", "the good ones before it are answered, it once",
           (GET + b"\r\n") * n + JUNK + GET + b"\r\n", gets=(200,) * n + (400,), stays=False)
      for n in (1, 2, 10)],
    good("pipeline-error-body", "one answer, no second parse", POST +
        b"Content-Length: 3\r\n\r\nabc" +
         POST + b"Content-Length: x\r\n\r\n" + GET + b"\r\n", gets=(200, 400), stays=False),
    good("pipeline-error-501", "9110 9.1", GET + b"\r\nFOO / HTTP/1.1\r\nHost: a\r\n\r\n" + GET +
         b"\r\n", gets=(200, 501), stays=False),
    good("pipeline-error-505", "9110 15.6.6", GET + b"\r\nGET / HTTP/2.0\r\nHost: a\r\n\r\n" + GET +
         b"\r\n", gets=(200, 505), stays=False),
    # Expect
    good("expect", "9110 10.1.1: no 100 is due when the body is there", expecting(b"100-continue"),
         body(b"abc")),
    good("expect-case", "9110 10.1.1: ignores case", expecting(b"100-CONTINUE"), body(b"abc")),
    good("expect-no-body", "9110 10.1.1", GET + b"Expect: 100-continue\r\n\r\n", body(b"hello")),
    good("expect-chunked", "9110 10.1.1", POST + b"Transfer-Encoding: chunked\r\nExpect: "
         b"100-continue\r\n\r\n3\r\nabc\r\n0\r\n\r\n", body(b"abc")),
    good("expect-10", "9110 10.1.1: MUST ignore it",
         expecting(b"100-continue", b"POST /echo HTTP/1.0\r\n"), body(b"abc"), stays=False),
    good("expect-10-unknown", "9110 10.1.1: MUST ignore it",
         expecting(b"x", b"POST /echo HTTP/1.0\r\n"), body(b"abc"), stays=False),
    bad("expect-unknown", "9110 10.1.1: 417", expecting(b"x"), 417),
    bad("expect-unknown-value", "9110 10.1.1", expecting(b"100-continue=1"), 417),
    bad("expect-close-to", "9110 10.1.1", expecting(b"100-continued"), 417),
    bad("expect-404", "9110 10.1.1: a final status instead; what may come is not parsed",
        expecting(b"100-continue", b"POST /none HTTP/1.1\r\nHost: a\r\n"), 404),
    bad("expect-405", "9110 10.1.1",
        expecting(b"100-continue", b"POST /hello HTTP/1.1\r\nHost: a\r\n"), 405),
    bad("expect-413", "9110 10.1.1", POST +
        b"Content-Length: 99999\r\nExpect: 100-continue\r\n\r\n",
        413),
    # Upgrade
    upgrade("h2c", b"h2c", b", HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQAAP__"),
    upgrade("websocket", b"websocket"), upgrade("unknown", b"x/1"), upgrade("list", b"a, b/2"),
    good("upgrade-no-connection", "9110 7.8", GET + b"Upgrade: h2c\r\n\r\n", body(b"hello")),
    good("upgrade-body", "hazards 19: no byte is lost", POST +
        b"Connection: upgrade\r\nUpgrade: h2c"
         b"\r\nContent-Length: 3\r\n\r\nabc", body(b"abc")),
    good("upgrade-chunked", "hazards 19", POST + b"Connection: upgrade\r\nUpgrade: h2c\r\n"
         b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", body(b"abc")),
    good("upgrade-10", "9110 7.8: MUST ignore it in 1.0", GET10 + b"Connection: upgrade, keep-alive"
         b"\r\nUpgrade: h2c\r\n\r\n", body(b"hello")),
    good("upgrade-pipelined", "hazards 19", (GET +
        b"Connection: upgrade\r\nUpgrade: x\r\n\r\n") * 3,
         gets=(200, 200, 200)),
    # smuggling
    bad("smuggle-cl-te", "CL.TE", POST + b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"0\r\n\r\nG"),
    bad("smuggle-te-cl", "TE.CL", POST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"1\r\nx\r\n0\r\n\r\n"),
    bad("smuggle-te-te", "TE.TE", POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: cow"
        b"\r\n\r\n0\r\n\r\n", (400, 501)),
    good("smuggle-cl-0-get", "CL.0: the body of a GET is no request",
         GET + b"Content-Length: 36\r\n\r\nGET /first HTTP/1.1\r\nHost: evil\r\n\r\n\r",
         body(b"hello")),
    good("smuggle-cl-0-404", "CL.0", b"POST /none HTTP/1.1\r\nHost: a\r\nContent-Length: 35\r\n\r\n"
         b"GET /first HTTP/1.1\r\nHost: evil\r\n\r\n", gets=(404,)),
    good("smuggle-cl-0-head", "CL.0",
        b"HEAD /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 35\r\n\r\n"
         b"GET /first HTTP/1.1\r\nHost: evil\r\n\r\n", methods=("HEAD",)),
    # a client that leaves
    cut("leave-method", "9112 8: incomplete", b"GE"), cut("leave-line", "9112 8", b"GET /hello HT"),
    cut("leave-fields", "9112 8", GET), cut("leave-field", "9112 8", GET + b"X: y"),
    cut("leave-before-end", "9112 8", GET + b"\r"),
    cut("leave-empty-line", "nobody asked", b"\r\n"),
]


def test_letter(outcomes, case, way):
    check(outcomes, case, way)
