/* SPDX-License-Identifier: MIT */
/*
 * oom - reads oom_kill of our own cgroup.                    [master]
 *
 * Owns:    the descriptor of the file, which is read again at each question.
 * Called:  by master.c at start and end, by reap.c for each worker that was killed.
 * Fails:   never. The kernel counts before it kills (mm/oom_kill.c), so a counter that has
 *          not moved when the victim is reaped means that it was somebody else.
 *
 * A container often sees the path of its group on the host but only its own subtree under
 * /sys/fs/cgroup: where the path is not there, the root of the mount is ours.
 */
#include "master/oom.h"

#include "common/fd.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_SIZE = 4096 };

static bool read_count(int fd, uint64_t *count_out)
{
    static const char name[] = "oom_kill ";
    char text[1024];
    const ssize_t n = fd < 0 ? -1 : pread(fd, text, sizeof(text) - 1, 0);

    if (n <= 0)
        return false;
    text[n] = '\0';
    for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, name, sizeof(name) - 1) == 0) {
            *count_out = strtoull(line + sizeof(name) - 1, NULL, 10);
            return true;
        }
    }
    return false;
}

/* -1 where there is no such file, or no counter in it (version 1 before Linux 4.13). */
static int open_counter(const char *mount, const char *middle, const char *path,
                        const char *file)
{
    char name[2 * PATH_SIZE];
    uint64_t count;
    int fd;

    if ((size_t)snprintf(name, sizeof(name), "%s%s%s/%s", mount, middle, path, file) >=
        sizeof(name))
        return -1;
    fd = open(name, O_RDONLY | O_CLOEXEC);
    if (!read_count(fd, &count))
        fd_close(&fd);
    return fd;
}

static int open_v2(const char *mount, const char *path)
{
    static const char *const middles[] = {"", "/unified"};
    int fd = -1;

    for (size_t i = 0; i < 4 && fd < 0; i++)
        fd = open_counter(mount, middles[i % 2], i < 2 ? path : "", "memory.events");
    return fd;
}

static int open_v1(const char *mount, const char *path)
{
    int fd = open_counter(mount, "/memory", path, "memory.oom_control");

    return fd >= 0 ? fd : open_counter(mount, "/memory", "", "memory.oom_control");
}

static bool names_memory(const char *controllers, const char *end)
{
    static const char name[] = "memory";
    const size_t n = sizeof(name) - 1;

    while (controllers < end) {
        const char *comma = memchr(controllers, ',', (size_t)(end - controllers));
        const char *stop = comma != NULL ? comma : end;

        if ((size_t)(stop - controllers) == n && strncmp(controllers, name, n) == 0)
            return true;
        controllers = stop + 1;
    }
    return false;
}

/* A line is "0::/path" (version 2) or "4:cpu,memory:/path" (version 1). */
static int open_of_line(const char *mount, char *line)
{
    char *controllers = strchr(line, ':');
    char *path = controllers == NULL ? NULL : strchr(controllers + 1, ':');

    line[strcspn(line, "\n")] = '\0';
    if (path == NULL)
        return -1;
    const char *end = path++;
    if (strcmp(path, "/") == 0)
        path++;
    if (++controllers == end)
        return open_v2(mount, path);
    return names_memory(controllers, end) ? open_v1(mount, path) : -1;
}

void oom_open(struct oom *oom, const char *self, const char *mount)
{
    char line[PATH_SIZE];
    FILE *f = fopen(self, "re");

    *oom = (struct oom){.fd = -1};
    while (f != NULL && oom->fd < 0 && fgets(line, sizeof(line), f) != NULL)
        oom->fd = open_of_line(mount, line);
    if (f != NULL)
        (void)fclose(f);
    (void)read_count(oom->fd, &oom->seen);
}

void oom_close(struct oom *oom)
{
    fd_close(&oom->fd);
}

bool oom_is_known(const struct oom *oom)
{
    return oom->fd >= 0;
}

void oom_look(struct oom *oom, uint64_t now_ms)
{
    uint64_t count;

    if (now_ms - oom->moved_ms > OOM_MATCH_MS)
        oom->unmatched = 0;
    if (!read_count(oom->fd, &count) || count <= oom->seen)
        return;
    oom->unmatched += (unsigned)(count - oom->seen);
    oom->moved_ms = now_ms;
    oom->seen = count;
}

bool oom_explains(struct oom *oom, uint64_t now_ms)
{
    oom_look(oom, now_ms);
    if (oom->unmatched == 0)
        return false;
    oom->unmatched--;
    return true;
}
