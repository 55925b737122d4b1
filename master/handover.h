/* SPDX-License-Identifier: MIT */
/*
 * handover - exec of another image of the master, with all that it needs left open.
 */
#ifndef MASTER_HANDOVER_H
#define MASTER_HANDOVER_H

#include "master/fault.h"

#include <sys/types.h>

struct estate;
struct master;

/** A child that execs the next image as a trial. Its pid, and where its verdict will come; or
 *  -1 with *fault. */
pid_t handover_try(struct master *master, int *verdict_fd_out, struct fault *fault);

/** This process execs it. Does not return, or returns with *fault and everything as it
 *  was. */
void handover_go(struct master *master, struct fault *fault);

/** This process execs the image before, which will say `why`. Returns as above. */
void handover_return(struct master *master, const char *why, struct fault *fault);

/** The same, of an image that could not even take over: with the estate it was left. */
void handover_give_back(struct master *master, struct estate *estate, const char *why,
                        struct fault *fault);

#endif
