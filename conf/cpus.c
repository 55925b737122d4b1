/* SPDX-License-Identifier: MIT */
/*
 * cpus - how many processors this process may really use.    [master]
 *
 * Owns:    nothing.
 * Called:  by load.c for workers = auto.
 * Fails:   never; what cannot be read is no limit.
 *
 * A container often sees the path of its group on the host but only its own subtree under
 * /sys/fs/cgroup: paths that are not there are skipped, and the walk up ends at the
 * mount, where the container's own limit is. See cgroups(7), and cpu.max in the kernel's
 * cgroup-v2.rst.
 */
#include "conf/cpus.h"

#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_SIZE = 4096 };

/* A quota in thousandths of a processor; 0: none. */
typedef unsigned long read_quota(const char *directory);

static bool read_line(const char *directory, const char *name, char out[static 64])
{
    char path[PATH_SIZE + 64];
    FILE *f;
    bool good;

    (void)snprintf(path, sizeof(path), "%s/%s", directory, name);
    f = fopen(path, "re");
    if (f == NULL)
        return false;
    good = fgets(out, 64, f) != NULL;
    (void)fclose(f);
    return good;
}

static unsigned long thousandths(long long quota, long long period)
{
    if (quota <= 0 || period <= 0 || quota > LLONG_MAX / 1000)
        return 0;
    if (quota * 1000 / period == 0)
        return 1;
    return (unsigned long)(quota * 1000 / period);
}

/* cpu.max: "max 100000" or "150000 100000". */
static unsigned long read_quota_v2(const char *directory)
{
    char text[64];
    char *rest;
    long long quota;

    if (!read_line(directory, "cpu.max", text))
        return 0;
    quota = strtoll(text, &rest, 10);
    return rest == text ? 0 : thousandths(quota, strtoll(rest, NULL, 10));
}

static unsigned long read_quota_v1(const char *directory)
{
    char quota[64];
    char period[64];

    if (!read_line(directory, "cpu.cfs_quota_us", quota) ||
        !read_line(directory, "cpu.cfs_period_us", period))
        return 0;
    return thousandths(strtoll(quota, NULL, 10), strtoll(period, NULL, 10));
}

static unsigned long smaller(unsigned long a, unsigned long b)
{
    if (a == 0 || b == 0)
        return a + b; /* 0 is no limit */
    return a < b ? a : b;
}

/* The smallest quota of the groups from mount/path up to the mount. */
static unsigned long walk_up(const char *mount, const char *path, read_quota *read)
{
    char directory[PATH_SIZE];
    unsigned long quota = 0;
    size_t base = strlen(mount);
    int n = snprintf(directory, sizeof(directory), "%s%s", mount, path);

    if (n < 0 || (size_t)n >= sizeof(directory))
        return 0;
    for (;;) {
        char *slash;

        quota = smaller(quota, read(directory));
        slash = strrchr(directory, '/');
        if (slash == NULL || slash < directory + base)
            return quota;
        *slash = '\0';
    }
}

static bool names_cpu(const char *controllers, size_t n)
{
    while (n > 0) {
        size_t k = 0;

        while (k < n && controllers[k] != ',')
            k++;
        if (k == 3 && strncmp(controllers, "cpu", 3) == 0)
            return true;
        k += k < n;
        controllers += k;
        n -= k;
    }
    return false;
}

/* Some systems mount the controllers together, some have links, some neither. */
static unsigned long quota_v1(const char *mount, const char *path)
{
    static const char *const names[] = {"/cpu", "/cpu,cpuacct", "/cpuacct,cpu"};
    char directory[PATH_SIZE];
    unsigned long quota = 0;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        (void)snprintf(directory, sizeof(directory), "%s%s", mount, names[i]);
        quota = smaller(quota, walk_up(directory, path, read_quota_v1));
    }
    return quota;
}

static unsigned long quota_v2(const char *mount, const char *path)
{
    char unified[PATH_SIZE];

    (void)snprintf(unified, sizeof(unified), "%s/unified", mount);
    return smaller(walk_up(mount, path, read_quota_v2),
                   walk_up(unified, path, read_quota_v2));
}

/* A line is "0::/path" (version 2) or "4:cpu,cpuacct:/path" (version 1). */
static unsigned long quota_of_line(const char *mount, char *line)
{
    char *controllers = strchr(line, ':');
    char *path;

    line[strcspn(line, "\n")] = '\0';
    if (controllers == NULL || (path = strchr(controllers + 1, ':')) == NULL)
        return 0;
    controllers++;
    if (path == controllers)
        return quota_v2(mount, path + 1);
    if (names_cpu(controllers, (size_t)(path - controllers)))
        return quota_v1(mount, path + 1);
    return 0;
}

static unsigned long cgroup_quota(const struct cpus_view *view)
{
    char line[PATH_SIZE];
    unsigned long quota = 0;
    FILE *f = fopen(view->self, "re");

    if (f == NULL)
        return 0;
    while (fgets(line, sizeof(line), f) != NULL)
        quota = smaller(quota, quota_of_line(view->mount, line));
    (void)fclose(f);
    return quota;
}

static unsigned affinity(void)
{
    enum { MOST = 8192 };
    cpu_set_t *set = CPU_ALLOC(MOST);
    unsigned n = 1;

    if (set == NULL)
        return n;
    if (sched_getaffinity(0, CPU_ALLOC_SIZE(MOST), set) == 0)
        n = (unsigned)CPU_COUNT_S(CPU_ALLOC_SIZE(MOST), set);
    CPU_FREE(set);
    return n > 0 ? n : 1;
}

unsigned cpus_count(const struct cpus_view *view, char why[static CPUS_WHY])
{
    unsigned available = view->available != 0 ? view->available : affinity();
    unsigned long quota = cgroup_quota(view);
    unsigned long by_quota = (quota + 999) / 1000;
    unsigned count = available;

    (void)snprintf(why, CPUS_WHY, "%u CPU%s by affinity", available,
                   available == 1 ? "" : "s");
    if (quota != 0 && by_quota < available) {
        count = (unsigned)by_quota;
        (void)snprintf(why, CPUS_WHY, "cgroup quota of %lu.%02lu of %u CPUs",
                       quota / 1000, quota % 1000 / 10, available);
    }
    if (count > CPUS_MOST) {
        (void)snprintf(why, CPUS_WHY, "the most that auto gives, of %u CPUs", count);
        count = CPUS_MOST;
    }
    return count;
}

unsigned cpus_count_here(char why[static CPUS_WHY])
{
    static const struct cpus_view here = {"/proc/self/cgroup", "/sys/fs/cgroup", 0};

    return cpus_count(&here, why);
}
