/* SPDX-License-Identifier: MIT */
/*
 * log - formats an event and writes it in one write(2).      [every process]
 *
 * Owns:    the level, the descriptor's number and the role of this process.
 * Called:  from everywhere, any thread; the setters only while there is one thread.
 * Fails:   silently: a log that cannot be written must not stop a server. A line longer
 *          than LOG_LINE bytes is cut and ends in "...".
 */
#include "common/log.h"

#include "common/clock.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LOG_LINE = 2048, LOG_ROLE = 32 };

static struct {
    atomic_int level;
    atomic_int fd;
    bool journal; /* fd 2 is the journal's socket */
    char role[LOG_ROLE];
} log_state = {.level = LOG_LEVEL_INFO, .fd = 2, .role = "remuda"};

struct line {
    size_t n;
    char text[LOG_LINE];
};

void log_set_level(enum log_level level)
{
    atomic_store_explicit(&log_state.level, (int)level, memory_order_relaxed);
}

void log_set_fd(int fd)
{
    atomic_store_explicit(&log_state.fd, fd, memory_order_relaxed);
}

int log_get_fd(void)
{
    return atomic_load_explicit(&log_state.fd, memory_order_relaxed);
}

void log_set_role(const char *role)
{
    snprintf(log_state.role, sizeof(log_state.role), "%s", role);
}

/* systemd sets JOURNAL_STREAM to device:inode of the socket it gave us; a stderr that was
 * redirected since does not match (systemd.exec(5)). */
void log_init(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    struct stat st;
    char ours[48];

    log_state.journal = false;
    if (stream == NULL || fstat(2, &st) != 0)
        return;
    snprintf(ours, sizeof(ours), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
    log_state.journal = strcmp(stream, ours) == 0;
}

bool log_is_on(enum log_level level)
{
    return (int)level <= atomic_load_explicit(&log_state.level, memory_order_relaxed);
}

static const char *level_name(enum log_level level)
{
    switch (level) {
    case LOG_LEVEL_ERROR:
        return "error";
    case LOG_LEVEL_WARN:
        return "warn";
    case LOG_LEVEL_INFO:
        return "info";
    case LOG_LEVEL_DEBUG:
        return "debug";
    }
    return "?";
}

static void put_prefix(struct line *line, enum log_level level, bool journal)
{
    char time[25];
    int n;

    if (journal) {
        n = snprintf(line->text, sizeof(line->text), "<%d>%s: ", (int)level,
                     log_state.role);
    } else {
        clock_format_iso(clock_wall_ms(), time);
        n = snprintf(line->text, sizeof(line->text), "%s %s %s: ", time,
                     level_name(level), log_state.role);
    }
    line->n = n > 0 ? (size_t)n : 0;
}

/* A message may carry bytes of a client: nothing in it may end the line or move a
 * terminal's cursor. */
static void put_escaped(struct line *line, const char *text)
{
    static const char hex[] = "0123456789abcdef";
    const size_t room = LOG_LINE - sizeof("\\xNN...\n");

    for (; *text != '\0' && line->n < room; text++) {
        unsigned char c = (unsigned char)*text;

        if (c >= 0x20 && c != 0x7f) {
            line->text[line->n++] = *text;
            continue;
        }
        line->text[line->n++] = '\\';
        line->text[line->n++] = 'x';
        line->text[line->n++] = hex[c >> 4];
        line->text[line->n++] = hex[c & 15];
    }
    if (*text != '\0') {
        memcpy(line->text + line->n, "...", 3);
        line->n += 3;
    }
    line->text[line->n++] = '\n';
}

void log_line(enum log_level level, const char *format, ...)
{
    int saved = errno;
    int fd = log_get_fd();
    char message[LOG_LINE];
    struct line line;
    va_list ap;

    if (!log_is_on(level) || fd < 0)
        return;
    va_start(ap, format);
    if (vsnprintf(message, sizeof(message), format, ap) < 0)
        message[0] = '\0';
    va_end(ap);
    put_prefix(&line, level, log_state.journal && fd == 2);
    put_escaped(&line, message);
    while (write(fd, line.text, line.n) < 0 && errno == EINTR)
        continue;
    errno = saved;
}
