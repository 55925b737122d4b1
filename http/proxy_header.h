/* SPDX-License-Identifier: MIT */
/*
 * proxy_header - the PROXY protocol, versions 1 and 2: whose connection this really is.
 *
 * As haproxy's proxy-protocol.txt has it: a header before the first byte of HTTP, sent by the
 * proxy, with the addresses of the connection that it has accepted. Bytes in, an address out.
 */
#ifndef HTTP_PROXY_HEADER_H
#define HTTP_PROXY_HEADER_H

#include <stddef.h>
#include <sys/socket.h>

enum {
    PROXY_HEADER_V1_MOST = 107, /* with its CRLF */
    PROXY_HEADER_MOST = 4096 /* of version 2, TLVs included; the longest that we take */
};

enum proxy_verdict {
    PROXY_MORE,   /* so far it may be one */
    PROXY_ABSENT, /* the bytes do not begin one */
    PROXY_BAD,    /* they do, and it is malformed, too long, or not for a stream */
    PROXY_DONE    /* *out is filled */
};

struct proxy_header {
    size_t bytes; /* of the header; behind them HTTP begins */
    /* AF_INET, AF_INET6, AF_UNIX: the client. AF_UNSPEC: the proxy speaks for itself, or does
     * not know: the connection's own address stands. */
    struct sockaddr_storage source;
    socklen_t length;
};

/** The first `have` bytes of a connection. */
enum proxy_verdict proxy_header_parse(const void *bytes, size_t have,
                                      struct proxy_header *out);

#endif
