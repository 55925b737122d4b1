/* SPDX-License-Identifier: MIT */
/*
 * worker_handlers - handlers that end in every way there is.      [tests]
 */
#include "tests/unit/worker_handlers.h"

#include "common/check.h"
#include "common/fd.h"
#include "worker/api.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE = 1000 };

atomic_int worker_last_rc;

static int hello(remuda_ctx *c)
{
    return api_send(c, 200, "text/plain", "hello", 5, REMUDA_STATIC);
}

static int echo(remuda_ctx *c)
{
    remuda_bytes body;
    int rc = api_body(c, &body);
    return rc < 0 ? rc : api_send(c, 200, NULL, body.p, body.n, REMUDA_STATIC);
}

static int doze(remuda_ctx *c)
{
    worker_last_rc = api_sleep(c, REMUDA_FOREVER);
    return worker_last_rc;
}

static int nap(remuda_ctx *c)
{
    int rc = api_sleep(c, 0);
    return rc < 0 ? rc : hello(c);
}

static int big(remuda_ctx *c)
{
    char *bytes = malloc(BIG);
    assert_non_null(bytes);
    memset(bytes, 'b', BIG);
    return api_send(c, 200, NULL, bytes, BIG, free);
}

static int peer(remuda_ctx *c)
{
    const char *text = api_get(c, REMUDA_PEER);
    return api_send(c, 200, NULL, text, strlen(text), REMUDA_COPY);
}

static int three(remuda_ctx *c)
{
    int rc = api_begin(c, 200, "text/plain");
    for (int i = 0; rc == 0 && i < 3; i++)
        rc = api_write(c, "abc", 3);
    return rc;
}

/* Writes for ever, whatever a drain says. */
static int endless(remuda_ctx *c)
{
    static const char piece[PIECE];
    worker_last_rc = api_begin(c, 200, NULL);
    while (worker_last_rc == 0)
        worker_last_rc = api_write(c, piece, sizeof piece);
    return worker_last_rc;
}

static int three_event(remuda_ctx *c)
{
    api_finish(c, three(c));
    return REMUDA_PENDING;
}

remuda_ctx *worker_held;

static int hold(remuda_ctx *c)
{
    worker_held = c;
    return REMUDA_PENDING;
}

void *worker_finish_held(void *unused)
{
    (void)unused;
    api_finish(worker_held, hello(worker_held));
    return NULL;
}

static int finish_early(remuda_ctx *c)
{
    pthread_t thread;
    worker_held = c;
    assert_int_equal(pthread_create(&thread, NULL, worker_finish_held, NULL), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    return REMUDA_PENDING;
}

static int finish_wrongly(remuda_ctx *c)
{
    api_finish(c, 0);
    return hello(c);
}

const struct fixture_route worker_routes[] = {
    {"/sync", hello, REMUDA_SYNC},
    {"/async", hello, REMUDA_ASYNC},
    {"/event", hello, REMUDA_EVENT},
    {"/echo", echo, REMUDA_ASYNC},
    {"/doze", doze, REMUDA_ASYNC},
    {"/nap", nap, REMUDA_ASYNC},
    {"/big", big, REMUDA_EVENT},
    {"/peer", peer, REMUDA_SYNC},
    {"/three/sync", three, REMUDA_SYNC},
    {"/three/async", three, REMUDA_ASYNC},
    {"/three/event", three_event, REMUDA_EVENT},
    {"/endless", endless, REMUDA_ASYNC | REMUDA_LONG},
    {"/hold", hold, REMUDA_EVENT},
    {"/early", finish_early, REMUDA_EVENT},
    {"/wrong", finish_wrongly, REMUDA_SYNC},
    {NULL, NULL, 0},
};

static enum conf_class klass;

int worker_open_routes(void **state, const struct fixture_route *routes)
{
    struct fixture *f = fixture_open(klass, routes);
    *state = f;
    fixture_connect(f);
    worker_last_rc = 1;
    worker_held = NULL;
    return 0;
}

int worker_open_state(void **state)
{
    return worker_open_routes(state, worker_routes);
}

int worker_close_state(void **state)
{
    fixture_close((struct fixture **)state);
    return 0;
}

int worker_set_event(void **state)
{
    (void)state;
    klass = CONF_CLASS_EVENT;
    return 0;
}

int worker_set_thread(void **state)
{
    (void)state;
    klass = CONF_CLASS_THREAD;
    return 0;
}

bool worker_is_idle(struct fixture *f)
{
    return f->worker.slots.busy == 0 && f->worker.flights.busy == 0;
}

bool worker_is_alone(struct fixture *f)
{
    return worker_is_idle(f) && f->worker.conn_count == 0;
}

void worker_client_leaves(struct fixture *f)
{
    fd_close(&f->client);
    fixture_until(f, worker_is_alone);
    assert_int_equal(worker_last_rc, -ECANCELED);
}

/* What the client has once all handlers have ended. */
const char *worker_answer(struct fixture *f)
{
    return fixture_read_until(f, worker_is_idle);
}
