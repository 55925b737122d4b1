/* SPDX-License-Identifier: MIT */
/* options - one option of each type, one of them required, shown by GET /options. */
#include <remuda.h>

#include <string.h>

static int show(remuda_ctx *c)
{
    return remuda_text(c, 200, "token=%s count=%lld loud=%lld room=%lld patience=%lld\n",
                       remuda_conf(c, "token"), (long long)remuda_conf_num(c, "count"),
                       (long long)remuda_conf_num(c, "loud"),
                       (long long)remuda_conf_num(c, "room"),
                       (long long)remuda_conf_num(c, "patience"));
}

/* A rule across keys: what a type cannot say. */
static int check(remuda_ctx *c)
{
    if (strcmp(remuda_conf(c, "token"), "forbidden") != 0)
        return 0;
    remuda_log(c, REMUDA_ERROR, "this token is not allowed");
    return -EINVAL;
}

REMUDA_PLUGIN(.name = "options", .check = check,
              REMUDA_ROUTES(REMUDA_GET("/options", show)),
              REMUDA_OPTIONS({.name = "token", .type = REMUDA_STRING, .help = "required"},
                             REMUDA_OPTION("count", REMUDA_INT, "3"),
                             REMUDA_OPTION("loud", REMUDA_BOOL, "no"),
                             REMUDA_OPTION("room", REMUDA_SIZE, "4k"),
                             REMUDA_OPTION("patience", REMUDA_DURATION, "2s")));
