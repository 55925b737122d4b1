/* SPDX-License-Identifier: MIT */
/*
 * routes - writes and reads the names of a worker's routes.  [every process]
 *
 * Owns:    nothing.
 * Called:  by the worker at boot; read by the obituary, and by whoever shows a request.
 * Fails:   never; a name that is too long is cut.
 */
#include "common/routes.h"

#include <string.h>

static void put_text(char *field, size_t size, const char *text)
{
    if (memccpy(field, text, '\0', size - 1) == NULL)
        field[size - 1] = '\0';
}

void routes_add(struct board_routes *routes, const char *label, const char *plugin)
{
    const uint32_t count = board_get32(&routes->count);

    if (count >= BOARD_ROUTES)
        return;
    put_text(routes->item[count].label, BOARD_LABEL, label);
    put_text(routes->item[count].plugin, BOARD_PLUGIN, plugin);
    board_set32(&routes->count, count + 1);
}

struct board_route routes_read(const struct board_routes *routes, uint32_t index)
{
    struct board_route route = {.label = ""};

    if (index >= BOARD_ROUTES || index >= board_get32(&routes->count))
        return route;
    route = routes->item[index];
    route.label[BOARD_LABEL - 1] = '\0';
    route.plugin[BOARD_PLUGIN - 1] = '\0';
    return route;
}
