/* SPDX-License-Identifier: MIT */
/*
 * bad_start - its start does what the option `how` says: ok, fail, crash, exit or hang; as long
 * as there is the file `flag`: wait, balk (which is to fail), deaf (closes all that is open, and
 * hangs); by the file `mark`: first (whoever makes it is well, all others hang), marked (a crash
 * once it is there).
 */
#include <remuda.h>

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

static int hello(remuda_ctx *c)
{
    return remuda_text(c, 200, "started %s\n", remuda_conf(c, "how"));
}

static bool makes(const char *mark)
{
    int fd = open(mark, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);

    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static bool is_deaf(const char *how, const char *flag)
{
    if (strcmp(how, "deaf") != 0 || access(flag, F_OK) != 0)
        return false;
    for (int fd = STDERR_FILENO + 1; fd < 4096; fd++)
        (void)close(fd);
    return true;
}

static int start(remuda_ctx *c, void **state)
{
    const char *how = remuda_conf(c, "how"), *flag = remuda_conf(c, "flag"),
               *mark = remuda_conf(c, "mark");

    *state = NULL;
    if (strcmp(how, "fail") == 0 || (strcmp(how, "balk") == 0 && access(flag, F_OK) == 0))
        return -EINVAL;
    while (strcmp(how, "wait") == 0 && access(flag, F_OK) == 0)
        usleep(10000);
    if (strcmp(how, "crash") == 0 ||
        (strcmp(how, "marked") == 0 && access(mark, F_OK) == 0))
        raise(SIGSEGV);
    if (strcmp(how, "exit") == 0)
        _exit(66); /* a status that means something else to the master */
    if (is_deaf(how, flag) || strcmp(how, "hang") == 0 ||
        (strcmp(how, "first") == 0 && !makes(mark))) {
        for (;;)
            pause();
    }
    return 0;
}

REMUDA_PLUGIN(.name = "bad_start", .start = start,
              REMUDA_ROUTES(REMUDA_GET("/start", hello)),
              REMUDA_OPTIONS(REMUDA_OPTION("how", REMUDA_STRING, "ok"),
                             REMUDA_OPTION("flag", REMUDA_STRING, ""),
                             REMUDA_OPTION("mark", REMUDA_STRING, "")));
