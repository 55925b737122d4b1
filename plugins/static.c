/* SPDX-License-Identifier: MIT */
/*
 * static - the files below one directory, for GET and HEAD.
 *
 * Options: root (required), index (index.html).
 * Serves:  regular files. A directory answers with its index, or is 404; nothing is
 * listed. Names that begin with a dot are 404, but for .well-known (RFC 8615). Safe:    a
 * path never leads out of the root. openat2 with RESOLVE_BENEATH follows symbolic links
 * that stay inside; where the kernel or a filter refuses it, a walk from name to name
 * follows none at all. Modes:   SYNC, because opening a file may wait for a disk.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* O_PATH */
#endif
#include <remuda.h>

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { OPEN_TRIES = 8 }; /* openat2 gives up with EAGAIN while names are being moved */

/* O_NONBLOCK: a fifo must not hold the thread before we have seen that it is one */
#define OPEN_FLAGS (O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)

struct site {
    int root;         /* descriptor of the directory */
    bool has_openat2; /* here and now, probed at start */
};

/* ---- opening a file below the root: a descriptor, or -errno ---- */

static int open_beneath(int root, const char *path)
{
    struct open_how how = {.flags = OPEN_FLAGS,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    long fd = -1;

    for (int i = 0; i < OPEN_TRIES; i++) {
        fd = syscall(SYS_openat2, root, path, &how, sizeof(how));
        if (fd >= 0 || (errno != EAGAIN && errno != EINTR))
            break;
    }
    return fd >= 0 ? (int)fd : -errno;
}

/* `path` is cut into its names. No name is "..": is_served has seen to it. */
static int open_by_walking(int root, char *path)
{
    char *rest = path;
    int dir = openat(root, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);

    while (dir >= 0) {
        char *name = rest + strspn(rest, "/");
        size_t n = strcspn(name, "/");
        bool is_last = name[n] == '\0';
        int next;

        rest = name + n + !is_last;
        name[n] = '\0';
        next = openat(dir, n > 0 ? name : ".",
                      O_NOFOLLOW |
                          (is_last ? OPEN_FLAGS : O_PATH | O_DIRECTORY | O_CLOEXEC));
        if (is_last || next < 0) {
            int error = errno;

            close(dir);
            return next >= 0 ? next : -error;
        }
        close(dir);
        dir = next;
    }
    return -errno;
}

static int open_file(remuda_ctx *c, const char *path)
{
    const struct site *site = remuda_state(c);
    size_t n = strlen(path);
    char *copy;

    if (site->has_openat2)
        return open_beneath(site->root, n > 0 ? path : ".");
    copy = remuda_alloc(c, n + 1);
    memcpy(copy, path, n + 1);
    return open_by_walking(site->root, copy);
}

/* ---- what to answer ---- */

static const struct {
    const char *extension, *type;
} types[] = {
    {"avif", "image/avif"},
    {"css", "text/css; charset=utf-8"},
    {"csv", "text/csv; charset=utf-8"},
    {"gif", "image/gif"},
    {"gz", "application/gzip"},
    {"htm", "text/html; charset=utf-8"},
    {"html", "text/html; charset=utf-8"},
    {"ico", "image/vnd.microsoft.icon"},
    {"jpeg", "image/jpeg"},
    {"jpg", "image/jpeg"},
    {"js", "text/javascript; charset=utf-8"},
    {"json", "application/json"},
    {"map", "application/json"},
    {"md", "text/markdown; charset=utf-8"},
    {"mjs", "text/javascript; charset=utf-8"},
    {"mp3", "audio/mpeg"},
    {"mp4", "video/mp4"},
    {"ogg", "audio/ogg"},
    {"otf", "font/otf"},
    {"pdf", "application/pdf"},
    {"png", "image/png"},
    {"svg", "image/svg+xml"},
    {"tar", "application/x-tar"},
    {"ttf", "font/ttf"},
    {"txt", "text/plain; charset=utf-8"},
    {"wasm", "application/wasm"},
    {"webm", "video/webm"},
    {"webp", "image/webp"},
    {"woff", "font/woff"},
    {"woff2", "font/woff2"},
    {"xml", "application/xml"},
    {"zip", "application/zip"},
};

static const char *type_of(const char *path)
{
    const char *name = strrchr(path, '/');
    const char *dot = strrchr(name != NULL ? name : path, '.');

    for (size_t i = 0; dot != NULL && i < sizeof(types) / sizeof(types[0]); i++)
        if (strcasecmp(dot + 1, types[i].extension) == 0)
            return types[i].type;
    return "application/octet-stream";
}

/* No hidden name on the way, and so no "..". */
static bool is_served(const char *path)
{
    static const char well_known[] = ".well-known";

    for (const char *name = path; *name != '\0';) {
        size_t n = strcspn(name, "/");

        if (name[0] == '.' &&
            (n != sizeof(well_known) - 1 || memcmp(name, well_known, n) != 0))
            return false;
        name += n;
        name += strspn(name, "/");
    }
    return true;
}

static int answer_error(int error)
{
    switch (error) {
    case -EACCES:
    case -EPERM:
        return 403;
    case -EMFILE:
    case -ENFILE:
        return 503;
    case -ENOENT:
    case -ENOTDIR:
    case -ELOOP: /* a symbolic link, where the walk meets one */
    case -EXDEV: /* it would lead out of the root */
    case -ENAMETOOLONG:
    case -ENXIO: /* a socket */
        return 404;
    default:
        return error;
    }
}

/* Relative links of an index need the slash. The Location is relative too, so it holds
 * behind a proxy's prefix, and "//host/x" cannot lead to another site. */
static int send_to_directory(remuda_ctx *c)
{
    const char *target = remuda_get(c, REMUDA_TARGET);
    size_t end = strcspn(target, "?"), begin = end;
    int rc;

    while (begin > 0 && target[begin - 1] != '/')
        begin--;
    rc = remuda_set(c, "Location",
                    remuda_format(c, "./%.*s/", (int)(end - begin), target + begin));
    return rc < 0 ? rc : remuda_send(c, 301, NULL, "", 0, REMUDA_STATIC);
}

/* Takes fd. 0 and *is_directory_out, or what the handler returns. */
static int send_opened(remuda_ctx *c, const char *path, int fd, bool *is_directory_out)
{
    struct stat st;

    *is_directory_out = false;
    if (fd < 0)
        return answer_error(fd);
    if (fstat(fd, &st) == 0) {
        if (S_ISREG(st.st_mode))
            return remuda_file(c, 200, type_of(path), fd, 0, (uint64_t)st.st_size);
        *is_directory_out = S_ISDIR(st.st_mode);
    }
    close(fd);
    return *is_directory_out ? 0 : 404;
}

static int get(remuda_ctx *c)
{
    const char *path = remuda_param(c, "path");
    bool is_directory;
    size_t n;
    int rc;

    path += strspn(path, "/");
    if (!is_served(path))
        return 404;
    rc = send_opened(c, path, open_file(c, path), &is_directory);
    if (!is_directory)
        return rc;
    n = strlen(path);
    if (n > 0 && path[n - 1] != '/')
        return send_to_directory(c);
    path = remuda_format(c, "%s%s", path, remuda_conf(c, "index"));
    rc = send_opened(c, path, open_file(c, path), &is_directory);
    return is_directory ? 404 : rc;
}

/* ---- once per process ---- */

static int start(remuda_ctx *c, void **state)
{
    const char *root = remuda_conf(c, "root");
    struct site *site = malloc(sizeof(*site));
    int probe;

    if (site == NULL)
        return -ENOMEM;
    site->root = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (site->root < 0) {
        int error = errno;

        remuda_log(c, REMUDA_ERROR, "static: cannot open root = %s: %s", root,
                   strerror(error));
        free(site);
        return -error;
    }
    probe = open_beneath(site->root, ".");
    site->has_openat2 = probe >= 0;
    if (probe >= 0)
        close(probe);
    else
        remuda_log(c, REMUDA_INFO, "static: no openat2 here (%s): symbolic links are 404",
                   strerror(-probe));
    *state = site;
    return 0;
}

static void stop(remuda_ctx *c, void *state)
{
    struct site *site = state;

    (void)c;
    close(site->root);
    free(site);
}

REMUDA_PLUGIN(.name = "static", .start = start, .stop = stop,
              REMUDA_OPTIONS(REMUDA_OPTION("root", REMUDA_STRING, NULL,
                                           .help = "directory whose files are served"),
                             REMUDA_OPTION("index", REMUDA_STRING, "index.html",
                                           .help = "file that answers for a directory")),
              REMUDA_ROUTES(REMUDA_GET("/*path", get)));
