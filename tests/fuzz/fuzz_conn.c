/* SPDX-License-Identifier: MIT */
/*
 * fuzz_conn - the whole state machine of connections, over fake_io.
 *
 * The first byte says how many bytes of script follow; the rest is what clients send. An act
 * of the script is a byte: its low half says what happens, its high half how much. Bytes are
 * cut anywhere, handlers end at any time, writes are short or fail, clients stop, reset or
 * read slowly, time passes. Afterwards each client has, for each request in its order, the
 * one response that is its own, or the connection has ended; nothing is left over, and all
 * that was counted balances.
 */
#include "tests/fuzz/answers.h"
#include "tests/fuzz/fake_io.h"
#include "tests/fuzz/must.h"
#include "tests/unit/worker_fixture.h"

#include "common/log.h"
#include "worker/api.h"
#include "worker/request.h"
#include "worker/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    CLIENTS = 3,
    HELD = 8,
    BIG_BYTES = 150000,
    FILE_BYTES = 9000,
    NS_PER_MS = 1000000,
    HEARTBEAT_MS = 15000
};
enum { OUT_MOST = CONN_OUT_HIGH + 2 * BIG_BYTES, IN_MOST = 64 << 10 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

struct client {
    struct fake fake;
    bool is_used;
    bool is_rough; /* what it may expect cannot be said: time, errors, an early end */
};

static struct fixture *f;
static struct client client[CLIENTS];
static remuda_ctx *held[HELD]; /* EVENT handlers that have not finished */
static size_t held_count;
static int park_fd, file_fd;

/* ---- handlers ---- */

/* Whose response it is. */
static void sign(remuda_ctx *c)
{
    char text[16];
    const char *target = api_get(c, REMUDA_TARGET);
    (void)snprintf(text, sizeof text, "%x", answers_hash(target, strlen(target)));
    (void)api_set(c, "X-Target", text);
}

static int send_body_hash(remuda_ctx *c, uint32_t hash)
{
    char text[16];
    sign(c);
    (void)snprintf(text, sizeof text, "%x", hash);
    (void)api_set(c, "X-Body", text);
    return api_send(c, 200, NULL, text, strlen(text), REMUDA_COPY);
}

static int hello(remuda_ctx *c)
{
    sign(c);
    return api_send(c, 200, "text/plain", "hello", 5, REMUDA_STATIC);
}

static int echo(remuda_ctx *c)
{
    remuda_bytes body;
    int rc = api_body(c, &body);
    return rc < 0 ? rc : send_body_hash(c, answers_hash(body.p, body.n));
}

/* Reads its body while it arrives, then says what it was. */
static int intake(remuda_ctx *c)
{
    char whole[4096];
    size_t n = 0;
    int64_t got = 1;
    while (got > 0 && n < sizeof whole) {
        size_t room = sizeof whole - n;
        got = api_read(c, whole + n, room < 100 ? room : 100);
        n += got > 0 ? (size_t)got : 0;
    }
    if (got < 0)
        return (int)got;
    return n < sizeof whole ? send_body_hash(c, answers_hash(whole, n)) : 413;
}

/* Answers without a look at its body. */
static int early(remuda_ctx *c)
{
    char one;
    (void)api_read(c, &one, 1);
    return hello(c);
}

static int park(remuda_ctx *c)
{
    uint64_t count;
    int rc = api_ready(c, park_fd, REMUDA_READABLE, REMUDA_FOREVER);
    if (rc < 0)
        return rc;
    (void)!read(park_fd, &count, sizeof count);
    return hello(c);
}

static void promise(remuda_ctx *c, unsigned n)
{
    char text[16];
    sign(c);
    (void)snprintf(text, sizeof text, "%u", n);
    (void)api_set(c, "X-Length", text);
}

static int stream(remuda_ctx *c)
{
    static const char piece[3000];
    promise(c, 40 * sizeof piece);
    int rc = api_begin(c, 200, "text/plain");
    for (int i = 0; rc == 0 && i < 40; i++)
        rc = api_write(c, piece, sizeof piece);
    return rc;
}

/* A stream that breaks off. */
static int cut(remuda_ctx *c)
{
    sign(c);
    int rc = api_begin(c, 200, NULL);
    rc = rc == 0 ? api_write(c, "abc", 3) : rc;
    return rc == 0 ? -EIO : rc;
}

static int big(remuda_ctx *c)
{
    char *bytes = calloc(1, BIG_BYTES);
    must(bytes != NULL, "memory");
    promise(c, BIG_BYTES);
    return api_send(c, 200, NULL, bytes, BIG_BYTES, free);
}

static int file(remuda_ctx *c)
{
    promise(c, FILE_BYTES - 100);
    return api_file(c, 200, NULL, fcntl(file_fd, F_DUPFD_CLOEXEC, 0), 100,
                    FILE_BYTES - 100);
}

static int hold(remuda_ctx *c)
{
    if (held_count == HELD)
        return 503;
    held[held_count++] = c;
    return REMUDA_PENDING;
}

static int none(remuda_ctx *c)
{
    (void)c;
    return 204 + 299; /* 503 */
}

static const struct fixture_route routes[] = {
    {"/a", hello, REMUDA_ASYNC},
    {"/e", hello, REMUDA_EVENT},
    {"/b", echo, REMUDA_ASYNC},
    {"/i", intake, REMUDA_ASYNC | REMUDA_STREAM_IN},
    {"/y", early, REMUDA_ASYNC | REMUDA_STREAM_IN},
    {"/p", park, REMUDA_ASYNC},
    {"/s", stream, REMUDA_ASYNC},
    {"/c", cut, REMUDA_ASYNC},
    {"/g", big, REMUDA_EVENT},
    {"/f", file, REMUDA_EVENT},
    {"/h", hold, REMUDA_EVENT},
    {"/n", none, REMUDA_EVENT},
    {NULL, NULL, 0},
};

/* ---- acts ---- */

static const size_t amounts[16] = {1,  2,  3,   5,   8,    13,   21,    34,
                                   55, 89, 144, 377, 1000, 4000, 20000, FAKE_MOST};
static const uint64_t pauses_ms[16] = {0,     1,     10,    100,   500,  999,
                                       1000,  1001,  2000,  5000,  9999, 10001,
                                       20001, 30001, 75001, 200001};
static const int errors[8] = {EINTR,     EAGAIN, ECONNRESET, EPIPE,
                              ETIMEDOUT, EINTR,  ENOBUFS,    EHOSTUNREACH};

static void check_bounds(void)
{
    LIST_FOREACH (link, &f->worker.conns) {
        const struct conn *conn = LIST_ENTRY(link, struct conn, link);
        must(conn->out.queued_bytes <= OUT_MOST, "too much output is queued");
        must(conn->in.room <= IN_MOST, "too much input is kept");
    }
}

static void turn(void)
{
    enum { TURNS = 6 };
    for (int i = 0; i < TURNS; i++) {
        for (size_t k = 0; k < CLIENTS; k++) {
            struct fake *fake = &client[k].fake;
            int ready = (fake_is_readable(fake) ? EV_READ : 0) |
                        (fake_is_writable(fake) ? EV_WRITE : 0);
            if (client[k].is_used && fake->fd >= 0 && ready != 0)
                ev_feed_fd_event(f->worker.loop, fake->fd, ready);
        }
        ev_run(f->worker.loop, EVRUN_NOWAIT);
    }
    check_bounds();
}

static void connect_client(struct client *c, const uint8_t *text)
{
    struct sockaddr_un peer = {.sun_family = AF_UNIX};
    if (c->is_used)
        return;
    *c = (struct client){.is_used = true};
    fake_open(&c->fake);
    c->fake.in = text;
    conn_open(&f->worker, c->fake.fd, (struct sockaddr *)&peer, sizeof peer);
}

static void finish_one(size_t how)
{
    if (held_count == 0)
        return;
    remuda_ctx **at = &held[how % held_count], *c = *at;
    held_count--;
    *at = held[held_count];
    api_finish(c, how % 3 == 0 ? 500 : how % 3 == 1 ? hello(c) : -EIO);
}

static void wake_one(void)
{
    const uint64_t one = 1;
    must(write(park_fd, &one, sizeof one) == sizeof one, "a wake");
}

static void pass(uint64_t ms)
{
    fake_now_ns += ms * NS_PER_MS;
    fixture_pass(f, ms);
    ev_feed_event(f->worker.loop, &f->worker.silences.timer, EV_TIMER);
    for (size_t i = 0; i < CLIENTS; i++)
        client[i].is_rough = client[i].is_rough || ms > 0;
}

static void on_client(struct client *c, unsigned what, unsigned how)
{
    struct fake *fake = &c->fake;
    switch (what) {
    case 2:
        fake->has_ended = c->is_rough = true;
        break;
    case 3:
        fake->is_reset = c->is_rough = true;
        break;
    case 4:
        fake->is_eager = false;
        fake->room = amounts[how];
        break;
    case 5:
        fake_read(fake, amounts[how]);
        break;
    case 6:
        fake->next_send_errno = errors[how % 8];
        c->is_rough = c->is_rough || how % 8 > 1;
        break;
    case 7:
        fake->next_recv_errno = errors[how % 8];
        c->is_rough = c->is_rough || how % 8 > 1;
        break;
    default:
        break;
    }
}

/* The text goes to one client until another is chosen; which then goes on with what follows. */
struct play {
    const uint8_t *text;
    size_t left;
    struct client *at;
};

static void deliver(struct play *p, size_t n)
{
    struct fake *fake = &p->at->fake;
    n = n < p->left ? n : p->left;
    if (!p->at->is_used || fake->has_ended || fake->is_reset ||
        fake->in + fake->in_bytes != p->text)
        return;
    fake->in_bytes += n;
    p->text += n;
    p->left -= n;
}

static void act(struct play *p, uint8_t byte)
{
    unsigned what = byte & 15, how = byte >> 4;
    if (what <= 1 || what > 12)
        deliver(p, amounts[how]);
    else if (what == 8)
        p->at = &client[how % CLIENTS];
    else if (what == 9)
        pass(pauses_ms[how]);
    else if (what == 10)
        finish_one(how);
    else if (what == 11)
        wake_one();
    else if (what == 12)
        (void)(block_pool_relax(&f->worker.blocks) + request_relax(&f->worker));
    else if (p->at->is_used)
        on_client(p->at, what, how);
    connect_client(p->at, p->text);
    turn();
}

/* ---- the end ---- */

/* Everything has come, every handler may end, every client reads. */
static void settle(void)
{
    for (int i = 0; i < 40; i++) {
        for (size_t k = 0; k < CLIENTS; k++)
            fake_read_all(&client[k].fake);
        while (held_count > 0)
            finish_one(1);
        if (i % 4 == 0)
            wake_one();
        turn();
    }
}

/* By our own idea, so that what the client still sends may not destroy the response. */
static bool is_to_linger(const struct asking *asking, const struct given *given)
{
    return given->is_last &&
           (given->count > asking->count || asking->asked[given->count - 1].is_to_stay);
}

static void check_client(struct client *c)
{
    static struct asking asking;
    struct given given;
    struct fake *fake = &c->fake;
    bool is_over = fake->fd == -1 || fake->is_shut;
    answers_asked(fake->in, fake->in_taken, &asking);
    answers_given(fake->out, fake->out_bytes, &asking, is_over && !c->is_rough, &given);
    must(!given.is_partial || is_over || c->is_rough, "a response that does not end");
    if (c->is_rough || asking.is_too_much)
        return;
    must(fake->in_taken == fake->in_bytes || is_over || given.count < asking.count,
         "bytes that nobody reads");
    if (given.is_partial || given.is_last)
        must(is_over, "the last response, and no end");
    else
        must(given.count == asking.complete + asking.is_refused,
             "a request without its response");
    must(!is_to_linger(&asking, &given) || fake->is_shut, "a close that does not linger");
    must(!is_over || given.is_last || given.is_partial, "an end that was not told");
}

static void drain_events(void)
{
    uint64_t count;
    while (read(park_fd, &count, sizeof count) > 0)
        ;
}

static void end_all(void)
{
    for (size_t k = 0; k < CLIENTS; k++)
        client[k].fake.has_ended = true;
    settle();
    for (int i = 0; i < 4 && f->worker.conn_count > 0; i++) {
        pass(200001);
        settle();
    }
    must(f->worker.conn_count == 0, "a connection that does not end");
    for (size_t k = 0; k < CLIENTS; k++) {
        if (client[k].is_used)
            fake_fini(&client[k].fake);
        client[k] = (struct client){.fake.fd = -1};
    }
    drain_events();
    fixture_assert_nothing_is_left(f);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    must(setenv("CMOCKA_TEST_ABORT", "1", 1) == 0, "memory");
    log_set_level(LOG_LEVEL_ERROR);
    log_set_fd(open("/dev/null", O_WRONLY | O_CLOEXEC));
    park_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC | EFD_SEMAPHORE);
    file_fd = memfd_create("file", MFD_CLOEXEC);
    must(park_fd >= 0 && ftruncate(file_fd, FILE_BYTES) == 0, "descriptors");
    f = fixture_open(CONF_CLASS_EVENT, routes);
    f->conf.limits.body_buffer_bytes = 1 << 20;
    deadlines_init(&f->worker.silences, f->worker.loop, &f->worker.now_ms, HEARTBEAT_MS,
                   stream_on_silence);
    for (size_t i = 0; routes[i].path != NULL; i++)
        f->route[i].is_stream_in = (routes[i].mode & REMUDA_STREAM_IN) != 0;
    for (size_t k = 0; k < CLIENTS; k++)
        client[k].fake.fd = -1;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t script = size > 0 ? data[0] : 0;
    if (size < 2 || script > size - 1)
        return 0;
    struct play play = {data + 1 + script, size - 1 - script, &client[0]};
    connect_client(play.at, play.text);
    for (size_t i = 0; i < script; i++)
        act(&play, data[1 + i]);
    connect_client(play.at, play.text);
    deliver(&play, FAKE_MOST);
    settle();
    for (size_t k = 0; k < CLIENTS; k++)
        if (client[k].is_used)
            check_client(&client[k]);
    end_all();
    return 0;
}
