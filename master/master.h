/* SPDX-License-Identifier: MIT */
/*
 * master - the supervisor: its state, and what its parts ask of it.
 *
 * Rule:    reads no byte of a client and runs no foreign code. Parts that need nothing of
 *          this struct (slot, policy, listener, channel, notify, ...) do not include it.
 */
#ifndef MASTER_MASTER_H
#define MASTER_MASTER_H

#include "common/heritage.h"
#include "conf/load.h"
#include "master/change.h"
#include "master/control.h"
#include "master/fault.h"
#include "master/flood.h"
#include "master/generation.h"
#include "master/inherit.h"
#include "master/lag.h"
#include "master/notify.h"
#include "master/oom.h"
#include "master/policy.h"
#include "master/slot.h"
#include "master/staffing.h"
#include "master/stop.h"
#include "master/upgrade.h"

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

enum master_phase {
    MASTER_STARTING, /* the first generation has not been committed */
    MASTER_RUNNING,  /* from here on it never exits by itself */
    MASTER_STOPPING
};

struct watchdog {
    ev_timer tick;
    uint64_t last_tick_ms;
    uint64_t judge_from_ms; /* no heartbeat counts as missing before that */
};

struct lag {
    ev_timer look;
    uint64_t period_ms; /* 0: it does not run */
    uint64_t last_look_ms;
    uint64_t judge_from_ms; /* as of the watchdog */
};

#define MASTER_MAGIC 0x6d617374u

struct master {
    unsigned magic;
    pid_t pid; /* ours, over every upgrade */
    enum master_phase phase;
    const struct conf_source
        *source; /* argv and environment, for a reload to read again */

    struct ev_loop *loop;
    ev_prepare turn; /* every turn ends in herd_turn() */
    ev_timer wake;   /* does nothing but end the wait */
    int signal_fd;
    ev_io signal_watcher;
    bool interrupted; /* one INT was seen */

    struct notify notify;
    char status[256]; /* last one told */
    struct inherited inherited;

    struct board *board;
    struct heritage heritage; /* filled anew before each fork */

    struct generation running;
    uint32_t last_number; /* of the newest generation, also one that failed */
    struct change change;
    struct stop stop;
    struct governor governor; /* of the running generation */
    unsigned want;            /* workers of it; TTIN and TTOU move it */

    struct slot slots[BOARD_WORKERS];
    unsigned slot_count; /* worker_slots */
    struct watchdog watchdog;
    struct lag lag;
    struct oom oom;
    struct flood flood; /* of obituaries */
    struct upgrade upgrade;

    struct control control;
    struct staffing staffing; /* what the operator has ordered of the workers */
    bool is_paused;           /* nobody accepts; whoever begins to serve is told */
    char told[256];           /* the status last told to who waits for an order */

    int exit_status;
};

/** The whole life of the server: takes the conf that `source` gave, returns the exit
 *  status after everything is closed. When it cannot start it says why in the log. */
int master_run(const struct conf_source *source, const struct launch *launch,
               struct conf *conf);

/** The same, from where the image before this one in the process stood. */
int master_resume(const struct conf_source *source, const struct launch *launch);

/** TERM and INT, QUIT: begins the end (stop.c). A quick one overtakes a graceful one. */
void master_stop(struct master *master, bool quick);

/** TTIN +1, TTOU -1; within 1 .. worker_slots. */
void master_scale(struct master *master, int by);

/** The logs by their names again, here and in every worker. 0, or an exit status with
 *  *fault. */
int master_reopen(struct master *master, struct fault *fault);

/** USR1: the same. */
void master_reopen_logs(struct master *master);

/** The first generation serves: pid file, address file, readiness. 0 or an exit status
 *  with *fault. */
int master_welcome(struct master *master, struct fault *fault);

/** Ends a start that cannot succeed; after the first READY never called. */
void master_give_up(struct master *master, const struct fault *fault);

/** The bound addresses, one per line, to server.address_file. 0 or an exit status with
 *  *fault. */
int master_publish_addresses(const struct master *master, struct fault *fault);

/** Start-up lines: listeners, slots and why, plugins. */
void master_log_plan(const struct generation *generation);

/** "2 workers x 8 threads = 16 slots" of the running generation. */
void master_capacity(const struct master *master, char *out, size_t size);

/** Tells systemd how things are, if that has changed. */
void master_tell_status(struct master *master);

/** READY=1: the first generation serves, or a reload is done. */
void master_tell_ready(struct master *master);

/** Tells systemd that a change ("reload", "upgrade") has changed nothing. */
void master_tell_refusal(struct master *master, const char *what, const char *why);

#endif
