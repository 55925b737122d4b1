/* SPDX-License-Identifier: MIT */
/*
 * origin - where a value came from, in words.                 [master]
 *
 * Owns:    nothing. Pure.
 * Called:  by mistakes.c, check.c, dump.c.
 * Fails:   never.
 */
#include "conf/conf.h"

#include <stdio.h>

void conf_origin_format(const struct conf_origin *origin, char *out, size_t size)
{
    static const char *const what[] = {
        [CONF_FROM_FILE] = "",
        [CONF_FROM_CONVENTION] = "environment ",
        [CONF_FROM_ENVIRONMENT] = "environment ",
        [CONF_FROM_DEFINE] = "-D ",
        [CONF_FROM_FLAG] = "argument ",
    };

    if (origin->from == CONF_FROM_DEFAULT)
        (void)snprintf(out, size, "default");
    else if (origin->line > 0)
        (void)snprintf(out, size, "%s:%d", origin->name, origin->line);
    else
        (void)snprintf(out, size, "%s%s", what[origin->from], origin->name);
}
