/* SPDX-License-Identifier: MIT */
/*
 * lab_server - servers for an experiment: this same program, on loopback, port 0.  [lab]
 *
 * A server is a process group of its own, so that a Ctrl-C is ours alone to answer. The
 * kernel tells it to end at once when we die, whatever we die of.
 *
 * Owns:    the servers' processes, the directory of their logs and addresses.
 * Called:  by the experiments; lab_run.c cleans up after them.
 * Fails:   lab_fail with the reason; the end of the log goes to stderr.
 */
#include "cli/lab_run.h"

#include "cli/lab_spawn.h"
#include "common/check.h"
#include "common/clock.h"
#include "common/fd.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    READY_MS = 60000, /* forty workers under a sanitizer take their time */
    STOP_MS = 10000,
    LOOK_MS = 20, /* how often a process is looked at that nothing tells us of */
    LOG_LINES = 15
};

/* ---- files ---- */

static bool make_directory(struct lab *lab)
{
    const char *parent = getenv("TMPDIR");

    if (lab->directory[0] != '\0')
        return true;
    (void)snprintf(lab->directory, sizeof(lab->directory), "%s/remuda-lab-XXXXXX",
                   parent == NULL || parent[0] != '/' ? P_tmpdir : parent);
    if (mkdtemp(lab->directory) != NULL)
        return true;
    lab_fail(lab, "no directory %s: %s", lab->directory, strerror(errno));
    lab->directory[0] = '\0';
    return false;
}

static void name_file(const struct lab *lab, const struct lab_server *server,
                      const char *what, char out[static PATH_MAX])
{
    const int n = snprintf(out, PATH_MAX, "%s/%zu.%s", lab->directory,
                           (size_t)(server - lab->server), what);

    CHECK(n < PATH_MAX);
}

static void show_log(const struct lab_server *server)
{
    char line[512], last[LOG_LINES][sizeof(line)];
    FILE *in = fopen(server->log, "re");
    size_t count = 0;

    if (in == NULL)
        return;
    for (; fgets(line, sizeof(line), in) != NULL; count++)
        memcpy(last[count % LOG_LINES], line, sizeof(line));
    fclose(in);
    fprintf(stderr, "remuda: the end of the server's log:\n");
    for (size_t i = count < LOG_LINES ? 0 : count - LOG_LINES; i < count; i++)
        fprintf(stderr, "  %s", last[i % LOG_LINES]);
}

unsigned lab_server_said(const struct lab_server *server, const char *text)
{
    FILE *in = fopen(server->log, "re");
    char line[4096];
    unsigned count = 0;

    while (in != NULL && fgets(line, sizeof(line), in) != NULL)
        count += strstr(line, text) != NULL;
    if (in != NULL)
        fclose(in);
    return count;
}

/* ---- ready ---- */

/* A socket without a path: the kernel invents its name (unix(7), autobind). */
static int open_notify(char *name, size_t size)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    socklen_t length = sizeof(at);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd >= 0 && (bind(fd, (struct sockaddr *)&at, sizeof(sa_family_t)) < 0 ||
                    getsockname(fd, (struct sockaddr *)&at, &length) < 0))
        fd_close(&fd);
    if (fd >= 0)
        (void)snprintf(name, size, "@%.*s",
                       (int)(length - offsetof(struct sockaddr_un, sun_path) - 1),
                       at.sun_path + 1);
    return fd;
}

static bool is_ready(int notify_fd)
{
    char text[512];
    ssize_t n;

    while ((n = recv(notify_fd, text, sizeof(text) - 1, 0)) > 0) {
        text[n] = '\0';
        if (strstr(text, "READY=1") != NULL)
            return true;
    }
    return false;
}

static bool has_exited(struct lab_server *server)
{
    if (server->pid != 0 && waitpid(server->pid, NULL, WNOHANG) == server->pid)
        server->pid = 0;
    return server->pid == 0;
}

