/* SPDX-License-Identifier: MIT */
/*
 * plugin - the shared objects of this worker: loaded, checked, started, stopped.  [worker]
 *
 * Loaded after fork, never closed: foreign code never runs with the master's rights, and a
 * constructor that crashes ends a worker that was not ready yet.
 */
#ifndef WORKER_PLUGIN_H
#define WORKER_PLUGIN_H

#include "include/remuda.h"
#include "worker/overtime.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conf_plugin;
struct plugin;
struct plugins;
struct worker;

struct route {
    const struct plugin *plugin;
    remuda_handler fn;
    uint32_t mode;     /* REMUDA_SYNC, _ASYNC, _EVENT */
    bool is_long;      /* REMUDA_LONG */
    bool is_stream_in; /* REMUDA_STREAM_IN */
    void *arg;
    char *label;    /* "GET /api/hello" */
    char *pattern;  /* "/api/hello" */
    uint32_t index; /* in the worker's table; the scoreboard's name for it */
    uint64_t body_bytes, body_timeout_ms, body_rate_bytes;
    struct overtime *overtime; /* NULL: its handler has no limit */
};

/** A declared option with its value from the ini, or its fallback. */
struct plugin_option {
    const char *name, *text;
    int64_t number; /* INT; bytes of SIZE, milliseconds of DURATION, 0/1 of BOOL */
};

/** One [plugin NAME]: an instance. The same file may be mounted twice. */
struct plugin {
    const char *name;
    const struct conf_plugin *conf;
    const remuda_plugin *declared;
    struct plugin_option *options;
    size_t option_count;
    void *state; /* what start stored */
    bool is_started;
    struct overtime overtime; /* where request_timeout is not 0 */
};

/** Loads and checks every plugin and builds w->router. On failure an exit status (78), with
 *  one line for each mistake through `complain`; all plugins are looked at. */
int plugins_load(struct worker *w, void (*complain)(const char *line));

/** Calls each start, in order. 0, or an exit status (70) with one line. */
int plugins_start(struct worker *w, void (*complain)(const char *line));

/** p, or the end of a worker that has not begun: nothing works without it. */
void *plugin_memory(void *p);

/** Calls stop of what was started, last first. */
void plugins_stop(struct worker *w);

/** One line for each route: "GET /hello  hello (sync)". */
void plugins_log_routes(const struct worker *w);

/** The route with that index; NULL past the last. */
const struct route *plugins_route(const struct plugins *p, uint32_t index);

/** Memory only: the shared objects stay. */
void plugins_destroy(struct plugins **p);

/** NULL when not declared. */
const struct plugin_option *plugin_option_find(const struct plugin *p, const char *name);

#endif
