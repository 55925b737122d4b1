/* SPDX-License-Identifier: MIT */
/*
 * soak - a client that compares every byte of every answer.       [test tool]
 *
 * Owns:    its connections; request number i is the same bytes in every run (splitmix64
 *          of the seed and i), so an error can be repeated.
 * Called:  by soak.py and instructions.py; at -m N and at the end it prints "at N" and
 *          waits for a line on stdin, so that its caller can look at the server
 *          meanwhile.
 * Fails:   at the first wrong byte, status, framing or end: one line, exit 1. A server
 *          that says nothing for 30 s is an error too.
 * Usage:   exit 64.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    BODY_MAX = 64 * 1024,
    HEAD_MAX = 4096,
    OUT_MAX = BODY_MAX + HEAD_MAX,
    IN_MAX = BODY_MAX + HEAD_MAX,
    NOISE_BYTES = 1 << 20,
    CONNECTIONS_MAX = 4096,
    STALL_MS = 30000
};

struct options {
    struct sockaddr_in address;
    uint64_t requests, mark, seed;
    unsigned connections, post_every; /* post_every 0: GET only */
    const char *get_path, *post_path, *get_body;
    bool close_each;
};

/* One connection; it has one request in flight at most. */
struct conn {
    int fd;
    uint64_t index; /* number of the request in flight */
    size_t out_length, out_sent, in_length;
    const char *want; /* the body that must come back */
    size_t want_length;
    bool watching_write;
    char out[OUT_MAX], in[IN_MAX];
};

static struct options options = {.requests = 1000,
                                 .connections = 1,
                                 .get_path = "/async/hello",
                                 .post_path = "/async/echo",
                                 .get_body = "Hello, World!"};
static char noise[NOISE_BYTES];
static uint64_t started, finished;
static int poller;

__attribute__((format(printf, 2, 3))) static _Noreturn void fail(const struct conn *conn,
                                                                 const char *format, ...)
{
    va_list list;

    if (conn != NULL)
        printf("error: request %llu: ", (unsigned long long)conn->index);
    else
        printf("error: ");
    va_start(list, format);
    vprintf(format, list);
    va_end(list);
    printf(" (%llu done)\n", (unsigned long long)finished);
    fflush(stdout);
    exit(1);
}

static uint64_t mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15U;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
    return x ^ (x >> 31);
}

static void noise_init(void)
{
    for (size_t i = 0; i < NOISE_BYTES; i += sizeof(uint64_t)) {
        uint64_t word = mix(options.seed ^ (i << 20));
        memcpy(noise + i, &word, sizeof word);
    }
}

static void out_add(struct conn *conn, const char *bytes, size_t length)
{
    if (length > OUT_MAX - conn->out_length)
        fail(conn, "the request does not fit its buffer");
    memcpy(conn->out + conn->out_length, bytes, length);
    conn->out_length += length;
}

__attribute__((format(printf, 2, 3))) static void out_format(struct conn *conn,
                                                             const char *format, ...)
{
    char text[HEAD_MAX];
    va_list list;

    va_start(list, format);
    int length = vsnprintf(text, sizeof text, format, list);
    va_end(list);
    if (length < 0 || (size_t)length >= sizeof text)
        fail(conn, "a path is too long");
    out_add(conn, text, (size_t)length);
}

static const char *connection_field(void)
{
    return options.close_each ? "Connection: close\r\n" : "";
}

static void build_get(struct conn *conn)
{
    out_format(conn, "GET %s HTTP/1.1\r\nHost: soak\r\n%s\r\n", options.get_path,
               connection_field());
    conn->want = options.get_body;
    conn->want_length = strlen(options.get_body);
}

/* Three chunks, so that at least one boundary lies inside the body. */
static void build_chunks(struct conn *conn, const char *body, size_t length)
{
    size_t sent = 0;

    for (size_t left = 3; left > 0; left--) {
        size_t piece = (length - sent) / left;
        if (piece == 0)
            continue;
        out_format(conn, "%zx\r\n", piece);
        out_add(conn, body + sent, piece);
        out_add(conn, "\r\n", 2);
        sent += piece;
    }
    out_add(conn, "0\r\n\r\n", 5);
}

