/* SPDX-License-Identifier: MIT */
/* host_key - declares an option that is the host's own. Refused at load. */
#include <remuda.h>

static int hello(remuda_ctx *c)
{
    return remuda_text(c, 200, "never\n");
}

REMUDA_PLUGIN(.name = "host_key", REMUDA_ROUTES(REMUDA_GET("/hello", hello)),
              REMUDA_OPTIONS(REMUDA_OPTION("mount", REMUDA_STRING, "/here")));
