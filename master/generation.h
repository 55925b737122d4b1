/* SPDX-License-Identifier: MIT */
/*
 * generation - everything that a reload may replace, opened and closed as one.
 */
#ifndef MASTER_GENERATION_H
#define MASTER_GENERATION_H

#include "master/fault.h"
#include "master/image.h"
#include "master/inherit.h"
#include "master/listener.h"
#include "master/logs.h"

#include <stdint.h>

struct conf;

struct generation {
    uint32_t number;   /* from 1; never used twice */
    struct conf *conf; /* NULL: there is none */
    struct images images;
    struct listeners listeners;
    struct logs logs;
};

/** Opens what `conf` asks for beside `running` (conf NULL in it: the first start). Takes
 *  the conf in any case; the caller gives the number. 0, or an exit status with *fault
 *  and *next empty. */
int generation_open(struct generation *next, const struct generation *running,
                    const struct inherited *inherited, struct conf *conf,
                    struct fault *fault);

/** The change failed: closes what is new. *next is empty. */
void generation_abandon(struct generation *next);

/** The change is made: closes what only *running had, but for its listeners, which are in
 *  *dropped; *running is *next, *next is empty. */
void generation_commit(struct generation *running, struct generation *next,
                       struct listeners *dropped);

/** At exit. Accepts an empty one. */
void generation_close(struct generation *generation);

#endif
