# SPDX-License-Identifier: MIT
"""Content-Length. RFC 9110 8.6, RFC 9112 6.2, 6.3."""

from letter import bad, body, check, cut, good

POST = b"POST /echo HTTP/1.1\r\nHost: a\r\n"


def post(lines, data=b"abc"):
    return POST + lines + b"\r\n\r\n" + data


def taken(name, value, data=b"abc", why="9110 8.6"):
    return good(f"length-{name}", why, post(b"Content-Length:" + value, data), body(data))


def wrong(name, value, why="9112 6.3: invalid, MUST 400 and close"):
    return bad(f"length-{name}", why, post(b"Content-Length:" + value))


CASES = [
    taken("plain", b" 3"), taken("zero", b" 0", b""), taken("one", b" 1", b"x"),
    taken("no-blank", b"3"), taken("tab", b"\t3", why="9112 5: OWS"),
    taken("blanks-behind", b" 3  ", why="hazards 23: OWS behind it"),
    taken("tab-behind", b" 3\t", why="9112 5.1: OWS may be a tab"),
    taken("tab-blank-behind", b" 3 \t ", why="9112 5.1: OWS"),
    taken("tab-tab-behind", b"\t3\t\t", why="9112 5.1: OWS"),
    wrong("tab-inside", b" 3\t3\t", "9110 8.6: digits alone"),
    wrong("tab-alone", b"\t", "9110 8.6: at least one digit"),
    taken("zeros", b" 0003", why="9110 8.6: 1*DIGIT"),
    taken("zeros-many", b" " + b"0" * 40 + b"3", why="9110 8.6: 1*DIGIT, of any length"),
    taken("zeros-only", b" 000", b""),
    wrong("list-same", b" 3, 3", "9110 8.6: such a list may be refused"),
    wrong("list-same-three", b" 3,3 ,\t3", "9110 8.6: such a list may be refused"),
    bad("length-two-same", "9110 8.6: two lines may be refused",
        post(b"Content-Length: 3\r\nContent-Length: 3")),
    bad("length-two-same-apart", "9110 8.6",
        post(b"Content-Length: 3\r\nX: y\r\ncontent-length:3")),
    bad("length-two-lists", "9110 8.6", post(b"Content-Length: 3, 3\r\nContent-Length: 3")),
    bad("length-two-behind-empty", "9110 8.6: an empty field between them",
         post(b"Content-Length: 3\r\nX:\r\nContent-Length: 3\r\nY: z")),
    good("length-case", "9110 5.1", post(b"cOnTeNt-LeNgTh: 3"), body(b"abc")),
    good("length-binary", "9110 6.4: any octet", post(b"Content-Length: 256", bytes(range(256))),
         body(bytes(range(256)))),
    good("length-body-like-request", "9112 6.3: what is counted is body",
         post(b"Content-Length: 20", b"GET / HTTP/1.1\r\n\r\n\r\n"),
         body(b"GET / HTTP/1.1\r\n\r\n\r\n")),
    good("length-none", "9112 6.3: no framing, no body", POST + b"\r\n", body(b"")),
    good("length-get", "9110 9.3.1: a body of GET is read and counted",
         b"GET /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", body(b"hello")),
    good("length-head", "9110 9.3.2",
        b"HEAD /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
         body(b""), methods=("HEAD",)),
    good("length-404", "CL.0: a body for nobody is read all the same",
         b"POST /none HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", gets=(404,)),
    good("length-405", "CL.0", b"POST /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
         gets=(405,)),
    good("length-options", "CL.0: 9110 9.3.7",
         b"OPTIONS /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", gets=(204,)),
    good("length-delete", "9110 9.3.5",
         b"DELETE /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", body(b"abc")),
    good("length-10", "9112 6.3", b"POST /echo HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc",
         body(b"abc"), stays=False),
    good("length-crlf-behind", "9112 2.2: an old client's CRLF behind a body",
         post(b"Content-Length: 3") + b"\r\n", body(b"abc")),
    wrong("empty", b""), wrong("blank", b"  "), wrong("minus", b" -3"), wrong("minus-zero", b" -0"),
    wrong("plus", b" +3"), wrong("hex", b" 0x3"), wrong("hex-letter", b" a"),
    wrong("float", b" 3.0"), wrong("exponent", b" 3e0"), wrong("underscore", b" 1_0"),
    wrong("inner-blank", b" 3 3"), wrong("inner-tab", b" 3\t3"), wrong("word", b" three"),
    wrong("word-behind", b" 3a"), wrong("word-before", b" a3"), wrong("quotes", b' "3"'),
    wrong("semicolon", b" 3;"), wrong("slash", b" 3/"), wrong("colon", b" :3"),
    wrong("nul", b" 3\0"), wrong("vt", b" 3\v"), wrong("vt-before", b" \v3"),
    wrong("cr", b" 3\r"), wrong("latin-digit", b" \xb3", "9110 8.6: ASCII digits"),
    wrong("full-width", "３".encode(), "9110 8.6: ASCII digits"),
    wrong("apostrophe", b" 1'000"), wrong("dot", b" ."), wrong("equals", b" =3"),
    wrong("list-differs", b" 3, 4"), wrong("list-differs-zeros", b" 3, 30"),
    wrong("list-comma-behind", b" 3,"), wrong("list-comma-before", b" ,3"),
    wrong("list-empty", b" ,"), wrong("list-hole", b" 3,,3"), wrong("list-word", b" 3, x"),
    wrong("list-minus", b" 3, -3"), wrong("list-semicolon", b" 3; 3"),
    wrong("folded", b"\r\n 3", "hazards 3"), wrong("folded-tab", b"\r\n\t3", "hazards 3"),
    wrong("folded-digits", b" 3\r\n 0", "hazards 3"),
    bad("length-two", "9112 6.3", post(b"Content-Length: 3\r\nContent-Length: 4", b"abcd")),
    bad("length-two-swapped", "9112 6.3", post(b"Content-Length: 4\r\nContent-Length: 3", b"abcd")),
    bad("length-two-zero", "9112 6.3", post(b"Content-Length: 0\r\nContent-Length: 3")),
    bad("length-two-empty", "9112 6.3", post(b"Content-Length: 3\r\nContent-Length:")),
    bad("length-two-list", "9112 6.3", post(b"Content-Length: 3, 3\r\nContent-Length: 4", b"abcd")),
    bad("length-63", "hazards 9", post(b"Content-Length: 9223372036854775808"), (400, 413)),
    bad("length-64-most", "hazards 9", post(b"Content-Length: 18446744073709551615"), (400, 413)),
    bad("length-64", "hazards 9: 2^64", post(b"Content-Length: 18446744073709551616"), (400, 413)),
    bad("length-64-wraps", "hazards 9: 2^64 + 3", post(b"Content-Length: 18446744073709551619"),
        (400, 413)),
    bad("length-32-wraps", "2^32 + 3", post(b"Content-Length: 4294967299"), 413),
    bad("length-100-digits", "hazards 9", post(b"Content-Length: " + b"9" * 100), (400, 413)),
    bad("length-get-bad", "9112 6.3: of any method",
        b"GET /hello HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n"),
    bad("length-10-bad", "9112 6.3", b"POST /echo HTTP/1.0\r\nContent-Length: -1\r\n\r\n"),
    cut("length-short", "9112 8: incomplete, no handler", post(b"Content-Length: 4")),
    cut("length-none-of-it", "9112 8", post(b"Content-Length: 4", b"")),
]


def test_letter(outcomes, case, way):
    check(outcomes, case, way)
