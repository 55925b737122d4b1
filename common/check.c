/* SPDX-License-Identifier: MIT */
/*
 * check - what happens when an assertion fails.              [every process]
 *
 * Owns:    nothing.
 * Called:  by CHECK and CHECK_OBJ.
 * Fails:   that is its purpose: one line to the error log, then abort(3).
 */
#include "common/check.h"

#include "common/log.h"

#include <stdlib.h>

void check_failed(const char *what, const char *file, int line, const char *func)
{
    log_error("bug: CHECK(%s) failed in %s at %s:%d", what, func, file, line);
    abort();
}
