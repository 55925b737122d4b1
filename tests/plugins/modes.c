/* SPDX-License-Identifier: MIT */
/*
 * modes - the same few answers in every mode, for the soak, bench and black-box tests.
 *
 * GET  /{sync,async,event}/hello        13 bytes of text
 * POST /{sync,async,event}/echo         the body
 * GET  /{sync,async}/sleep?ms=N         "slept" after N ms
 * GET  /sync/draw?least=N&most=M        "slept" after N to M ms, drawn evenly
 * GET  /{sync,async}/stream?n=N         N pieces of 1 KiB
 * GET  /{sync,async}/file?path=/x       that file
 * GET  /sync/count                      how often this process was asked before
 * GET  /who                             pid
 */
#include <remuda.h>

#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static unsigned long number(remuda_ctx *c, const char *name)
{
    const char *text = remuda_query(c, name);

    return text != NULL ? strtoul(text, NULL, 10) : 0;
}

static int hello(remuda_ctx *c)
{
    return remuda_send(c, 200, "text/plain", "Hello, World!", 13, REMUDA_STATIC);
}

static int echo(remuda_ctx *c)
{
    remuda_bytes body;
    int rc = remuda_body(c, &body);

    if (rc < 0)
        return rc;
    return remuda_send(c, 200, "application/octet-stream", body.p, body.n, REMUDA_COPY);
}

/* finish before the handler has returned: the shortest way an EVENT can take */
static int hello_event(remuda_ctx *c)
{
    remuda_finish(c, hello(c));
    return REMUDA_PENDING;
}

static int echo_event(remuda_ctx *c)
{
    remuda_finish(c, echo(c));
    return REMUDA_PENDING;
}

static int doze(remuda_ctx *c)
{
    int rc = remuda_sleep(c, (uint32_t)number(c, "ms"));

    return rc < 0 ? rc : remuda_text(c, 200, "slept");
}

/* A mix of its own (splitmix64), for the threads of a pool draw at the same time. */
static int draw(remuda_ctx *c)
{
    static atomic_uint_fast64_t state;
    unsigned long least = number(c, "least"), most = number(c, "most");
    uint64_t x = atomic_fetch_add(&state, UINT64_C(0x9e3779b97f4a7c15));

    x ^= (uint64_t)getpid() << 32;
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    x ^= x >> 31;
    if (most < least)
        return 400;
    int rc = remuda_sleep(c, (uint32_t)(least + x % (most - least + 1)));
    return rc < 0 ? rc : remuda_text(c, 200, "slept");
}

static int stream(remuda_ctx *c)
{
    char piece[1024];
    int rc = remuda_begin(c, 200, "application/octet-stream");

    for (unsigned long i = 0, n = number(c, "n"); rc == 0 && i < n; i++) {
        memset(piece, 'a' + (int)(i % 26), sizeof(piece));
        rc = remuda_write(c, piece, sizeof(piece));
    }
    return rc;
}

static int file(remuda_ctx *c)
{
    const char *path = remuda_query(c, "path");
    int fd = open(path != NULL ? path : "", O_RDONLY | O_CLOEXEC);
    struct stat st;

    if (fd < 0)
        return 404;
    if (fstat(fd, &st) < 0) {
        close(fd);
        return 500;
    }
    return remuda_file(c, 200, "application/octet-stream", fd, 0, (uint64_t)st.st_size);
}

static int count(remuda_ctx *c)
{
    static atomic_ulong asked;

    return remuda_text(c, 200, "%lu\n", atomic_fetch_add(&asked, 1));
}

static int who(remuda_ctx *c)
{
    return remuda_text(c, 200, "%ld\n", (long)getpid());
}

REMUDA_PLUGIN(.name = "modes",
              REMUDA_ROUTES(REMUDA_GET("/sync/hello", hello),
                            REMUDA_GET("/async/hello", hello, .mode = REMUDA_ASYNC),
                            REMUDA_GET("/event/hello", hello_event, .mode = REMUDA_EVENT),
                            REMUDA_POST("/sync/echo", echo),
                            REMUDA_POST("/async/echo", echo, .mode = REMUDA_ASYNC),
                            REMUDA_POST("/event/echo", echo_event, .mode = REMUDA_EVENT),
                            REMUDA_GET("/sync/sleep", doze),
                            REMUDA_GET("/async/sleep", doze, .mode = REMUDA_ASYNC),
                            REMUDA_GET("/sync/draw", draw),
                            REMUDA_GET("/sync/stream", stream),
                            REMUDA_GET("/async/stream", stream, .mode = REMUDA_ASYNC),
                            REMUDA_GET("/sync/file", file),
                            REMUDA_GET("/async/file", file, .mode = REMUDA_ASYNC),
                            REMUDA_GET("/sync/count", count),
                            REMUDA_GET("/who", who, .mode = REMUDA_ASYNC)));
