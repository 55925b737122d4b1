/* SPDX-License-Identifier: MIT */
/*
 * channel - the master's end of the pair to one worker.
 */
#ifndef MASTER_CHANNEL_H
#define MASTER_CHANNEL_H

#include "common/message.h"

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct channel;

/** `message` is checked: from the worker this channel belongs to, of a type a worker may
 *  send. NULL: the other end is closed; the channel is stopped and nothing more comes.
 *  May close the channel. */
typedef void channel_fn(struct channel *channel, const struct message *message);

struct channel {
    int fd; /* -1: closed */
    pid_t pid;
    uint32_t generation;
    bool complained; /* about malformed messages, once */
    channel_fn *on_message;
    struct ev_loop *loop;
    ev_io watcher;
};

/** For a channel nobody has opened. */
void channel_init(struct channel *channel);

/** Takes over fd (non-blocking). */
void channel_open(struct channel *channel, struct ev_loop *loop, int fd,
                  channel_fn *on_message);

/** The other end's process; set after fork, before the loop runs. */
void channel_set_peer(struct channel *channel, pid_t pid, uint32_t generation);

/** Is something sent that the worker has not read yet? */
bool channel_is_unheard(const struct channel *channel);

/** Reads what is there, now: the last words of a process that has just ended. */
void channel_drain(struct channel *channel);

/** Accepts a closed one. */
void channel_close(struct channel *channel);

/** `passed`: a descriptor to go with it, still the caller's; or -1. -1 with errno: the
 *  worker does not read (EAGAIN) or is gone. */
int channel_send(struct channel *channel, enum message_type type, uint64_t arg,
                 int passed);

#endif
