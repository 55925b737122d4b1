/* SPDX-License-Identifier: MIT */
/*
 * network - which clients a list of networks means.
 *
 * A network is ADDRESS, ADDRESS/BITS or unix: (every unix socket). IPv4 is kept as IPv6 has it
 * (::ffff:a.b.c.d, RFC 4291 2.5.5.2), so one rule serves both.
 */
#ifndef COMMON_NETWORK_H
#define COMMON_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct network {
    bool is_unix;
    uint8_t bits;
    unsigned char prefix[16];
};

/** False: it is none of the three. Bits beyond the prefix do not matter. */
bool network_parse(const char *text, struct network *out);

/** Is that client in one of them? `host` is as addr_format_host has it, or "unix:"; a scope
 *  ("%eth0") is ignored. What is no address is in none. */
bool network_has(const struct network *list, size_t count, const char *host);

#endif
