/* SPDX-License-Identifier: MIT */
/*
 * guest - one plugin in three languages, called by test_languages.py; this is C.   [tests]
 *
 * GET  /hello?name=N   SYNC   "GREETING, N from LANGUAGE", LANGUAGE in X-Guest too
 * POST /upper          SYNC   the body in capitals, in memory of the plugin that the host frees
 * GET  /nap?ms=N       ASYNC  "slept", after N ms
 * GET  /fan            ASYNC  the sum of two tasks, one on the loop and one on the pool
 * GET  /fail           SYNC   an exception or a panic that ends in the plugin: 500
 * GET  /across         ASYNC  one that is thrown after a wait, and caught: "caught"
 * GET  /later          EVENT  answered by a thread
 * GET  /count          SYNC   how often, of what start made
 */
#define _POSIX_C_SOURCE 200809L
#include <remuda.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#define LANGUAGE "C"

static int hello(remuda_ctx *c)
{
    const char *name = remuda_query(c, "name");

    remuda_set(c, "X-Guest", LANGUAGE);
    return remuda_text(c, 200, "%s, %s from %s\n", remuda_conf(c, "greeting"),
                       name != NULL ? name : "you", LANGUAGE);
}

static int upper(remuda_ctx *c)
{
    remuda_bytes body;
    int rc = remuda_body(c, &body);
    char *out = rc == 0 ? malloc(body.n + 1) : NULL;

    if (out == NULL)
        return rc < 0 ? rc : 503;
    for (size_t i = 0; i < body.n; i++) {
        char byte = ((const char *)body.p)[i];
        out[i] = byte >= 'a' && byte <= 'z' ? (char)(byte - 'a' + 'A') : byte;
    }
    return remuda_send(c, 200, "text/plain", out, body.n, free);
}

static int nap(remuda_ctx *c)
{
    const char *ms = remuda_query(c, "ms");
    int rc = remuda_sleep(c, (uint32_t)strtoul(ms != NULL ? ms : "0", NULL, 10));

    return rc < 0 ? rc : remuda_text(c, 200, "slept\n");
}

static int add_twenty_one(remuda_ctx *c, void *arg)
{
    *(int *)arg += 21;
    return remuda_sleep(c, 1);
}

static int fan(remuda_ctx *c)
{
    int part[2] = {0, 0};
    remuda_task *task[2];

    for (int i = 0; i < 2; i++)
        task[i] = remuda_spawn(c, i == 0 ? REMUDA_ON_LOOP : REMUDA_ON_POOL,
                               add_twenty_one, &part[i]);
    int rc = remuda_wait(c, task, 2, REMUDA_ALL, 5000);
    return rc < 0 ? rc : remuda_text(c, 200, "%d\n", part[0] + part[1]);
}

static int fail(remuda_ctx *c)
{
    (void)c;
    return 500;
}

static int across(remuda_ctx *c)
{
    int rc = remuda_sleep(c, 1);

    return rc < 0 ? rc : remuda_text(c, 200, "caught\n");
}

static void *answer(void *arg)
{
    remuda_ctx *c = arg;

    remuda_finish(c, remuda_text(c, 200, "later\n"));
    return NULL;
}

static int later(remuda_ctx *c)
{
    pthread_t thread;
    int error = pthread_create(&thread, NULL, answer, c);

    if (error != 0)
        return -error;
    pthread_detach(thread);
    return REMUDA_PENDING;
}

static int count(remuda_ctx *c)
{
    atomic_uint *asked = remuda_state(c);

    return remuda_text(c, 200, "%u\n", atomic_fetch_add(asked, 1));
}

static int start(remuda_ctx *c, void **state)
{
    (void)c;
    *state = calloc(1, sizeof(atomic_uint));
    return *state != NULL ? 0 : -ENOMEM;
}

static void stop(remuda_ctx *c, void *state)
{
    (void)c;
    free(state);
}

REMUDA_PLUGIN(.name = "guest",
              REMUDA_ROUTES(REMUDA_GET("/hello", hello), REMUDA_POST("/upper", upper),
                            REMUDA_GET("/nap", nap, .mode = REMUDA_ASYNC),
                            REMUDA_GET("/fan", fan, .mode = REMUDA_ASYNC),
                            REMUDA_GET("/fail", fail),
                            REMUDA_GET("/across", across, .mode = REMUDA_ASYNC),
                            REMUDA_GET("/later", later, .mode = REMUDA_EVENT),
                            REMUDA_GET("/count", count)),
              REMUDA_OPTIONS(REMUDA_OPTION("greeting", REMUDA_STRING, "Howdy",
                                           .help = "what to say")),
              .start = start, .stop = stop);
