/* SPDX-License-Identifier: MIT */
/*
 * drudge - the handlers of the witness's load, and those that misbehave.   [test plugin]
 *
 * Every answer names who gave it: X-Worker is the pid.
 *
 * GET  /{sync,async,event}/wait/:id?ms=N      "ID", after N ms where the mode may wait
 * GET  /{sync,async}/stream/:id?n=N&ms=M      N pieces of 1 KiB, M ms before each
 * POST /{sync,async,event}/echo/:id           the body
 * GET  /crash/:id                             a fault, and no answer
 * GET  /spin/:id, /async/spin/:id             holds its thread in arithmetic, for ever
 * GET  /block/:id, /async/block/:id           holds its thread in a system call for 30 s
 * GET  /leak/:id                              "ID", and 1 MiB that nobody frees
 *
 * Options: `boot` is a time that start takes; `how` is what it does then: ok, crash, hang.
 * `journal` is a file that gets a line "ID" for each request begun, before anything else.
 */
#define _POSIX_C_SOURCE 200809L
#include <remuda.h>

#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { PIECE = 1024, LEAK = 1 << 20, BLOCK_MS = 30000 };

static int journal = -1;

static unsigned long number(remuda_ctx *c, const char *name)
{
    const char *text = remuda_query(c, name);

    return text != NULL ? strtoul(text, NULL, 10) : 0;
}

/* The id as it was sent, once it stands in the journal. One write to a file that is open
 * for appending: the lines of all processes stay whole. */
static const char *begin(remuda_ctx *c)
{
    const char *id = remuda_param(c, "id");

    remuda_set(c, "X-Worker", remuda_format(c, "%ld", (long)getpid()));
    if (journal >= 0) {
        const char *line = remuda_format(c, "%s\n", id);

        if (write(journal, line, strlen(line)) < 0)
            abort();
    }
    return id;
}

static int say(remuda_ctx *c, const char *id)
{
    return remuda_text(c, 200, "%s\n", id);
}

static int wait_awhile(remuda_ctx *c)
{
    const char *id = begin(c);
    unsigned long ms = number(c, "ms");
    int rc = ms > 0 ? remuda_sleep(c, (uint32_t)ms) : 0;

    return rc < 0 ? rc : say(c, id);
}

static int echo(remuda_ctx *c)
{
    remuda_bytes body;
    int rc = remuda_body(c, &body);

    (void)begin(c);
    if (rc < 0)
        return rc;
    return remuda_send(c, 200, "application/octet-stream", body.p, body.n, REMUDA_COPY);
}

/* finish before the handler has returned */
static int wait_event(remuda_ctx *c)
{
    remuda_finish(c, say(c, begin(c)));
    return REMUDA_PENDING;
}

static int echo_event(remuda_ctx *c)
{
    remuda_finish(c, echo(c));
    return REMUDA_PENDING;
}

static int stream(remuda_ctx *c)
{
    unsigned long long id = strtoull(begin(c), NULL, 10);
    unsigned long n = number(c, "n"), ms = number(c, "ms");
    char piece[PIECE];
    int rc = remuda_begin(c, 200, "application/octet-stream");

    for (unsigned long i = 0; rc == 0 && i < n; i++) {
        memset(piece, 'a' + (int)((id + i) % 26), sizeof piece);
        rc = remuda_sleep(c, (uint32_t)ms);
        if (rc == 0)
            rc = remuda_write(c, piece, sizeof piece);
    }
    return rc;
}

/* ---- misbehaviour ---- */

static int crash(remuda_ctx *c)
{
    (void)begin(c);
    raise(SIGSEGV);
    return 500;
}

static int spin(remuda_ctx *c)
{
    static atomic_uint turns;

    (void)begin(c);
    for (;;)
        atomic_fetch_add(&turns, 1);
    return 500;
}

static void doze(unsigned long ms)
{
    struct timespec left = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};

    while (nanosleep(&left, &left) < 0 && errno == EINTR)
        continue;
}

static int block(remuda_ctx *c)
{
    const char *id = begin(c);

    doze(BLOCK_MS);
    return say(c, id);
}

/* Each block leads to the one before: it is held, not lost. */
static int leak(remuda_ctx *c)
{
    static _Atomic(char *) last;
    const char *id = begin(c);
    char *block = malloc(LEAK), *before;

    if (block == NULL)
        return -ENOMEM;
    memset(block, 1, LEAK);
    before = atomic_exchange(&last, block);
    memcpy(block, &before, sizeof before);
    return say(c, id);
}

/* ---- birth ---- */

static int start(remuda_ctx *c, void **state)
{
    const char *how = remuda_conf(c, "how"), *path = remuda_conf(c, "journal");

    *state = NULL;
    doze((unsigned long)remuda_conf_num(c, "boot"));
    if (strcmp(how, "crash") == 0)
        raise(SIGSEGV);
    if (strcmp(how, "hang") == 0)
        for (;;)
            pause();
    if (path == NULL || *path == '\0')
        return 0;
    journal = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    return journal < 0 ? -errno : 0;
}

REMUDA_PLUGIN(.name = "drudge", .start = start,
              REMUDA_ROUTES(
                  REMUDA_GET("/sync/wait/:id", wait_awhile),
                  REMUDA_GET("/async/wait/:id", wait_awhile, .mode = REMUDA_ASYNC),
                  REMUDA_GET("/event/wait/:id", wait_event, .mode = REMUDA_EVENT),
                  REMUDA_GET("/sync/stream/:id", stream),
                  REMUDA_GET("/async/stream/:id", stream, .mode = REMUDA_ASYNC),
                  REMUDA_POST("/sync/echo/:id", echo),
                  REMUDA_POST("/async/echo/:id", echo, .mode = REMUDA_ASYNC),
                  REMUDA_POST("/event/echo/:id", echo_event, .mode = REMUDA_EVENT),
                  REMUDA_GET("/crash/:id", crash), REMUDA_GET("/spin/:id", spin),
                  REMUDA_GET("/async/spin/:id", spin, .mode = REMUDA_ASYNC),
                  REMUDA_GET("/block/:id", block),
                  REMUDA_GET("/async/block/:id", block, .mode = REMUDA_ASYNC),
                  REMUDA_GET("/leak/:id", leak)),
              REMUDA_OPTIONS(REMUDA_OPTION("boot", REMUDA_DURATION, "0s",
                                           .help = "time that start takes"),
                             REMUDA_OPTION("how", REMUDA_STRING, "ok"),
                             REMUDA_OPTION("journal", REMUDA_STRING, "")));
