/* SPDX-License-Identifier: MIT */
/*
 * change - the generation that is being prepared beside the running one. reload.c owns it.
 */
#ifndef MASTER_CHANGE_H
#define MASTER_CHANGE_H

#include "master/fault.h"
#include "master/generation.h"
#include "master/listener.h"

#include <stdbool.h>
#include <stdint.h>

/** Why there is a new generation. */
enum change_kind { CHANGE_START, CHANGE_RELOAD, CHANGE_UPGRADE };

/** A change under way. */
struct change {
    enum change_kind kind;
    bool active;
    bool failed;              /* a worker of it died: roll back at the end of this turn */
    bool wanted;              /* one HUP waits */
    bool told;                /* that it waits was logged */
    uint64_t committed_ms;    /* a reload is committed and not done yet; else 0 */
    uint64_t drain_ms;        /* then the old workers are told to drain; 0: they were */
    struct listeners dropped; /* by that reload; closed when they are told */
    struct generation next;   /* its workers are in no state but STARTING and STANDBY */
    struct fault fault;
};

#endif
