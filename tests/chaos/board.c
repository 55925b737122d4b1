/* SPDX-License-Identifier: MIT */
/*
 * board - prints a running server's scoreboard at each line of its input.      [tests]
 *
 *     board /proc/PID/fd/N
 *
 * "worker INDEX STATE PID LOAD CONNECTIONS ANSWERED" for each one that lives, then
 * "audit LOAD UNEQUAL FROM TO SENT", SENT being the hand-offs so far, ASKs not among them.
 */
#include "common/scoreboard.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

static uint64_t answered(const struct board_counters *counters)
{
    uint64_t sum = 0;
    for (size_t i = 1; i < sizeof counters->responses / sizeof *counters->responses; i++)
        sum += counters->responses[i];
    return sum;
}

static void print_worker(const struct board_worker *w, unsigned index)
{
    if (w->state == BOARD_EMPTY)
        return;
    printf("worker %u %u %d %u %u %" PRIu64 "\n", index, w->state, w->pid, w->load,
           w->connections, answered(&w->counters));
}

static uint64_t sent_by(const struct board *board, unsigned s)
{
    uint64_t sum = 0;
    for (unsigned t = 0; t < board->worker_slots; t++)
        sum += board->worker[s].sent[t];
    return sum;
}

static void print_all(const struct board *board)
{
    struct board_audit audit = board_audit(board);
    uint64_t sent = 0;
    for (unsigned i = 0; i < board->worker_slots; i++) {
        print_worker(&board->worker[i], i);
        sent += sent_by(board, i);
    }
    printf("audit %" PRIu64 " %u %u %u %" PRIu64 "\n", audit.load, audit.unequal,
           audit.from, audit.to, sent);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    int fd = argc == 2 ? open(argv[1], O_RDWR | O_CLOEXEC) : -1;
    struct board *board = fd >= 0 ? board_open(fd) : NULL;
    if (board == NULL) {
        perror(argc == 2 ? argv[1] : "board PATH");
        return 1;
    }
    for (int byte; (byte = getchar()) != EOF;)
        if (byte == '\n')
            print_all(board);
    board_close(&board);
    close(fd);
    return 0;
}
