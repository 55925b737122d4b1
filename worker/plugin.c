/* SPDX-License-Identifier: MIT */
/*
 * plugin - the plugins of this worker and the routes they bring. [worker]
 *
 * Owns:    struct plugin and struct route, for the life of the process.
 * Called:  by worker.c: load, start, stop; read by everyone who runs a handler.
 * Fails:   with lines through `complain` and an exit status: 78 the plugin or its options,
 *          70 its start.
 */
#include "worker/plugin.h"

#include "common/check.h"
#include "common/log.h"
#include "conf/conf.h"
#include "http/router.h"
#include "worker/coro.h"
#include "worker/ctx.h"
#include "worker/fault.h"
#include "worker/plugin_open.h"
#include "worker/plugin_options.h"
#include "worker/self.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_PLUGIN = 78, EXIT_START = 70, MODE_MASK = 0xff };

struct plugins {
    struct plugin *item;
    size_t count;
    struct route **route;
    uint32_t route_count;
};

typedef void (*complain_fn)(const char *line);

static int complain_of(const struct plugin *p, const char *what, const char *why,
                       complain_fn complain)
{
    char line[PLUGIN_WHY_BYTES + 128];
    snprintf(line, sizeof line, "plugin %s: %s%s", p->name, what, why);
    complain(line);
    return 1;
}

/* ---- routes ---- */

enum { EXIT_NO_MEMORY = 71 };

void *plugin_memory(void *p)
{
    if (p != NULL)
        return p;
    log_error("cannot start: out of memory");
    _exit(EXIT_NO_MEMORY);
}

static char *join_path(const char *mount, const char *path)
{
    size_t n = strlen(mount);
    while (n > 0 && mount[n - 1] == '/')
        n--;
    char *joined = NULL;
    int written = asprintf(&joined, "%.*s%s", (int)n, mount, path);
    return plugin_memory(written >= 0 ? joined : NULL);
}

/* What is endless by nature has no limit. */
static struct overtime *overtime_of(struct plugin *p, const struct route *r)
{
    return p->conf->request_timeout_ms == 0 || r->is_long ? NULL : &p->overtime;
}

static struct route *route_create(struct worker *w, struct plugin *p,
                                  const remuda_route *declared)
{
    struct plugins *all = w->plugins;
    struct route *r = plugin_memory(calloc(1, sizeof *r));
    all->route = plugin_memory(
        realloc(all->route, (all->route_count + 1) * sizeof(struct route *)));
    r->plugin = p;
    r->fn = declared->fn;
    r->mode = declared->mode & MODE_MASK;
    r->is_long = (declared->mode & REMUDA_LONG) != 0;
    r->is_stream_in = (declared->mode & REMUDA_STREAM_IN) != 0;
    r->arg = declared->arg;
    r->pattern = join_path(p->conf->mount, declared->path);
    int written = asprintf(&r->label, "%s %s", declared->method, r->pattern);
    r->label = plugin_memory(written >= 0 ? r->label : NULL);
    r->index = all->route_count;
    r->body_bytes = p->conf->body_bytes;
    r->body_timeout_ms = p->conf->body_timeout_ms;
    r->body_rate_bytes = p->conf->body_min_rate_bytes;
    r->overtime = overtime_of(p, r);
    all->route[all->route_count++] = r;
    return r;
}

static const char *wrong_with(const remuda_route *r)
{
    if (r->method == NULL || r->path == NULL || r->fn == NULL)
        return "a route needs a method, a path and a function";
    if (http_method_of(slice_of(r->method)) == HTTP_METHOD_NONE)
        return "unknown method";
    if ((r->mode & MODE_MASK) > REMUDA_EVENT)
        return "unknown mode";
    return r->path[0] == '/' ? NULL : "a path must begin with '/'";
}

static int add_routes(struct worker *w, struct plugin *p, complain_fn complain)
{
    const remuda_plugin *d = p->declared;
    int mistakes = 0;
    for (size_t i = 0; d->routes != NULL; i++) {
        const remuda_route *declared =
            (const void *)((const char *)d->routes + i * d->route_size);
        if (declared->method == NULL && declared->path == NULL && declared->fn == NULL)
            break;
        const char *wrong = wrong_with(declared);
        const char *label = declared->path != NULL ? declared->path : "?";
        if (wrong == NULL) {
            struct route *r = route_create(w, p, declared);
            label = r->label;
            wrong = http_router_add(w->router, http_method_of(slice_of(declared->method)),
                                    r->pattern, r);
        }
        char what[PLUGIN_WHY_BYTES];
        snprintf(what, sizeof what, "route %s: ", label);
        if (wrong != NULL)
            mistakes += complain_of(p, what, wrong, complain);
    }
    return mistakes;
}

/* ---- life ---- */

