/* SPDX-License-Identifier: MIT */
/*
 * echo - what the server understood of a request.
 *
 * POST, PUT /echo  answer the body, with its own content type.
 * GET /echo        answers the head as text: method and target, then each header line.
 */
#include <remuda.h>

#include <string.h>

static int echo_body(remuda_ctx *c)
{
    const char *type = remuda_header(c, "Content-Type");
    remuda_bytes body;
    int rc = remuda_body(c, &body);

    if (rc < 0)
        return rc;
    return remuda_send(c, 200, type != NULL ? type : "application/octet-stream", body.p,
                       body.n, REMUDA_COPY);
}

/* Appends text, or only counts it where there is no room yet. */
static size_t append(char *to, size_t at, const char *text)
{
    size_t n = strlen(text);

    if (to != NULL)
        memcpy(to + at, text, n);
    return at + n;
}

static size_t write_head(remuda_ctx *c, char *to)
{
    const char *name, *value;
    size_t n = append(to, 0, remuda_get(c, REMUDA_METHOD));

    n = append(to, n, " ");
    n = append(to, n, remuda_get(c, REMUDA_TARGET));
    n = append(to, n, "\n");
    for (size_t i = 0; remuda_header_at(c, i, &name, &value) == 0; i++) {
        n = append(to, n, name);
        n = append(to, n, ": ");
        n = append(to, n, value);
        n = append(to, n, "\n");
    }
    return n;
}

static int echo_head(remuda_ctx *c)
{
    size_t n = write_head(c, NULL);
    char *text = remuda_alloc(c, n);

    write_head(c, text);
    return remuda_send(c, 200, "text/plain; charset=utf-8", text, n, REMUDA_STATIC);
}

REMUDA_PLUGIN(.name = "echo",
              REMUDA_ROUTES(REMUDA_GET("/echo", echo_head, .mode = REMUDA_ASYNC),
                            REMUDA_POST("/echo", echo_body, .mode = REMUDA_ASYNC),
                            REMUDA_PUT("/echo", echo_body, .mode = REMUDA_ASYNC)));
