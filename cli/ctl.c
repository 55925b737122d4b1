/* SPDX-License-Identifier: MIT */
/*
 * ctl - the verb: one order to a running server, and its answer.             [ctl]
 *
 * Owns:    what a show is handed.
 * Called:  by main.c.
 * Fails:   64 usage, 69 no server, 70 refused or failed, 71 what is shown cannot be written,
 *          75 busy or not in time, 77 not allowed.
 */
#include "cli/cli.h"
#include "cli/ctl_args.h"
#include "cli/ctl_say.h"
#include "cli/ctl_show.h"
#include "cli/ctl_talk.h"
#include "common/clock.h"
#include "common/fd.h"

#include <errno.h>
#include <signal.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- show ---- */

static int show_board(const struct ctl_args *args, const struct ctl_talk *talk,
                      const struct ctl_answer *answer)
{
    struct ctl_view_of view = {.board = board_open_reader(answer->fd),
                               .now_ms = clock_mono_ms(),
                               .pid = talk->pid,
                               .status = answer->text};

    if (view.board == NULL) {
        ctl_complain("the scoreboard cannot be read: %s",
                     errno == EPROTO ? "it is of another version" : strerror(errno));
        return CTL_REFUSED;
    }
    if (args->view == CTL_WORKERS)
        (args->is_json ? ctl_json_workers : ctl_show_workers)(stdout, &view);
    else if (args->view == CTL_LIMITS)
        (args->is_json ? ctl_json_limits : ctl_show_limits)(stdout, &view);
    else
        (args->is_json ? ctl_json_slots : ctl_show_slots)(stdout, &view);
    board_close(&view.board);
    return CTL_OK;
}

/* The whole of a file that nobody writes to; NULL with errno. */
static char *read_text(int fd)
{
    struct stat st;
    char *text = NULL;

    if (fstat(fd, &st) == 0)
        text = malloc((size_t)st.st_size + 1);
    if (text == NULL)
        return NULL;
    for (off_t at = 0; at < st.st_size;) {
        const ssize_t n = pread(fd, text + at, (size_t)(st.st_size - at), at);

        if (n == 0 || (n < 0 && errno != EINTR))
            st.st_size = at;
        at += n > 0 ? n : 0;
    }
    text[st.st_size] = '\0';
    return text;
}

static int show_text(const struct ctl_args *args, const struct ctl_answer *answer)
{
    char *text = read_text(answer->fd);

    if (text == NULL) {
        ctl_complain("the answer cannot be read: %s", strerror(errno));
        return CTL_REFUSED;
    }
    if (args->view == CTL_CONFIG)
        fputs(text, stdout);
    else
        (args->is_json ? ctl_json_listeners : ctl_show_listeners)(stdout, text);
    free(text);
    return CTL_OK;
}

static int show(const struct ctl_args *args, const struct ctl_talk *talk,
                struct ctl_answer *answer)
{
    int status;

    if (args->view == CTL_NO_VIEW) {
        if (args->verb != CONTROL_STOP)
            ctl_put(stdout, answer->text);
        fputs(args->verb == CONTROL_STOP ? "stopped\n" : "\n", stdout);
        return CTL_OK;
    }
    if (answer->fd < 0) {
        ctl_complain("the answer has come without what it should bring");
        return CTL_REFUSED;
    }
    status = args->verb == CONTROL_SHOW_BOARD ? show_board(args, talk, answer)
                                              : show_text(args, answer);
    fd_close(&answer->fd);
    return status;
}

/* The exit status says whether an order has taken, whatever becomes of the sentence; a show is
 * what could be written. `| head` has what it wants. */
static int deliver(const struct ctl_args *args)
{
    const bool is_written = fflush(stdout) == 0 && ferror(stdout) == 0;
    const int error = errno;

    if (is_written)
        return CTL_OK;
    __fpurge(stdout); /* or main() would try once more, and report that */
    if (error == EPIPE)
        return CTL_OK;
    ctl_complain("the answer cannot be written: %s", strerror(error));
    return args->view == CTL_NO_VIEW ? CTL_OK : CTL_SYSTEM;
}

int cli_ctl(char **words)
{
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    struct ctl_args args;
    struct ctl_talk talk;
    struct ctl_answer answer;
    int status = ctl_args_parse(&args, words, stderr);

    if (status != 0)
        return status;
    if (args.wants_help) {
        cli_help(stdout, CLI_CTL);
        return CTL_OK;
    }
    sigaction(SIGPIPE, &ignore, NULL); /* deliver() looks at it */
    status = ctl_open(&talk, &args);
    if (status != CTL_OK)
        return status;
    status = ctl_ask(&talk, &args, &answer);
    if (status == CTL_OK)
        status = show(&args, &talk, &answer);
    if (status == CTL_OK)
        status = deliver(&args);
    fd_close(&answer.fd);
    ctl_close(&talk);
    return status;
}
