/* SPDX-License-Identifier: MIT */
/*
 * trial - `remuda check`: every plugin loaded in a throw-away child. [main, rehearsal]
 *
 * Owns:    the images while it runs.
 * Called:  by main.c after the config was loaded without a mistake.
 * Fails:   with the child's status; a child that is killed by a plugin's constructor is a
 *          configuration error as well, and named.
 */
#include "master/trial.h"

#include "common/fd.h"
#include "common/heritage.h"
#include "common/log.h"
#include "conf/conf.h"
#include "master/image.h"
#include "master/privdrop.h"
#include "master/reap.h"
#include "master/spawn.h"
#include "worker/worker.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* A plugin sees its own file and nothing that the one who asked has open; nor does it stay
 * when that one goes. */
static void close_to_plugins(const struct heritage *heritage, pid_t parent)
{
    int kept[HERITAGE_IMAGES];

    for (size_t i = 0; i < heritage->image_count; i++)
        kept[i] = heritage->image[i].fd;
    fd_close_others(kept, heritage->image_count);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* a change of identity forgets it: now */
    if (getppid() != parent)
        _exit(EXIT_OS); /* it has gone already */
}

static _Noreturn void run_child(const struct heritage *heritage, pid_t parent)
{
    const struct conf_server *server = &heritage->conf->server;

    spawn_reset_signals();
    if ((server->chdir[0] != '\0' && chdir(server->chdir) < 0) ||
        privdrop_become(heritage->uid, heritage->gid, heritage->user) < 0) {
        log_error("cannot become the user of the workers: %s", strerror(errno));
        _exit(EXIT_OS);
    }
    close_to_plugins(heritage, parent);
    worker_check(heritage);
}

static int wait_for(pid_t pid)
{
    char cause[96];
    int status;

    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return EXIT_OS;
    if (WIFEXITED(status))
        return WEXITSTATUS(status);
    reap_format_status(status, cause, sizeof(cause));
    log_error("a plugin ended the check: %s", cause);
    return EXIT_CONFIG;
}

static int run(const struct heritage *heritage)
{
    const pid_t parent = getpid(), pid = fork();

    if (pid == 0)
        run_child(heritage, parent);
    if (pid > 0)
        return wait_for(pid);
    log_error("cannot fork: %s", strerror(errno));
    return EXIT_OS;
}

int trial_run(const struct conf *conf)
{
    struct heritage *heritage = calloc(1, sizeof(*heritage));
    struct images images;
    struct fault fault;
    int status;

    if (heritage == NULL || images_open(&images, conf, &fault) != EXIT_OK) {
        log_error("%s", heritage == NULL ? "out of memory" : fault.text);
        free(heritage);
        return heritage == NULL ? EXIT_OS : fault.status;
    }
    heritage->conf = conf;
    memcpy(heritage->image, images.item, sizeof(heritage->image));
    heritage->image_count = images.count;
    heritage->board_fd = heritage->channel = heritage->access_log_fd = -1;
    heritage->written_fd = -1;
    heritage->common_inbox = (struct heritage_inbox){.rx = -1, .tx = -1};
    heritage->error_log_fd = STDERR_FILENO;
    spawn_fill_identity(heritage, conf);
    status = run(heritage);
    images_close(&images);
    free(heritage);
    return status;
}
