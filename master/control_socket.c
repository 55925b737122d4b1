/* SPDX-License-Identifier: MIT */
/*
 * control_socket - the listening socket of `remuda ctl`.                    [master]
 *
 * Owns:    the descriptor and the file.
 * Called:  by control.c.
 * Fails:   with the reason; a server without it goes on, signals are left to it. A namesake
 *          that answers keeps its place: two servers never share a socket.
 * Order:   the file has mode 0600 from its first instant; only when the group owns it is
 *          it opened to the group.
 */
#include "master/control_socket.h"

#include "common/addr.h"
#include "common/control.h"
#include "common/fd.h"
#include "master/bind.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BACKLOG = 16, MODE_OWNER = 0600, MODE_GROUP = 0660 };

/* ---- where ---- */

static bool has_runtime(void)
{
    const char *runtime = getenv("RUNTIME_DIRECTORY");

    return runtime != NULL && runtime[0] != '\0';
}

static int choose_path(const char *file, char out[static CONTROL_PATH],
                       struct fault *fault)
{
    const enum control_home home = has_runtime()    ? CONTROL_HOME_RUNTIME
                                   : geteuid() == 0 ? CONTROL_HOME_RUN
                                                    : CONTROL_HOME_XDG;
    char name[CONTROL_NAME];

    (void)control_name(file, name);
    if (control_path(home, name, out))
        return EXIT_OK;
    if (has_runtime())
        return fault_set(fault, EXIT_CREATE,
                         "RUNTIME_DIRECTORY=%s is no directory for it",
                         getenv("RUNTIME_DIRECTORY"));
    if (name[0] == '\0')
        return fault_set(fault, EXIT_CREATE,
                         "RUNTIME_DIRECTORY is not set, and no file gives it a name");
    return fault_set(fault, EXIT_CREATE,
                     "neither RUNTIME_DIRECTORY nor XDG_RUNTIME_DIR is set");
}

static void cut_name(char *path)
{
    char *slash = strrchr(path, '/');

    if (slash != NULL)
        *slash = '\0';
}

static bool make_folder(const char *path)
{
    const mode_t mode = geteuid() == 0 ? 0755 : 0700;

    if (mkdir(path, mode) < 0)
        return false;
    (void)chmod(path, mode); /* whatever the umask says: the group must enter */
    return true;
}

/* "/run/remuda/shop/control.sock": the last two folders may be missing. The one of
 * RUNTIME_DIRECTORY is another's to make: systemd has. */
static bool make_folders(const char *path)
{
    char folder[CONTROL_PATH], above[CONTROL_PATH];

    if (has_runtime())
        return false;
    (void)snprintf(folder, sizeof(folder), "%s", path);
    cut_name(folder);
    (void)snprintf(above, sizeof(above), "%s", folder);
    cut_name(above);
    (void)make_folder(above);
    return make_folder(folder);
}

/* What else somebody has put there keeps it. */
static void remove_folder(const char *path)
{
    char folder[CONTROL_PATH];

    (void)snprintf(folder, sizeof(folder), "%s", path);
    cut_name(folder);
    (void)rmdir(folder);
}

/* ---- for whom ---- */

/* The config has checked that there is such a group. */
static int open_to_group(struct control_socket *socket, const char *name)
{
    const struct group *group = getgrnam(name);

    if (group == NULL) {
        errno = ENOENT;
        return -1;
    }
    if (chown(socket->path, (uid_t)-1, group->gr_gid) < 0 ||
        chmod(socket->path, MODE_GROUP) < 0)
        return -1;
    socket->is_for_group = true;
    return 0;
}

int control_socket_open(struct control_socket *socket, const char *file,
                        const char *group, struct fault *fault)
{
    struct bind_request request = {.is_packets = true,
                                   .backlog = BACKLOG,
                                   .mode = MODE_OWNER,
                                   .uid = (uid_t)-1,
                                   .gid = (gid_t)-1};
    char address[sizeof("unix:") + CONTROL_PATH];

    *socket = (struct control_socket){.fd = -1};
    if (choose_path(file, socket->path, fault) != EXIT_OK)
        return fault->status;
    socket->has_made_folder = make_folders(socket->path);
    (void)snprintf(address, sizeof(address), "unix:%s", socket->path);
    if (addr_parse(address, &request.address) != NULL)
        return fault_set(fault, EXIT_CREATE, "%s: not a path of a socket", socket->path);
    socket->fd = bind_open(&request, fault);
    if (socket->fd < 0)
        return fault->status;
    (void)bind_identify(socket->path, &socket->device, &socket->inode);
    if (group[0] == '\0' || open_to_group(socket, group) == 0)
        return EXIT_OK;
    fault_set(fault, fault_status_of(errno, EXIT_CREATE), "%s for group %s: %s",
              socket->path, group, strerror(errno));
    control_socket_close(socket);
    return fault->status;
}

void control_socket_close(struct control_socket *socket)
{
    dev_t device;
    ino_t inode;

    if (socket->fd < 0)
        return;
    if (bind_identify(socket->path, &device, &inode) == 0 && device == socket->device &&
        inode == socket->inode)
        unlink(socket->path);
    if (socket->has_made_folder)
        remove_folder(socket->path);
    fd_close(&socket->fd);
}
