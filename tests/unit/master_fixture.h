/* SPDX-License-Identifier: MIT */
/*
 * master_fixture - a master without a loop, in the middle of its life.   [tests]
 */
#ifndef MASTER_FIXTURE_H
#define MASTER_FIXTURE_H

#include "common/check.h"
#include "common/fd.h"
#include "conf/conf.h"
#include "master/adopt.h"
#include "master/launch.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct fault fault;
static const struct launch fixture_launch = {.binary = "/usr/sbin/remuda"};

static inline char *fixture_text(const char *literal)
{
    return (char *)(uintptr_t)literal;
}

static inline struct conf *fixture_conf(void)
{
    char *define[] = {fixture_text("server.workers=2"),
                      fixture_text("plugin p.path=/etc/passwd"),
                      fixture_text("env.A=b c"), fixture_text("server.pid_file=/run/x")};
    const struct conf_source source = {.define = define,
                                       .define_count = COUNT_OF(define)};
    struct conf_errors errors;
    struct conf *conf;

    if (conf_load(&source, &conf, &errors) != 0)
        conf_errors_print(&errors, stderr);
    conf_errors_fini(&errors);
    assert_non_null(conf);
    return conf;
}

static inline void fixture_inbox(struct heritage_inbox *inbox)
{
    int pair[2];

    assert_int_equal(fd_pair(pair), 0);
    *inbox = (struct heritage_inbox){pair[0], pair[1]};
}

/* A master of two workers, one of them on its way out, and a third that we killed. */
static inline struct master *fixture_make(void)
{
    struct master *m = calloc(1, sizeof(*m));

    assert_non_null(m);
    upgrade_init(m, &fixture_launch);
    m->phase = MASTER_RUNNING;
    m->board = board_create(&m->heritage.board_fd);
    assert_non_null(m->board);
    m->slot_count = 3;
    m->want = 2;
    m->last_number = 7;
    m->governor = (struct governor){3, 4711, 4712};
    m->flood = (struct flood){1, 2, 3, 4};
    m->oom = (struct oom){.fd = -1, .seen = 5, .unmatched = 6, .moved_ms = 7};
    m->is_paused = true;
    control_init(&m->control);
    m->control.socket = (struct control_socket){.fd = 80,
                                                .is_for_group = true,
                                                .path = "/run/a b/control.sock",
                                                .device = 8,
                                                .inode = 9,
                                                .has_made_folder = true};
    m->control.last_number = 10;
    m->control.warned_ms = 11;
    m->control.peer[5] = (struct control_peer){.fd = 81,
                                               .number = 9,
                                               .uid = 33,
                                               .pid = 34,
                                               .verb = CONTROL_UPGRADE,
                                               .has_begun = true,
                                               .deadline_ms = 35};
    m->change.wanted = m->upgrade.wanted = true;
    fixture_inbox(&m->heritage.common_inbox);
    for (; m->heritage.inbox_count < m->slot_count; m->heritage.inbox_count++)
        fixture_inbox(&m->heritage.inbox[m->heritage.inbox_count]);
    m->running.number = 5;
    m->running.conf = fixture_conf();
    m->running.images.item[0] = (struct heritage_image){.fd = -1, .inode = 8};
    m->running.images.count = 1;
    m->running.logs = (struct logs){.error_fd = 2, .access_fd = -1};
    m->slots[0] =
        (struct slot){.index = 0, .state = SLOT_SERVING, .pid = 10, .generation = 5};
    m->slots[2] = (struct slot){.index = 2,
                                .state = SLOT_KILLED,
                                .pid = 12,
                                .generation = 4,
                                .deadline_ms = 1000,
                                .limits.heartbeat = 9,
                                .doom = "not needed any more",
                                .written_fd = 79,
                                .recycle = {4713, "worn"},
                                .lag = {.told = 4714, .asked_ms = 4715},
                                .channel = {.fd = 77, .complained = true}};
    return m;
}

static inline void fixture_unmake(struct master *m, bool is_owner)
{
    board_close(&m->board);
    conf_destroy(&m->running.conf);
    if (is_owner) {
        fd_close(&m->heritage.board_fd);
        fd_close(&m->heritage.common_inbox.rx);
        fd_close(&m->heritage.common_inbox.tx);
        for (size_t i = 0; i < m->heritage.inbox_count; i++) {
            fd_close(&m->heritage.inbox[i].rx);
            fd_close(&m->heritage.inbox[i].tx);
        }
    }
    free(m);
}

#endif
