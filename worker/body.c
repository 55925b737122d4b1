/* SPDX-License-Identifier: MIT */
/*
 * body - in memory, or in an unlinked file.                      [worker]
 *
 * Owns:    req->body_buffer, req->body_fd; the directory of the files.
 * Called:  by reader.c, request.c (release) and worker.c (init).
 * Fails:   with a status: 507 where the disk is full, 503 for the rest; a line says why, one
 *          in 10 s.
 *
 * A file is written whole before it is mapped, and nobody else has its name: so no page of it
 * can be missing when a handler looks. It is a private mapping: a handler that writes into
 * its body writes into memory.
 */
#include "worker/body.h"

#include "common/fd.h"
#include "common/log.h"
#include "worker/request.h"
#include "worker/self.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FIRST_ROOM = 8192, PIECE_BYTES = 65536, WARN_MS = 10000 };

static char piece[PIECE_BYTES]; /* one at a time, loop thread */
static const char *directory;   /* NULL: none will do */
static uint64_t warned_ms;

/* ---- the file ---- */

/* A file system without O_TMPFILE gets a name for a moment. */
static int open_unlinked(const char *in)
{
    char name[4096];
    int fd = open(in, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
        return fd;
    if ((size_t)snprintf(name, sizeof name, "%s/remuda-body-XXXXXX", in) >= sizeof name) {
        errno = ENAMETOOLONG;
        return -1;
    }
    fd = mkostemp(name, O_CLOEXEC);
    if (fd >= 0)
        (void)unlink(name);
    return fd;
}

static bool is_good(const char *path)
{
    int fd = path != NULL && path[0] != '\0' ? open_unlinked(path) : -1;
    bool is_open = fd >= 0;
    fd_close(&fd);
    return is_open;
}

void body_init(struct worker *w)
{
    const char *wanted = w->conf->limits.body_dir;
    const char *const places[] = {wanted, getenv("TMPDIR"), "/var/tmp", "/tmp"};
    directory = NULL;
    for (size_t i = 0; i < sizeof places / sizeof *places && directory == NULL; i++)
        if (is_good(places[i]))
            directory = places[i];
    bool is_wanted = wanted != NULL && wanted[0] != '\0';
    if (w->heritage->index != 0)
        return; /* one line is enough */
    if (directory == NULL)
        log_warn("no directory for request bodies over body_buffer: they stay in memory");
    else if (is_wanted && directory != wanted)
        log_warn("body_dir %s cannot be written to; bodies go to %s", wanted, directory);
}

static int refuse(struct request *req)
{
    struct worker *w = req->ctx.worker;
    bool is_full = errno == ENOSPC || errno == EDQUOT || errno == EFBIG;
    if (warned_ms == 0 || w->now_ms - warned_ms > WARN_MS) {
        warned_ms = w->now_ms;
        log_error("a request body of more than %zu bytes cannot be kept in %s: %m",
                  req->body_bytes, directory);
    }
    return is_full ? 507 : 503;
}

static int put_in_file(struct request *req, const char *bytes, size_t n)
{
    while (n > 0) {
        ssize_t put = pwrite(req->body_fd, bytes, n, (off_t)req->body_bytes);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return refuse(req);
        bytes += put;
        n -= (size_t)put;
        req->body_bytes += (size_t)put;
    }
    return 0;
}

static bool is_for_file(const struct request *req, size_t bytes)
{
    return directory != NULL && bytes > req->ctx.worker->conf->limits.body_buffer_bytes;
}

/* ---- in memory ---- */

static int grow(struct request *req, size_t need)
{
    size_t room = req->body_room > 0 ? req->body_room * 2 : FIRST_ROOM;
    uint64_t most = req->ctx.worker->conf->limits.body_buffer_bytes;
    room = directory != NULL && room > most ? (size_t)most : room;
    room = room > need ? room : need;
    char *larger = realloc(req->body_buffer, room);
    if (larger == NULL)
        return 503;
    req->body_buffer = larger;
    req->body_room = room;
    return 0;
}

/* What has come goes ahead of the rest. */
static int spill(struct request *req)
{
    req->body_fd = open_unlinked(directory);
    if (req->body_fd < 0)
        return refuse(req);
    char *bytes = req->body_buffer;
    size_t n = req->body_bytes;
    req->body_buffer = NULL;
    req->body_bytes = 0;
    int status = put_in_file(req, bytes, n);
    free(bytes);
    return status;
}

/* ---- both ---- */

int body_open(struct request *req, size_t length)
{
    req->body_room = length;
    if (is_for_file(req, length))
        return spill(req);
    req->body_buffer = malloc(length);
    return req->body_buffer != NULL ? 0 : 503;
}

int body_append(struct request *req, struct slice bytes)
{
    size_t need = req->body_bytes + bytes.n;
    int status = 0;
    if (req->body_fd < 0 && is_for_file(req, need)) {
        req->body_room = need; /* not in the input, however long the first piece is */
        status = spill(req);
    } else if (req->body_fd < 0 && need > req->body_room) {
        status = grow(req, need);
    }
    if (status != 0)
        return status;
    if (req->body_fd >= 0)
        return put_in_file(req, bytes.p, bytes.n);
    memcpy(req->body_buffer + req->body_bytes, bytes.p, bytes.n);
    req->body_bytes = need;
    return 0;
}

long body_receive(struct request *req, int socket)
{
    size_t left = req->body_room - req->body_bytes;
    bool is_file = req->body_fd >= 0;
    size_t most = is_file && left > sizeof piece ? sizeof piece : left;
    long n = recv(socket, is_file ? piece : req->body_buffer + req->body_bytes, most, 0);
    if (n > 0 && is_file)
        req->body_status = put_in_file(req, piece, (size_t)n);
    else if (n > 0)
        req->body_bytes += (size_t)n;
    return n;
}

int body_close(struct request *req)
{
    if (req->body_fd < 0 || req->body_buffer != NULL)
        return 0;
    void *map =
        mmap(NULL, req->body_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE, req->body_fd, 0);
    if (map == MAP_FAILED)
        return refuse(req);
    req->body_buffer = map;
    return 0;
}

void body_release(struct request *req)
{
    if (req->body_fd < 0)
        free(req->body_buffer);
    else if (req->body_buffer != NULL)
        (void)munmap(req->body_buffer, req->body_bytes);
    fd_close(&req->body_fd);
    req->body_buffer = NULL;
}
