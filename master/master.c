/* SPDX-License-Identifier: MIT */
/*
 * master - the life of the server: start, turns of the loop, stop in mirrored order.
 * [master]
 *
 * Owns:    struct master and everything in it.
 * Called:  by main.c, once; back by signals.c and reload.c.
 * Fails:   a start that cannot succeed says why and returns its exit status. After the
 *          first READY the master never exits by itself.
 * Rule:    ev_loop_new only: the default loop reaps children, whose status reap.c needs.
 */
#include "master/master.h"

#include "common/check.h"
#include "common/clock.h"
#include "common/fd.h"
#include "common/log.h"
#include "common/version.h"
#include "conf/conf.h"
#include "master/command.h"
#include "master/descriptors.h"
#include "master/herd.h"
#include "master/lag.h"
#include "master/life.h"
#include "master/lost.h"
#include "master/pidfile.h"
#include "master/privdrop.h"
#include "master/reload.h"
#include "master/signals.h"
#include "master/watchdog.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- commands ---- */

void master_give_up(struct master *master, const struct fault *fault)
{
    CHECK(master->phase == MASTER_STARTING);
    log_error("cannot start: %s", fault->text);
    if (!logs_is_stderr(log_get_fd())) { /* who started us looks there */
        log_set_fd(STDERR_FILENO);
        log_error("cannot start: %s", fault->text);
    }
    master->exit_status = fault->status;
    master->phase = MASTER_STOPPING;
    master->stop.stage = STOP_ENDING;
    herd_end_all(master, SLOT_ON_STOP_NOW, "the start failed");
}

void master_scale(struct master *master, int by)
{
    const int want = (int)master->want + by;

    if (master->phase != MASTER_RUNNING || master->change.active ||
        upgrade_is_running(master) || master->staffing.verb != CONTROL_NOTHING) {
        log_info("%s ignored: %s", by > 0 ? "TTIN" : "TTOU",
                 master->phase != MASTER_RUNNING ? "starting or stopping"
                 : master->staffing.verb != CONTROL_NOTHING
                     ? "an order of ctl is running"
                     : "a reload or an upgrade is running");
        return;
    }
    if (want < 1 || want > (int)master->slot_count) {
        log_info("%s ignored: %u workers of 1 to %u", by > 0 ? "TTIN" : "TTOU",
                 master->want, master->slot_count);
        return;
    }
    master->want = (unsigned)want;
    log_info("%s: %u workers, until the next reload", by > 0 ? "TTIN" : "TTOU",
             master->want);
}

/* ---- the first generation serves ---- */

int master_publish_addresses(const struct master *master, struct fault *fault)
{
    const struct listeners *listeners = &master->running.listeners;
    const char *path = master->running.conf->server.address_file;
    char text[HERITAGE_LISTENERS * (ADDR_TEXT_MAX + 1)] = "";
    size_t n = 0;

    if (path[0] == '\0')
        return EXIT_OK;
    for (size_t i = 0; i < listeners->count; i++)
        n +=
            (size_t)snprintf(text + n, sizeof(text) - n, "%s\n", listeners->item[i].name);
    if (pidfile_write_text(path, text) == 0)
        return EXIT_OK;
    return fault_set(fault, EXIT_CREATE, "server.address_file: %s: %s", path,
                     strerror(errno));
}

static int write_pid_file(const struct master *master, struct fault *fault)
{
    const char *path = master->running.conf->server.pid_file;

    if (path[0] == '\0' || pidfile_write(path, getpid()) == 0)
        return EXIT_OK;
    return fault_set(fault, EXIT_CREATE, "server.pid_file: %s: %s", path,
                     strerror(errno));
}

