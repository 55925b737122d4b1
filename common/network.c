/* SPDX-License-Identifier: MIT */
/*
 * network - prefixes of 128 bits.
 *
 * Owns:    nothing.
 * Called:  by conf/ to check a list, by workers once for each connection and each hop.
 * Fails:   never; what is malformed is in no network.
 */
#include "common/network.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

enum { V6_BITS = 128, V4_BITS = 32, MAPPED_BITS = V6_BITS - V4_BITS, DIGITS_MOST = 3 };

/* n characters; true with 16 bytes. `*is_v4_out`: it was written as IPv4. */
static bool parse_host(const char *text, size_t n, unsigned char out[static 16],
                       bool *is_v4_out)
{
    static const unsigned char MAPPED[12] = {[10] = 0xff, [11] = 0xff};
    char host[INET6_ADDRSTRLEN];

    if (n >= sizeof(host))
        return false;
    memcpy(host, text, n);
    host[n] = '\0';
    *is_v4_out = strchr(host, ':') == NULL;
    if (!*is_v4_out)
        return inet_pton(AF_INET6, host, out) == 1;
    memcpy(out, MAPPED, sizeof(MAPPED));
    return inet_pton(AF_INET, host, out + sizeof(MAPPED)) == 1;
}

static bool parse_bits(const char *text, long most, long *out)
{
    size_t n = strlen(text);

    if (n < 1 || n > DIGITS_MOST || strspn(text, "0123456789") != n)
        return false;
    *out = strtol(text, NULL, 10);
    return *out <= most;
}

bool network_parse(const char *text, struct network *out)
{
    size_t n = strcspn(text, "/");
    bool is_v4 = false;
    long bits;

    *out = (struct network){.is_unix = strcmp(text, "unix:") == 0, .bits = V6_BITS};
    if (out->is_unix)
        return true;
    if (!parse_host(text, n, out->prefix, &is_v4))
        return false;
    if (text[n] == '\0')
        return true;
    if (!parse_bits(text + n + 1, is_v4 ? V4_BITS : V6_BITS, &bits))
        return false;
    out->bits = (uint8_t)(is_v4 ? bits + MAPPED_BITS : bits);
    return true;
}

static bool has_prefix(const struct network *network, const unsigned char host[static 16])
{
    unsigned whole = network->bits / 8, rest = network->bits % 8;

    if (memcmp(network->prefix, host, whole) != 0)
        return false;
    return rest == 0 || ((network->prefix[whole] ^ host[whole]) >> (8 - rest)) == 0;
}

bool network_has(const struct network *list, size_t count, const char *host)
{
    unsigned char bytes[16];
    bool is_unix = strcmp(host, "unix:") == 0, is_v4;

    if (count == 0 || (!is_unix && !parse_host(host, strcspn(host, "%"), bytes, &is_v4)))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (list[i].is_unix ? is_unix : !is_unix && has_prefix(&list[i], bytes))
            return true;
    }
    return false;
}
