/* SPDX-License-Identifier: MIT */
/*
 * target - the request target: its form, its path made canonical, its query.
 *
 * Rule:    a path is split at '/' as it was sent; an encoded slash is data of its
 *          segment. So the canonical path keeps two escapes, %2F and %25, and no other;
 *          http_target_unescape takes those away from what a handler sees. Several
 *          slashes become one, "." and ".." are removed. Refused: %00 and other control
 *          bytes, a bad escape, climbing above the root, and a dot segment that only an
 *          encoded slash makes.
 * Fails:   false or -1; no allocation, no state.
 */
#ifndef HTTP_TARGET_H
#define HTTP_TARGET_H

#include "common/slice.h"
#include "http/request.h"

#include <stdbool.h>
#include <stddef.h>

/** Parts of a target, inside the text that was given. */
struct http_target {
    struct slice path;      /* "/...", "*", or empty: "http://host", which means "/" */
    struct slice query;     /* without '?' */
    struct slice authority; /* of an absolute target; else n 0 */
    bool has_query;
};

/** Checks the form that the method allows (RFC 9112 3.2) and takes it apart: origin,
 *  absolute with http or https, "*" for OPTIONS alone. Refuses fragments, userinfo and
 *  bytes that no URI has. false: 400. */
bool http_target_split(struct slice target, enum http_method method,
                       struct http_target *out);

/** Does Host, or an authority, hold a host and perhaps a port (RFC 3986 3.2)? */
bool http_target_host_is_valid(struct slice host);

/** True when decoding would change nothing: no '%', no "//", no "/." */
bool http_target_is_plain(struct slice path);

/** The canonical path into out, which needs path.n + 1 bytes (a NUL is written; at
 *  least 2); *n_out without it. An empty path gives "/", "*" stays. false: 400. */
bool http_target_decode(struct slice path, char *out, size_t room, size_t *n_out);

/** The last step, for a whole canonical path or one parameter: %2F and %25 become
 *  bytes, a NUL is written. `out` needs text.n + 1 bytes and may be text.p. Returns the
 *  length. */
size_t http_target_unescape(struct slice text, char *out);

/** First value of that name, decoded, '+' as a space; a name without '=' has the value
 *  "". Returns its length whatever the room (as snprintf does; room query.n + 1 always
 *  does, and a NUL is written if room > 0), -1 if absent. A bad escape stays as it is;
 *  an encoded NUL ends the text for whoever reads it as a string: compare with the
 *  length. */
long http_query_find(struct slice query, struct slice name, char *out, size_t room);

#endif
