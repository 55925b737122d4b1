/* SPDX-License-Identifier: MIT */
/*
 * control_path - where the control socket of a server is.    [master, ctl]
 *
 * Owns:    nothing.
 * Called:  by master/control_socket.c and cli/ctl_find.c.
 * Fails:   false; *out is "".
 */
#include "common/control_path.h"

#include "common/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char ending[] = ".ini";

bool control_name(const char *file, char out[static CONTROL_NAME])
{
    const char *slash = file == NULL ? NULL : strrchr(file, '/');
    const char *base = file == NULL ? "" : slash == NULL ? file : slash + 1;
    size_t n = strlen(base);

    out[0] = '\0';
    if (n >= sizeof(ending) && strcmp(base + n - (sizeof(ending) - 1), ending) == 0)
        n -= sizeof(ending) - 1;
    if (n >= CONTROL_NAME)
        return false;
    if (base[0] == '.') /* no folder of ours: "..", ".ini" */
        return true;
    memcpy(out, base, n);
    out[n] = '\0';
    return true;
}

static bool set(char out[static CONTROL_PATH], int n)
{
    if (n < CONTROL_PATH)
        return true;
    out[0] = '\0';
    return false;
}

/* systemd names several in one variable, with colons between them. */
static bool in_runtime(const char *all, char out[static CONTROL_PATH])
{
    const size_t n = strcspn(all, ":");

    return n < CONTROL_PATH &&
           set(out, snprintf(out, CONTROL_PATH, "%.*s/control.sock", (int)n, all));
}

bool control_path(enum control_home home, const char *name, char out[static CONTROL_PATH])
{
    static const char *const variable[CONTROL_HOMES] = {
        [CONTROL_HOME_RUNTIME] = "RUNTIME_DIRECTORY",
        [CONTROL_HOME_XDG] = "XDG_RUNTIME_DIR",
    };
    const char *directory;

    CHECK((size_t)home < COUNT_OF(variable));
    directory = variable[home] == NULL ? "/run" : getenv(variable[home]);
    out[0] = '\0';
    if (directory == NULL || directory[0] != '/')
        return false;
    if (home == CONTROL_HOME_RUNTIME)
        return in_runtime(directory, out);
    return name[0] != '\0' &&
           set(out,
               snprintf(out, CONTROL_PATH, "%s/remuda/%s/control.sock", directory, name));
}
