/* SPDX-License-Identifier: MIT */
/*
 * privdrop - who may do what: the master keeps a few capabilities, its children none.
 */
#ifndef MASTER_PRIVDROP_H
#define MASTER_PRIVDROP_H

#include <sys/types.h>

/** Master, once, early: as root, all capabilities go but those it needs (listed in the
 *  .c). Otherwise nothing happens. -1 with errno. */
int privdrop_keep(void);

/** Child, before it loads a plugin: takes the identity (uid or gid -1: stays; `user` is
 *  for initgroups, or NULL), gives up every capability, sets no_new_privs. There is no way
 *  back. -1 with errno: the child must not go on. */
int privdrop_become(uid_t uid, gid_t gid, const char *user);

#endif
