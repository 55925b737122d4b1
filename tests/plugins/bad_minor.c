/* SPDX-License-Identifier: MIT */
/* bad_minor - needs functions that this host does not have yet. Refused at load. */
#define REMUDA_NEED_MINOR (REMUDA_ABI_MINOR + 1)
#include <remuda.h>

static int hello(remuda_ctx *c)
{
    return remuda_text(c, 200, "never\n");
}

REMUDA_PLUGIN(.name = "bad_minor", REMUDA_ROUTES(REMUDA_GET("/hello", hello)));
