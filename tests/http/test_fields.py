# SPDX-License-Identifier: MIT
"""Field lines: names, blanks, values, folds and ends. RFC 9110 5, RFC 9112 5."""

from letter import bad, body, check, good

HEAD = b"GET /field?name=X HTTP/1.1\r\n"


def get(lines):
    """With these bytes as further field lines."""
    return HEAD + b"Host: a\r\n" + lines + b"\r\n"


def value(name, line, seen, why="9110 5.5"):
    return good(f"field-{name}", why, get(line + b"\r\n"), body(b"[" + seen + b"]"))


def wrong(name, lines, why):
    return bad(f"field-{name}", why, get(lines))


NAME_TOKENS = b"!#$%&'*+-.^_`|~"
NOT_TOKENS = {"blank": b" ", "tab": b"\t", "paren": b"(", "close": b")", "slash": b"/",
              "comma": b",", "semicolon": b";", "less": b"<", "equals": b"=", "more": b">",
              "mark": b"?", "at": b"@", "bracket": b"[", "backslash": b"\\", "brace": b"{",
              "quote": b'"', "nul": b"\0", "control": b"\x01", "del": b"\x7f",
              "latin": b"\xe9", "utf-8": b"\xc3\xa9", "vt": b"\v"}
NOT_VALUES = {"nul": b"\0", "01": b"\x01", "bs": b"\x08", "vt": b"\v", "ff": b"\f",
              "so": b"\x0e", "esc": b"\x1b", "1f": b"\x1f", "del": b"\x7f", "cr": b"\r"}

CASES = [
    value("plain", b"X: y", b"y"), value("none", b"A: y", b"(none)"),
    value("no-blank", b"X:y", b"y", "9112 5: OWS is optional"),
    value("tab", b"X:\ty", b"y", "9112 5: OWS"),
    value("blanks", b"X: \t  y \t ", b"y", "9112 5: OWS is no part of the value"),
    value("inner-blanks", b"X: a \t b", b"a \t b", "9110 5.5: inside it is kept"),
    value("empty", b"X:", b"", "9110 5.5: may be empty"),
    value("empty-blank", b"X: \t", b"", "9110 5.5"),
    value("latin", b"X: \xe9", b"\xe9", "9110 5.5: obs-text"),
    value("utf-8", b"X: \xc3\xa9", b"\xc3\xa9", "9110 5.5: obs-text"),
    value("ff", b"X: \xff", b"\xff", "9110 5.5: obs-text"),
    value("colons", b"X: a:b::c", b"a:b::c", "9112 5: the first colon ends the name"),
    value("colon-first", b"X::", b":", "9112 5"),
    value("quotes", b'X: "a, b"', b'"a, b"', "9110 5.6.4"),
    value("quote-open", b'X: "a', b'"a', "9110 5.5: grammar of the field, not of the message"),
    value("delims", b"X: (),/:;<=>?@[\\]{}", b"(),/:;<=>?@[\\]{}", "9110 5.5"),
    value("case", b"x: y", b"y", "9110 5.1: names ignore case"),
    value("list", b"X: a\r\nX: b", b"a, b", "9110 5.3: joined, in order"),
    value("list-case", b"x: a\r\nX: b", b"a, b", "9110 5.3"),
    value("list-apart", b"X: a\r\nY: z\r\nX: b", b"a, b", "9110 5.3"),
    value("list-empty", b"X: a\r\nX:\r\nX: b", b"a, , b", "9110 5.6.1"),
    good("field-name-tokens", "9110 5.6.2: every tchar", get(NAME_TOKENS + b": y\r\n")),
    good("field-name-digits", "9110 5.6.2", get(b"0123456789: y\r\n")),
    good("field-name-one", "9110 5.1: unknown names are no error", get(b"z: y\r\n")),
    good("field-name-underscore", "9110 5.6.2", get(b"Content_Length: 5\r\n")),
    wrong("name-empty", b": y\r\n", "hazards 15"),
    wrong("name-blank-only", b" : y\r\n", "9112 5"),
    wrong("no-colon", b"Xy\r\n", "9112 5"),
    wrong("no-colon-blank", b"X y\r\n", "9112 5"),
    wrong("blank-before-colon", b"X : y\r\n", "9112 5.1: MUST 400"),
    wrong("tab-before-colon", b"X\t: y\r\n", "9112 5.1: MUST 400"),
    wrong("blank-before-colon-length", b"Content-Length : 5\r\n", "9112 5.1"),
    wrong("blank-before-colon-coding", b"Transfer-Encoding : chunked\r\n", "9112 5.1"),
    *[wrong(f"name-{name}", b"a" + octet + b"b: y\r\n", "9110 5.6.2: no tchar")
      for name, octet in NOT_TOKENS.items()],
    *[wrong(f"value-{name}", b"X: a" + octet + b"b\r\n", "9110 5.5: MUST reject or replace it")
      for name, octet in NOT_VALUES.items()],
    wrong("value-nul-last", b"X: a\0\r\n", "9110 5.5"),
    wrong("value-nul-first", b"X:\0a\r\n", "9110 5.5"),
    wrong("value-cr-last", b"X: a\r\r\n", "9112 2.2: bare CR"),
    wrong("value-cr-first", b"X:\ra\r\n", "9112 2.2: bare CR"),
    wrong("value-cr-splits", b"X-Abc: \rxTransfer-Encoding: chunked\r\n",
          "CVE-2023-30589: no header from a bare CR"),
    wrong("fold-blank", b"X: a\r\n b\r\n", "hazards 2; 9112 5.2: MUST reject or replace"),
    wrong("fold-tab", b"X: a\r\n\tb\r\n", "hazards 2"),
    wrong("fold-empty", b"X: a\r\n \r\n", "hazards 2"),
    wrong("fold-empty-value", b"X:\r\n b\r\n", "hazards 2"),
    wrong("fold-hides-length", b"Y: a\r\n Content-Length: 3\r\n", "hazards 2"),
    wrong("fold-twice", b"X: a\r\n b\r\n c\r\n", "hazards 2"),
    bad("field-fold-first", "9112 2.2: a blank before the first field",
        HEAD + b" Host: a\r\n\r\n"),
    bad("field-tab-first", "9112 2.2", HEAD + b"\tHost: a\r\n\r\n"),
    bad("field-blank-line-first", "9112 2.2", HEAD + b" \r\nHost: a\r\n\r\n"),
    wrong("lf", b"X: a\nY: b\r\n", "9112 2.2: we take no bare LF"),
    wrong("lf-alone", b"X: a\n", "9112 2.2"),
    wrong("lfcr", b"X: a\n\rY: b\r\n", "9112 2.2"),
    wrong("crcrlf", b"X: a\r\r\nY: b\r\n", "9112 2.2"),
    bad("field-end-lf", "hazards 1: CRLF, then a bare LF ends the head",
        HEAD + b"Host: a\r\n\nGET /hello HTTP/1.1\r\nHost: a\r\n\r\n"),
    bad("field-end-cr", "9112 2.2", HEAD + b"Host: a\r\n\rX: y\r\n\r\n"),
    bad("field-end-lflf", "9112 2.2", HEAD + b"Host: a\n\n"),
    bad("field-end-crcrlf", "9112 2.2", HEAD + b"Host: a\r\n\r\r\n"),
    wrong("status-line", b"HTTP/1.1 200 OK\r\n", "9112 5"),
    wrong("request-line", b"GET / HTTP/1.1\r\n", "9112 5: blank in a name"),
]


def test_letter(outcomes, case, way):
    check(outcomes, case, way)
