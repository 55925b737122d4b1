/* SPDX-License-Identifier: MIT */
/*
 * message - what master and worker say to each other: fixed-size records on one
 * SOCK_SEQPACKET pair, with at most one descriptor. EOF means that the other is gone.
 * The master treats what it reads here as hostile: type, size, generation and pid are
 * checked before anything else looks at them.
 */
#ifndef COMMON_MESSAGE_H
#define COMMON_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

enum message_type {
    /* worker to master */
    MESSAGE_READY = 1, /* arg 0: booted, in STANDBY; else an exit status, text says why */
    MESSAGE_RETIRE,    /* arg: enum message_retire; text says why */
    MESSAGE_BYE,       /* drained; leaves now */
    /* master to worker */
    MESSAGE_GO,          /* the change is committed: accept */
    MESSAGE_DRAIN,       /* arg: graceful time-out in ms */
    MESSAGE_LOGFD,       /* arg: enum message_log; the descriptor is the new log */
    MESSAGE_EMPTY_INBOX, /* arg: the index of a dead worker */
    MESSAGE_PAUSE,       /* arg 1: accept nothing until it is 0 again */
    MESSAGE_TYPES
};

enum message_log { MESSAGE_LOG_ERROR, MESSAGE_LOG_ACCESS };

/** Why a worker asks to be replaced. */
enum message_retire {
    MESSAGE_RETIRE_WORN =
        1,              /* max_requests, max_rss: it serves on until it is its turn */
    MESSAGE_RETIRE_LATE /* a handler does not end: its slot is lost until then */
};

enum { MESSAGE_TEXT = 480 };

struct message {
    uint32_t magic;      /* MESSAGE_MAGIC */
    uint32_t type;       /* enum message_type */
    uint32_t generation; /* of the worker, both ways */
    int32_t pid;         /* of the worker, both ways */
    uint64_t arg;
    uint64_t reserved;
    char text[MESSAGE_TEXT]; /* NUL-terminated by the receiver, whatever was sent */
};

#define MESSAGE_MAGIC 0x52444d31u /* "RDM1" */

/** Never waits. `text` may be NULL and is cut; fd -1: none. -1 with errno. */
int message_send(int channel, enum message_type type, uint32_t generation, int32_t pid,
                 uint64_t arg, const char *text, int fd);

/** 1: *out is well-formed. 0: EOF. -1 with errno: EAGAIN, or EPROTO for a malformed one
 *  (a descriptor that came along is closed). *fd_out: close-on-exec, or -1. */
int message_recv(int channel, struct message *out, int *fd_out);

#endif
