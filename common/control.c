/* SPDX-License-Identifier: MIT */
/*
 * control - packs, sends, receives and checks one record.   [master, ctl]
 *
 * Owns:    nothing; a descriptor that was received is the caller's.
 * Called:  by master/control.c, cli/ctl_find.c and cli/ctl_talk.c.
 * Fails:   -1 with errno. EPROTO closes what came along, so that a hostile sender cannot
 *          fill our descriptor table.
 */
#include "common/control.h"

#include "common/check.h"
#include "common/fd.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

static_assert(sizeof(struct control_message) == 1024, "the magic stands for this layout");

static const char *const names[CONTROL_VERBS] = {
    [CONTROL_NOTHING] = "?",
    [CONTROL_RELOAD] = "reload",
    [CONTROL_REOPEN] = "reopen",
    [CONTROL_STOP] = "stop",
    [CONTROL_PAUSE] = "pause",
    [CONTROL_RESUME] = "resume",
    [CONTROL_DRAIN] = "drain",
    [CONTROL_UNDRAIN] = "undrain",
    [CONTROL_WORKER_ADD] = "worker add",
    [CONTROL_WORKER_REMOVE] = "worker remove",
    [CONTROL_WORKER_RECYCLE] = "worker recycle",
    [CONTROL_SHOW_BOARD] = "show workers",
    [CONTROL_SHOW_CONFIG] = "show config",
    [CONTROL_SHOW_LISTENERS] = "show listeners",
    [CONTROL_UPGRADE] = "upgrade",
};

const char *control_verb_name(uint32_t verb)
{
    return verb < COUNT_OF(names) && names[verb] != NULL ? names[verb] : "?";
}

void control_set_text(struct control_message *message, const char *text)
{
    const size_t n = strnlen(text, sizeof(message->text) - 1);

    memcpy(message->text, text, n);
    message->text[n] = '\0';
}

int control_send(int fd, struct control_message *message, int passed)
{
    message->magic = CONTROL_MAGIC;
    return fd_send(fd, message, sizeof(*message), passed);
}

int control_recv(int fd, struct control_message *out, int *passed_out)
{
    const long n = fd_recv(fd, out, sizeof(*out), passed_out);

    if (n < 0)
        return -1;
    if (n == 0) {
        fd_close(passed_out); /* an empty datagram reads as EOF but may bring one */
        return 0;
    }
    if (n != sizeof(*out) || out->magic != CONTROL_MAGIC || out->type == 0 ||
        out->type >= CONTROL_TYPES) {
        fd_close(passed_out);
        errno = EPROTO;
        return -1;
    }
    out->text[sizeof(out->text) - 1] = '\0';
    return 1;
}
