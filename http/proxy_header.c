/* SPDX-License-Identifier: MIT */
/*
 * proxy_header - both versions, strictly.
 *
 * Owns:    nothing.
 * Called:  by worker/identity.c, with what a trusted proxy has sent so far.
 * Fails:   PROXY_BAD. Why strict: a proxy that writes it wrong would be believed about who
 *          the client is. TLVs are skipped; nothing in them is used.
 */
#include "http/proxy_header.h"

#include "common/slice.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/un.h>

static const char V1_START[] = "PROXY ";
static const unsigned char V2_START[12] = "\r\n\r\n\0\r\nQUIT\n";

enum {
    V1_START_BYTES = sizeof V1_START - 1,
    V2_START_BYTES = sizeof V2_START,
    V2_FIXED = 16,
    V2_LOCAL = 0x20,
    V2_PROXY = 0x21,
    V2_UNSPEC = 0x00,
    V2_TCP4 = 0x11,
    V2_TCP6 = 0x21,
    V2_UNIX = 0x31,
    V2_TCP4_BYTES = 12,
    V2_TCP6_BYTES = 36,
    V2_UNIX_BYTES = 216,
    V1_FIELDS = 6, /* PROXY TCP4 source destination port port */
    PORT_MOST = 65535
};

static void set_source4(struct proxy_header *out, const void *address, uint16_t port)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = port};

    memcpy(&in.sin_addr, address, sizeof in.sin_addr);
    memcpy(&out->source, &in, sizeof in);
    out->length = sizeof in;
}

static void set_source6(struct proxy_header *out, const void *address, uint16_t port)
{
    struct sockaddr_in6 in = {.sin6_family = AF_INET6, .sin6_port = port};

    memcpy(&in.sin6_addr, address, sizeof in.sin6_addr);
    memcpy(&out->source, &in, sizeof in);
    out->length = sizeof in;
}

static void set_family(struct proxy_header *out, sa_family_t family)
{
    out->source.ss_family = family;
    out->length = sizeof out->source.ss_family;
}

/* ---- version 1: a line ---- */

/* Splits at single spaces. The count, V1_FIELDS + 1 for more. */
static size_t split(struct slice line, struct slice field[static V1_FIELDS])
{
    for (size_t n = 0;; n++) {
        const char *blank = memchr(line.p, ' ', line.n);
        size_t used = blank != NULL ? (size_t)(blank - line.p) : line.n;
        if (n == V1_FIELDS)
            return n + 1;
        field[n] = (struct slice){line.p, used};
        if (blank == NULL)
            return n + 1;
        line = (struct slice){blank + 1, line.n - used - 1};
    }
}

/* 0..65535 in decimal without a leading zero. */
static bool read_port(struct slice text, uint16_t *out)
{
    uint32_t port = 0;

    if (text.n < 1 || text.n > 5 || (text.n > 1 && text.p[0] == '0'))
        return false;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return false;
        port = port * 10 + (uint32_t)(text.p[i] - '0');
    }
    *out = (uint16_t)port;
    return port <= PORT_MOST;
}

static bool read_address(struct slice text, int family, void *out)
{
    char copy[INET6_ADDRSTRLEN];

    if (text.n >= sizeof copy)
        return false;
    memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    return strlen(copy) == text.n && inet_pton(family, copy, out) == 1;
}

/* Both addresses and both ports must be there, though one of each is of use. */
static bool read_line(struct slice line, struct proxy_header *out)
{
    struct slice field[V1_FIELDS];
    unsigned char source[16], destination[16];
    uint16_t port, other_port;
    size_t n = split(line, field);

    if (n >= 2 && slice_is(field[1], SLICE_LIT("UNKNOWN"))) {
        set_family(out, AF_UNSPEC); /* whatever follows is ignored */
        return true;
    }
    bool is_v4 = n >= 2 && slice_is(field[1], SLICE_LIT("TCP4"));
    if (n != V1_FIELDS || (!is_v4 && !slice_is(field[1], SLICE_LIT("TCP6"))))
        return false;
    int family = is_v4 ? AF_INET : AF_INET6;
    if (!read_address(field[2], family, source) ||
        !read_address(field[3], family, destination) || !read_port(field[4], &port) ||
        !read_port(field[5], &other_port))
        return false;
    if (is_v4)
        set_source4(out, source, htons(port));
    else
        set_source6(out, source, htons(port));
    return true;
}

static enum proxy_verdict parse_v1(const char *bytes, size_t have,
                                   struct proxy_header *out)
{
    size_t look = have < PROXY_HEADER_V1_MOST ? have : PROXY_HEADER_V1_MOST;
    const char *lf = memchr(bytes, '\n', look);

    if (lf == NULL)
        return look == PROXY_HEADER_V1_MOST ? PROXY_BAD : PROXY_MORE;
    if (lf[-1] != '\r') /* something stands before it: the start does */
        return PROXY_BAD;
    out->bytes = (size_t)(lf - bytes) + 1;
    return read_line((struct slice){bytes, out->bytes - 2}, out) ? PROXY_DONE : PROXY_BAD;
}

/* ---- version 2: binary ---- */

/* The ports follow both addresses, in the byte order of the net. */
static uint16_t port_at(const unsigned char *at)
{
    uint16_t port;

    memcpy(&port, at, sizeof port);
    return port;
}

static bool read_addresses(unsigned family, const unsigned char *at, size_t n,
                           struct proxy_header *out)
{
    switch (family) {
    case V2_UNSPEC:
        set_family(out, AF_UNSPEC);
        return true;
    case V2_TCP4:
        if (n >= V2_TCP4_BYTES)
            set_source4(out, at, port_at(at + 8));
        return n >= V2_TCP4_BYTES;
    case V2_TCP6:
        if (n >= V2_TCP6_BYTES)
            set_source6(out, at, port_at(at + 32));
        return n >= V2_TCP6_BYTES;
    case V2_UNIX:
        set_family(out, AF_UNIX);
        return n >= V2_UNIX_BYTES;
    default:
        return false;
    }
}

static enum proxy_verdict parse_v2(const unsigned char *bytes, size_t have,
                                   struct proxy_header *out)
{
    if (have < V2_FIXED)
        return PROXY_MORE;
    size_t n = (size_t)bytes[14] << 8 | bytes[15];
    unsigned command = bytes[12];
    if ((command != V2_LOCAL && command != V2_PROXY) || V2_FIXED + n > PROXY_HEADER_MOST)
        return PROXY_BAD;
    if (have < V2_FIXED + n)
        return PROXY_MORE;
    out->bytes = V2_FIXED + n;
    /* LOCAL: a health check of the proxy itself; its addresses, if any, mean nothing */
    unsigned family = command == V2_LOCAL ? V2_UNSPEC : bytes[13];
    return read_addresses(family, bytes + V2_FIXED, n, out) ? PROXY_DONE : PROXY_BAD;
}

static bool begins(const void *bytes, size_t have, const void *start, size_t n)
{
    return memcmp(bytes, start, have < n ? have : n) == 0;
}

enum proxy_verdict proxy_header_parse(const void *bytes, size_t have,
                                      struct proxy_header *out)
{
    memset(out, 0, sizeof *out);
    if (begins(bytes, have, V1_START, V1_START_BYTES))
        return have < V1_START_BYTES ? PROXY_MORE : parse_v1(bytes, have, out);
    if (begins(bytes, have, V2_START, V2_START_BYTES))
        return have < V2_START_BYTES ? PROXY_MORE : parse_v2(bytes, have, out);
    return PROXY_ABSENT;
}
