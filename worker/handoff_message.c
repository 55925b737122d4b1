/* SPDX-License-Identifier: MIT */
/*
 * handoff_message - encode, decode, send, receive.               [worker]
 *
 * Owns:    nothing; descriptors that were received are the caller's.
 * Called:  by whoever moves connections, or empties an inbox.
 * Fails:   sending: -1 with errno, and the connection stays. Receiving: what is not whole
 *          is closed here, so a hostile or broken sender costs us no descriptor.
 *
 * On the wire: struct wire, then head, body (unless beside), rest. Two processes of one
 * machine talk, so its byte order serves; another layout is another HANDOFF_VERSION.
 */
#include "worker/handoff_message.h"

#include "common/fd.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define HANDOFF_MAGIC 0x52484f31u /* "RHO1" */

enum {
    DESCRIPTORS = 2,
    BODY_SEALS = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE,
    FLAGS_OF_CONNECTION = HANDOFF_CONTINUED | HANDOFF_LAST | HANDOFF_BODY_BESIDE |
                          HANDOFF_CHUNKED | HANDOFF_HEADER_DUE,
    FLAGS_OF_ASK = HANDOFF_FLIGHTS
};

struct wire {
    uint32_t magic;
    uint16_t version, type;
    uint32_t sender, generation;
    uint64_t number;
    uint32_t listener, requests, hops, flags;
    uint64_t begun_ns, queued_ns, body_bytes;
    uint32_t head_bytes, rest_bytes;
    uint64_t ticket;
    char peer[HANDOFF_PEER_BYTES];
};

static_assert(sizeof(struct wire) == HANDOFF_HEADER_BYTES, "HANDOFF_VERSION 1");

/* ---- bytes ---- */

static uint32_t flags_of(unsigned type)
{
    return type == HANDOFF_ASK ? FLAGS_OF_ASK : FLAGS_OF_CONNECTION;
}

int handoff_encode(struct handoff_message *m,
                   unsigned char header[static HANDOFF_HEADER_BYTES])
{
    bool is_beside = m->body.n > HANDOFF_BODY_INLINE;
    size_t inline_bytes = is_beside ? 0 : m->body.n;
    /* one by one: a sum of hostile lengths could wrap */
    if (m->head.n > HANDOFF_BYTES_MOST || m->rest.n > HANDOFF_BYTES_MOST ||
        HANDOFF_HEADER_BYTES + m->head.n + inline_bytes + m->rest.n >
            HANDOFF_BYTES_MOST) {
        errno = EMSGSIZE;
        return -1;
    }
    m->body_bytes = m->body.n;
    m->flags &= flags_of(m->type) & ~(unsigned)HANDOFF_BODY_BESIDE;
    m->flags |= is_beside ? HANDOFF_BODY_BESIDE : 0;
    struct wire wire = {.magic = HANDOFF_MAGIC,
                        .version = HANDOFF_VERSION,
                        .type = (uint16_t)m->type,
                        .sender = m->sender,
                        .generation = m->generation,
                        .number = m->number,
                        .listener = m->listener,
                        .requests = m->requests,
                        .hops = m->hops,
                        .flags = m->flags,
                        .begun_ns = m->begun_ns,
                        .queued_ns = m->queued_ns,
                        .body_bytes = m->body_bytes,
                        .ticket = m->ticket,
                        .head_bytes = (uint32_t)m->head.n,
                        .rest_bytes = (uint32_t)m->rest.n};
    memcpy(wire.peer, m->peer, sizeof wire.peer);
    memcpy(header, &wire, sizeof wire);
    return 0;
}

/* Do the lengths add up to the datagram, and is everything what it may be? */
static bool is_whole(const struct wire *wire, size_t n)
{
    bool is_beside = (wire->flags & HANDOFF_BODY_BESIDE) != 0;
    if (wire->magic != HANDOFF_MAGIC || wire->version != HANDOFF_VERSION ||
        (wire->flags & ~flags_of(wire->type)) != 0)
        return false;
    if (is_beside != (wire->body_bytes > HANDOFF_BODY_INLINE))
        return false;
    if (wire->body_bytes > 0 && wire->head_bytes == 0)
        return false; /* whose body? */
    uint64_t whole = sizeof *wire + (uint64_t)wire->head_bytes + wire->rest_bytes +
                     (is_beside ? 0 : wire->body_bytes);
    if (whole != n)
        return false;
    return wire->type == HANDOFF_CONNECTION ||
           (wire->type == HANDOFF_ASK && n == sizeof *wire);
}

