/* SPDX-License-Identifier: MIT */
/* rogue - handlers that break each rule of the ABI once, and one that is well. */
#include <remuda.h>

#include <string.h>

static int fine(remuda_ctx *c)
{
    return remuda_text(c, 200, "fine\n");
}

static int return_200(remuda_ctx *c)
{
    (void)c;
    return 200;
}

static int return_404(remuda_ctx *c)
{
    (void)c;
    return 404;
}

static int return_errno(remuda_ctx *c)
{
    (void)c;
    return -EIO;
}

static int silent(remuda_ctx *c)
{
    (void)c;
    return 0;
}

/* The second answer must be refused, the first one arrive. */
static int twice(remuda_ctx *c)
{
    int first = remuda_text(c, 200, "first\n");
    int second = remuda_text(c, 200, "second\n");

    remuda_log(c, REMUDA_WARN, "answers: %d, %s", first,
               second == -EALREADY ? "EALREADY" : "not refused");
    return 0;
}

static int pending(remuda_ctx *c)
{
    (void)c;
    return REMUDA_PENDING;
}

/* Fields that would break the framing, each refused; says how many were. */
static int forge(remuda_ctx *c)
{
    int refused = 0;

    refused += remuda_set(c, "X-A", "a\r\nX-B: b") == -EINVAL;
    refused += remuda_set(c, "X-A", "a\nb") == -EINVAL;
    refused += remuda_set(c, "X A", "a") == -EINVAL;
    refused += remuda_set(c, "Content-Length", "3") == -EINVAL;
    refused += remuda_add(c, "Transfer-Encoding", "chunked") == -EINVAL;
    refused += remuda_add(c, "Connection", "close") == -EINVAL;
    refused += remuda_set(c, "Date", "today") == -EINVAL;
    return remuda_text(c, 200, "%d", refused);
}

/* Begun and then failed: the client must see the stream cut, not ended. */
static int cut(remuda_ctx *c)
{
    int rc = remuda_begin(c, 200, "text/plain");

    if (rc == 0)
        rc = remuda_write(c, "half", 4);
    return rc != 0 ? rc : -EIO;
}

static int crash(remuda_ctx *c)
{
    static int *volatile nowhere;

    (void)c;
    *nowhere = 1;
    return 0;
}

/* Deeper than any stack; the frames are used, or they would be optimised away. */
static int dig(const volatile char *above, unsigned depth)
{
    volatile char frame[2048];

    memset((char *)(uintptr_t)frame, above[0], sizeof frame);
    return depth == 0 ? frame[1] : dig(frame, depth - 1) + frame[2];
}

static int overflow(remuda_ctx *c)
{
    return remuda_text(c, 200, "%d\n", dig("x", 1u << 20));
}

/* Every wait of an EVENT handler must be refused at once. */
static int event_wait(remuda_ctx *c)
{
    return remuda_text(c, 200, "%s",
                       remuda_sleep(c, 1) == -EDEADLK ? "EDEADLK" : "waited");
}

REMUDA_PLUGIN(.name = "rogue",
              REMUDA_ROUTES(REMUDA_GET("/fine", fine),
                            REMUDA_GET("/return200", return_200),
                            REMUDA_GET("/return404", return_404),
                            REMUDA_GET("/errno", return_errno),
                            REMUDA_GET("/silent", silent), REMUDA_GET("/twice", twice),
                            REMUDA_GET("/pending", pending), REMUDA_GET("/forge", forge),
                            REMUDA_GET("/cut", cut), REMUDA_GET("/crash", crash),
                            REMUDA_GET("/overflow", overflow, .mode = REMUDA_ASYNC),
                            REMUDA_GET("/wait", event_wait, .mode = REMUDA_EVENT)));
