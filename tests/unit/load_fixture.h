/* SPDX-License-Identifier: MIT */
/*
 * load_fixture - a scoreboard of three workers that serve.        [tests]
 */
#ifndef LOAD_FIXTURE_H
#define LOAD_FIXTURE_H

#include "common/fd.h"
#include "worker/load.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { S, T, U, WORKERS, LIMIT = 8 };

static struct board *board;
static int board_fd;

static inline void serve(unsigned index, uint32_t generation)
{
    struct board_worker *w = &board->worker[index];
    board_set32(&w->generation, generation);
    board_set32(&w->threads, LIMIT);
    board_set32(&w->fd_room, 1000);
    board_set32(&w->state, BOARD_SERVING);
}

static inline int open_workers(void **state)
{
    (void)state;
    board = board_create(&board_fd);
    if (board == NULL)
        return -1;
    board_set32(&board->worker_slots, WORKERS);
    for (unsigned i = 0; i < WORKERS; i++)
        serve(i, 1);
    return 0;
}

static inline int close_workers(void **state)
{
    (void)state;
    board_close(&board);
    fd_close(&board_fd);
    return 0;
}

#endif
