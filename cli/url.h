/* SPDX-License-Identifier: MIT */
/*
 * url - where a client connects, and what it asks for there.             [clients]
 *
 * Owns:    nothing; `host` and `target` point into the text.
 * Called:  by bench.c.
 * Fails:   with what is wrong, as a static text.
 */
#ifndef CLI_URL_H
#define CLI_URL_H

#include "common/addr.h"
#include "common/slice.h"

struct url {
    struct addr address;
    struct slice host;   /* of the Host field, with its port; "localhost" over unix */
    struct slice target; /* path and query; "/" where the text has none */
};

/** http://HOST[:PORT][/PATH][?QUERY], or http+unix:/SOCKET[:/PATH][?QUERY]. HOST is an
 * address, [v6], or a name, which is looked up (and may take the resolver's time).
 * unix_path: connects there whatever HOST is; NULL: not given. NULL, or what is wrong. */
const char *url_parse(const char *text, const char *unix_path, struct url *out);

#endif
