/* SPDX-License-Identifier: MIT */
/*
 * message - packs, sends, receives and checks one record.    [master, worker]
 *
 * Owns:    nothing; a descriptor that was received is the caller's.
 * Called:  by master/channel.c and the worker's channel.
 * Fails:   -1 with errno. EPROTO closes what came along, so that a hostile sender cannot
 *          fill our descriptor table.
 */
#include "common/message.h"

#include "common/fd.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

static_assert(sizeof(struct message) == 512, "both ends of an upgrade must agree");

int message_send(int channel, enum message_type type, uint32_t generation, int32_t pid,
                 uint64_t arg, const char *text, int fd)
{
    struct message m = {.magic = MESSAGE_MAGIC,
                        .type = type,
                        .generation = generation,
                        .pid = pid,
                        .arg = arg};

    if (text != NULL)
        memcpy(m.text, text, strnlen(text, sizeof(m.text) - 1));
    return fd_send(channel, &m, sizeof(m), fd);
}

int message_recv(int channel, struct message *out, int *fd_out)
{
    long n = fd_recv(channel, out, sizeof(*out), fd_out);

    if (n < 0)
        return -1;
    if (n == 0) {
        fd_close(fd_out); /* an empty datagram reads as EOF but may bring one */
        return 0;
    }
    if (n != sizeof(*out) || out->magic != MESSAGE_MAGIC || out->type == 0 ||
        out->type >= MESSAGE_TYPES) {
        fd_close(fd_out);
        errno = EPROTO;
        return -1;
    }
    out->text[sizeof(out->text) - 1] = '\0';
    return 1;
}
