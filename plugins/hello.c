/* SPDX-License-Identifier: MIT */
/* hello - the tutorial: one route, GET /hello?name=x. */
#include <remuda.h>

static int hello(remuda_ctx *c)
{
    const char *name = remuda_query(c, "name");
    return remuda_text(c, 200, "Hello, %s!\n", name ? name : "world");
}

REMUDA_PLUGIN(.name = "hello", REMUDA_ROUTES(REMUDA_GET("/hello", hello)));
