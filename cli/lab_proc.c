/* SPDX-License-Identifier: MIT */
/*
 * lab_proc - what the kernel says of a server's processes: memory, CPU time.      [lab]
 *
 * Called:  by the experiments.
 * Fails:   NAN or 0: figures for the reader, no verdict needs them.
 */
#include "cli/lab.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PROCESSES_MAX = 256, PATH_BYTES = 64 };

static size_t list_workers(pid_t master, pid_t out[static PROCESSES_MAX])
{
    char path[PATH_BYTES];
    size_t count = 0;
    FILE *in;

    (void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)master,
                   (int)master);
    in = fopen(path, "re");
    while (in != NULL && count < PROCESSES_MAX && fscanf(in, "%d", &out[count]) == 1)
        count++;
    if (in != NULL)
        fclose(in);
    return count;
}

/* Pss: a page that n processes share counts 1/n for each. */
static double read_pss(pid_t pid)
{
    char path[PATH_BYTES], line[256];
    double kib = NAN;
    FILE *in;

    (void)snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)pid);
    in = fopen(path, "re");
    while (in != NULL && isnan(kib) && fgets(line, sizeof(line), in) != NULL)
        if (strncmp(line, "Pss:", 4) == 0)
            kib = strtod(line + 4, NULL);
    if (in != NULL)
        fclose(in);
    return kib * 1024;
}

/* The 14th and 15th field of proc(5)'s stat, counted from behind the name. */
static double read_cpu(pid_t pid)
{
    enum { FIELDS_BEFORE = 11 };
    char path[PATH_BYTES], line[1024], *at;
    double ticks = 0;
    FILE *in;

    (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    in = fopen(path, "re");
    at = in != NULL && fgets(line, sizeof(line), in) != NULL ? strrchr(line, ')') : NULL;
    if (in != NULL)
        fclose(in);
    for (int i = 0; at != NULL && i <= FIELDS_BEFORE; i++)
        at = strchr(at + 1, ' ');
    if (at != NULL) {
        ticks = (double)strtoul(at, &at, 10);
        ticks += (double)strtoul(at, NULL, 10);
    }
    return ticks / (double)sysconf(_SC_CLK_TCK);
}

double lab_server_memory_bytes(const struct lab_server *server)
{
    pid_t worker[PROCESSES_MAX];
    double bytes;

    if (server == NULL)
        return NAN;
    bytes = read_pss(server->pid);
    for (size_t i = 0, n = list_workers(server->pid, worker); i < n; i++)
        bytes += read_pss(worker[i]);
    return bytes;
}

double lab_server_cpu_seconds(const struct lab_server *server)
{
    pid_t worker[PROCESSES_MAX];
    double seconds = 0;

    if (server == NULL)
        return 0;
    for (size_t i = 0, n = list_workers(server->pid, worker); i < n; i++)
        seconds += read_cpu(worker[i]);
    return seconds;
}