static bool wait_ready(struct lab *lab, struct lab_server *server, int notify_fd)
{
    const uint64_t end_ms = clock_mono_ms() + READY_MS;
    struct pollfd news = {.fd = notify_fd, .events = POLLIN};

    while (!lab_has_ended(lab)) {
        (void)poll(&news, 1, LOOK_MS);
        if (is_ready(notify_fd))
            return true;
        if (has_exited(server))
            lab_fail(lab, "a server did not start");
        else if (clock_mono_ms() > end_ms)
            lab_fail(lab, "a server was not ready within %d s", READY_MS / 1000);
    }
    return false;
}

static bool read_address(struct lab *lab, struct lab_server *server, const char *path)
{
    FILE *in = fopen(path, "re");
    bool is_good = in != NULL && fgets(server->where, sizeof(server->where), in) != NULL;

    if (in != NULL)
        fclose(in);
    server->where[strcspn(server->where, "\n")] = '\0';
    is_good = is_good && addr_parse(server->where, &server->address) == NULL;
    if (!is_good)
        lab_fail(lab, "a server's address cannot be read from %s", path);
    return is_good;
}

/* ---- start and stop ---- */

/* Not before it can be stopped: from the fork on the process is in server->pid. */
static bool launch(struct lab *lab, struct lab_server *server,
                   const struct lab_shape *shape)
{
    char address_file[PATH_MAX], notify[LAB_NOTIFY_MAX];
    int notify_fd = open_notify(notify, sizeof(notify));
    bool is_good = false;

    name_file(lab, server, "address", address_file);
    name_file(lab, server, "log", server->log);
    if (notify_fd < 0)
        lab_fail(lab, "no socket: %s", strerror(errno));
    else if ((server->pid = lab_spawn(shape, address_file, server->log, notify)) < 0)
        lab_fail(lab, "no server: %s", strerror(errno));
    else
        is_good =
            wait_ready(lab, server, notify_fd) && read_address(lab, server, address_file);
    if (server->pid < 0)
        server->pid = 0;
    fd_close(&notify_fd);
    return is_good;
}

struct lab_server *lab_server_start(struct lab *lab, const struct lab_shape *shape)
{
    struct lab_server *server = &lab->server[lab->started];
    const char *missing = NULL;

    if (lab_has_ended(lab) || !make_directory(lab))
        return NULL;
    CHECK(lab->started < LAB_SERVERS);
    if (!lab_spawn_has_plugin(&missing)) {
        lab_fail(lab, "there is no %s: the plugin of the experiments", missing);
        return NULL;
    }
    lab_report_progress(lab->report, "starting %u x %u",
                        shape->workers == 0 ? 1 : shape->workers,
                        shape->threads == 0 ? 1 : shape->threads);
    lab->started++;
    if (launch(lab, server, shape))
        return server;
    if (!lab_is_interrupted(lab))
        show_log(server);
    return NULL;
}

void lab_server_stop(struct lab *lab, struct lab_server *server)
{
    const uint64_t end_ms = clock_mono_ms() + STOP_MS;

    (void)lab;
    if (server == NULL || has_exited(server))
        return;
    kill(server->pid, SIGQUIT);
    while (!has_exited(server)) {
        (void)poll(NULL, 0, LOOK_MS / 4);
        if (clock_mono_ms() > end_ms && !has_exited(server))
            kill(server->pid, SIGKILL); /* its workers notice */
    }
}

void lab_server_check(struct lab *lab, const struct lab_server *server)
{
    if (lab_has_ended(lab) || !has_exited(&lab->server[server - lab->server]))
        return;
    lab_fail(lab, "a server ended under load");
    show_log(server);
}

void lab_server_clean_up(struct lab *lab)
{
    char path[PATH_MAX];

    for (unsigned i = 0; i < lab->started; i++)
        lab_server_stop(lab, &lab->server[i]);
    for (unsigned i = 0; i < lab->started; i++) {
        name_file(lab, &lab->server[i], "address", path);
        (void)unlink(path);
        (void)unlink(lab->server[i].log);
    }
    if (lab->directory[0] != '\0')
        (void)rmdir(lab->directory);
    lab->directory[0] = '\0';
}
