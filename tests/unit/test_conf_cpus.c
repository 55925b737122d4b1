/* SPDX-License-Identifier: MIT */
/*
 * test_conf_cpus - workers = auto: affinity and the quotas of cgroups, in each of their
 * forms. A row is a small /sys/fs/cgroup in a directory of its own.
 */
#include "tests/unit/conf_fixture.h"

#include "common/check.h"
#include "conf/cpus.h"

struct row {
    const char *name;
    unsigned available;
    const char *self;    /* /proc/self/cgroup */
    const char *file[6]; /* path, content; pairs */
    unsigned want;
    const char *why;
};

static const struct row rows[] = {
    {"no cgroup at all", 4, "", {NULL}, 4, "4 CPUs by affinity"},
    {"one CPU", 1, "", {NULL}, 1, "1 CPU by affinity"},
    {"more than auto gives", 96, "", {NULL}, 64, "the most that auto gives, of 96 CPUs"},
    {"v2 without a quota",
     4,
     "0::/a\n",
     {"a/cpu.max", "max 100000\n"},
     4,
     "4 CPUs by affinity"},
    {"v2",
     8,
     "0::/a\n",
     {"a/cpu.max", "250000 100000\n"},
     3,
     "cgroup quota of 2.50 of 8 CPUs"},
    {"v2, a small share",
     8,
     "0::/a\n",
     {"a/cpu.max", "5000 100000\n"},
     1,
     "cgroup quota of 0.05 of 8 CPUs"},
    {"v2, a tiny share",
     8,
     "0::/a\n",
     {"a/cpu.max", "1 1000000\n"},
     1,
     "cgroup quota of 0.00 of 8 CPUs"},
    {"v2, the parent's is smaller",
     8,
     "0::/a/b\n",
     {"a/b/cpu.max", "400000 100000\n", "a/cpu.max", "200000 100000\n"},
     2,
     "cgroup quota of 2.00 of 8 CPUs"},
    {"v2, ours is smaller",
     8,
     "0::/a/b\n",
     {"a/b/cpu.max", "100000 100000\n", "a/cpu.max", "200000 100000\n"},
     1,
     "cgroup quota of 1.00 of 8 CPUs"},
    {"v2, a container sees the host's path",
     8,
     "0::/host/only\n",
     {"cpu.max", "200000 100000\n"},
     2,
     "cgroup quota of 2.00 of 8 CPUs"},
    {"v2, a quota above the affinity",
     2,
     "0::/\n",
     {"cpu.max", "400000 100000\n"},
     2,
     "2 CPUs by affinity"},
    {"v1",
     8,
     "3:memory:/a\n2:cpu,cpuacct:/a\n",
     {"cpu,cpuacct/a/cpu.cfs_quota_us", "150000\n", "cpu,cpuacct/a/cpu.cfs_period_us",
      "100000\n"},
     2,
     "cgroup quota of 1.50 of 8 CPUs"},
    {"v1 alone",
     8,
     "2:cpu:/\n",
     {"cpu/cpu.cfs_quota_us", "300000\n", "cpu/cpu.cfs_period_us", "100000\n"},
     3,
     "cgroup quota of 3.00 of 8 CPUs"},
    {"v1 without a quota",
     8,
     "2:cpu:/\n",
     {"cpu/cpu.cfs_quota_us", "-1\n", "cpu/cpu.cfs_period_us", "100000\n"},
     8,
     "8 CPUs by affinity"},
    {"v1, another controller's line",
     8,
     "2:cpuset:/\n",
     {"cpu/cpu.cfs_quota_us", "100000\n", "cpu/cpu.cfs_period_us", "100000\n"},
     8,
     "8 CPUs by affinity"},
    {"hybrid, the quota in v1",
     8,
     "0::/a\n2:cpu:/a\n",
     {"cpu/a/cpu.cfs_quota_us", "200000\n", "cpu/a/cpu.cfs_period_us", "100000\n"},
     2,
     "cgroup quota of 2.00 of 8 CPUs"},
    {"hybrid, the quota in v2",
     8,
     "0::/a\n2:memory:/a\n",
     {"unified/a/cpu.max", "200000 100000\n"},
     2,
     "cgroup quota of 2.00 of 8 CPUs"},
    {"nonsense", 8, "nonsense\n0::\n::\n", {"cpu.max", "few\n"}, 8, "8 CPUs by affinity"},
    {"a period of zero", 8, "0::/\n", {"cpu.max", "100000 0\n"}, 8, "8 CPUs by affinity"},
};

static void make_parents(const char *name)
{
    char path[128];

    for (const char *slash = strchr(name, '/'); slash != NULL;
         slash = strchr(slash + 1, '/')) {
        (void)snprintf(path, sizeof(path), "%s/%.*s", fixture_directory,
                       (int)(slash - name), name);
        (void)mkdir(path, 0755);
    }
}

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct row *row = &rows[i];
        struct cpus_view view = {.available = row->available};
        char why[CPUS_WHY];
        char *self;
        unsigned got;

        fixture_open();
        self = fixture_text("@/self");
        view.self = self;
        view.mount = fixture_directory;
        fixture_write("self", row->self);
        for (size_t k = 0; row->file[k] != NULL; k += 2) {
            make_parents(row->file[k]);
            fixture_write(row->file[k], row->file[k + 1]);
        }
        got = cpus_count(&view, why);
        fixture_close();
        free(self);
        if (got != row->want || strcmp(why, row->why) != 0)
            fail_msg("%s: %u, %s", row->name, got, why);
    }
}

static void test_here(void **state)
{
    char why[CPUS_WHY];
    unsigned n = cpus_count_here(why);

    (void)state;
    assert_in_range(n, 1, CPUS_MOST);
    assert_true(strlen(why) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_here),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