static int call_check(struct worker *w, struct plugin *p, complain_fn complain)
{
    if (p->declared->check == NULL)
        return 0;
    struct remuda_ctx c;
    ctx_init(&c, CTX_PLUGIN, w);
    c.plugin = p;
    int rc = p->declared->check(&c);
    ctx_fini(&c);
    return rc == 0 ? 0
                   : complain_of(p, "its check refuses the options: ", strerror(abs(rc)),
                                 complain);
}

static int load_one(struct worker *w, size_t i, complain_fn complain)
{
    struct plugin *p = &w->plugins->item[i];
    p->conf = &w->conf->plugins.item[i];
    p->name = p->conf->name;
    overtime_init(&p->overtime, w, p->conf->request_timeout_ms);
    char why[PLUGIN_WHY_BYTES];
    void *handle = NULL;
    fault_set_plugin(p->name);
    p->declared = plugin_open(&w->heritage->image[i], &handle, why);
    if (p->declared == NULL)
        return complain_of(p, why, "", complain);
    if (w->coros != NULL)
        coro_pool_learn(w->coros, handle);
    int mistakes = plugin_options_load(p, complain);
    if (mistakes == 0)
        mistakes += call_check(w, p, complain);
    return mistakes + add_routes(w, p, complain);
}

/* For the obituary and whoever shows requests: plugins are known here alone. */
static void publish_routes(const struct worker *w)
{
    const struct heritage *h = w->heritage;
    for (uint32_t i = 0; h->board != NULL && i < w->plugins->route_count; i++) {
        const struct route *r = w->plugins->route[i];
        routes_add(&h->board->routes[h->index], r->label, r->plugin->name);
    }
}

int plugins_load(struct worker *w, complain_fn complain)
{
    size_t count = w->conf->plugins.count;
    CHECK(count <= w->heritage->image_count);
    w->plugins = plugin_memory(calloc(1, sizeof *w->plugins));
    w->router = plugin_memory(http_router_create());
    w->plugins->item = plugin_memory(calloc(count + 1, sizeof *w->plugins->item));
    w->plugins->count = count;
    int mistakes = 0;
    for (size_t i = 0; i < count; i++)
        mistakes += load_one(w, i, complain);
    fault_set_plugin(NULL);
    publish_routes(w);
    return mistakes == 0 ? 0 : EXIT_PLUGIN;
}

static int start_one(struct worker *w, struct plugin *p)
{
    if (p->declared->start == NULL)
        return 0;
    struct remuda_ctx c;
    ctx_init(&c, CTX_PLUGIN, w);
    c.plugin = p;
    fault_set_plugin(p->name);
    int rc = p->declared->start(&c, &p->state);
    fault_set_plugin(NULL);
    ctx_fini(&c);
    return rc;
}

int plugins_start(struct worker *w, complain_fn complain)
{
    for (size_t i = 0; i < w->plugins->count; i++) {
        struct plugin *p = &w->plugins->item[i];
        int rc = start_one(w, p);
        if (rc != 0) {
            complain_of(p, "its start failed: ", strerror(abs(rc)), complain);
            return EXIT_START;
        }
        p->is_started = true;
    }
    return 0;
}

void plugins_stop(struct worker *w)
{
    for (size_t i = w->plugins->count; i > 0; i--) {
        struct plugin *p = &w->plugins->item[i - 1];
        if (!p->is_started || p->declared->stop == NULL)
            continue;
        struct remuda_ctx c;
        ctx_init(&c, CTX_PLUGIN, w);
        c.plugin = p;
        p->declared->stop(&c, p->state);
        ctx_fini(&c);
    }
}

void plugins_log_routes(const struct worker *w)
{
    static const char *const mode_name[] = {"sync", "async", "event"};
    for (uint32_t i = 0; i < w->plugins->route_count; i++) {
        const struct route *r = w->plugins->route[i];
        log_info("route %s: %s (%s)", r->label, r->plugin->name, mode_name[r->mode]);
    }
}

const struct route *plugins_route(const struct plugins *p, uint32_t index)
{
    return index < p->route_count ? p->route[index] : NULL;
}

void plugins_destroy(struct plugins **plugins)
{
    struct plugins *p = *plugins;
    if (p == NULL)
        return;
    for (uint32_t i = 0; i < p->route_count; i++) {
        free(p->route[i]->label);
        free(p->route[i]->pattern);
        free(p->route[i]);
    }
    for (size_t i = 0; i < p->count; i++) {
        overtime_fini(&p->item[i].overtime);
        free(p->item[i].options);
    }
    free(p->route);
    free(p->item);
    free(p);
    *plugins = NULL;
}

const struct plugin_option *plugin_option_find(const struct plugin *p, const char *name)
{
    for (size_t i = 0; i < p->option_count; i++) {
        if (strcmp(p->options[i].name, name) == 0)
            return &p->options[i];
    }
    return NULL;
}
