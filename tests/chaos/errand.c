/* SPDX-License-Identifier: MIT */
/*
 * errand - does what it is told and notes that it did, for handoff_kills.py.  [test plugin]
 *
 * GET, POST /errand/:id?ms=N   a line "ID" in the journal, N ms of sleep on its thread, then
 *                              "ID PID BYTES ADLER32"
 */
#define _POSIX_C_SOURCE 200809L
#include <remuda.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* One write to a file that is open for appending: lines of all processes stay whole. */
static int note(remuda_ctx *c, const char *id)
{
    const int *journal = (const int *)remuda_state(c);
    const char *line = remuda_format(c, "%s\n", id);
    size_t n = strlen(line);

    return write(*journal, line, n) == (ssize_t)n ? 0 : -EIO;
}

/* The thread's own: a wait of the host would open a descriptor, and they are counted. */
static void doze(unsigned long ms)
{
    struct timespec left = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};

    while (nanosleep(&left, &left) < 0 && errno == EINTR)
        ;
}

/* RFC 1950, 8.2 */
static uint32_t adler32(const unsigned char *p, size_t n)
{
    uint32_t a = 1, b = 0;

    for (size_t i = 0; i < n; i++) {
        a = (a + p[i]) % 65521;
        b = (b + a) % 65521;
    }
    return b << 16 | a;
}

static int errand(remuda_ctx *c)
{
    const char *id = remuda_param(c, "id"), *ms = remuda_query(c, "ms");
    remuda_bytes body;
    int rc = remuda_body(c, &body);

    if (rc < 0 || id == NULL)
        return rc < 0 ? rc : 400;
    rc = note(c, id);
    if (rc < 0)
        return rc;
    doze(ms != NULL ? strtoul(ms, NULL, 10) : 0);
    return remuda_text(c, 200, "%s %ld %zu %lu\n", id, (long)getpid(), body.n,
                       (unsigned long)adler32((const unsigned char *)body.p, body.n));
}

static int start(remuda_ctx *c, void **state)
{
    static int journal;

    journal =
        open(remuda_conf(c, "journal"), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    *state = &journal;
    return journal < 0 ? -errno : 0;
}

REMUDA_PLUGIN(.name = "errand",
              REMUDA_ROUTES(REMUDA_GET("/errand/:id", errand),
                            REMUDA_POST("/errand/:id", errand)),
              REMUDA_OPTIONS(REMUDA_OPTION("journal", REMUDA_STRING, NULL,
                                           .help = "file that names what was done")),
              .start = start);
