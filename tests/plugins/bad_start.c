/* SPDX-License-Identifier: MIT */
/* bad_start - its start does what the option `how` says: ok, fail, crash, exit or hang; or, as
 * long as there is the file `flag`: wait, balk (which is to fail). */
#include <remuda.h>

#include <signal.h>
#include <string.h>
#include <unistd.h>

static int hello(remuda_ctx *c)
{
    return remuda_text(c, 200, "started %s\n", remuda_conf(c, "how"));
}

static int start(remuda_ctx *c, void **state)
{
    const char *how = remuda_conf(c, "how"), *flag = remuda_conf(c, "flag");

    *state = NULL;
    if (strcmp(how, "fail") == 0 || (strcmp(how, "balk") == 0 && access(flag, F_OK) == 0))
        return -EINVAL;
    while (strcmp(how, "wait") == 0 && access(flag, F_OK) == 0)
        usleep(10000);
    if (strcmp(how, "crash") == 0)
        raise(SIGSEGV);
    if (strcmp(how, "exit") == 0)
        _exit(66); /* a status that means something else to the master */
    if (strcmp(how, "hang") == 0) {
        for (;;)
            pause();
    }
    return 0;
}

REMUDA_PLUGIN(.name = "bad_start", .start = start,
              REMUDA_ROUTES(REMUDA_GET("/start", hello)),
              REMUDA_OPTIONS(REMUDA_OPTION("how", REMUDA_STRING, "ok"),
                             REMUDA_OPTION("flag", REMUDA_STRING, "")));
