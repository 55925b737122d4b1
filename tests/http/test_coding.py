# SPDX-License-Identifier: MIT
"""Transfer-Encoding in requests. RFC 9112 6.1, 6.3, 7."""

from letter import bad, body, check, good

POST = b"POST /echo HTTP/1.1\r\nHost: a\r\n"
ABC = b"3\r\nabc\r\n0\r\n\r\n"


def post(lines, data=ABC):
    return POST + lines + b"\r\n\r\n" + data


def taken(name, value, why="9112 6.1"):
    return good(f"coding-{name}", why, post(b"Transfer-Encoding:" + value), body(b"abc"))


def wrong(name, value, gets=400, why="9112 6.3: no length is known, MUST 400 and close"):
    return bad(f"coding-{name}", why, post(b"Transfer-Encoding:" + value), gets)


CASES = [
    taken("plain", b" chunked"), taken("upper", b" CHUNKED", "9112 7: names ignore case"),
    taken("mixed", b" cHuNkEd", "9112 7"), taken("no-blank", b"chunked"),
    taken("tab", b"\tchunked", "9112 5: OWS"), taken("blanks-behind", b" chunked  ", "hazards 23"),
    taken("tab-behind", b" chunked\t", "9112 5.1: OWS may be a tab"),
    taken("tab-blank-behind", b" chunked\t \t", "9112 5.1: OWS"),
    taken("tab-around", b"\tchunked\t", "9112 5.1: OWS"),
    good("coding-tab-behind-empty", "9112 5.1: an empty field before it",
         post(b"X:\r\nTransfer-Encoding: chunked\t"), body(b"abc")),
    good("coding-tabs-before", "9112 5.1: tabs behind nothing",
         post(b"X:\t\r\nY: \t \r\nTransfer-Encoding: chunked"), body(b"abc")),
    bad("coding-tab-behind-two", "9112 6.1: still two",
        post(b"Transfer-Encoding: chunked\t\r\nTransfer-Encoding: chunked\t")),
    bad("coding-tab-inside", "9112 7: no such name", post(b"Transfer-Encoding: chun\tked")),
    good("coding-name-case", "9110 5.1", post(b"tRANSFER-eNCODING: chunked"), body(b"abc")),
    good("coding-get", "9110 9.3.1: a body of GET is read",
         b"GET /hello HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + ABC,
         body(b"hello")),
    good("coding-404", "CL.0: a body for nobody is read",
         b"POST /none HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + ABC,
         gets=(404,)),
    wrong("unknown-alone", b" xyz", (400, 501)), wrong("gzip", b" gzip", (400, 501)),
    wrong("identity", b" identity", (400, 501)), wrong("gzip-chunked", b" gzip, chunked", 501,
                                                      "hazards 7; 9112 6.1: unknown, 501"),
    wrong("unknown-chunked", b" xyz, chunked", 501, "hazards 7"),
    wrong("identity-chunked", b" identity, chunked", (400, 501), "hazards 7"),
    wrong("chunked-gzip", b" chunked, gzip"), wrong("chunked-identity", b" chunked, identity"),
    wrong("chunked-twice", b" chunked, chunked", why="9112 7.1: MUST NOT be applied twice"),
    wrong("list-before", b" ,chunked", (400, 501), "hazards 7"),
    wrong("list-behind", b" chunked,", (400, 501), "hazards 7"),
    wrong("empty", b"", why="hazards 6"), wrong("blank", b"  ", why="hazards 6"),
    wrong("comma", b" ,"), wrong("parameter", b" chunked;q=1", (400, 501)),
    wrong("parameter-bare", b" chunked;", (400, 501)), wrong("quotes", b' "chunked"', (400, 501)),
    wrong("apostrophes", b" 'chunked'", (400, 501)), wrong("word", b" chunkedx", (400, 501)),
    wrong("word-before", b" xchunked", (400, 501)), wrong("inner-blank", b" chunk ed", (400, 501)),
    wrong("blank-list", b" chunked chunked", (400, 501)), wrong("short", b" chunke", (400, 501)),
    wrong("vt-before", b" \vchunked"), wrong("vt-behind", b" chunked\v"),
    wrong("ff-before", b" \fchunked"), wrong("nul-behind", b" chunked\0"),
    wrong("control-before", b" \x01chunked"), wrong("cr-behind", b" chunked\r"),
    wrong("cr-before", b" \rchunked"), wrong("nbsp", b" \xa0chunked", (400, 501)),
    wrong("kelvin", "chun\u212aed".encode(), (400, 501), "9110: ASCII case alone"),
    wrong("tab-list", b" chunked\t, gzip"), wrong("tab-unknown", b" gzip\t", (400, 501)),
    wrong("folded", b"\r\n chunked", why="hazards 4"),
    wrong("folded-tab", b"\r\n\tchunked", why="hazards 4"),
    wrong("folded-behind", b" chunked\r\n ", why="hazards 4"),
    wrong("lf", b" chunked\nX: y", why="9112 2.2"),
    bad("coding-two", "9112 7.1: MUST NOT be applied twice",
        post(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked")),
    bad("coding-two-tab", "9112 7.1",
        post(b"Transfer-Encoding: chunked\t\r\nTransfer-Encoding: chunked")),
    bad("coding-two-identity", "hazards 7",
        post(b"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked"), (400, 501)),
    bad("coding-two-empty", "hazards 7",
        post(b"Transfer-Encoding:\r\nTransfer-Encoding: chunked"), (400, 501)),
    bad("coding-two-gzip", "TE.TE", post(b"Transfer-Encoding: chunked\r\nTransfer-encoding: x"),
        (400, 501)),
    bad("coding-blank-before-colon", "9112 5.1", post(b"Transfer-Encoding : chunked")),
    bad("coding-and-length", "9112 6.1: we refuse both",
        post(b"Content-Length: 3\r\nTransfer-Encoding: chunked")),
    bad("coding-and-length-swapped", "9112 6.1",
        post(b"Transfer-Encoding: chunked\r\nContent-Length: 3")),
    bad("coding-and-length-right", "9112 6.1",
        post(b"Content-Length: 13\r\nTransfer-Encoding: chunked")),
    bad("coding-and-length-zero", "0.CL", post(b"Content-Length: 0\r\nTransfer-Encoding: chunked")),
    bad("coding-and-length-list", "9112 6.1",
        post(b"Content-Length: 3, 3\r\nTransfer-Encoding: chunked\t")),
    bad("coding-empty-and-length", "hazards 5", post(b"Transfer-Encoding:\r\nContent-Length: 3")),
    bad("coding-length-and-empty", "hazards 5", post(b"Content-Length: 3\r\nTransfer-Encoding:")),
    bad("coding-identity-and-length", "9112 6.3",
        post(b"Transfer-Encoding: identity\r\nContent-Length: 3"), (400, 501)),
    bad("coding-10", "hazards 8; 9112 6.1: its framing is faulty",
        b"POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n" + ABC),
    bad("coding-10-keep-alive", "hazards 8", b"POST /echo HTTP/1.0\r\nConnection: keep-alive\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n" + ABC),
    bad("coding-10-and-length", "9112 6.1", b"POST /echo HTTP/1.0\r\nContent-Length: 3\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n" + ABC),
    good("coding-te-field", "9110 10.1.4: TE says what may come back, not what is sent",
         b"GET /hello HTTP/1.1\r\nHost: a\r\nTE: trailers, gzip;q=0.5\r\nConnection: TE\r\n\r\n",
         body(b"hello")),
    good("coding-underscore", "a name like any other", POST + b"Transfer_Encoding: chunked\r\n\r\n",
         body(b"")),
    good("coding-content-encoding", "9110 8.4: a coding of the content, not of the message",
         post(b"Content-Encoding: chunked\r\nContent-Length: 3", b"abc"), body(b"abc")),
]


def test_letter(outcomes, case, way):
    check(outcomes, case, way)
