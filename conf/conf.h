/* SPDX-License-Identifier: MIT */
/*
 * conf - the effective configuration, as one immutable struct.
 *
 * Owns:    struct conf and every string in it. Immutable after conf_load (load.h); one
 *          owner, who calls conf_destroy. Strings are never NULL: what is not set is "".
 * Called:  by master/ (start, reload), worker/ (reads), dump.h (shows and compares).
 * Fails:   never; load.h reports what is wrong.
 * Fields:  named as the keys of options.def, with the unit appended (_ms, _bytes).
 */
#ifndef CONF_CONF_H
#define CONF_CONF_H

#include "common/log.h"
#include "conf/words.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** Where a value came from, weakest first: a stronger source replaces a weaker one. */
enum conf_from {
    CONF_FROM_DEFAULT,
    CONF_FROM_FILE,        /* the ini, its drop-ins and includes */
    CONF_FROM_CONVENTION,  /* PORT, WEB_CONCURRENCY */
    CONF_FROM_ENVIRONMENT, /* REMUDA__SECTION__KEY */
    CONF_FROM_DEFINE,      /* -D section.key=value */
    CONF_FROM_FLAG         /* -b ADDR, PLUGIN */
};

struct conf_origin {
    enum conf_from from;
    const char *name; /* file, variable, definition or flag */
    int line;         /* in a file, else 0 */
};

struct conf_list {
    const char *const *item;
    size_t count;
};

struct conf_pair {
    const char *key, *value;
    struct conf_origin origin;
    const char
        *secret; /* the reference as written when it came from ${file:}, else NULL */
};

struct conf_pairs {
    const struct conf_pair *item;
    size_t count;
};

struct conf_server {
    struct conf_list
        listen;       /* "HOST:PORT", "*:PORT", "unix:/path", "fd:NAME"; never empty */
    unsigned workers; /* auto is resolved */
    const char *workers_why; /* for the start-up line: "4 CPUs by affinity" */
    enum conf_class klass;
    unsigned threads;
    const char *user, *group;
    uid_t uid; /* of user; (uid_t)-1: stay who we are */
    gid_t gid; /* of group, else of user; (gid_t)-1: stay */
    int umask; /* -1: leave it */
    const char *chdir, *pid_file;
    unsigned backlog;
    unsigned worker_slots; /* auto is resolved */
    struct conf_list plugin_path;
    const char *health_path, *address_file, *env_file;
    struct conf_list trusted_proxies; /* as common/network.h reads them */
    enum conf_proxy proxy_protocol;
    enum conf_forwarded forwarded_header;
    bool request_id; /* X-Request-Id, in and out */
};

struct conf_limits {
    uint64_t request_line_bytes, header_size_bytes, body_bytes, body_buffer_bytes;
    const char *body_dir;
    unsigned header_fields, per_address;
    uint64_t head_timeout_ms, body_timeout_ms;
    uint64_t body_min_rate_bytes; /* per second; 0: no minimum */
    uint64_t write_timeout_ms, keepalive_ms;
    uint64_t write_min_rate_bytes;                /* per second; 0: any byte will do */
    uint64_t request_timeout_ms, slow_request_ms; /* 0: off */
    unsigned queue_limit;
    uint64_t queue_timeout_ms;
    unsigned worker_connections;
};

struct conf_worker {
    uint64_t boot_timeout_ms, heartbeat_timeout_ms, graceful_timeout_ms, drain_delay_ms;
    unsigned max_inflight;
    unsigned max_requests, max_requests_jitter; /* 0: never */
    uint64_t max_rss_bytes;                     /* 0: no limit */
    uint64_t loop_block_ms, event_heartbeat_ms, coroutine_stack_bytes;
};

struct conf_log {
    const char *access;        /* "off", "-" (stdout) or a path */
    const char *access_format; /* "combined", "json", or a pattern with % letters */
    const char *error;         /* "-" (stderr) or a path */
    enum log_level level;
};

struct conf_admin {
    struct conf_list listen; /* empty: off */
    const char *admin_group;
};

struct conf_plugin {
    const char *name;
    const char *path;  /* the file found: holds a slash */
    const char *mount; /* begins with a slash; "/" is the root */
    /* own, or of [limits] */
    uint64_t body_bytes, body_timeout_ms, body_min_rate_bytes, request_timeout_ms;
    struct conf_pairs options; /* the plugin's own keys; its declaration checks them */
    struct conf_origin origin; /* of the section */
};

struct conf_plugins {
    const struct conf_plugin *item;
    size_t count;
};

struct conf_book; /* texts and origins of all values; private */

struct conf {
    unsigned magic;
    const char *file; /* the main file, or "" */
    struct conf_server server;
    struct conf_limits limits;
    struct conf_worker worker;
    struct conf_log log;
    struct conf_admin admin;
    struct conf_pairs env; /* env_file first, then [env] */
    struct conf_plugins plugins;
    struct conf_book *book;
};

/** Takes it out of the caller's hand; accepts NULL. */
void conf_destroy(struct conf **conf);

/** [env] and env_file into this process's environment. -1 with errno. Workers only. */
int conf_env_apply(const struct conf *conf);

/** "remuda.ini:12", "environment PORT", "-D log.level=debug", "default". Always ends. */
void conf_origin_format(const struct conf_origin *origin, char *out, size_t size);

#endif