int handoff_decode(const void *bytes, size_t n, struct handoff_message *out)
{
    struct wire wire;
    if (n >= sizeof wire)
        memcpy(&wire, bytes, sizeof wire);
    if (n < sizeof wire || n > HANDOFF_BYTES_MOST || !is_whole(&wire, n)) {
        errno = EPROTO;
        return -1;
    }
    *out = (struct handoff_message){.type = wire.type,
                                    .sender = wire.sender,
                                    .generation = wire.generation,
                                    .number = wire.number,
                                    .listener = wire.listener,
                                    .requests = wire.requests,
                                    .hops = wire.hops,
                                    .flags = wire.flags,
                                    .begun_ns = wire.begun_ns,
                                    .queued_ns = wire.queued_ns,
                                    .ticket = wire.ticket,
                                    .body_bytes = wire.body_bytes};
    memcpy(out->peer, wire.peer, sizeof out->peer);
    out->peer[sizeof out->peer - 1] = '\0';
    const char *at = (const char *)bytes + sizeof wire;
    bool is_beside = (wire.flags & HANDOFF_BODY_BESIDE) != 0;
    out->head = (struct slice){at, wire.head_bytes};
    out->body = (struct slice){at + out->head.n, is_beside ? 0 : (size_t)wire.body_bytes};
    out->rest = (struct slice){out->body.p + out->body.n, wire.rest_bytes};
    return 0;
}

/* ---- the body beside ---- */

/* Sealed, so that its reader need not fear for its length. */
static int open_body(struct slice body)
{
    int fd = memfd_create("remuda-body", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return -1;
    if (fd_write_all(fd, body.p, body.n) < 0 || fcntl(fd, F_ADD_SEALS, BODY_SEALS) < 0)
        fd_close(&fd);
    return fd;
}

static bool is_body(int fd, uint64_t bytes)
{
    struct stat st;
    int seals = fcntl(fd, F_GET_SEALS); /* EINVAL: no memfd */
    return seals >= 0 && (seals & BODY_SEALS) == BODY_SEALS && fstat(fd, &st) == 0 &&
           S_ISREG(st.st_mode) && (uint64_t)st.st_size == bytes;
}

int handoff_read_body(const struct handoff_parts *parts, uint64_t body_bytes, void *to)
{
    uint64_t done = 0;
    while (done < body_bytes) {
        ssize_t n = pread(parts->body, (char *)to + done, (size_t)(body_bytes - done),
                          (off_t)done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            errno = n == 0 ? EPROTO : errno;
            return -1;
        }
        done += (uint64_t)n;
    }
    return 0;
}

/* ---- send ---- */

union control {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(DESCRIPTORS * sizeof(int))];
};

static_assert(CMSG_SPACE(DESCRIPTORS * sizeof(int)) ==
                  CMSG_LEN(DESCRIPTORS * sizeof(int)),
              "no padding in which a third descriptor could hide");

static void put_descriptors(struct msghdr *msg, union control *control, const int *fds,
                            size_t count)
{
    size_t bytes = count * sizeof *fds;
    *control = (union control){.header = {.cmsg_level = SOL_SOCKET,
                                          .cmsg_type = SCM_RIGHTS,
                                          .cmsg_len = CMSG_LEN(bytes)}};
    memcpy(CMSG_DATA(&control->header), fds, bytes);
    msg->msg_control = control;
    msg->msg_controllen = CMSG_SPACE(bytes);
}

static struct iovec piece(const void *bytes, size_t n)
{
    return (struct iovec){.iov_base = (void *)(uintptr_t)bytes, .iov_len = n};
}

