/* SPDX-License-Identifier: MIT */
/*
 * image - the plugin files of one generation, copied before any worker loads them.
 * [master]
 *
 * Owns:    one sealed memfd per distinct path. A copy, because overwriting a mapped file
 *          kills the process that maps it, and because a respawn an hour later must run
 *          what the generation started with.
 * Called:  by generation.c and trial.c.
 * Fails:   a fault that names the file. Where memfd is refused, and for a plugin that
 *          finds its libraries relative to itself ($ORIGIN), the real path is used:
 *          inode and mtime are noted, so that a respawn can refuse a changed file.
 */
#include "master/image.h"

#include "common/fd.h"
#include "common/log.h"
#include "conf/conf.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* The file is not parsed here: the master reads no foreign format. A stray "$ORIGIN" in a
 * string costs a warning and a real path, nothing worse. */
static bool mentions_origin(int fd)
{
    struct stat st;
    bool found;
    void *bytes;

    if (fstat(fd, &st) < 0 || st.st_size <= 0)
        return false;
    bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes == MAP_FAILED)
        return false;
    found = memmem(bytes, (size_t)st.st_size, "$ORIGIN", 7) != NULL ||
            memmem(bytes, (size_t)st.st_size, "${ORIGIN}", 9) != NULL;
    munmap(bytes, (size_t)st.st_size);
    return found;
}

static int stat_regular(const char *path, struct stat *st)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    int failed = fd < 0 || fstat(fd, st) < 0;

    fd_close(&fd);
    if (!failed && !S_ISREG(st->st_mode)) {
        errno = EINVAL;
        failed = 1;
    }
    return failed ? -1 : 0;
}

static int open_one(struct heritage_image *image, const struct conf_plugin *plugin,
                    struct fault *fault)
{
    struct stat st;

    *image = (struct heritage_image){.fd = -1, .path = plugin->path};
    if (stat_regular(plugin->path, &st) < 0)
        return fault_set(fault, fault_status_of(errno, EXIT_CONFIG), "plugin %s: %s: %s",
                         plugin->name, plugin->path,
                         errno == EINVAL ? "not a regular file" : strerror(errno));
    image->inode = (uint64_t)st.st_ino;
    image->mtime_ns =
        (uint64_t)st.st_mtim.tv_sec * 1000000000u + (uint64_t)st.st_mtim.tv_nsec;
    image->fd = fd_image(plugin->path, plugin->name);
    if (image->fd < 0 && errno == ETXTBSY)
        return fault_set(fault, EXIT_CONFIG, "plugin %s: %s is being written",
                         plugin->name, plugin->path);
    if (image->fd < 0) {
        log_warn("plugin %s: no copy of %s in memory (%s): loaded from the file itself",
                 plugin->name, plugin->path, strerror(errno));
    } else if (mentions_origin(image->fd)) {
        log_warn(
            "plugin %s: %s uses $ORIGIN: loaded from the file itself, which must not "
            "change under a running server",
            plugin->name, plugin->path);
        fd_close(&image->fd);
    }
    return EXIT_OK;
}

static const struct heritage_image *find_path(const struct images *images,
                                              const char *path)
{
    for (size_t i = 0; i < images->count; i++)
        if (strcmp(images->item[i].path, path) == 0)
            return &images->item[i];
    return NULL;
}

int images_open(struct images *images, const struct conf *conf, struct fault *fault)
{
    images->count = 0;
    if (conf->plugins.count > HERITAGE_IMAGES)
        return fault_set(fault, EXIT_CONFIG, "%zu plugins, at most %d are possible",
                         conf->plugins.count, HERITAGE_IMAGES);
    for (size_t i = 0; i < conf->plugins.count; i++) {
        const struct conf_plugin *plugin = &conf->plugins.item[i];
        const struct heritage_image *same = find_path(images, plugin->path);

        if (same != NULL) {
            images->item[images->count++] = *same;
        } else if (open_one(&images->item[images->count], plugin, fault) == EXIT_OK) {
            images->count++;
        } else {
            images_close(images);
            return fault->status;
        }
    }
    return EXIT_OK;
}

void images_close(struct images *images)
{
    while (images->count > 0) {
        struct heritage_image *last = &images->item[--images->count];

        if (find_path(images, last->path) == NULL)
            fd_close(&last->fd);
    }
}
