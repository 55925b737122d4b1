/* SPDX-License-Identifier: MIT */
/*
 * adopt - the master's state becomes an estate, and an estate the master's state.
 */
#ifndef MASTER_ADOPT_H
#define MASTER_ADOPT_H

#include "master/estate.h"
#include "master/master.h"

/** All that an image needs to go on from here; descriptors stay the master's. `refusal`: why
 *  this is the way back, "": it is the way there. NULL with *fault. */
struct estate *adopt_collect(const struct master *master, const char *refusal,
                             struct fault *fault);

/** Leaves the next image a descriptor of this one. False: there is no room. */
bool adopt_add_before(struct estate *estate, int image_fd);

/** And what the image before has left; -1: nothing. */
int adopt_take_before(struct estate *estate);

/** Fills an empty master, whose loop does not run yet: afterwards all descriptors are its
 *  own. 0, or an exit status with *fault and the master as it was. */
int adopt_take(struct master *master, struct estate *estate, struct fault *fault);

/** The loop is there: hears the workers again, and judges nobody by the pause. */
void adopt_begin(struct master *master);

/** The configuration that an estate tells of. NULL with *fault. */
struct conf *adopt_conf(const struct estate *estate, struct fault *fault);

#endif
