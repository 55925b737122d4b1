/* SPDX-License-Identifier: MIT */
/*
 * command_show - what `remuda ctl show` is handed: a descriptor to read.    [master]
 *
 * Owns:    nothing; the descriptor is the caller's. Whoever asked reads it in its own time,
 *          so that the master does no more for a look than to open one.
 * Called:  by command.c.
 * Fails:   with an exit status.
 */
#include "common/fd.h"
#include "conf/dump.h"
#include "master/backlog.h"
#include "master/command.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Opened anew, without the right to write. */
static int open_board(const struct master *master)
{
    char path[32];

    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", master->heritage.board_fd);
    return open(path, O_RDONLY | O_CLOEXEC);
}

static void write_config(FILE *out, const struct master *master, uint32_t flags)
{
    const enum conf_dump_mode mode =
        (flags & CONTROL_JSON) != 0 ? CONF_DUMP_JSON : CONF_DUMP_INI;

    conf_dump(out, master->running.conf, mode, (flags & CONTROL_DEFAULTS) != 0);
}

static void write_listeners(FILE *out, const struct master *master, uint32_t flags)
{
    const struct listeners *listeners = &master->running.listeners;

    (void)flags;
    for (size_t i = 0; i < listeners->count; i++) {
        uint32_t length, limit;

        backlog_read(listeners->item[i].fd, &length, &limit);
        (void)fprintf(out, "%" PRIu32 " %" PRIu32 " %s\n", length, limit,
                      listeners->item[i].name);
    }
}

typedef void write_fn(FILE *out, const struct master *master, uint32_t flags);

/* In memory: it never waits for a disk. */
static int open_text(const struct master *master, write_fn *write, uint32_t flags)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    bool is_whole;
    int fd = -1;

    if (out == NULL)
        return -1;
    write(out, master, flags);
    is_whole = ferror(out) == 0;
    is_whole = fclose(out) == 0 && is_whole;
    if (is_whole)
        fd = memfd_create("remuda-show", MFD_CLOEXEC);
    if (fd >= 0 && (fd_write_all(fd, text, size) < 0 || lseek(fd, 0, SEEK_SET) < 0))
        fd_close(&fd);
    free(text);
    return fd;
}

int command_show(struct master *master, const struct control_message *ask, int *fd_out,
                 struct fault *fault)
{
    *fd_out = -1;
    if (ask->verb == CONTROL_SHOW_BOARD)
        *fd_out = open_board(master);
    else if (master->running.conf == NULL)
        return fault_set(fault, EXIT_TEMPORARY, "the server is starting");
    else
        *fd_out = open_text(
            master, ask->verb == CONTROL_SHOW_CONFIG ? write_config : write_listeners,
            ask->flags);
    if (*fd_out >= 0)
        return EXIT_OK;
    return fault_set(fault, EXIT_OS, "%s: %s", control_verb_name(ask->verb),
                     strerror(errno));
}
