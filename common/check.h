/* SPDX-License-Identifier: MIT */
/*
 * check - assertions that are always compiled in.            [every process]
 *
 * A failed CHECK is a bug of ours: the process says where and aborts, and the master
 * writes its obituary. Never CHECK bytes from the network, the config or a plugin.
 */
#ifndef COMMON_CHECK_H
#define COMMON_CHECK_H

#include <stddef.h>

/** Writes one line to the error log and aborts. */
_Noreturn void check_failed(const char *what, const char *file, int line,
                            const char *func);

#define CHECK(cond) ((cond) ? (void)0 : check_failed(#cond, __FILE__, __LINE__, __func__))

/** Every long-lived struct starts with `unsigned magic`, set at birth, cleared at death.
 */
#define CHECK_OBJ(ptr, type_magic) CHECK((ptr) != NULL && (ptr)->magic == (type_magic))

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#define CONTAINER_OF(ptr, type, member)                                                  \
    ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

#endif
