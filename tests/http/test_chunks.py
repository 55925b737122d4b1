# SPDX-License-Identifier: MIT
"""The chunked coding: sizes, extensions, data, trailers. RFC 9112 7.1."""

from letter import bad, body, check, cut, good

POST = b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
LAST = b"0\r\n\r\n"


def taken(name, data, why="9112 7.1", wanted=b"abc"):
    return good(f"chunk-{name}", why, POST + data, body(wanted))


def size(name, line, why="9112 7.1"):
    return taken(f"size-{name}", line + b"\r\nabc\r\n" + LAST, why)


def extended(name, extension, why="9112 7.1.1: MUST ignore what it does not know"):
    return taken(f"ext-{name}", b"3" + extension + b"\r\nabc\r\n" + LAST, why)


def trailed(name, lines, why="9112 7.1.2: read and dropped"):
    return taken(f"trailer-{name}", b"3\r\nabc\r\n0\r\n" + lines + b"\r\n", why)


def wrong(name, data, gets=400, why="9112 7.1"):
    return bad(f"chunk-{name}", why, POST + data, gets)


def wrong_size(name, line, gets=400, why="9112 7.1: 1*HEXDIG"):
    return wrong(f"size-{name}", line + b"\r\nabc\r\n" + LAST, gets, why)


def wrong_trailer(name, lines, why="9112 7.1.2: field lines"):
    return wrong(f"trailer-{name}", b"3\r\nabc\r\n0\r\n" + lines + b"\r\n", 400, why)


