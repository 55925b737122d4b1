/* SPDX-License-Identifier: MIT */
/*
 * test_worker_place_sim - the rules at work: what rate, and how fair?
 *
 * Closed-loop keep-alive clients without think time, service 100 ms +-5 %, hand-offs and
 * questions that take a while to arrive. A client asks at the worker that served it last.
 * The same clients without any rule give what theory says: the sum over the workers of
 * min(threads, connections) slots; so the simulation itself is under test.
 */
#include "worker/place.h"

#include "common/check.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { WORKERS = 40, CLIENTS = 160, EVENTS = 4096, ROOM = 1000 };

static const double service_s = 0.1, warm_up_s = 2, end_s = 12;

enum happening { ARRIVES, ENDS, ASKS };

struct event {
    double at;
    unsigned long order; /* of those at the same time */
    enum happening what;
    unsigned worker, other; /* a client; for ASKS, the worker that asks */
    unsigned hops;
};

struct queue {
    unsigned client[CLIENTS], hops[CLIENTS], first, count;
};

struct sim {
    unsigned workers, threads, clients;
    bool is_placed; /* false: every request stays where it is */
    double delay_s; /* of a message */
    uint32_t random;
    double now;
    unsigned long order;
    struct event heap[EVENTS];
    unsigned heap_count;
    unsigned busy[WORKERS], coming[WORKERS];
    struct queue queue[WORKERS];
    unsigned long done[CLIENTS], moves;
};

/* ---- chance and time ---- */

static uint32_t draw(struct sim *s)
{
    s->random ^= s->random << 13;
    s->random ^= s->random >> 17;
    s->random ^= s->random << 5;
    return s->random;
}

static bool is_before(const struct event *a, const struct event *b)
{
    return a->at < b->at || (a->at == b->at && a->order < b->order);
}

static void swap(struct event *a, struct event *b)
{
    struct event e = *a;
    *a = *b;
    *b = e;
}

static void happen(struct sim *s, double in_s, struct event e)
{
    assert_true(s->heap_count < EVENTS);
    e.at = s->now + in_s;
    e.order = s->order++;
    unsigned i = s->heap_count++;
    s->heap[i] = e;
    for (; i > 0 && is_before(&s->heap[i], &s->heap[(i - 1) / 2]); i = (i - 1) / 2)
        swap(&s->heap[i], &s->heap[(i - 1) / 2]);
}

static struct event next_event(struct sim *s)
{
    struct event first = s->heap[0];
    s->heap[0] = s->heap[--s->heap_count];
    for (unsigned i = 0, child; (child = 2 * i + 1) < s->heap_count; i = child) {
        if (child + 1 < s->heap_count && is_before(&s->heap[child + 1], &s->heap[child]))
            child++;
        if (!is_before(&s->heap[child], &s->heap[i]))
            break;
        swap(&s->heap[child], &s->heap[i]);
    }
    return first;
}

/* ---- a worker ---- */

static struct place_view look(struct sim *s, unsigned self, unsigned hops,
                              struct place_sibling out[static WORKERS])
{
    size_t count = 0;
    for (unsigned i = 0; i < s->workers; i++) {
        if (i != self)
            out[count++] =
                (struct place_sibling){i, s->busy[i] + s->queue[i].count + s->coming[i],
                                       s->queue[i].count, s->threads, ROOM};
    }
    return (struct place_view){out,        count, s->busy[self], s->queue[self].count,
                               s->threads, hops,  draw(s)};
}

static void begin(struct sim *s, unsigned w, unsigned client)
{
    s->busy[w]++;
    double spread = 0.95 + 0.1 * draw(s) / (double)UINT32_MAX;
    happen(s, service_s * spread,
           (struct event){.what = ENDS, .worker = w, .other = client});
}

static void hand_off(struct sim *s, unsigned to, unsigned client, unsigned hops)
{
    s->moves++;
    s->coming[to]++;
    happen(
        s, s->delay_s,
        (struct event){.what = ARRIVES, .worker = to, .other = client, .hops = hops + 1});
}

static void push(struct queue *q, unsigned client, unsigned hops)
{
    unsigned at = (q->first + q->count++) % CLIENTS;
    q->client[at] = client;
    q->hops[at] = hops;
}

static unsigned pop(struct queue *q, unsigned *hops_out)
{
    unsigned at = q->first;
    q->first = (at + 1) % CLIENTS;
    q->count--;
    *hops_out = q->hops[at];
    return q->client[at];
}

static void on_ready(struct sim *s, unsigned w, unsigned client, unsigned hops)
{
    struct place_sibling others[WORKERS];
    struct place_view view = look(s, w, hops, others);
    if (!s->is_placed)
        view.count = 0;
    struct place place = place_request(&view);
    if (place.verdict == PLACE_HERE)
        begin(s, w, client);
    else if (place.verdict == PLACE_MOVE)
        hand_off(s, place.index, client, hops);
    else
        push(&s->queue[w], client, hops);
}

