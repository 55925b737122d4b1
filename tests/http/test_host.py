# SPDX-License-Identifier: MIT
"""Host: once, and valid. RFC 9110 7.2, RFC 9112 3.2."""

from letter import bad, body, check, good


def get(*hosts, version=b"1.1"):
    fields = b"".join(b"Host:" + host + b"\r\n" for host in hosts)
    return b"GET /at/x HTTP/" + version + b"\r\n" + fields + b"\r\n"


def fine(name, host, why="9110 7.2"):
    return good(f"host-{name}", why, get(b" " + host), body(b"/at/x||" + host))


def wrong(name, host, why="9112 3.2: an invalid value, MUST 400"):
    return bad(f"host-{name}", why, get(b" " + host))


CASES = [
    bad("host-none", "9112 3.2: MUST 400", get()),
    bad("host-two", "9112 3.2: MUST 400", get(b" a", b" b")),
    bad("host-two-same", "9112 3.2: more than one line, MUST 400", get(b" a", b" a")),
    bad("host-two-case", "9112 3.2; 9110 5.1: names ignore case",
        b"GET /at/x HTTP/1.1\r\nHost: a\r\nhOST: a\r\n\r\n"),
    bad("host-two-10", "9112 3.2: any request", get(b" a", b" b", version=b"1.0")),
    bad("host-two-apart", "9112 3.2", b"GET /at/x HTTP/1.1\r\nHost: a\r\nX: y\r\nHost: b\r\n\r\n"),
    bad("host-two-first-empty", "9112 3.2", get(b"", b" a")),
    good("host-none-10", "9112 3.2: HTTP/1.0 may lack it", get(version=b"1.0"),
         body(b"/at/x||(none)"), stays=False),
    bad("host-bad-10", "9112 3.2: any request", get(b" a b", version=b"1.0")),
    good("host-empty", "9110 7.2: empty when there is no authority", get(b""), body(b"/at/x||")),
    good("host-empty-blank", "9110 5.5: OWS is no value", get(b"  \t"), body(b"/at/x||")),
    fine("name", b"example.com"), fine("port", b"example.com:8080"),
    fine("port-empty", b"example.com:", "3986 3.2.3"), fine("port-most", b"a:65535"),
    fine("ipv4", b"127.0.0.1"), fine("ipv4-port", b"127.0.0.1:80"),
    fine("ipv6", b"[::1]"), fine("ipv6-port", b"[::1]:80"),
    fine("ipv6-mapped", b"[::ffff:1.2.3.4]"), fine("case", b"ExAmPlE.com"),
    fine("dot", b"example.com."), fine("underscore", b"a_b", "3986 3.2.2: unreserved"),
    fine("sub-delims", b"a!$&'()*+;=b", "3986 3.2.2: reg-name"),
    fine("tilde", b"a~b-c", "3986 3.2.2"), fine("escape", b"a%2Db", "3986 3.2.2"),
    fine("digits", b"12345"), fine("punycode", b"xn--bcher-kva.example"),
    good("host-no-blank", "9112 5: OWS is optional", get(b"a"), body(b"/at/x||a")),
    good("host-tabs", "9112 5: OWS", get(b"\t a \t"), body(b"/at/x||a")),
    good("host-lower", "9110 5.1", b"GET /at/x HTTP/1.1\r\nhost: a\r\n\r\n", body(b"/at/x||a")),
    good("host-upper", "9110 5.1", b"GET /at/x HTTP/1.1\r\nHOST: a\r\n\r\n", body(b"/at/x||a")),
    good("host-last", "9110 5.3: order of different names", b"GET /at/x HTTP/1.1\r\nX: y\r\nHost: a"
         b"\r\n\r\n", body(b"/at/x||a")),
    wrong("blank", b"a b", "hazards 14"), wrong("tab", b"a\tb"),
    wrong("slash", b"a/b", "hazards 14"), wrong("userinfo", b"u@a", "hazards 14"),
    wrong("userinfo-password", b"u:p@a"), wrong("list", b"a,b", "hazards 14"),
    wrong("list-blank", b"a, b", "9110 5.3: no list"), wrong("query", b"a?b"),
    wrong("fragment", b"a#b"), wrong("url", b"http://a/"), wrong("backslash", b"a\\b"),
    wrong("quote", b'a"b'), wrong("less", b"a<b"), wrong("pipe", b"a|b"),
    wrong("caret", b"a^b"), wrong("backtick", b"a`b"), wrong("brace", b"a{b}"),
    wrong("latin", b"a\xe9b", "3986 3.2.2: ASCII"), wrong("utf-8", b"\xc3\xa9"),
    wrong("nul", b"a\0b"), wrong("del", b"a\x7fb"), wrong("control", b"a\x01b"),
    wrong("port-word", b"a:b", "3986 3.2.3: digits"), wrong("port-sign", b"a:-1"),
    wrong("port-plus", b"a:+80"), wrong("port-two", b"a:80:80"), wrong("port-blank", b"a: 80"),
    wrong("port-long", b"a:123456"), wrong("port-hex", b"a:0x50"), wrong("port-alone", b":80"),
    wrong("ipv6-bare", b"::1"), wrong("ipv6-open", b"[::1"), wrong("ipv6-closed", b"::1]"),
    wrong("ipv6-empty", b"[]"), wrong("ipv6-hex", b"[::g]"), wrong("ipv6-more", b"[::1]a"),
    wrong("ipv6-port-word", b"[::1]:a"), wrong("ipv6-twice", b"[::1][::1]"),
    wrong("ipv6-name", b"[example.com]"), wrong("escape-short", b"a%2"),
    wrong("escape-bad", b"a%zzb"), wrong("bracket", b"a[b"),
]


def test_letter(outcomes, case, way):
    check(outcomes, case, way)
