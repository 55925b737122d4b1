/* SPDX-License-Identifier: MIT */
/*
 * fault - why something could not be done, for the operator.                [master]
 *
 * Owns:    nothing.
 * Called:  by everything that opens something at start or reload.
 * Fails:   never.
 */
#include "master/fault.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

int fault_set(struct fault *fault, int status, const char *format, ...)
{
    va_list args;

    fault->status = status;
    va_start(args, format);
    vsnprintf(fault->text, sizeof(fault->text), format, args);
    va_end(args);
    return status;
}

int fault_status_of(int error, int other)
{
    return error == EACCES || error == EPERM ? EXIT_PERMISSION : other;
}