/* 0 to 64 KB; one in four is empty or tiny, one in three goes in chunks. */
static void build_post(struct conn *conn)
{
    uint64_t random = mix(options.seed + conn->index);
    size_t length = (size_t)(random >> 8) % (random % 4 == 0 ? 16 : BODY_MAX + 1);
    const char *body = noise + mix(random) % (NOISE_BYTES - BODY_MAX);

    out_format(conn, "POST %s HTTP/1.1\r\nHost: soak\r\n%s", options.post_path,
               connection_field());
    if (mix(~random) % 3 == 0) {
        out_format(conn, "Transfer-Encoding: chunked\r\n\r\n");
        build_chunks(conn, body, length);
    } else {
        out_format(conn, "Content-Length: %zu\r\n\r\n", length);
        out_add(conn, body, length);
    }
    conn->want = body;
    conn->want_length = length;
}

static void conn_watch(struct conn *conn, int operation, bool write)
{
    struct epoll_event event = {.events = write ? EPOLLOUT : EPOLLIN, .data.ptr = conn};

    if (epoll_ctl(poller, operation, conn->fd, &event) != 0)
        fail(conn, "epoll_ctl: %s", strerror(errno));
    conn->watching_write = write;
}

static void conn_open(struct conn *conn)
{
    int one = 1;

    conn->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (conn->fd < 0)
        fail(conn, "socket: %s", strerror(errno));
    if (connect(conn->fd, (struct sockaddr *)&options.address, sizeof options.address) !=
        0)
        fail(conn, "connect: %s", strerror(errno));
    setsockopt(conn->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    conn_watch(conn, EPOLL_CTL_ADD, false);
}

static void conn_send(struct conn *conn)
{
    while (conn->out_sent < conn->out_length) {
        ssize_t sent =
            send(conn->fd, conn->out + conn->out_sent, conn->out_length - conn->out_sent,
                 MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN)
            break;
        if (sent < 0)
            fail(conn, "send: %s", strerror(errno));
        conn->out_sent += (size_t)sent;
    }
    bool pending = conn->out_sent < conn->out_length;
    if (pending != conn->watching_write)
        conn_watch(conn, EPOLL_CTL_MOD, pending);
}

/* Sends the next request, if one is left. */
static void conn_next(struct conn *conn)
{
    if (started == options.requests)
        return;
    conn->index = started++;
    conn->out_length = conn->out_sent = conn->in_length = 0;
    if (conn->fd < 0)
        conn_open(conn);
    if (options.post_every != 0 && conn->index % options.post_every == 0)
        build_post(conn);
    else
        build_get(conn);
    conn_send(conn);
}

/* The length the head declares; exactly one Content-Length, no Transfer-Encoding. */
static size_t declared_length(const struct conn *conn, size_t head_length)
{
    static const char name[] = "\r\nContent-Length: ";
    const char *at = memmem(conn->in, head_length, name, sizeof name - 1);

    if (at == NULL || strncmp(conn->in, "HTTP/1.1 200 ", 13) != 0)
        fail(conn, "unexpected answer: %.*s", (int)head_length, conn->in);
    const char *value = at + sizeof name - 1;
    size_t rest = head_length - (size_t)(value - conn->in);
    if (memmem(value, rest, name, sizeof name - 1) != NULL)
        fail(conn, "two lengths: %.*s", (int)head_length, conn->in);
    char *end;
    unsigned long long length = strtoull(value, &end, 10);
    if (end == value || *end != '\r' || length > BODY_MAX)
        fail(conn, "bad length: %.*s", (int)head_length, conn->in);
    return (size_t)length;
}

/* Is the answer complete? Anything but the wanted bytes ends the program. */
static bool answer_is_complete(const struct conn *conn)
{
    const char *blank = memmem(conn->in, conn->in_length, "\r\n\r\n", 4);

    if (blank == NULL && conn->in_length < HEAD_MAX)
        return false;
    if (blank == NULL)
        fail(conn, "no end of the head in %zu bytes", conn->in_length);
    size_t head_length = (size_t)(blank + 4 - conn->in);
    size_t length = declared_length(conn, head_length);
    if (length != conn->want_length)
        fail(conn, "%zu bytes of body, %zu wanted", length, conn->want_length);
    if (conn->in_length < head_length + length)
        return false;
    if (conn->in_length > head_length + length)
        fail(conn, "bytes after the answer");
    if (memcmp(conn->in + head_length, conn->want, length) != 0)
        fail(conn, "the body differs");
    return true;
}

static void pause_at(uint64_t count)
{
    char line[16];

    printf("at %llu\n", (unsigned long long)count);
    fflush(stdout);
    if (fgets(line, sizeof line, stdin) == NULL)
        fail(NULL, "the caller has gone");
}

static void conn_expect_end(struct conn *conn)
{
    char byte;

    if (recv(conn->fd, &byte, 1, 0) != 0)
        fail(conn, "not closed after Connection: close");
    close(conn->fd);
    conn->fd = -1;
}

static void conn_receive(struct conn *conn)
{
    ssize_t got = recv(conn->fd, conn->in + conn->in_length, IN_MAX - conn->in_length,
                       MSG_DONTWAIT);

    if (got < 0 && errno == EAGAIN)
        return;
    if (got < 0)
        fail(conn, "recv: %s", strerror(errno));
    if (got == 0)
        fail(conn, "closed by the server after %zu bytes", conn->in_length);
    conn->in_length += (size_t)got;
    if (!answer_is_complete(conn))
        return;
    if (options.close_each)
        conn_expect_end(conn);
    finished++;
    if (finished == options.mark && finished != options.requests)
        pause_at(finished);
    conn_next(conn);
}

static double now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void run(struct conn *conns)
{
    struct epoll_event events[256];

    for (unsigned i = 0; i < options.connections; i++) {
        conns[i].fd = -1;
        conn_next(&conns[i]);
    }
    while (finished < options.requests) {
        int count = epoll_wait(poller, events, 256, STALL_MS);
        if (count == 0)
            fail(NULL, "nothing from the server for %d ms", STALL_MS);
        for (int i = 0; i < count; i++) {
            struct conn *conn = events[i].data.ptr;
            if (conn->watching_write)
                conn_send(conn);
            else
                conn_receive(conn);
        }
    }
}

static void set_option(int letter, const char *value)
{
    unsigned long long number = strtoull(value != NULL ? value : "0", NULL, 10);

    switch (letter) {
    case 'n':
        options.requests = number;
        break;
    case 'c':
        options.connections = (unsigned)number;
        break;
    case 'p':
        options.post_every = (unsigned)number;
        break;
    case 'm':
        options.mark = number;
        break;
    case 's':
        options.seed = number;
        break;
    case 'G':
        options.get_path = value;
        break;
    case 'P':
        options.post_path = value;
        break;
    case 'b':
        options.get_body = value;
        break;
    case 'x':
        options.close_each = true;
        break;
    default:
        fprintf(stderr,
                "usage: soak [-n requests] [-c connections] [-p every] [-m mark]\n"
                "            [-s seed] [-G path] [-P path] [-b body] [-x] ADDR PORT\n");
        exit(64);
    }
}

int main(int argc, char **argv)
{
    int letter;

    while ((letter = getopt(argc, argv, "n:c:p:m:s:G:P:b:x")) != -1)
        set_option(letter, optarg);
    if (argc - optind != 2 || options.connections == 0 ||
        options.connections > CONNECTIONS_MAX)
        set_option('?', NULL);
    options.address.sin_family = AF_INET;
    options.address.sin_port = htons((uint16_t)strtoul(argv[optind + 1], NULL, 10));
    if (inet_pton(AF_INET, argv[optind], &options.address.sin_addr) != 1)
        set_option('?', NULL);

    struct conn *conns = calloc(options.connections, sizeof *conns);
    poller = epoll_create1(EPOLL_CLOEXEC);
    if (conns == NULL || poller < 0)
        fail(NULL, "out of resources");
    noise_init();
    double begin = now_s();
    run(conns);
    double seconds = now_s() - begin;
    if (options.mark != 0)
        pause_at(finished);
    free(conns);
    printf("requests %llu errors 0 seconds %.2f rate %.0f\n",
           (unsigned long long)finished, seconds, (double)finished / seconds);
    return 0;
}
