# SPDX-License-Identifier: MIT
"""The target: its four forms, its octets, its path. RFC 9112 3.2, RFC 3986."""

from letter import bad, body, check, good


def get(target, method=b"GET"):
    return method + b" " + target + b" HTTP/1.1\r\nHost: a\r\n\r\n"


def seen(name, target, path, why="9110 4.2.3: the same resource", query=b""):
    """What the handler sees of it."""
    return good(f"target-{name}", why, get(b"/at/" + target), body(path + b"|" + query + b"|a"))


CONTROLS = [(f"control-{c:02x}", bytes([c])) for c in (1, 7, 8, 0x0b, 0x0c, 0x1b, 0x1f, 0x7f)]
REFUSED = [*CONTROLS, ("nul", b"\0"), ("latin", b"\xe9"), ("utf-8", b"\xc3\xa9"), ("ff", b"\xff"),
           ("fragment", b"#a"), ("quote", b'"'), ("less", b"<"), ("more", b">"),
           ("caret", b"^"), ("backtick", b"`"), ("brace", b"{"), ("backslash", b"\\")]

CASES = [
    # origin-form
    seen("plain", b"x", b"/at/x"),
    seen("query", b"x?a=b&c", b"/at/x", query=b"a=b&c"),
    seen("query-empty", b"x?", b"/at/x"),
    seen("query-marks", b"x?a?b/c", b"/at/x", "3986 3.4", query=b"a?b/c"),
    seen("sub-delims", b"a!$&'()*+,;=:@", b"/at/a!$&'()*+,;=:@", "3986 3.3: pchar"),
    seen("unreserved", b"-._~", b"/at/-._~", "3986 2.3"),
    seen("escape", b"%78", b"/at/x", "3986 2.4: decoded once"),
    seen("escape-lower", b"%6a%6B", b"/at/jk", "3986 2.1: case of the digits"),
    seen("escape-twice", b"%2578", b"/at/%78", "3986 2.4: never twice"),
    seen("escape-slash", b"a%2fb", b"/at/a/b", "3986 2.2: data in the path of a rest parameter"),
    seen("escape-utf-8", b"%C3%A9", b"/at/\xc3\xa9", "3986 2.5"),
    seen("escape-blank", b"a%20b", b"/at/a b", "3986 2.4"),
    seen("escape-mark", b"a%3Fb", b"/at/a?b", "3986 2.2: an escaped mark begins no query"),
    seen("escape-hash", b"a%23b", b"/at/a#b", "3986 2.2"),
    seen("dot", b"./x", b"/at/x", "3986 5.2.4"),
    seen("dots", b"y/../x", b"/at/x", "3986 5.2.4"),
    seen("dots-escaped", b"y/%2e%2E/x", b"/at/x", "3986 6.2.2.3: as if it were not escaped"),
    seen("three-dots", b".../x", b"/at/.../x", "3986 5.2.4: a name like any other"),
    seen("slashes", b"/x//y", b"/at/x/y", "our choice: one slash"),
    bad("target-dots-above", "3986 5.2.4: not above the root", get(b"/../hello")),
    bad("target-dots-hidden", "no dot segment may appear later", get(b"/at/..%2f..%2fx")),
    bad("target-escape-nul", "no string may end early", get(b"/at/%00")),
    bad("target-escape-lf", "no header may be split", get(b"/at/%0a")),
    bad("target-escape-cr", "no header may be split", get(b"/at/%0d")),
    bad("target-escape-del", "no control octet", get(b"/at/%7f")),
    bad("target-escape-short", "3986 2.1", get(b"/at/%4")),
    bad("target-escape-none", "3986 2.1", get(b"/at/%")),
    bad("target-escape-bad-1", "3986 2.1", get(b"/at/%g0")),
    bad("target-escape-bad-2", "3986 2.1", get(b"/at/%0g")),
    bad("target-escape-u", "3986 2.1: no %u", get(b"/at/%u0041")),
    bad("target-escape-sign", "3986 2.1", get(b"/at/%+1")),
    *[bad(f"target-{name}", "9112 3.2, 3986 3.3: no octet of a path", get(b"/at/a" + octet + b"b"))
      for name, octet in REFUSED],
    *[bad(f"target-query-{name}", "3986 3.4: no octet of a query",
          get(b"/at/a?" + octet + b"b")) for name, octet in
      (("nul", b"\0"), ("control", b"\x01"), ("del", b"\x7f"), ("latin", b"\xe9"),
       ("fragment", b"#b"), ("quote", b'"'), ("less", b"<"))],
    bad("target-relative", "9112 3.2: no such form", get(b"hello")),
    bad("target-dot-alone", "9112 3.2: no such form", get(b"./hello")),
    bad("target-query-alone", "9112 3.2.1: a path comes first", get(b"?a")),
    bad("target-backslash-first", "9112 3.2", get(b"\\hello")),
    bad("target-fragment-alone", "9112 3.2", get(b"#")),
    # absolute-form
    good("absolute", "9112 3.2.2: MUST accept", get(b"http://b/at/x?q"), body(b"/at/x|q|a")),
    good("absolute-https", "9112 3.2.2", get(b"https://b/at/x"), body(b"/at/x||a")),
    good("absolute-case", "3986 3.1: a scheme ignores case", get(b"HTTP://b/hello"),
        body(b"hello")),
    good("absolute-port", "9112 3.2.2", get(b"http://b:8080/hello"), body(b"hello")),
    good("absolute-port-empty", "3986 3.2.3", get(b"http://b:/hello"), body(b"hello")),
    good("absolute-ipv6", "9112 3.2.2", get(b"http://[::1]:80/hello"), body(b"hello")),
    good("absolute-no-path", "9110 4.2.3: an empty path is /", get(b"http://b"), gets=(404,)),
    good("absolute-query", "9112 3.2.2", get(b"http://b?q"), gets=(404,)),
    good("absolute-host-differs", "9112 3.2.2: the target goes first",
         b"GET http://b/hello HTTP/1.1\r\nHost: other:1\r\n\r\n", body(b"hello")),
    good("absolute-host-empty", "9112 3.2.2", b"GET http://b/hello HTTP/1.1\r\nHost:\r\n\r\n"),
    good("absolute-10", "9112 3.2.2", b"GET http://b/hello HTTP/1.0\r\n\r\n", body(b"hello"),
         stays=False),
    bad("absolute-no-host-field", "9112 3.2: Host is due all the same",
        b"GET http://b/hello HTTP/1.1\r\n\r\n"),
    bad("absolute-bad-host-field", "9112 3.2: an invalid Host is refused all the same",
        b"GET http://b/hello HTTP/1.1\r\nHost: a b\r\n\r\n"),
    bad("absolute-userinfo", "9110 4.2.4", get(b"http://u:p@b/hello")),
    bad("absolute-userinfo-two", "9110 4.2.4", get(b"http://u@p@b/hello")),
    bad("absolute-no-host", "9110 4.2.1: MUST reject an empty host", get(b"http:///hello")),
    bad("absolute-port-only", "9110 4.2.1", get(b"http://:80/hello")),
    bad("absolute-port-word", "3986 3.2.3", get(b"http://b:x/hello")),
    bad("absolute-scheme", "9110 4.2: not ours to serve", get(b"ftp://b/hello"), (400, 421)),
    bad("absolute-one-slash", "9110 4.2.1", get(b"http:/b/hello")),
    bad("absolute-no-slash", "9110 4.2.1", get(b"http:b")),
    bad("absolute-fragment", "9112 3.2.2", get(b"http://b/hello#x")),
    bad("absolute-blank", "9112 3.2", get(b"http://b /hello")),
    bad("absolute-bad-ipv6", "3986 3.2.2", get(b"http://[::g]/hello")),
    # authority-form and asterisk-form
    bad("authority-get", "9112 3.2.3: CONNECT alone", get(b"a:80")),
    bad("asterisk-get", "9112 3.2.4: OPTIONS alone", get(b"*")),
    bad("asterisk-post", "9112 3.2.4", get(b"*", b"POST")),
    bad("asterisk-more", "hazards 17", get(b"*foo", b"OPTIONS")),
    bad("asterisk-query", "9112 3.2.4", get(b"*?a", b"OPTIONS")),
    good("asterisk-slash", "9112 3.2.4: a path like any other", get(b"/*", b"GET"), gets=(404,)),
]


def test_letter(outcomes, case, way):
    check(outcomes, case, way)
