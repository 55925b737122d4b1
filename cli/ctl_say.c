/* SPDX-License-Identifier: MIT */
/*
 * ctl_say - what `remuda ctl` prints beside its answer.                     [ctl]
 *
 * Owns:    whether a line of progress stands on the terminal.
 * Called:  by ctl_talk.c and ctl_show.c.
 * Fails:   never.
 */
#include "cli/ctl_say.h"

#include "common/control.h"
#include "common/log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <unistd.h>

enum { PROGRESS_COLUMNS = 56 };

static const char erase_line[] = "\r\x1b[K";

static bool is_line_there;

void ctl_put(FILE *out, const char *text)
{
    unsigned char before = 0;

    for (; *text != '\0'; text++) {
        const unsigned char c = (unsigned char)*text;

        if (log_is_control(before, c))
            fprintf(out, "\\x%02x", c);
        else
            fputc(c, out);
        before = c;
    }
}

void ctl_progress_end(void)
{
    if (is_line_there)
        fputs(erase_line, stderr);
    is_line_there = false;
}

void ctl_progress(const char *verb, uint64_t seconds, const char *status)
{
    char cut[PROGRESS_COLUMNS + 1]; /* a longer line could not be erased again */

    if (isatty(STDERR_FILENO) == 0)
        return;
    ctl_progress_end();
    fprintf(stderr, "%s: %" PRIu64 " s%s", verb, seconds, status[0] == '\0' ? "" : ", ");
    (void)snprintf(cut, sizeof(cut), "%s", status);
    ctl_put(stderr, cut);
    (void)fflush(stderr);
    is_line_there = true;
}

void ctl_complain(const char *format, ...)
{
    char text[2 * CONTROL_TEXT];
    va_list ap;

    va_start(ap, format);
    (void)vsnprintf(text, sizeof(text), format, ap);
    va_end(ap);
    ctl_progress_end();
    fputs("remuda: ", stderr);
    ctl_put(stderr, text);
    fputc('\n', stderr);
}
