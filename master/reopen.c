/* SPDX-License-Identifier: MIT */
/*
 * reopen - the logs by their names again, here and in every worker.           [master]
 *
 * Owns:    nothing; replaces the descriptors of a generation.
 * Called:  by signals.c for SIGUSR1.
 * Fails:   a log that cannot be opened leaves all of its generation as they were.
 */
#include "common/log.h"
#include "conf/conf.h"
#include "master/master.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static void send_log(struct master *master, uint32_t generation, enum message_log which,
                     int fd)
{
    for (unsigned i = 0; fd > STDERR_FILENO && i < master->slot_count; i++) {
        struct slot *slot = &master->slots[i];
        const bool newer = slot->generation > master->running.number;

        /* old generations write to the files of the running one */
        if (slot->state == SLOT_EMPTY || newer != (generation > master->running.number))
            continue;
        if (channel_send(&slot->channel, MESSAGE_LOGFD, which, fd) < 0)
            log_warn("worker %u (pid %d) keeps its log: %s", slot->index, (int)slot->pid,
                     strerror(errno));
    }
}

static int reopen(struct master *master, struct generation *generation)
{
    struct fault fault;
    struct logs fresh;

    if (logs_open(&fresh, &generation->conf->log, &fault) != EXIT_OK) {
        log_error("logs not reopened: %s", fault.text);
        return -1;
    }
    send_log(master, generation->number, MESSAGE_LOG_ERROR, fresh.error_fd);
    send_log(master, generation->number, MESSAGE_LOG_ACCESS, fresh.access_fd);
    if (log_get_fd() == generation->logs.error_fd)
        log_set_fd(fresh.error_fd);
    logs_close(&generation->logs);
    generation->logs = fresh;
    return 0;
}

void master_reopen_logs(struct master *master)
{
    int failed = 0;

    if (master->running.conf != NULL)
        failed |= reopen(master, &master->running);
    if (master->change.active)
        failed |= reopen(master, &master->change.next);
    if (failed == 0)
        log_info("logs reopened");
}
