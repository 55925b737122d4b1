/* SPDX-License-Identifier: MIT */
/*
 * hostile - handlers that end in every way there is, for hostile.py.   [test plugin]
 *
 * POST /{sync,async,event}/echo          the body
 * GET  /{sync,async}/sleep?ms=N          "slept"
 * GET  /{sync,async}/stream?n=N&ms=M     N pieces of 1 KiB, a wait of M before each
 * GET  /long/{sync,async}?n=N&ms=M       the same, REMUDA_LONG: says "bye" in a drain
 * GET  /event/stream?n=N                 N pieces of 1 KiB, all before the handler returns
 * GET  /event/thread?n=N&ms=M            from a thread, which finishes it; n 0: no stream
 * GET  /event/early                      a thread has finished it before the handler returns
 * GET  /{sync,async,event}/big?n=N       N bytes that the host must free
 * GET  /{sync,async,event}/file?n=N      N bytes of a file
 * GET  /{sync,async,event}/rc?rc=N       the error page for N
 * GET  /peer                             the client's address, asked for again and again
 */
#define _GNU_SOURCE /* memfd_create */
#include <remuda.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { PIECE = 1024, PEER_ASKS = 200 };

struct work {
    remuda_ctx *c;
    unsigned long n, ms;
};

static unsigned long number(remuda_ctx *c, const char *name)
{
    const char *text = remuda_query(c, name);

    return text != NULL ? strtoul(text, NULL, 10) : 0;
}

static int echo(remuda_ctx *c)
{
    remuda_bytes body;
    int rc = remuda_body(c, &body);

    if (rc < 0)
        return rc;
    return remuda_send(c, 200, "application/octet-stream", body.p, body.n, REMUDA_STATIC);
}

static int doze(remuda_ctx *c)
{
    int rc = remuda_sleep(c, (uint32_t)number(c, "ms"));

    return rc < 0 ? rc : remuda_text(c, 200, "slept");
}

static int put_piece(remuda_ctx *c, unsigned long i)
{
    char piece[PIECE];

    memset(piece, 'a' + (int)(i % 26), sizeof(piece));
    return remuda_write(c, piece, sizeof(piece));
}

static int stream(remuda_ctx *c)
{
    unsigned long n = number(c, "n"), ms = number(c, "ms");
    int rc = remuda_begin(c, 200, "application/octet-stream");

    for (unsigned long i = 0; rc == 0 && i < n; i++) {
        if (ms > 0)
            rc = remuda_sleep(c, (uint32_t)ms);
        if (rc == -ESHUTDOWN)
            return remuda_write(c, "bye", 3);
        if (rc == 0)
            rc = put_piece(c, i);
    }
    return rc;
}

/* An event may not wait: what does not fit is not written, and the stream is cut. */
static int stream_event(remuda_ctx *c)
{
    unsigned long n = number(c, "n");
    int rc = remuda_begin(c, 200, "application/octet-stream");

    for (unsigned long i = 0; rc == 0 && i < n; i++)
        rc = put_piece(c, i);
    remuda_finish(c, rc);
    return REMUDA_PENDING;
}

static void *in_thread(void *arg)
{
    struct work work = *(struct work *)arg;
    struct timespec pause = {.tv_nsec = (long)work.ms * 1000000};
    int rc = 0;

    free(arg);
    if (work.n == 0) {
        nanosleep(&pause, NULL);
        rc = remuda_text(work.c, 200, "from a thread");
    } else {
        rc = remuda_begin(work.c, 200, "application/octet-stream");
    }
    for (unsigned long i = 0; rc == 0 && i < work.n;) {
        nanosleep(&pause, NULL);
        rc = put_piece(work.c, i);
        if (rc == 0)
            i++;
        else if (rc == -EAGAIN)
            rc = 0;
    }
    remuda_finish(work.c, rc);
    return NULL;
}

static int start_thread(remuda_ctx *c, pthread_t *thread)
{
    struct work *work = malloc(sizeof(*work));

    if (work == NULL)
        return -ENOMEM;
    *work = (struct work){c, number(c, "n"), number(c, "ms")};
    int error = pthread_create(thread, NULL, in_thread, work);
    if (error != 0)
        free(work);
    return -error;
}

static int event_thread(remuda_ctx *c)
{
    pthread_t thread;
    int rc = start_thread(c, &thread);

    if (rc != 0)
        return rc;
    pthread_detach(thread);
    return REMUDA_PENDING;
}

static int event_early(remuda_ctx *c)
{
    pthread_t thread;
    int rc = start_thread(c, &thread);

    if (rc != 0)
        return rc;
    pthread_join(thread, NULL);
    return REMUDA_PENDING;
}

static int big(remuda_ctx *c)
{
    unsigned long n = number(c, "n");
    char *bytes = malloc(n + 1);

    if (bytes == NULL)
        return -ENOMEM;
    memset(bytes, 'b', n);
    return remuda_send(c, 200, "text/plain", bytes, n, free);
}

static int file(remuda_ctx *c)
{
    static const char text[] = "0123456789abcdef";
    unsigned long n = number(c, "n");
    int fd = memfd_create("hostile", MFD_CLOEXEC);

    if (fd < 0)
        return 500;
    for (unsigned long i = 0; i < n; i += sizeof(text) - 1)
        if (write(fd, text, sizeof(text) - 1) < 0)
            break;
    return remuda_file(c, 200, "text/plain", fd, 0, n);
}

static int just_rc(remuda_ctx *c)
{
    return (int)number(c, "rc");
}

static int peer(remuda_ctx *c)
{
    const char *last = "";

    for (int i = 0; i < PEER_ASKS; i++)
        last = remuda_get(c, REMUDA_PEER);
    return remuda_text(c, 200, "%s", last);
}

REMUDA_PLUGIN(.name = "hostile",
              REMUDA_ROUTES(
                  REMUDA_POST("/sync/echo", echo),
                  REMUDA_POST("/async/echo", echo, .mode = REMUDA_ASYNC),
                  REMUDA_POST("/event/echo", echo, .mode = REMUDA_EVENT),
                  REMUDA_GET("/sync/sleep", doze),
                  REMUDA_GET("/async/sleep", doze, .mode = REMUDA_ASYNC),
                  REMUDA_GET("/sync/stream", stream),
                  REMUDA_GET("/async/stream", stream, .mode = REMUDA_ASYNC),
                  REMUDA_GET("/event/stream", stream_event, .mode = REMUDA_EVENT),
                  REMUDA_GET("/long/sync", stream, .mode = REMUDA_LONG),
                  REMUDA_GET("/long/async", stream, .mode = REMUDA_LONG | REMUDA_ASYNC),
                  REMUDA_GET("/event/thread", event_thread, .mode = REMUDA_EVENT),
                  REMUDA_GET("/event/early", event_early, .mode = REMUDA_EVENT),
                  REMUDA_GET("/sync/big", big),
                  REMUDA_GET("/async/big", big, .mode = REMUDA_ASYNC),
                  REMUDA_GET("/event/big", big, .mode = REMUDA_EVENT),
                  REMUDA_GET("/sync/file", file),
                  REMUDA_GET("/async/file", file, .mode = REMUDA_ASYNC),
                  REMUDA_GET("/event/file", file, .mode = REMUDA_EVENT),
                  REMUDA_GET("/sync/rc", just_rc),
                  REMUDA_GET("/async/rc", just_rc, .mode = REMUDA_ASYNC),
                  REMUDA_GET("/event/rc", just_rc, .mode = REMUDA_EVENT),
                  REMUDA_GET("/peer", peer)));
