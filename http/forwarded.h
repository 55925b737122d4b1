/* SPDX-License-Identifier: MIT */
/*
 * forwarded - what proxies say of the client: X-Forwarded-For, or Forwarded (RFC 7239).
 *
 * Each proxy adds, at the right, whom it has heard. So the list is read from the right, as long
 * as whoever stands there is a proxy that is believed; the first who is not is the client.
 */
#ifndef HTTP_FORWARDED_H
#define HTTP_FORWARDED_H

#include "common/slice.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    FORWARDED_HOST_BYTES = 48,
    FORWARDED_HOPS_MOST = 32 /* read; what stands further left is not looked at */
};

enum forwarded_form {
    FORWARDED_X,      /* "203.0.113.7, 10.0.0.1" */
    FORWARDED_RFC7239 /* "for=203.0.113.7;proto=https, for=\"[2001:db8::1]:4711\"" */
};

struct forwarded {
    char client
        [FORWARDED_HOST_BYTES]; /* as addr_format_host has it; "": nobody was named */
    struct slice proto, host;   /* of the same element, RFC7239 alone; n 0: not said */
};

/** Is that host a proxy that is believed? */
typedef bool forwarded_trust_fn(const void *arg, const char *host);

/** All values of the field, joined by commas, as a trusted proxy has sent them. What is no
 *  address ("unknown", "_hidden", a name, a broken quote) ends the walk. */
void forwarded_read(struct slice list, enum forwarded_form form,
                    forwarded_trust_fn *is_trusted, const void *arg,
                    struct forwarded *out);

/** The last element of a comma list, trimmed: of X-Forwarded-Proto and -Host. */
struct slice forwarded_last(struct slice list);

#endif
