# SPDX-License-Identifier: MIT
"""Methods: known, unknown, refused; Allow. RFC 9110 9."""

from letter import bad, body, check, good, header, lacks, lists


def ask(method, target=b"/echo", more=b"", data=b""):
    return method + b" " + target + b" HTTP/1.1\r\nHost: a\r\n" + more + b"\r\n" + data


def unknown(name, method):
    return bad(f"method-{name}", "9110 9.1: a token we do not know, 501", ask(method), 501)


def malformed(name, method):
    return bad(f"method-{name}", "9110 9.1: no token", ask(method))


ABC = (b"Content-Length: 3\r\n", b"abc")

CASES = [
    *[good(f"method-{m.decode().lower()}", "9110 9.3", ask(m, b"/echo", *ABC), body(b"abc"))
      for m in (b"POST", b"PUT", b"PATCH", b"DELETE")],
    *[good(f"method-{m.decode().lower()}-bare", "9110 9.3: without a length there is no body",
           ask(m), body(b"")) for m in (b"POST", b"PUT", b"PATCH", b"DELETE")],
    good("method-405", "9110 15.5.6: MUST send Allow", ask(b"POST", b"/hello"),
         lists("Allow", "GET", "HEAD"), gets=(405,)),
    good("method-405-get", "9110 15.5.6", ask(b"GET"), lists("Allow", "POST", "PUT"), gets=(405,)),
    good("method-405-delete", "9110 15.5.6", ask(b"DELETE", b"/hello"), lists("Allow", "GET"),
         gets=(405,)),
    good("method-405-propfind", "9110 9.1: known, but not here", ask(b"PROPFIND", b"/hello"),
         lists("Allow", "GET"), gets=(405,)),
    good("method-trace", "9110 9.3.8: not reflected",
         ask(b"TRACE", b"/hello", b"X-Secret: xyzzy\r\n"), lacks(b"xyzzy"), gets=((405, 501),)),
    good("method-options", "9110 9.3.7", ask(b"OPTIONS", b"/hello"), lists("Allow", "GET", "HEAD"),
         header("Content-Length", None), gets=(204,)),
    good("method-options-post", "9110 9.3.7", ask(b"OPTIONS"), lists("Allow", "POST", "PUT"),
         gets=(204,)),
    good("method-options-none", "9110 9.3.7: of nothing", ask(b"OPTIONS", b"/none"), gets=(404,)),
    good("method-options-star", "9110 9.3.7: of the server", ask(b"OPTIONS", b"*"),
         lists("Allow", "GET", "HEAD", "POST"), gets=(204,)),
    good("method-options-star-10", "9110 9.3.7",
         b"OPTIONS * HTTP/1.0\r\n\r\n", gets=(204,), stays=False),
    good("method-options-star-body", "9110 9.3.7: its body is read", ask(b"OPTIONS", b"*", *ABC),
         gets=(204,)),
    good("method-options-absolute", "9112 3.2.4", ask(b"OPTIONS", b"http://a"), gets=((204, 404),)),
    bad("method-connect", "hazards 18: never a tunnel", ask(b"CONNECT", b"a:443"), (400, 405, 501)),
    bad("method-connect-path", "hazards 18", ask(b"CONNECT", b"/"), (400, 405, 501)),
    bad("method-connect-absolute", "hazards 18", ask(b"CONNECT", b"http://a/"), (400, 405, 501)),
    bad("method-connect-body", "hazards 18: what follows is no request",
        ask(b"CONNECT", b"a:443", *ABC), (400, 405, 501)),
    unknown("unknown", b"FOOBAR"), unknown("one", b"G"), unknown("lower", b"get"),
    unknown("mixed", b"Get"), unknown("query", b"QUERY"), unknown("longer", b"GETX"),
    unknown("twice", b"GETGET"), unknown("shorter", b"GE"), unknown("digits", b"123"),
    unknown("dash", b"M-SEARCH"), unknown("dot", b"GET.X"), unknown("bang", b"!"),
    unknown("tchars", b"!#$%&'*+-.^_`|~"), unknown("source", b"SOURCE"), unknown("ice", b"PURGE"),
    unknown("long", b"A" * 200), unknown("underscore", b"GET_"),
    malformed("paren", b"GE(T"), malformed("slash", b"GE/T"), malformed("colon", b"GET:"),
    malformed("comma", b"GET,POST"), malformed("quote", b'"GET"'), malformed("at", b"G@T"),
    malformed("less", b"<GET"), malformed("brace", b"{GET}"), malformed("bracket", b"[GET]"),
    malformed("backslash", b"G\\T"), malformed("equals", b"G=T"), malformed("mark", b"G?T"),
    malformed("semicolon", b"G;T"), malformed("nul", b"G\0T"), malformed("control", b"G\x01T"),
    malformed("del", b"G\x7fT"), malformed("latin", b"G\xc9T"), malformed("utf-8", "GÉT".encode()),
    malformed("cr", b"G\rT"), malformed("tab", b"G\tT"),
]


def test_letter(outcomes, case, way):
    check(outcomes, case, way)
