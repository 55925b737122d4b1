/* SPDX-License-Identifier: MIT */
/*
 * static - the files below one directory, for GET and HEAD.
 *
 * Options: root (required), index (index.html), cache_control, multipart (256k),
 *          precompressed (yes), dotfiles (no).
 * Serves:  regular files, whole or in ranges, or says that the client has them already. A
 *          directory answers with its index, or is 404; nothing is listed. Names that
 *          begin with a dot are 404, but for .well-known (RFC 8615).
 * Safe:    a path never leads out of the root. openat2 with RESOLVE_BENEATH follows
 *          symbolic links that stay inside; where the kernel or a filter refuses it, a walk
 *          from name to name follows none at all. A file is opened once, and what is said
 *          of it is said of that descriptor: one that is replaced stays what it was.
 * Modes:   SYNC, because opening a file may wait for a disk.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <remuda.h>

#include "static.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct site {
    int root;         /* descriptor of the directory */
    bool has_openat2; /* here and now, probed at start */
    bool has_dotfiles;
};

/* ---- the file ---- */

/* No hidden name on the way, and never "." or "..". */
static bool is_served(const char *path, bool has_dotfiles)
{
    static const char well_known[] = ".well-known";

    for (const char *name = path; *name != '\0';) {
        size_t n = strcspn(name, "/");

        if (name[0] == '.' && (!has_dotfiles || n < 2 || (n == 2 && name[1] == '.')) &&
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
    case -EAGAIN: /* somebody has a lease, or names are being moved all the time */
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

/* Strong, 8.8.1: another size, another time to the nanosecond, or another file. */
static void describe(struct file *f, const char *path, const struct stat *st)
{
    int64_t now_s = time(NULL);
    int64_t changed_s = st->st_mtim.tv_sec > 0 ? st->st_mtim.tv_sec : 0;

    f->type = type_of(path);
    f->coding = NULL;
    f->changed_s = changed_s;
    f->size = (uint64_t)st->st_size;
    f->is = (struct validators){
        /* Never later than Date (8.8.2.1), which the host renews once a second. */
        .modified_s = changed_s < now_s ? changed_s : now_s - 1,
        .now_s = now_s,
        .is_date_strong = changed_s < now_s - 1,
    };
    snprintf(f->is.etag, sizeof(f->is.etag), "\"%llx-%llx%08lx-%llx\"",
             (unsigned long long)st->st_size, (unsigned long long)changed_s,
             (unsigned long)st->st_mtim.tv_nsec, (unsigned long long)st->st_ino);
}

/* 0 and *out, or the answer: a status or -errno. -EISDIR: a directory. */
static int open_regular(remuda_ctx *c, const char *path, struct file *out)
{
    struct stat st;

    out->fd = open_file(c, path);
    if (out->fd < 0)
        return answer_error(out->fd);
    if (fstat(out->fd, &st) == 0 && S_ISREG(st.st_mode)) {
        describe(out, path, &st);
        return 0;
    }
    close(out->fd);
    return S_ISDIR(st.st_mode) ? -EISDIR : 404;
}

/* ---- what is asked for ---- */

/* Relative links of an index need the slash. The Location is relative too, so it holds
 * behind a proxy's prefix, and "//host/x" cannot lead to another site. */
static int send_to_directory(remuda_ctx *c)
{
    const char *target = remuda_get(c, REMUDA_TARGET);
    size_t end = strcspn(target, "?"), begin = end;
    int rc;

    while (begin > 0 && target[begin - 1] != '/')
        begin--;
    rc = remuda_set(
        c, "Location",
        remuda_format(c, "./%.*s/%s", (int)(end - begin), target + begin, target + end));
    return rc < 0 ? rc : remuda_send(c, 301, NULL, "", 0, REMUDA_STATIC);
}

/* `path` compressed beforehand, if the client would rather have that. One that is older
 * than the file is not of this file, one that is empty was never finished, and one that is
 * no smaller is of no use. */
static void choose_sibling(remuda_ctx *c, const char *path, struct file *f)
{
    const struct coding *wanted[CODINGS];
    size_t count = coding_choose(remuda_header(c, "Accept-Encoding"), wanted);
    struct file sibling;

    for (size_t i = 0; i < count; i++) {
        const char *name = remuda_format(c, "%s%s", path, wanted[i]->suffix);

        if (open_regular(c, name, &sibling) != 0)
            continue;
        if (sibling.changed_s >= f->changed_s && sibling.size > 0 &&
            sibling.size < f->size) {
            close(f->fd);
            sibling.type = f->type;
            sibling.coding = wanted[i];
            *f = sibling;
            return;
        }
        close(sibling.fd);
    }
}

static int serve(remuda_ctx *c, const char *path)
{
    struct file f;
    int rc = open_regular(c, path, &f);

    if (rc != 0)
        return rc;
    if (f.type->is_compressible && remuda_conf_num(c, "precompressed") != 0)
        choose_sibling(c, path, &f);
    return answer_with(c, &f);
}

static int get(remuda_ctx *c)
{
    const struct site *site = remuda_state(c);
    const char *path = remuda_param(c, "path");
    size_t n;
    int rc;

    path += strspn(path, "/");
    if (!is_served(path, site->has_dotfiles))
        return 404;
    rc = serve(c, path);
    if (rc != -EISDIR)
        return rc;
    n = strlen(path);
    if (n > 0 && path[n - 1] != '/')
        return send_to_directory(c);
    rc = serve(c, remuda_format(c, "%s%s", path, remuda_conf(c, "index")));
    return rc == -EISDIR ? 404 : rc;
}

/* ---- once per process ---- */

/* An index in another directory may leave the root where openat2 is missing. */
static int check(remuda_ctx *c)
{
    const char *index = remuda_conf(c, "index");
    const char *bad = NULL;

    for (const char *p = remuda_conf(c, "cache_control"); *p != '\0'; p++)
        if ((unsigned char)*p < 0x20 || (unsigned char)*p >= 0x7f)
            bad = "cache_control must be printable ASCII";
    if (index[0] == '\0' || index[0] == '.' || strchr(index, '/') != NULL)
        bad = "index must be the name of a file";
    if (remuda_conf_num(c, "multipart") > MULTIPART_MOST)
        bad = "multipart must be at most 16M: it is memory";
    if (bad == NULL)
        return 0;
    remuda_log(c, REMUDA_ERROR, "static: %s", bad);
    return -EINVAL;
}

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
    site->has_dotfiles = remuda_conf_num(c, "dotfiles") != 0;
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

REMUDA_PLUGIN(.name = "static", .check = check, .start = start, .stop = stop,
              REMUDA_OPTIONS(
                  REMUDA_OPTION("root", REMUDA_STRING, NULL,
                                .help = "directory whose files are served"),
                  REMUDA_OPTION("index", REMUDA_STRING, "index.html",
                                .help = "file that answers for a directory"),
                  REMUDA_OPTION("cache_control", REMUDA_STRING, "",
                                .help = "Cache-Control of every file"),
                  REMUDA_OPTION("multipart", REMUDA_SIZE, "256k",
                                .help = "most bytes of several ranges at once"),
                  REMUDA_OPTION("precompressed", REMUDA_BOOL, "yes",
                                .help = "send x.br or x.gz in the place of x"),
                  REMUDA_OPTION("dotfiles", REMUDA_BOOL, "no",
                                .help = "serve names that begin with a dot")),
              REMUDA_ROUTES(REMUDA_GET("/*path", get)));
