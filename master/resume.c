/* SPDX-License-Identifier: MIT */
/*
 * resume - the life of the server goes on in another image.                   [master]
 *
 * Owns:    nothing.
 * Called:  by main.c when the image before has left an estate; mirrors start() of master.c.
 * Fails:   goes back to the image before, with what that has left; its workers never notice.
 *          Once the loop runs this is a master like any other.
 */
#include "common/fd.h"
#include "common/log.h"
#include "common/version.h"
#include "conf/conf.h"
#include "master/adopt.h"
#include "master/command.h"
#include "master/handover.h"
#include "master/launch.h"
#include "master/life.h"
#include "master/reload.h"
#include "master/signals.h"

#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

/* What is executed by a descriptor is called by its number, where one looks for us. */
static void name_process(const char *path)
{
    const char *slash = strrchr(path, '/');

    (void)prctl(PR_SET_NAME, slash == NULL ? path : slash + 1);
}

/* What start() does, from what another image has left. */
static int take_over(struct master *master, struct estate *estate, struct fault *fault)
{
    if (adopt_take(master, estate, fault) != EXIT_OK)
        return fault->status;
    name_process(master->upgrade.binary);
    log_set_level(master->running.conf->log.level);
    log_set_fd(master->running.logs.error_fd);
    if (master_settle(master, master->running.conf, fault) != EXIT_OK ||
        master_open_loop(master, fault) != EXIT_OK)
        return fault->status;
    adopt_begin(master);
    command_resume(master);
    return EXIT_OK;
}

/* The trial did all that is done here, so this is the machine's doing: no memory, no
 * descriptors. The image before may still find what it needs. */
static void give_back(struct master *master, struct estate *estate,
                      const struct fault *fault)
{
    struct fault why_not;

    fault_set(&why_not, EXIT_OS, "out of memory");
    log_error("cannot take over: %s", fault->text);
    if (estate != NULL)
        handover_give_back(master, estate, fault->text, &why_not);
    log_error("cannot go back either: %s; the workers end what they have", why_not.text);
}

static void say_where_we_are(struct master *master, const struct estate_self *self)
{
    if (self->refusal[0] == '\0') {
        log_info("remuda %s (%s), pid %d, took over from %s", REMUDA_VERSION,
                 REMUDA_COMMIT, (int)getpid(), self->version);
        reload_after_upgrade(master);
        return;
    }
    log_error("upgrade refused: %s; generation %u goes on", self->refusal,
              master->running.number);
    master_tell_refusal(master, "upgrade", self->refusal);
    command_on_end(master, CONTROL_UPGRADE, false, self->refusal);
}

int master_resume(const struct conf_source *source, const struct launch *launch)
{
    struct master *master = master_create(source, launch);
    struct fault fault = {.status = EXIT_OS, .text = "out of memory"};
    struct estate *estate = NULL;
    int estate_fd = launch->estate_fd;

    log_set_role("master");
    signals_block();
    if (master == NULL)
        return EXIT_OS;
    estate = estate_read(estate_fd, &fault);
    fd_close(&estate_fd);
    if (estate == NULL || take_over(master, estate, &fault) != EXIT_OK) {
        give_back(master, estate, &fault);
        return EXIT_INTERNAL; /* nothing is tidied: sockets and files may be others' by now */
    }
    say_where_we_are(master, &estate->self);
    estate_destroy(&estate);
    ev_run(master->loop, 0);
    return master_end(master);
}
