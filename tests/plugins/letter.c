/* SPDX-License-Identifier: MIT */
/*
 * letter - what the cases of tests/http ask for: answers in which each byte is known.
 *
 * GET  /hello               "hello"; /first and /last say their names
 * GET  /at/REST             the path, the query and the Host as the handler sees them
 * GET  /field?name=x        the values of that field
 * POST /echo                the body; PUT and PATCH, too
 * GET  /status?code=N       that status, with five bytes if it may have them
 * GET  /stream              two pieces without a length
 * GET  /nobody              nothing, with its length
 */
#include <remuda.h>

#include <stdlib.h>

static int hello(remuda_ctx *c)
{
    return remuda_text(c, 200, "%s", remuda_get(c, REMUDA_PATH) + 1);
}

static int at(remuda_ctx *c)
{
    const char *host = remuda_header(c, "Host");

    return remuda_text(c, 200, "%s|%s|%s", remuda_get(c, REMUDA_PATH),
                       remuda_get(c, REMUDA_QUERY), host != NULL ? host : "(none)");
}

static int field(remuda_ctx *c)
{
    const char *name = remuda_query(c, "name");
    const char *value = name != NULL ? remuda_header(c, name) : NULL;

    return remuda_text(c, 200, "[%s]", value != NULL ? value : "(none)");
}

static int echo(remuda_ctx *c)
{
    remuda_bytes body;
    int rc = remuda_body(c, &body);

    if (rc < 0)
        return rc;
    return remuda_send(c, 200, "application/octet-stream", body.p, body.n, REMUDA_COPY);
}

static int status(remuda_ctx *c)
{
    const char *code = remuda_query(c, "code");

    return remuda_send(c, code != NULL ? (int)strtol(code, NULL, 10) : 200, "text/plain",
                       "hello", 5, REMUDA_STATIC);
}

static int stream(remuda_ctx *c)
{
    int rc = remuda_begin(c, 200, "text/plain");

    if (rc == 0)
        rc = remuda_write(c, "one,", 4);
    return rc == 0 ? remuda_write(c, "two", 3) : rc;
}

static int nobody(remuda_ctx *c)
{
    return remuda_send(c, 200, "text/plain", "", 0, REMUDA_STATIC);
}

REMUDA_PLUGIN(.name = "letter",
              REMUDA_ROUTES(REMUDA_GET("/hello", hello), REMUDA_GET("/first", hello),
                            REMUDA_GET("/last", hello), REMUDA_GET("/at/*rest", at),
                            REMUDA_GET("/field", field), REMUDA_POST("/echo", echo),
                            REMUDA_PUT("/echo", echo),
                            REMUDA_ROUTE("PATCH", "/echo", echo),
                            REMUDA_DELETE("/echo", echo), REMUDA_GET("/status", status),
                            REMUDA_GET("/stream", stream),
                            REMUDA_GET("/nobody", nobody)));