CASES = [
    taken("one", b"3\r\nabc\r\n" + LAST), taken("three", b"1\r\na\r\n1\r\nb\r\n1\r\nc\r\n" + LAST),
    taken("none", LAST, wanted=b""), taken("binary", b"4\r\n\0\r\n\xff\r\n" + LAST,
                                           wanted=b"\0\r\n\xff"),
    taken("data-like-chunks", b"5\r\n0\r\n\r\n\r\n" + LAST, wanted=LAST),
    taken("data-like-request", b"12\r\nGET / HTTP/1.1\r\n\r\n\r\n" + LAST,
          wanted=b"GET / HTTP/1.1\r\n\r\n"),
    size("upper", b"3"), size("zeros", b"0003", "9112 7.1: leading zeros"),
    size("zeros-32", b"0" * 32 + b"3", "9112 7.1: of any length"),
    taken("size-hex-lower", b"a\r\n0123456789\r\n" + LAST, wanted=b"0123456789"),
    taken("size-hex-upper", b"A\r\n0123456789\r\n" + LAST, wanted=b"0123456789"),
    taken("size-hex-mixed", b"1a\r\n" + b"x" * 26 + b"\r\n1B\r\n" + b"y" * 27 + b"\r\n" + LAST,
          wanted=b"x" * 26 + b"y" * 27),
    taken("last-zeros", b"3\r\nabc\r\n0000\r\n\r\n", "9112 7.1: last-chunk is 1*\"0\""),
    size("blank-behind", b"3 ", "hazards 24: BWS"), size("tab-behind", b"3\t", "BWS"),
    size("blanks-behind", b"3 \t  ", "BWS"),
    taken("last-blank-behind", b"3\r\nabc\r\n0 \r\n\r\n", "BWS"),
    extended("name", b";a"), extended("value", b";a=b"), extended("two", b";a=b;c"),
    extended("blanks", b" ; a = b", "hazards 24: BWS around each part"),
    extended("tabs", b"\t;\ta\t=\tb", "BWS"), extended("blank-end", b";a=b ", "BWS"),
    extended("quoted", b';a="b"'), extended("quoted-blank", b';a="b c;d=e"'),
    extended("quoted-empty", b';a=""'), extended("quoted-pair", b';a="\\""', "hazards 24"),
    extended("quoted-backslash", b';a="\\\\"'), extended("quoted-latin", b';a="\xe9"'),
    extended("quoted-tab", b';a="\t"'), extended("quoted-then", b';a="b" ; c'),
    extended("empty", b";", "hazards 24: an empty one is no harm"),
    extended("tchars", b";!#$%&'*+-.^_`|~=1"),
    taken("ext-last", b"3\r\nabc\r\n0;a=b\r\n\r\n"),
    taken("ext-looks-like-size", b"3;5\r\nabc\r\n" + LAST),
    trailed("one", b"X: y\r\n"), trailed("two", b"X: y\r\nZ: z\r\n"), trailed("empty", b"X:\r\n"),
    trailed("latin", b"X: \xe9\r\n"), trailed("host", b"Host: b\r\n",
                                              "hazards 20: no header any more"),
    trailed("close", b"Connection: close\r\n", "hazards 20: changes nothing"),
    trailed("expect", b"Expect: x\r\n", "hazards 20"), trailed("blanks", b"X: \t y \t\r\n"),
    good("chunk-trailer-unseen", "9110 6.5.1: not merged",
         b"GET /field?name=X HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
         b"0\r\nX: y\r\n\r\n",
         body(b"[(none)]")),
    wrong_size("empty", b""), wrong_size("word", b"xyz"), wrong_size("g", b"g"),
    wrong_size("minus", b"-3"), wrong_size("plus", b"+3"), wrong_size("0x", b"0x3"),
    wrong_size("h", b"3h"), wrong_size("underscore", b"0_3"), wrong_size("dot", b"3.0"),
    wrong_size("comma", b"3,"), wrong_size("colon", b"3:"), wrong_size("quotes", b'"3"'),
    wrong_size("blank-before", b" 3"), wrong_size("tab-before", b"\t3"),
    wrong_size("blank-inside", b"0 3"), wrong_size("nul", b"3\0"), wrong_size("vt", b"3\v"),
    wrong_size("cr", b"3\r"), wrong_size("latin", b"\xb3"), wrong_size("equals", b"3=a"),
    wrong_size("slash", b"3/"), wrong_size("semicolon-first", b";3"),
    wrong_size("64", b"10000000000000000", (400, 413), "hazards 9: 2^64"),
    wrong_size("64-wraps", b"10000000000000003", (400, 413), "hazards 9: 2^64 + 3"),
    wrong_size("64-most", b"ffffffffffffffff", (400, 413), "hazards 9"),
    wrong_size("63", b"7fffffffffffffff", (400, 413), "hazards 9"),
    wrong_size("32-wraps", b"100000003", (400, 413), "2^32 + 3"),
    wrong_size("limit", b"2801", 413, "our limit on bodies, before the data"),
    wrong_size("17-digits", b"f" * 17, (400, 413), "hazards 9"),
    wrong("size-lf", b"3\nabc\r\n" + LAST, why="9112 2.2: bare LF"),
    wrong("size-cr-only", b"3\rabc\r\n" + LAST), wrong("size-lfcr", b"3\n\rabc\r\n" + LAST),
    wrong("size-crcrlf", b"3\r\r\nabc\r\n" + LAST),
    wrong("size-short", b"2\r\nabc\r\n" + LAST, why="data are longer than their size"),
    wrong("size-long", b"4\r\nabc\r\n" + LAST, why="data are shorter than their size"),
    wrong("end-none", b"3\r\nabc" + LAST, why="9112 7.1: CRLF behind the data"),
    wrong("end-lf", b"3\r\nabc\n" + LAST), wrong("end-cr", b"3\r\nabc\r" + LAST),
    wrong("end-xx", b"3\r\nabcxx" + LAST, why="CVE-2023-30589: any two bytes"),
    wrong("end-cr-x", b"3\r\nabc\rx" + LAST), wrong("end-two", b"3\r\nabc\r\n\r\n" + LAST),
    wrong("end-blank", b"3\r\nabc \r\n" + LAST),
    wrong("ext-lf", b"3;a\nabc\r\n" + LAST, why="a bare LF in an extension: smuggling"),
    wrong("ext-cr", b"3;a\rb\r\nabc\r\n" + LAST), wrong("ext-nul", b"3;a\0\r\nabc\r\n" + LAST),
    wrong("ext-control", b"3;a\x01\r\nabc\r\n" + LAST),
    wrong("ext-del", b"3;a\x7f\r\nabc\r\n" + LAST),
    wrong("ext-quoted-lf", b'3;a="\n"\r\nabc\r\n' + LAST),
    wrong("ext-quoted-crlf", b'3;a="\r\n"\r\nabc\r\n' + LAST, why="no line end in quotes"),
    wrong("ext-quoted-nul", b'3;a="\0"\r\nabc\r\n' + LAST),
    wrong("ext-quote-open", b'3;a="b\r\nabc\r\n' + LAST),
    wrong("ext-quote-name", b'3;"a"\r\nabc\r\n' + LAST),
    wrong("ext-quoted-more", b'3;a="b"c\r\nabc\r\n' + LAST),
    wrong("ext-no-semicolon", b"3 a=b\r\nabc\r\n" + LAST),
    wrong("ext-latin", b"3;\xe9\r\nabc\r\n" + LAST), wrong("ext-comma", b"3;a,b\r\nabc\r\n" + LAST),
    wrong("ext-long", b"3;" + b"a" * 20_000 + b"\r\nabc\r\n" + LAST, 413,
          "hazards 21: CVE-2024-22019, framing is bounded"),
    wrong("tiny-with-ext", (b"1;" + b"a" * 500 + b"\r\nx\r\n") * 40 + LAST, 413, "hazards 21"),
    wrong("size-zeros-20000", b"0" * 20_000 + b"3\r\nabc\r\n" + LAST, 413, "hazards 21"),
    wrong_trailer("no-colon", b"Xy\r\n"), wrong_trailer("no-name", b": y\r\n"),
    wrong_trailer("blank-name", b"X : y\r\n"), wrong_trailer("folded", b"X: y\r\n z\r\n"),
    wrong_trailer("blank-first", b" X: y\r\n"), wrong_trailer("lf", b"X: y\n"),
    wrong_trailer("cr", b"X: a\rb\r\n"), wrong_trailer("nul", b"X: a\0b\r\n"),
    wrong_trailer("length", b"Content-Length: 5\r\n", "hazards 20; 9110 6.5.1: MUST NOT be sent"),
    wrong_trailer("coding", b"Transfer-Encoding: chunked\r\n", "hazards 20; 9110 6.5.1"),
    wrong("trailer-many", b"0\r\n" + b"X: yyyyyyyyyy\r\n" * 2000 + b"\r\n", 413, "hazards 21"),
    wrong("trailer-end-lf", b"3\r\nabc\r\n0\r\n\nX", why="9112 2.2"),
    wrong("last-lf", b"3\r\nabc\r\n0\n\r\n", why="9112 2.2"),
    wrong("last-cr-x", b"3\r\nabc\r\n0\r\n\rX", why="9112 2.2"),
    cut("chunk-cut-data", "9112 8: incomplete, no handler", POST + b"3\r\nab"),
    cut("chunk-cut-last", "9112 8: no last chunk", POST + b"3\r\nabc\r\n"),
    cut("chunk-cut-end", "9112 8: no end behind the last", POST + b"3\r\nabc\r\n0\r\n"),
    cut("chunk-cut-trailer", "9112 8", POST + b"3\r\nabc\r\n0\r\nX: y\r\n"),
]


def test_letter(outcomes, case, way):
    check(outcomes, case, way)
