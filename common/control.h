/* SPDX-License-Identifier: MIT */
/*
 * control - what `remuda ctl` and the master say to each other: fixed-size records on a
 * SOCK_SEQPACKET connection, with at most one descriptor. One connection, one question:
 *
 *   master: WELCOME    client: ASK    master: NOTE and PROGRESS, any number, then DONE
 *
 * or DONE at once, to one that may not ask or for whom there is no room. EOF before DONE
 * means that the other is gone. Each side treats what it reads as hostile.
 */
#ifndef COMMON_CONTROL_H
#define COMMON_CONTROL_H

#include <stdint.h>

enum control_type {
    CONTROL_WELCOME = 1, /* pid: the master's; text: its config file, or "" */
    CONTROL_ASK,         /* verb, worker, flags */
    CONTROL_NOTE,        /* text: a line that belongs to the answer */
    CONTROL_PROGRESS,    /* text: how things are, while one waits */
    CONTROL_DONE,        /* status: 0 or why not; text says it; perhaps a descriptor */
    CONTROL_TYPES
};

/** A number is a verb for ever: client and master may be of different versions. */
enum control_verb {
    CONTROL_NOTHING,
    CONTROL_RELOAD,
    CONTROL_REOPEN,
    CONTROL_STOP,
    CONTROL_PAUSE,
    CONTROL_RESUME,
    CONTROL_DRAIN,
    CONTROL_UNDRAIN,
    CONTROL_WORKER_ADD,
    CONTROL_WORKER_REMOVE,
    CONTROL_WORKER_RECYCLE,
    CONTROL_SHOW_BOARD,     /* DONE brings the scoreboard, to read */
    CONTROL_SHOW_CONFIG,    /* DONE brings a file of text */
    CONTROL_SHOW_LISTENERS, /* the same: "LENGTH LIMIT NAME" a line; 0 0: not known */
    CONTROL_UPGRADE,
    CONTROL_VERBS
};

enum control_flags {
    CONTROL_QUICK = 1,   /* of stop */
    CONTROL_JSON = 2,    /* of show config */
    CONTROL_DEFAULTS = 4 /* the same */
};

enum { CONTROL_ANY_WORKER = -1, CONTROL_TEXT = 992 };

struct control_message {
    uint32_t magic; /* CONTROL_MAGIC; changes with the layout */
    uint32_t type;
    uint32_t verb;
    int32_t status;
    int32_t worker; /* its index, or CONTROL_ANY_WORKER */
    uint32_t flags;
    int32_t pid;
    uint32_t reserved;
    char text[CONTROL_TEXT]; /* NUL-terminated by the receiver, whatever was sent */
};

#define CONTROL_MAGIC 0x52444331u /* "RDC1" */

/** "worker recycle", "show config"; "?" for one that this version does not know. */
const char *control_verb_name(uint32_t verb);

/** Cuts it to its field. */
void control_set_text(struct control_message *message, const char *text);

/** Never waits; fills in the magic. passed -1: no descriptor. -1 with errno. */
int control_send(int fd, struct control_message *message, int passed);

/** 1: *out is well-formed. 0: EOF. -1 with errno: EAGAIN, or EPROTO for a malformed one
 *  (a descriptor that came along is closed). *passed_out: close-on-exec, or -1. */
int control_recv(int fd, struct control_message *out, int *passed_out);

#endif