int master_welcome(struct master *master, struct fault *fault)
{
    char capacity[128];

    if (write_pid_file(master, fault) != EXIT_OK ||
        master_publish_addresses(master, fault) != EXIT_OK)
        return fault->status;
    herd_go_generation(master, master->running.number);
    master->phase = MASTER_RUNNING;
    board_set32(&master->board->readiness, BOARD_IS_READY);
    master_capacity(master, capacity, sizeof(capacity));
    log_info("ready: %s", capacity);
    master_tell_ready(master);
    return EXIT_OK;
}

/* ---- start, and stop in mirrored order ---- */

static int open_inbox(struct heritage_inbox *inbox)
{
    int pair[2];

    if (fd_pair(pair) < 0)
        return -1;
    inbox->rx = pair[0];
    inbox->tx = pair[1];
    return 0;
}

static void close_inbox(struct heritage_inbox *inbox)
{
    fd_close(&inbox->rx);
    fd_close(&inbox->tx);
}

/* Made before the first fork: every worker that will ever live knows all inboxes. */
static int open_shared(struct master *master, const struct conf *conf,
                       struct fault *fault)
{
    struct heritage *h = &master->heritage;

    master->board = board_create(&h->board_fd);
    if (master->board == NULL)
        return fault_set(fault, EXIT_OS, "scoreboard: %s", strerror(errno));
    master->slot_count = conf->server.worker_slots;
    board_set32(&master->board->worker_slots, master->slot_count);
    board_set(&master->board->started_ms, clock_mono_ms());
    board_set32(&master->board->traces, FLOOD_TRACES);
    oom_open(&master->oom, "/proc/self/cgroup", "/sys/fs/cgroup");
    h->board = master->board;
    if (open_inbox(&h->common_inbox) < 0)
        return fault_set(fault, EXIT_OS, "inboxes: %s", strerror(errno));
    for (; h->inbox_count < master->slot_count; h->inbox_count++)
        if (open_inbox(&h->inbox[h->inbox_count]) < 0)
            return fault_set(fault, EXIT_OS,
                             "inboxes: %s (two descriptors for each of %u worker_slots)",
                             strerror(errno), master->slot_count);
    return EXIT_OK;
}

static void close_shared(struct master *master)
{
    struct heritage *h = &master->heritage;

    while (h->inbox_count > 0)
        close_inbox(&h->inbox[--h->inbox_count]);
    close_inbox(&h->common_inbox);
    if (master->board != NULL)
        board_close(&master->board);
    fd_close(&h->board_fd);
    oom_close(&master->oom);
}

static void on_turn(struct ev_loop *loop, ev_prepare *watcher, int events)
{
    struct master *master = ev_userdata(loop);

    (void)watcher;
    (void)events;
    CHECK_OBJ(master, MASTER_MAGIC);
    herd_turn(master);
}

static void on_wake(struct ev_loop *loop, ev_timer *watcher, int events)
{
    (void)loop;
    (void)watcher;
    (void)events; /* the turn that follows does what is due */
}

int master_open_loop(struct master *master, struct fault *fault)
{
    master->loop = ev_loop_new(EVFLAG_NOENV);
    if (master->loop == NULL)
        return fault_set(fault, EXIT_OS, "event loop: %s", strerror(errno));
    ev_set_userdata(master->loop, master);
    ev_prepare_init(&master->turn, on_turn);
    ev_prepare_start(master->loop, &master->turn);
    ev_timer_init(&master->wake, on_wake, 0., 0.);
    watchdog_start(master);
    if (signals_start(master) < 0)
        return fault_set(fault, EXIT_OS, "signals: %s", strerror(errno));
    return EXIT_OK;
}

static void close_loop(struct master *master)
{
    if (master->loop == NULL)
        return;
    signals_stop(master);
    lag_stop(master);
    watchdog_stop(master);
    ev_timer_stop(master->loop, &master->wake);
    ev_prepare_stop(master->loop, &master->turn);
    ev_loop_destroy(master->loop);
    master->loop = NULL;
}

