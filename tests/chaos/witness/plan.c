/* SPDX-License-Identifier: MIT */
/*
 * plan - draws each request from the seed and its number alone.           [test tool]
 *
 * Called:  by conn.c, answer.c, record.c.
 * Fails:   never.
 */
#include "tests/chaos/witness/plan.h"

#include "common/check.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { NOISE_BYTES = 1 << 20, MILLION = 1000000 };

static char noise[NOISE_BYTES];

/* splitmix64: the finalizer alone */
static uint64_t mixed(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

/* A number of its own for each property of each request. */
static uint64_t draw(const struct plan_mix *mix, uint64_t id, unsigned property)
{
    return mixed(mixed(mix->seed ^ (uint64_t)property << 56) + id);
}

static bool chance(const struct plan_mix *mix, uint64_t id, unsigned property,
                   uint32_t millionths)
{
    return draw(mix, id, property) % MILLION < millionths;
}

void plan_init(uint64_t seed)
{
    for (size_t i = 0; i < NOISE_BYTES; i += sizeof(uint64_t)) {
        const uint64_t word = mixed(seed ^ (i << 20));

        memcpy(noise + i, &word, sizeof word);
    }
}

/* ---- what it is ---- */

static void draw_kind(const struct plan_mix *mix, struct plan_ask *ask)
{
    uint64_t n = draw(mix, ask->id, 1) % MILLION;

    if (n < mix->extra) {
        ask->is_extra = true;
        return;
    }
    n -= mix->extra;
    if (n < mix->wait5) {
        ask->ms = 5;
    } else if ((n -= mix->wait5) < mix->wait100) {
        ask->ms = 100;
    } else if ((n -= mix->wait100) < mix->stream) {
        ask->kind = PLAN_STREAM;
        ask->pieces = mix->stream_pieces;
        ask->ms = mix->stream_pieces * mix->stream_pause_ms;
    } else if (n - mix->stream < mix->echo) {
        ask->kind = PLAN_ECHO;
    }
}

/* A quarter is empty or tiny, so that a head and its body often share a packet. */
static void draw_body(const struct plan_mix *mix, struct plan_ask *ask)
{
    const uint64_t n = draw(mix, ask->id, 2);

    ask->body_n = (uint32_t)((n >> 8) % (n % 4 == 0 ? 16 : PLAN_BODY_MAX - 16));
    ask->body = noise + draw(mix, ask->id, 3) % (NOISE_BYTES - PLAN_BODY_MAX);
    ask->is_chunked = draw(mix, ask->id, 4) % 3 == 0;
}

/* An event handler may not wait. */
static enum plan_mode draw_mode(const struct plan_mix *mix, const struct plan_ask *ask)
{
    const bool may_be_event = ask->kind != PLAN_STREAM && ask->ms == 0;

    if (mix->is_loop_free)
        return PLAN_SYNC;
    return (enum plan_mode)(draw(mix, ask->id, 5) % (may_be_event ? 3 : 2));
}

static enum plan_group draw_group(const struct plan_mix *mix, uint64_t id)
{
    const uint64_t n = draw(mix, id, 6) % MILLION;

    if (n < mix->idle)
        return PLAN_IDLE;
    return n - mix->idle < mix->close ? PLAN_CLOSE : PLAN_KEEP;
}

void plan_ask(const struct plan_mix *mix, uint64_t id, struct plan_ask *out)
{
    *out = (struct plan_ask){.id = id, .group = draw_group(mix, id)};
    draw_kind(mix, out);
    if (out->kind == PLAN_ECHO)
        draw_body(mix, out);
    out->mode = draw_mode(mix, out);
    out->is_split = chance(mix, id, 7, mix->split);
    out->is_pair = out->group == PLAN_KEEP && chance(mix, id, 8, mix->pair);
}

/* ---- its bytes ---- */

static size_t write_target(const struct plan_mix *mix, const struct plan_ask *ask,
                           char *out, size_t size)
{
    const char *mode = plan_mode_name(ask->mode);
    int n;

    if (ask->is_extra)
        n = snprintf(out, size, "GET %s/%" PRIu64, mix->extra_path, ask->id);
    else if (ask->kind == PLAN_WAIT)
        n = snprintf(out, size, "GET /%s/wait/%" PRIu64 "?ms=%u", mode, ask->id, ask->ms);
    else if (ask->kind == PLAN_STREAM)
        n = snprintf(out, size, "GET /%s/stream/%" PRIu64 "?n=%u&ms=%u", mode, ask->id,
                     ask->pieces, mix->stream_pause_ms);
    else
        n = snprintf(out, size, "POST /%s/echo/%" PRIu64, mode, ask->id);
    CHECK(n > 0 && (size_t)n < size);
    return (size_t)n;
}

/* Two chunks, so that a boundary lies inside the body. */
static size_t write_chunks(const struct plan_ask *ask, char *out)
{
    const uint32_t half = ask->body_n / 2, part[] = {half, ask->body_n - half};
    const char *from = ask->body;
    size_t n = 0;

    for (size_t i = 0; i < COUNT_OF(part); i++) {
        if (part[i] == 0)
            continue;
        n += (size_t)snprintf(out + n, 16, "%x\r\n", part[i]);
        memcpy(out + n, from, part[i]);
        memcpy(out + n + part[i], "\r\n", 2);
        n += part[i] + 2;
        from += part[i];
    }
    memcpy(out + n, "0\r\n\r\n", 5);
    return n + 5;
}

size_t plan_write(const struct plan_mix *mix, const struct plan_ask *ask, char *out)
{
    size_t n = write_target(mix, ask, out, 512);

    n += (size_t)snprintf(out + n, 64, " HTTP/1.1\r\nHost: witness\r\n%s",
                          ask->group == PLAN_CLOSE ? "Connection: close\r\n" : "");
    if (ask->kind != PLAN_ECHO) {
        memcpy(out + n, "\r\n", 2);
        return n + 2;
    }
    if (ask->is_chunked) {
        n += (size_t)snprintf(out + n, 64, "Transfer-Encoding: chunked\r\n\r\n");
        return n + write_chunks(ask, out + n);
    }
    n += (size_t)snprintf(out + n, 64, "Content-Length: %u\r\n\r\n", ask->body_n);
    memcpy(out + n, ask->body, ask->body_n);
    return n + ask->body_n;
}

/* Mostly in the head, where it is short: within the first hundred bytes. */
unsigned plan_cut(const struct plan_mix *mix, const struct plan_ask *ask, size_t n,
                  size_t cut[static PLAN_CUTS])
{
    unsigned count = 0;
    size_t at = 0;

    if (!ask->is_split)
        return 0;
    for (unsigned i = 0; i < PLAN_CUTS; i++) {
        const size_t room = n - at;
        const size_t within = i == PLAN_CUTS - 1 || room < 60 ? room : 60;

        if (room < 2)
            break;
        at += 1 + draw(mix, ask->id, 16 + i) % (within - 1);
        cut[count++] = at;
    }
    return count;
}

/* ---- its answer ---- */

static size_t write_wait_body(const struct plan_ask *ask, char *out, size_t size)
{
    return (size_t)snprintf(out, size, "%" PRIu64 "\n", ask->id);
}

uint64_t plan_length(const struct plan_ask *ask)
{
    char text[32];

    if (ask->kind == PLAN_STREAM)
        return (uint64_t)ask->pieces * PLAN_PIECE;
    return ask->kind == PLAN_ECHO ? ask->body_n : write_wait_body(ask, text, sizeof text);
}

static bool matches_stream(const struct plan_ask *ask, uint64_t offset, const char *p,
                           size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] != (char)('a' + (ask->id + (offset + i) / PLAN_PIECE) % 26))
            return false;
    return true;
}

bool plan_matches(const struct plan_ask *ask, uint64_t offset, const char *p, size_t n)
{
    char text[32];

    if (offset + n > plan_length(ask))
        return false;
    if (ask->kind == PLAN_STREAM)
        return matches_stream(ask, offset, p, n);
    if (ask->kind == PLAN_ECHO)
        return memcmp(ask->body + offset, p, n) == 0;
    write_wait_body(ask, text, sizeof text);
    return memcmp(text + offset, p, n) == 0;
}

/* ---- names ---- */

const char *plan_kind_name(enum plan_kind kind)
{
    static const char *const names[] = {"wait", "stream", "echo"};

    return names[kind];
}

const char *plan_mode_name(enum plan_mode mode)
{
    static const char *const names[] = {"sync", "async", "event"};

    return names[mode];
}

const char *plan_group_name(enum plan_group group)
{
    static const char *const names[] = {"keep", "idle", "close"};

    return names[group];
}
