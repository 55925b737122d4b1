/* SPDX-License-Identifier: MIT */
/*
 * reopen - the logs by their names again, here and in every worker.           [master]
 *
 * Owns:    nothing; replaces the descriptors of a generation.
 * Called:  by signals.c for SIGUSR1, by command.c.
 * Fails:   a log that cannot be opened leaves all of its generation as they were; a worker
 *          that cannot be told keeps its own.
 */
#include "common/log.h"
#include "conf/conf.h"
#include "master/master.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* One that has closed its channel is on its way out. */
static void send_log(struct master *master, uint32_t generation, enum message_log which,
                     int fd, struct fault *fault)
{
    for (unsigned i = 0; fd > STDERR_FILENO && i < master->slot_count; i++) {
        struct slot *slot = &master->slots[i];
        const bool newer = slot->generation > master->running.number;

        /* old generations write to the files of the running one */
        if (slot->state == SLOT_EMPTY || newer != (generation > master->running.number))
            continue;
        if (channel_send(&slot->channel, MESSAGE_LOGFD, which, fd) == 0 ||
            errno == EPIPE || errno == ECONNRESET)
            continue;
        fault_set(fault, EXIT_INTERNAL, "worker %u (pid %d) keeps its log: %s",
                  slot->index, (int)slot->pid, strerror(errno));
        log_warn("%s", fault->text);
    }
}

static void reopen(struct master *master, struct generation *generation,
                   struct fault *fault)
{
    struct logs fresh;

    if (logs_open(&fresh, &generation->conf->log, fault) != EXIT_OK) {
        log_error("logs not reopened: %s", fault->text);
        return;
    }
    send_log(master, generation->number, MESSAGE_LOG_ERROR, fresh.error_fd, fault);
    send_log(master, generation->number, MESSAGE_LOG_ACCESS, fresh.access_fd, fault);
    if (log_get_fd() == generation->logs.error_fd)
        log_set_fd(fresh.error_fd);
    logs_close(&generation->logs);
    generation->logs = fresh;
}

int master_reopen(struct master *master, struct fault *fault)
{
    fault->status = EXIT_OK;
    if (master->running.conf != NULL)
        reopen(master, &master->running, fault);
    if (master->change.active)
        reopen(master, &master->change.next, fault);
    if (fault->status == EXIT_OK)
        log_info("logs reopened");
    return fault->status;
}

void master_reopen_logs(struct master *master)
{
    struct fault fault;

    (void)master_reopen(master, &fault);
}
