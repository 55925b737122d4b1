/* SPDX-License-Identifier: MIT */
/*
 * control - the control socket's peers: who may ask, what they asked, what they are told.
 * Knows nothing of the master; command.c does.
 */
#ifndef MASTER_CONTROL_H
#define MASTER_CONTROL_H

#include "common/control.h"
#include "master/control_socket.h"

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum {
    CONTROL_PEERS = 8,
    CONTROL_PATIENCE_MS = 10000 /* for a peer to say what it wants */
};

struct control;

struct control_peer {
    struct control *control;
    int fd;          /* -1: this place is free */
    uint64_t number; /* of this peer; places are used again, numbers are not */
    uid_t uid;
    pid_t pid;
    uint32_t verb;        /* CONTROL_NOTHING: it has not said what it wants */
    bool has_begun;       /* what it waits for is under way */
    uint64_t deadline_ms; /* to say what it wants, monotonic */
    ev_io watcher;
};

/** A peer says what it wants: a well-formed ASK, its first. To be answered with
 *  control_answer, now or later. */
typedef void control_fn(struct control_peer *peer, const struct control_message *ask);

struct control {
    struct control_socket socket;
    struct ev_loop *loop;
    ev_io watcher;
    ev_timer again; /* after accept has failed */
    control_fn *on_ask;
    char file[CONTROL_TEXT]; /* what WELCOME says: the config file, absolute */
    uint64_t last_number, warned_ms;
    struct control_peer peer[CONTROL_PEERS];
};

/** For one that nobody has opened. */
void control_init(struct control *control);

/** Takes the socket over. `file`: the config file of this server; NULL: none. */
void control_open(struct control *control, struct ev_loop *loop,
                  const struct control_socket *socket, const char *file,
                  control_fn *on_ask);

/** The same, of one that an image before has left: socket, numbers and peers (descriptor, verb
 *  and what else is known of them) stand in it. */
void control_resume(struct control *control, struct ev_loop *loop, const char *file,
                    control_fn *on_ask);

/** All peers see EOF. Accepts a closed one. */
void control_close(struct control *control);

/** The last word to it: status 0 or why not, a descriptor or -1 (stays the caller's). The
 *  peer is gone afterwards. */
void control_answer(struct control_peer *peer, int status, const char *text, int passed);

/** NOTE or PROGRESS. A peer that does not read is dropped: false, it is gone. */
bool control_tell(struct control_peer *peer, enum control_type type, const char *text);

/** The peer of that number; NULL: it has gone. */
struct control_peer *control_find(struct control *control, uint64_t number);

/** Drops who has not said what it wants. When to look again, monotonic; UINT64_MAX: no
 *  need. */
uint64_t control_expire(struct control *control, uint64_t now_ms);

/** Pure: may a process of this user ask? `own`: ours; `overflow`: what the kernel shows for a
 *  user that has no number here. */
bool control_may_ask(uid_t uid, uid_t own, uid_t overflow, bool is_for_group);

#endif
