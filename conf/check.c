/* SPDX-License-Identifier: MIT */
/*
 * check - what must be true of values together, and of the users and directories they
 *         name.                                               [master]
 *
 * Owns:    nothing; fills in what follows from other values.
 * Called:  by load.c; check_addresses.c and check_plugins.c are its other parts.
 * Fails:   each mistake is noted at the value that has to change.
 */
#include "conf/check.h"

#include "conf/cpus.h"

#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void check_refuse(struct conf_book *book, const struct setting *setting,
                  enum mistake mistake, const char *a, const char *b)
{
    struct place place = {&setting->origin, setting->option->section,
                          setting->option->key};

    mistake_add(book->errors, &place, mistake, a, b);
}

/* ---- processes and threads ---- */

static void resolve_workers(struct conf_book *book)
{
    struct conf_server *server = &book->conf->server;
    const struct setting *setting = &book->setting[OPTION_server_workers];
    char origin[256];
    char why[CPUS_WHY];

    if (server->workers == 0) {
        server->workers = cpus_count_here(why);
        server->workers_why = book_copy(book, why);
        return;
    }
    conf_origin_format(&setting->origin, origin, sizeof(origin));
    server->workers_why = book_join(book, "set by", " ", origin);
}

static void resolve_worker_slots(struct conf_book *book)
{
    struct conf_server *server = &book->conf->server;
    const struct setting *setting = &book->setting[OPTION_server_worker_slots];
    const unsigned most = (unsigned)setting->option->most;
    char least[16];

    if (server->worker_slots == 0)
        server->worker_slots =
            3 * server->workers + 4 < most ? 3 * server->workers + 4 : most;
    if (server->worker_slots >= 2 * server->workers)
        return;
    (void)snprintf(least, sizeof(least), "%u", 2 * server->workers);
    check_refuse(book, setting, MISTAKE_WORKER_SLOTS, setting->text, least);
}

static void resolve_sync(struct conf_book *book)
{
    struct setting *threads = &book->setting[OPTION_server_threads];

    if (strcmp(book->setting[OPTION_server_class].text, "sync") != 0)
        return;
    if (threads->origin.from != CONF_FROM_DEFAULT && book->conf->server.threads != 1)
        check_refuse(book, threads, MISTAKE_SYNC_THREADS, threads->text, NULL);
    book->conf->server.threads = 1;
    threads->text = "1";
}

/* ---- users and directories ---- */

static const char *own_name(void)
{
    const struct passwd *pw = getpwuid(geteuid());

    return pw != NULL ? pw->pw_name : "a user without a name";
}

static void resolve_user(struct conf_book *book)
{
    struct conf_server *server = &book->conf->server;
    const struct setting *setting = &book->setting[OPTION_server_user];
    const struct passwd *pw;

    if (server->user[0] == '\0')
        return;
    pw = getpwnam(server->user);
    if (pw == NULL) {
        check_refuse(book, setting, MISTAKE_USER_UNKNOWN, server->user, NULL);
        return;
    }
    server->uid = pw->pw_uid;
    server->gid = pw->pw_gid;
    if (geteuid() != 0 && pw->pw_uid != geteuid())
        check_refuse(book, setting, MISTAKE_USER_UNPRIVILEGED, server->user, own_name());
}

static bool is_own_group(gid_t gid)
{
    gid_t groups[256];
    int n = getgroups(256, groups);

    for (int i = 0; i < n; i++) {
        if (groups[i] == gid)
            return true;
    }
    return gid == getegid();
}

static void resolve_group(struct conf_book *book)
{
    struct conf_server *server = &book->conf->server;
    const struct setting *setting = &book->setting[OPTION_server_group];
    const struct group *gr;

    if (server->group[0] == '\0')
        return;
    gr = getgrnam(server->group);
    if (gr == NULL) {
        check_refuse(book, setting, MISTAKE_GROUP_UNKNOWN, server->group, NULL);
        return;
    }
    server->gid = gr->gr_gid;
    if (geteuid() != 0 && !is_own_group(gr->gr_gid))
        check_refuse(book, setting, MISTAKE_GROUP_UNPRIVILEGED, server->group,
                     own_name());
}

static void check_admin_group(struct conf_book *book)
{
    const char *name = book->conf->admin.admin_group;

    if (name[0] != '\0' && getgrnam(name) == NULL)
        check_refuse(book, &book->setting[OPTION_admin_admin_group],
                     MISTAKE_GROUP_UNKNOWN, name, NULL);
}

static void check_directory(struct conf_book *book)
{
    const char *path = book->conf->server.chdir;
    struct stat st;

    if (path[0] != '\0' && (stat(path, &st) == -1 || !S_ISDIR(st.st_mode)))
        check_refuse(book, &book->setting[OPTION_server_chdir], MISTAKE_NOT_DIRECTORY,
                     path, NULL);
}

static void check_heartbeat(struct conf_book *book)
{
    const struct conf_worker *worker = &book->conf->worker;
    const struct setting *setting = &book->setting[OPTION_worker_heartbeat_timeout];

    if (worker->heartbeat_timeout_ms <= worker->loop_block_ms)
        check_refuse(book, setting, MISTAKE_HEARTBEAT, setting->text,
                     book->setting[OPTION_worker_loop_block].text);
}

void check_server(struct conf_book *book)
{
    resolve_workers(book);
    resolve_worker_slots(book);
    resolve_sync(book);
    resolve_user(book);
    resolve_group(book);
    check_admin_group(book);
    check_directory(book);
    check_heartbeat(book);
}
