/* SPDX-License-Identifier: MIT */
/*
 * ctl_talk - asks a server, waits for the answer.                            [ctl]
 *
 * Owns:    nothing; the connection is ctl_find.c's.
 * Called:  by ctl.c.
 * Fails:   with a line on stderr and an exit status. Never waits where --timeout is not
 *          looked at.
 */
#include "cli/ctl_talk.h"

#include "cli/ctl_say.h"
#include "common/clock.h"
#include "common/fd.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

enum { PROGRESS_MS = 1000, STATUS_LEAST = 64, STATUS_MOST = 78 };

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

int ctl_hear(const struct ctl_talk *talk, uint64_t until_ms, struct control_message *out,
             int *passed_out)
{
    struct pollfd server = {.fd = talk->fd, .events = POLLIN};
    int got;

    while ((got = control_recv(talk->fd, out, passed_out)) < 0 && errno == EAGAIN) {
        const uint64_t now_ms = clock_mono_ms();

        if (now_ms >= until_ms) {
            errno = ETIMEDOUT;
            return -1;
        }
        (void)poll(&server, 1, (int)earlier(until_ms - now_ms, INT_MAX));
    }
    return got < 0 && errno == ECONNRESET ? 0 : got;
}

/* Never 0, nor what a shell would take for something else. */
int ctl_status_of(const struct control_message *refusal)
{
    return refusal->status < STATUS_LEAST || refusal->status > STATUS_MOST
               ? CTL_REFUSED
               : refusal->status;
}

/* ---- an order ---- */

/* Its socket is closed as one of the last things; the process is gone a little later. */
static int await_end(const struct ctl_talk *talk)
{
    struct pollfd process = {.fd = talk->process_fd, .events = POLLIN};
    uint64_t now_ms = clock_mono_ms();

    while (process.fd >= 0 && now_ms < talk->until_ms) {
        const uint64_t left_ms = earlier(talk->until_ms - now_ms, INT_MAX);

        if (poll(&process, 1, (int)left_ms) > 0)
            return CTL_OK;
        now_ms = clock_mono_ms();
    }
    return process.fd < 0 ? CTL_OK : CTL_AGAIN;
}

static int on_silence(const struct ctl_args *args)
{
    ctl_complain("%s: not done within --timeout; the server goes on with it",
                 control_verb_name(args->verb));
    return CTL_AGAIN;
}

static int on_eof(const struct ctl_talk *talk, const struct ctl_args *args)
{
    if (args->verb == CONTROL_STOP)
        return await_end(talk) == CTL_OK ? CTL_OK : on_silence(args);
    ctl_complain("the server has gone before it had answered");
    return CTL_REFUSED;
}

/* Until the answer, EOF or the end of patience; a terminal sees that time passes. */
static int await(const struct ctl_talk *talk, const struct ctl_args *args,
                 struct ctl_answer *answer)
{
    const uint64_t begin_ms = clock_mono_ms();
    uint64_t look_ms = begin_ms + PROGRESS_MS;
    struct control_message message;
    int got;

    for (;;) {
        got = ctl_hear(talk, earlier(look_ms, talk->until_ms), &message, &answer->fd);
        if (got < 0 && errno == ETIMEDOUT && clock_mono_ms() < talk->until_ms) {
            ctl_progress(control_verb_name(args->verb),
                         (look_ms - begin_ms) / PROGRESS_MS, answer->text);
            look_ms += PROGRESS_MS;
            continue;
        }
        if (got < 0 && errno == ETIMEDOUT)
            return on_silence(args);
        if (got <= 0)
            return on_eof(talk, args);
        if (message.type == CONTROL_DONE) {
            memcpy(answer->text, message.text, sizeof(answer->text));
            if (message.status == CTL_OK)
                return CTL_OK;
            ctl_complain("%s", message.text);
            return ctl_status_of(&message);
        }
        fd_close(&answer->fd);
        if (message.type == CONTROL_NOTE)
            ctl_complain("%s", message.text);
        else
            memcpy(answer->text, message.text, sizeof(answer->text));
    }
}

int ctl_ask(struct ctl_talk *talk, const struct ctl_args *args, struct ctl_answer *answer)
{
    struct control_message ask = {.type = CONTROL_ASK,
                                  .verb = args->verb,
                                  .worker = args->worker,
                                  .flags = (args->is_quick ? CONTROL_QUICK : 0) |
                                           (args->is_json ? CONTROL_JSON : 0) |
                                           (args->has_defaults ? CONTROL_DEFAULTS : 0)};
    int status;

    *answer = (struct ctl_answer){.fd = -1};
    if (control_send(talk->fd, &ask, -1) < 0) {
        ctl_complain("the server does not listen: %s", strerror(errno));
        return CTL_REFUSED;
    }
    status = await(talk, args, answer);
    ctl_progress_end();
    if (status != CTL_OK)
        fd_close(&answer->fd);
    return status;
}
