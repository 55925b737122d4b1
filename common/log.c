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
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LOG_LINE = 2048, LOG_ROLE = 32 };

static struct {
    atomic_int level;
    atomic_int fd;
    atomic_uint lost; /* lines, for want of a reader; told of with the next one */
    bool journal;     /* fd 2 is the journal's socket */
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

unsigned log_get_lost(void)
{
    return atomic_load(&log_state.lost);
}

void log_set_lost(unsigned lines)
{
    atomic_store(&log_state.lost, lines);
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

bool log_is_control(unsigned char before, unsigned char c)
{
    return c < 0x20 || c == 0x7f || (before == 0xc2 && c >= 0x80 && c < 0xa0);
}

/* A message may carry bytes of a client: nothing in it may end the line or move a
 * terminal's cursor. False: it did not fit. */
static bool put(struct line *line, const char *text)
{
    static const char hex[] = "0123456789abcdef";
    const size_t room = LOG_LINE - sizeof("\\xNN...\n");
    unsigned char before = 0;

    for (; *text != '\0' && line->n < room; text++) {
        unsigned char c = (unsigned char)*text;

        if (!log_is_control(before, c)) {
            line->text[line->n++] = *text;
            before = c;
            continue;
        }
        before = 0;
        line->text[line->n++] = '\\';
        line->text[line->n++] = 'x';
        line->text[line->n++] = hex[c >> 4];
        line->text[line->n++] = hex[c & 15];
    }
    return *text == '\0';
}

static void begin_line(struct line *line, enum log_level level, int fd)
{
    char start[26];

    line->n = 0;
    if (log_state.journal && fd == 2) {
        start[0] = '<';
        start[1] = (char)('0' + (int)level);
        start[2] = '>';
        start[3] = '\0';
        put(line, start);
    } else {
        clock_format_iso(clock_wall_ms(), start);
        put(line, start);
        put(line, " ");
        put(line, level_name(level));
        put(line, " ");
    }
    put(line, log_state.role);
    put(line, ": ");
}

/* Never waits: a server must not stand still because the one who reads its log does. A pipe
 * has its O_NONBLOCK from whoever opened it; on a socket that others have too, this call
 * alone may not block. */
static ssize_t write_now(int fd, const char *text, size_t n)
{
    ssize_t written;

    do {
        written = send(fd, text, n, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (written < 0 && errno == ENOTSOCK)
            written = write(fd, text, n);
    } while (written < 0 && errno == EINTR);
    return written;
}

static void end_line(struct line *line, bool is_whole, int fd)
{
    if (!is_whole) {
        memcpy(line->text + line->n, "...", 3);
        line->n += 3;
    }
    line->text[line->n++] = '\n';
    if (write_now(fd, line->text, line->n) < 0 && errno == EAGAIN)
        atomic_fetch_add(&log_state.lost, 1);
}

/* Before the line that may be the first one that is read again. */
static void tell_lost(int fd)
{
    const unsigned lost = atomic_exchange(&log_state.lost, 0);
    char text[64];
    struct line line;

    if (lost == 0)
        return;
    snprintf(text, sizeof(text), "lines lost: %u, for whoever reads them is too slow",
             lost);
    begin_line(&line, LOG_LEVEL_WARN, fd);
    put(&line, text);
    line.text[line.n++] = '\n';
    if (write_now(fd, line.text, line.n) < 0)
        atomic_fetch_add(&log_state.lost, lost);
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
    tell_lost(fd);
    begin_line(&line, level, fd);
    end_line(&line, put(&line, message), fd);
    errno = saved;
}

void log_texts(enum log_level level, const char *const *texts, size_t count)
{
    int saved = errno;
    int fd = log_get_fd();
    bool is_whole = true;
    struct line line;

    if (!log_is_on(level) || fd < 0)
        return;
    begin_line(&line, level, fd);
    for (size_t i = 0; i < count && is_whole; i++)
        is_whole = put(&line, texts[i]);
    end_line(&line, is_whole, fd);
    errno = saved;
}
