/* SPDX-License-Identifier: MIT */
/*
 * generation - everything that a reload may replace, opened and closed as one.  [master]
 *
 * Owns:    config, plugin images, listening sockets and logs of one generation.
 * Called:  by master.c for the first start (a change from nothing) and by reload.c.
 * Fails:   a fault; then nothing of the new one is left and the running one is untouched.
 */
#include "master/generation.h"

#include "conf/conf.h"

#include <string.h>

static int open_parts(struct generation *next, const struct generation *running,
                      const struct inherited *inherited, struct fault *fault)
{
    const struct listeners *shared = running->conf == NULL ? NULL : &running->listeners;

    if (images_open(&next->images, next->conf, fault) != EXIT_OK)
        return fault->status;
    if (logs_open(&next->logs, &next->conf->log, fault) != EXIT_OK)
        return fault->status;
    return listeners_open(&next->listeners, shared, inherited, &next->conf->server,
                          fault);
}

int generation_open(struct generation *next, const struct generation *running,
                    const struct inherited *inherited, struct conf *conf,
                    struct fault *fault)
{
    memset(next, 0, sizeof(*next));
    next->conf = conf;
    next->logs = (struct logs){.error_fd = LOGS_CLOSED, .access_fd = LOGS_CLOSED};
    if (open_parts(next, running, inherited, fault) == EXIT_OK)
        return EXIT_OK;
    generation_abandon(next);
    return fault->status;
}

static void close_unshared(struct generation *generation)
{
    logs_close(&generation->logs);
    images_close(&generation->images);
    conf_destroy(&generation->conf);
}

void generation_abandon(struct generation *next)
{
    listeners_abandon(&next->listeners);
    close_unshared(next);
}

void generation_commit(struct generation *running, struct generation *next,
                       struct listeners *dropped)
{
    listeners_commit(&running->listeners, &next->listeners, dropped);
    if (running->conf != NULL)
        close_unshared(running);
    running->number = next->number;
    running->conf = next->conf;
    running->images = next->images;
    running->logs = next->logs;
    memset(next, 0, sizeof(*next));
}

void generation_close(struct generation *generation)
{
    if (generation->conf == NULL)
        return;
    listeners_close(&generation->listeners);
    close_unshared(generation);
}