static void on_end(struct sim *s, unsigned w, unsigned client)
{
    unsigned hops;
    s->busy[w]--;
    s->done[client] += s->now > warm_up_s;
    if (s->queue[w].count > 0) {
        unsigned next = pop(&s->queue[w], &hops);
        begin(s, w, next);
    } else if (s->is_placed) {
        struct place_sibling others[WORKERS];
        struct place_view view = look(s, w, 0, others);
        struct place place = place_free(&view);
        if (place.verdict == PLACE_ASK)
            happen(s, s->delay_s,
                   (struct event){.what = ASKS, .worker = place.index, .other = w});
    }
    on_ready(s, w, client, 0);
}

static void on_ask(struct sim *s, unsigned w, unsigned asker)
{
    struct place_sibling others[WORKERS];
    struct place_view view = look(s, w, 0, others);
    for (size_t i = 0; i < view.count; i++) {
        if (others[i].index != asker || !place_may_give(&view, &others[i]))
            continue;
        unsigned hops, client = pop(&s->queue[w], &hops);
        hand_off(s, asker, client, hops);
    }
}

static void run(struct sim *s, const unsigned *home)
{
    s->random = 2463534242u;
    for (unsigned c = 0; c < s->clients; c++)
        on_ready(s, home[c], c, 0);
    for (;;) {
        struct event e = next_event(s);
        s->now = e.at;
        if (e.at > end_s)
            return;
        if (e.what == ENDS) {
            on_end(s, e.worker, e.other);
        } else if (e.what == ASKS) {
            on_ask(s, e.worker, e.other);
        } else {
            s->coming[e.worker] -= e.hops > 0;
            on_ready(s, e.worker, e.other, e.hops);
        }
    }
}

/* ---- figures ---- */

struct figures {
    double rate, jain, moves; /* rate: share of slots / service; moves: per request */
};

static struct figures measure(const struct sim *s)
{
    double sum = 0, squares = 0;
    for (unsigned c = 0; c < s->clients; c++) {
        sum += (double)s->done[c];
        squares += (double)s->done[c] * (double)s->done[c];
    }
    double most = s->workers * s->threads / service_s * (end_s - warm_up_s);
    return (struct figures){sum / most, sum * sum / (s->clients * squares),
                            (double)s->moves / sum};
}

/* All at one worker, or 60 % of them. */
static void put_clients(unsigned *home, unsigned clients, unsigned workers,
                        bool is_skewed)
{
    for (unsigned c = 0; c < clients; c++)
        home[c] = is_skewed && c >= clients * 3 / 5 ? c % workers : 0;
}

/* Slots that have a client when nobody moves. */
static double effective_share(const unsigned *home, const struct sim *s)
{
    unsigned here[WORKERS] = {0}, slots = 0;
    for (unsigned c = 0; c < s->clients; c++)
        here[home[c]]++;
    for (unsigned w = 0; w < s->workers; w++)
        slots += here[w] < s->threads ? here[w] : s->threads;
    return (double)slots / (s->workers * s->threads);
}

static struct figures simulate(struct sim *s, const unsigned *home, bool is_placed,
                               double delay_s)
{
    struct sim fresh = {.workers = s->workers,
                        .threads = s->threads,
                        .clients = s->clients,
                        .is_placed = is_placed,
                        .delay_s = delay_s};
    memcpy(s, &fresh, sizeof fresh);
    run(s, home);
    return measure(s);
}

static void try_one(struct sim *s, bool is_skewed)
{
    static const double delays_s[] = {0, 0.0005};
    unsigned home[CLIENTS];
    put_clients(home, s->clients, s->workers, is_skewed);
    struct figures stay = simulate(s, home, false, 0);
    double theory = effective_share(home, s);
    if (fabs(stay.rate / theory - 1) > 0.02)
        fail_msg("%ux%u, %u clients stay put: %.3f, theory %.3f", s->workers, s->threads,
                 s->clients, stay.rate, theory);
    for (size_t i = 0; i < COUNT_OF(delays_s); i++) {
        struct figures f = simulate(s, home, true, delays_s[i]);
        if (f.rate < 0.98 || f.jain < 0.95 || f.moves > 0.2)
            fail_msg("%ux%u, %u clients, skewed %d, delay %g s: rate %.3f, Jain %.3f, "
                     "%.3f moves per request",
                     s->workers, s->threads, s->clients, is_skewed, delays_s[i], f.rate,
                     f.jain, f.moves);
    }
}

static void test_shapes(void **state)
{
    (void)state;
    static const struct {
        unsigned workers, threads;
    } shapes[] = {{5, 8}, {40, 1}, {2, 4}, {1, 40}};
    struct sim *s = calloc(1, sizeof *s);
    assert_non_null(s);
    for (size_t i = 0; i < COUNT_OF(shapes); i++) {
        for (unsigned times = 1; times <= 4; times *= 2) {
            s->workers = shapes[i].workers;
            s->threads = shapes[i].threads;
            s->clients = s->workers * s->threads * times;
            try_one(s, false);
            try_one(s, true);
        }
    }
    free(s);
}

/* The measure must see what is wrong: half of the clients starve. */
static void test_measure(void **state)
{
    (void)state;
    struct sim *s = calloc(1, sizeof *s);
    assert_non_null(s);
    s->workers = 1;
    s->threads = 1;
    s->clients = 4;
    s->done[0] = s->done[1] = 50;
    struct figures f = measure(s);
    assert_true(fabs(f.jain - 0.5) < 1e-9 && fabs(f.rate - 1) < 1e-9);
    free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_measure),
        cmocka_unit_test(test_shapes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