static int send_parts(int inbox, const struct handoff_message *m,
                      const unsigned char *header, const int fds[static DESCRIPTORS])
{
    bool is_beside = fds[1] >= 0;
    struct iovec iov[] = {
        piece(header, HANDOFF_HEADER_BYTES), piece(m->head.p, m->head.n),
        piece(m->body.p, is_beside ? 0 : m->body.n), piece(m->rest.p, m->rest.n)};
    struct msghdr msg = {.msg_iov = iov, .msg_iovlen = sizeof iov / sizeof *iov};
    union control control;
    if (fds[0] >= 0)
        put_descriptors(&msg, &control, fds, is_beside ? 2 : 1);
    ssize_t sent;
    do {
        sent = sendmsg(inbox, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (sent < 0 && errno == EINTR);
    return sent < 0 ? -1 : 0;
}

int handoff_send(int inbox, struct handoff_message *m, int socket)
{
    unsigned char header[HANDOFF_HEADER_BYTES];
    if ((m->type == HANDOFF_CONNECTION) != (socket >= 0)) {
        errno = EINVAL;
        return -1;
    }
    if (handoff_encode(m, header) < 0)
        return -1;
    int fds[DESCRIPTORS] = {socket, -1};
    if ((m->flags & HANDOFF_BODY_BESIDE) != 0) {
        fds[1] = open_body(m->body);
        if (fds[1] < 0)
            return -1;
    }
    int rc = send_parts(inbox, m, header, fds);
    fd_close(&fds[1]);
    return rc;
}

/* ---- receive ---- */

/* A sender that is broken may put anything there: each one that came has an owner now. */
static size_t get_descriptors(struct msghdr *msg, int fds[static DESCRIPTORS])
{
    struct cmsghdr *header = CMSG_FIRSTHDR(msg);
    if (header == NULL || header->cmsg_level != SOL_SOCKET ||
        header->cmsg_type != SCM_RIGHTS || header->cmsg_len < CMSG_LEN(0))
        return 0;
    size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof *fds;
    count = count < DESCRIPTORS ? count : DESCRIPTORS;
    memcpy(fds, CMSG_DATA(header), count * sizeof *fds);
    return count;
}

static bool is_socket(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode);
}

/* Do the descriptors fit what the message says? */
static enum handoff_result judge(const struct handoff_message *m, const int *fds,
                                 size_t count, bool is_cut)
{
    size_t want = m->type == HANDOFF_ASK ? 0 : 1;
    want += (m->flags & HANDOFF_BODY_BESIDE) != 0;
    if (is_cut && count < want)
        return HANDOFF_LOST;
    if (is_cut || count != want)
        return HANDOFF_BAD;
    if (want > 0 && !is_socket(fds[0]))
        return HANDOFF_BAD;
    return want < 2 || is_body(fds[1], m->body_bytes) ? HANDOFF_TAKEN : HANDOFF_BAD;
}

static enum handoff_result take_apart(struct msghdr *msg, size_t n,
                                      struct handoff_message *out, int *fds)
{
    size_t count = get_descriptors(msg, fds);
    if ((msg->msg_flags & MSG_TRUNC) != 0 ||
        handoff_decode(msg->msg_iov->iov_base, n, out) < 0)
        return HANDOFF_BAD;
    return judge(out, fds, count, (msg->msg_flags & MSG_CTRUNC) != 0);
}

enum handoff_result handoff_receive(int inbox, void *buffer, struct handoff_message *out,
                                    struct handoff_parts *parts)
{
    struct iovec iov = piece(buffer, HANDOFF_BYTES_MOST);
    union control control;
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = &control,
                         .msg_controllen = sizeof control};
    ssize_t n;
    *parts = (struct handoff_parts){-1, -1};
    do {
        n = recvmsg(inbox, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        return HANDOFF_NONE;
    int fds[DESCRIPTORS] = {-1, -1};
    enum handoff_result result = take_apart(&msg, (size_t)n, out, fds);
    if (n == 0 && fds[0] < 0) {
        errno = EPIPE; /* the other end is closed: for an inbox, by the master alone */
        return HANDOFF_NONE;
    }
    if (result != HANDOFF_TAKEN) {
        fd_close(&fds[0]);
        fd_close(&fds[1]);
    }
    *parts = (struct handoff_parts){fds[0], fds[1]};
    return result;
}
