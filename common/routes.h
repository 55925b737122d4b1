/* SPDX-License-Identifier: MIT */
/*
 * routes - what the numbers of a worker's routes mean to others.
 *
 * Written by the worker (W) before it is ready, and never changed: its index in the worker's
 * table is a route's name in the scoreboard, and plugins are loaded in workers alone.
 */
#ifndef COMMON_ROUTES_H
#define COMMON_ROUTES_H

#include "common/atomics.h"

#include <stdalign.h>

enum {
    BOARD_ROUTES = 256, /* of one worker; later ones have no name */
    BOARD_LABEL = 96,   /* "GET /api/hello", cut, with its NUL */
    BOARD_PLUGIN = 32
};

struct board_route {
    char label[BOARD_LABEL];
    char plugin[BOARD_PLUGIN];
};

struct board_routes {
    alignas(ATOMICS_LINE) _Atomic uint32_t count;
    uint32_t reserved[15];
    struct board_route item[BOARD_ROUTES];
};

/** Adds the next one, in the order of the table. */
void routes_add(struct board_routes *routes, const char *label, const char *plugin);

/** A copy, its texts terminated; "" for one that has no name. */
struct board_route routes_read(const struct board_routes *routes, uint32_t index);

#endif
