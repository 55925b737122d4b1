/* SPDX-License-Identifier: MIT */
/*
 * revise - the configuration read again, and whether it may replace the running one. [master]
 *
 * Owns:    nothing; the conf is the caller's.
 * Called:  by reload.c, and by rehearsal.c in the trial of an upgrade: both refuse the same.
 * Fails:   a fault; nothing has changed.
 */
#include "master/revise.h"

#include "common/log.h"
#include "conf/dump.h"

struct telling {
    revise_note_fn *note;
    void *arg;
    struct fault *fault;
};

struct conf *revise_load(const struct conf_source *source, revise_note_fn *note,
                         void *arg, struct fault *fault)
{
    struct conf_errors errors;
    struct conf *conf = NULL;
    const int status = conf_load(source, &conf, &errors);

    for (size_t i = 0; i < errors.count; i++)
        note(arg, errors.line[i]);
    if (status != 0)
        fault_set(fault, status, "the configuration has %zu mistake%s", errors.count,
                  errors.count == 1 ? "" : "s");
    conf_errors_fini(&errors);
    return conf;
}

/* The last one is the reason of the refusal, those before it get lines of their own. */
static void note_restart_only(void *arg, const char *key, const char *running,
                              const char *wanted)
{
    const struct telling *telling = arg;

    if (telling->fault->status != EXIT_OK)
        telling->note(telling->arg, telling->fault->text);
    fault_set(telling->fault, EXIT_CONFIG,
              "%s takes effect by a restart only: '%s' runs, the file says '%s'", key,
              running, wanted);
}

static void log_masked(void *arg, const char *key, const char *running,
                       const char *wanted)
{
    (void)arg;
    log_warn("%s: the file now says '%s', but a stronger source keeps '%s'", key, wanted,
             running);
}

int revise_check(const struct conf *running, const struct conf *wanted, unsigned want,
                 unsigned slot_count, revise_note_fn *note, void *arg,
                 struct fault *fault)
{
    struct telling telling = {note, arg, fault};

    fault->status = EXIT_OK;
    if (conf_diff(running, wanted, CONF_RESTART, note_restart_only, &telling) > 0)
        return fault->status;
    (void)conf_diff_masked(running, wanted, log_masked, NULL);
    if (wanted->server.workers + want > slot_count)
        return fault_set(
            fault, EXIT_CONFIG,
            "%u workers beside the %u that run need more than the %u entries "
            "of server.worker_slots",
            wanted->server.workers, want, slot_count);
    return EXIT_OK;
}
