/* SPDX-License-Identifier: MIT */
/* bad_constructor - crashes inside dlopen, before any check could run. */
#include <remuda.h>

#include <signal.h>

__attribute__((constructor)) static void crash(void)
{
    raise(SIGSEGV);
}

static int hello(remuda_ctx *c)
{
    return remuda_text(c, 200, "never\n");
}

REMUDA_PLUGIN(.name = "bad_constructor", REMUDA_ROUTES(REMUDA_GET("/hello", hello)));
