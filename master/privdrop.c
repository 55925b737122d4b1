/* SPDX-License-Identifier: MIT */
/*
 * privdrop - who may do what.                              [master, and its children]
 *
 * Owns:    nothing. Raw capset(2): one call is not worth a library.
 * Called:  privdrop_keep by master.c at start; privdrop_become by spawn.c and trial.c in
 *          the child, before anything foreign is loaded.
 * Fails:   -1 with errno; the caller dies.
 */
#include "master/privdrop.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CAP_BIT(cap) (1u << (cap))

/* Low ports; the children's identity; signals to them; the owner of unix sockets. And
 * files: logs that logrotate made for the workers' user must open again on USR1, which
 * reading rights alone would not allow. All are below 32. */
static const uint32_t master_needs = CAP_BIT(CAP_NET_BIND_SERVICE) | CAP_BIT(CAP_SETUID) |
                                     CAP_BIT(CAP_SETGID) | CAP_BIT(CAP_KILL) |
                                     CAP_BIT(CAP_CHOWN) | CAP_BIT(CAP_DAC_OVERRIDE);

static int capability_get(struct __user_cap_data_struct data[static 2])
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};

    return (int)syscall(SYS_capget, &header, data);
}

/* Never more than we have: a container may have taken some already. */
static int capability_limit(uint32_t wanted)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];

    if (capability_get(data) < 0)
        return -1;
    data[0].permitted &= wanted;
    data[0].effective = data[0].permitted;
    data[0].inheritable = 0;
    data[1] = (struct __user_cap_data_struct){0};
    return (int)syscall(SYS_capset, &header, data);
}

int privdrop_keep(void)
{
    return geteuid() == 0 ? capability_limit(master_needs) : 0;
}

static int take_groups(gid_t gid, const char *user)
{
    if (user != NULL && user[0] != '\0')
        return initgroups(user, gid);
    return setgroups(1, &gid);
}

static int take_identity(uid_t uid, gid_t gid, const char *user)
{
    if (geteuid() != 0)
        return 0; /* the config allows nobody but ourselves */
    if (gid != (gid_t)-1 && (take_groups(gid, user) < 0 || setresgid(gid, gid, gid) < 0))
        return -1;
    if (uid != (uid_t)-1 && setresuid(uid, uid, uid) < 0)
        return -1;
    if (uid != (uid_t)-1 && uid != 0 && setuid(0) == 0) { /* must not work any more */
        errno = EPERM;
        return -1;
    }
    return 0;
}

int privdrop_become(uid_t uid, gid_t gid, const char *user)
{
    if (take_identity(uid, gid, user) < 0)
        return -1;
    if (capability_limit(0) < 0)
        return -1;
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}
