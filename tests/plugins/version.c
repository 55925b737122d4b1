/* SPDX-License-Identifier: MIT */
/* version - built twice, to see that a reload picks up a new file. */
#include <remuda.h>

static int version(remuda_ctx *c)
{
    return remuda_text(c, 200, "%s", TEST_VERSION);
}

REMUDA_PLUGIN(.name = "version", .version = TEST_VERSION,
              REMUDA_ROUTES(REMUDA_GET("/version", version)));
