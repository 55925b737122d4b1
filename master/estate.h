/* SPDX-License-Identifier: MIT */
/*
 * estate - what one master image leaves to the next, as a struct and as text.
 *
 * The text goes over exec in a sealed memfd: a first line with the version of the format, one
 * line per record of fields NAME=VALUE, a last line with their number. A field that is
 * missing, a number out of range or a cut text is refused; a field or a record that this
 * image does not know is passed over, so that a later one may leave more.
 */
#ifndef MASTER_ESTATE_H
#define MASTER_ESTATE_H

#include "common/arena.h"
#include "conf/retell.h"
#include "master/control.h"
#include "master/fault.h"
#include "master/flood.h"
#include "master/listener.h"
#include "master/oom.h"
#include "master/policy.h"
#include "master/slot.h"

#include <limits.h>

enum {
    ESTATE_VERSION = 1,
    ESTATE_NAMED = 16, /* named descriptors */
    ESTATE_NAME = 32,
    ESTATE_BYTES_MOST = 16 * 1024 * 1024
};

/** What the two images must have in common, since old workers go on under the new master and
 *  pass connections to new ones. */
struct estate_abi {
    uint32_t board, message, inbox;
};

/** Numbers of the master itself; times are monotonic. */
struct estate_self {
    uint64_t saved_ms;
    uint32_t number;      /* of the running generation */
    uint32_t last_number; /* ever given */
    uint32_t want, worker_slots;
    struct governor governor;
    struct flood flood;
    struct oom oom;
    uint32_t log_lost; /* lines, not told of yet */
    bool reload_waits, upgrade_waits, is_paused;
    int board_fd, error_log_fd, access_log_fd; /* a log: -1 off, 1 and 2 standard */
    char binary[PATH_MAX]; /* where an upgrade looks for the next one */
    char version[64];      /* of who wrote this */
    char refusal[512];     /* this is the way back, and why; "": the way there */
};

/** The control socket (fd -1: off), and what it remembers. */
struct estate_control {
    struct control_socket socket;
    uint64_t last_number, warned_ms;
};

/** One descriptor that a part of the master wants to keep: it finds it by the name. */
struct estate_named {
    char name[ESTATE_NAME];
    int fd;
};

struct estate {
    struct estate_abi abi;
    struct estate_self self;
    struct estate_control control;
    struct slot slot[BOARD_WORKERS]; /* those with a process; channel.fd, doom_text */
    size_t slot_count;
    struct control_peer peer[CONTROL_PEERS]; /* those that are there */
    size_t peer_count;
    struct heritage_inbox inbox[BOARD_WORKERS + 1]; /* the common one comes first */
    size_t inbox_count;
    struct listener listener[HERITAGE_LISTENERS];
    size_t listener_count;
    struct heritage_image image[HERITAGE_IMAGES]; /* in the order of the plugins */
    size_t image_count;
    struct estate_named named[ESTATE_NAMED];
    size_t named_count;
    struct conf_told *told; /* of the running configuration; heap */
    size_t told_count;
    struct arena texts; /* copies of what was told here */
    char *read;         /* all that was read; strings point into it */
};

/** Zeroed, on the heap. NULL: out of memory. */
struct estate *estate_create(void);

/** Closes nothing. */
void estate_destroy(struct estate **estate);

/** Adds one, copied; false: there is no room for it. */
bool estate_add_told(struct estate *estate, const struct conf_told *told);
bool estate_add_named(struct estate *estate, const char *name, int fd);

/** The descriptor of that name, which is the caller's from now on; -1: none. */
int estate_take_named(struct estate *estate, const char *name);

/** Calls fn for every descriptor in it, with what it is. */
typedef void estate_fd_fn(void *arg, const char *what, int fd);
void estate_each_fd(const struct estate *estate, estate_fd_fn *fn, void *arg);

/** A sealed, close-on-exec memfd with the text. -1 with errno. */
int estate_write(const struct estate *estate);

/** The estate that such a descriptor holds; NULL with *fault: it is none, or not one for
 *  this image. The descriptor stays the caller's. */
struct estate *estate_read(int fd, struct fault *fault);

#endif
