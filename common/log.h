/* SPDX-License-Identifier: MIT */
/*
 * log - the error log: one line per event, one write per line.  [every process]
 *
 * The level, the role ("master", "worker 3") and the time are added here, never by the
 * caller. With stderr on the journal the line starts with <n> and has no time.
 * Messages are an interface: one line per life event, and tests match them.
 */
#ifndef COMMON_LOG_H
#define COMMON_LOG_H

#include <stdbool.h>
#include <stddef.h>

enum log_level {
    LOG_LEVEL_ERROR = 3,
    LOG_LEVEL_WARN = 4,
    LOG_LEVEL_INFO = 6,
    LOG_LEVEL_DEBUG = 7
};

/** Lines above this level are dropped. Default: LOG_LEVEL_INFO. */
void log_set_level(enum log_level level);

/** Where lines go from now on; the descriptor stays the caller's. Default: 2. */
void log_set_fd(int fd);

/** Descriptor in use. */
int log_get_fd(void);

/** Who speaks; copied, at most 31 bytes. */
void log_set_role(const char *role);

/** Looks at $JOURNAL_STREAM and fd 2; called once by main. */
void log_init(void);

/** Lines that were lost and not told of yet: an upgrade takes their number along. */
unsigned log_get_lost(void);
void log_set_lost(unsigned lines);

bool log_is_on(enum log_level level);

/** Would it move a terminal's cursor, behind that other byte? Those of UTF-8 too: U+0080 to
 *  U+009F are 0xc2 and the byte. */
bool log_is_control(unsigned char before, unsigned char c);

/** Any thread. errno is kept. Control bytes in the message are written as \xNN. */
void log_line(enum log_level level, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** The same, of texts that are put one after the other: async-signal-safe. */
void log_texts(enum log_level level, const char *const *texts, size_t count);

#define log_error(...) log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...)  log_line(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...)  log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)                                                                   \
    (log_is_on(LOG_LEVEL_DEBUG) ? log_line(LOG_LEVEL_DEBUG, __VA_ARGS__) : (void)0)

#endif