/* What a restart alone can change; conf stays the caller's. */
int master_settle(struct master *master, const struct conf *conf, struct fault *fault)
{
    if (inherit_take(&master->inherited, fault) != EXIT_OK)
        return fault->status;
    if (privdrop_keep() < 0)
        return fault_set(fault, EXIT_OS, "cannot give up capabilities: %s",
                         strerror(errno));
    descriptors_raise();
    if (conf->server.umask >= 0)
        umask((mode_t)conf->server.umask);
    if (notify_open(&master->notify, getenv("NOTIFY_SOCKET")) < 0)
        log_warn("NOTIFY_SOCKET cannot be used: %s", strerror(errno));
    notify_expect_watchdog(&master->notify, getenv("WATCHDOG_USEC"),
                           getenv("WATCHDOG_PID"));
    unsetenv("NOTIFY_SOCKET"); /* only the master speaks to systemd */
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
    return EXIT_OK;
}

static int start(struct master *master, struct conf *conf, struct fault *fault)
{
    int status = master_settle(master, conf, fault);

    if (status == EXIT_OK)
        status = open_shared(master, conf, fault);
    if (status == EXIT_OK)
        status = master_open_loop(master, fault);
    if (status != EXIT_OK) {
        conf_destroy(&conf);
        return status;
    }
    if (reload_start(master, conf, fault) != EXIT_OK)
        return fault->status;
    log_set_level(conf->log.level);
    log_set_fd(master->change.next.logs.error_fd);
    log_info("remuda %s (%s), pid %d", REMUDA_VERSION, REMUDA_COMMIT, (int)getpid());
    log_info("config: %s", conf->file[0] == '\0' ? "none" : conf->file);
    master_log_plan(&master->change.next);
    command_start(master, conf->admin.admin_group);
    return EXIT_OK;
}

static void finish(struct master *master)
{
    const struct conf *conf = master->running.conf;

    if (conf != NULL && conf->server.pid_file[0] != '\0')
        pidfile_remove(conf->server.pid_file, getpid());
    if (conf != NULL && conf->server.address_file[0] != '\0')
        unlink(conf->server.address_file);
    if (conf != NULL) {
        lost_at_end(master);
        log_info("stopped");
    }
    log_set_fd(STDERR_FILENO);
    command_stop(master);
    generation_close(&master->running);
    upgrade_fini(master);
    close_loop(master);
    close_shared(master);
    notify_close(&master->notify);
}

struct master *master_create(const struct conf_source *source,
                             const struct launch *launch)
{
    struct master *master = calloc(1, sizeof(*master));

    if (master == NULL)
        return NULL;
    master->magic = MASTER_MAGIC;
    master->pid = getpid();
    master->source = source;
    upgrade_init(master, launch);
    master->signal_fd = -1;
    master->notify.fd = -1;
    control_init(&master->control);
    master->running.logs =
        (struct logs){.error_fd = LOGS_CLOSED, .access_fd = LOGS_CLOSED};
    master->oom.fd = -1;
    master->heritage.board_fd = -1;
    master->heritage.common_inbox = (struct heritage_inbox){.rx = -1, .tx = -1};
    for (unsigned i = 0; i < BOARD_WORKERS; i++) {
        master->slots[i].index = i;
        channel_init(&master->slots[i].channel);
    }
    return master;
}

int master_end(struct master *master)
{
    const int status = master->exit_status;

    finish(master);
    master->magic = 0;
    free(master);
    return status;
}

int master_run(const struct conf_source *source, const struct launch *launch,
               struct conf *conf)
{
    struct master *master = master_create(source, launch);
    struct fault fault;

    if (master == NULL) {
        conf_destroy(&conf);
        log_error("cannot start: out of memory");
        return EXIT_OS;
    }
    log_set_role("master");
    signals_block();
    if (start(master, conf, &fault) == EXIT_OK)
        ev_run(master->loop, 0);
    else
        master_give_up(master, &fault);
    return master_end(master);
}
