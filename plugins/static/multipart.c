/* SPDX-License-Identifier: MIT */
/*
 * multipart - several ranges of a file in one body: RFC 9110 14.6.
 *
 * Owns:    the body, until the caller has it.
 * Called:  by static.c, within its bound of bytes: a body in memory holds no slot while its
 *          client reads, as a stream would.
 * Fails:   -ENOMEM, or what read says; -EIO where the file has become shorter.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "static.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

enum { HEAD_ROOM = 192 }; /* of a part, without its type: at most 150 */

/* Random, so that no file can hold it. */
static int choose_boundary(struct multipart *m)
{
    unsigned char raw[MULTIPART_BOUNDARY / 2];

    if (getrandom(raw, sizeof(raw), 0) != (ssize_t)sizeof(raw))
        return errno != 0 ? -errno : -EIO;
    for (size_t i = 0; i < sizeof(raw); i++)
        snprintf(m->boundary + 2 * i, 3, "%02x", raw[i]);
    return 0;
}

static int read_all(int fd, char *at, struct span span)
{
    while (span.count > 0) {
        ssize_t n = pread(fd, at, span.count, (off_t)span.first);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -EIO;
        at += n;
        span.first += (uint64_t)n;
        span.count -= (uint64_t)n;
    }
    return 0;
}

static size_t put_head(char *at, size_t room, const struct multipart *m,
                       const struct part_of *of, struct span span)
{
    int n = snprintf(at, room,
                     "--%s\r\nContent-Type: %s\r\n"
                     "Content-Range: bytes %llu-%llu/%llu\r\n\r\n",
                     m->boundary, of->type, (unsigned long long)span.first,
                     (unsigned long long)(span.first + span.count - 1),
                     (unsigned long long)of->size);

    return (size_t)n;
}

static int fill(struct multipart *m, size_t room, const struct part_of *of,
                const struct range_set *ranges)
{
    int rc = choose_boundary(m);

    for (size_t i = 0; rc == 0 && i < ranges->count; i++) {
        m->n += put_head(m->bytes + m->n, room - m->n, m, of, ranges->span[i]);
        rc = read_all(of->fd, m->bytes + m->n, ranges->span[i]);
        m->n += (size_t)ranges->span[i].count;
        m->n += (size_t)snprintf(m->bytes + m->n, room - m->n, "\r\n");
    }
    if (rc == 0)
        m->n += (size_t)snprintf(m->bytes + m->n, room - m->n, "--%s--\r\n", m->boundary);
    return rc;
}

int multipart_create(struct multipart *m, const struct part_of *of,
                     const struct range_set *ranges)
{
    size_t head = HEAD_ROOM + strlen(of->type);
    size_t room = (size_t)range_sum(ranges) + head * (ranges->count + 1);
    int rc;

    *m = (struct multipart){.bytes = malloc(room)};
    if (m->bytes == NULL)
        return -ENOMEM;
    rc = fill(m, room, of, ranges);
    if (rc < 0) {
        free(m->bytes);
        m->bytes = NULL;
    }
    return rc;
}
