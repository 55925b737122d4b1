/* SPDX-License-Identifier: MIT */
/*
 * static - the files below one directory, for GET and HEAD.
 *
 * Options: root (required), index (index.html), cache_control, dotfiles (no).
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

enum { ETAG_BYTES = 64 };

struct site {
    int root;         /* descriptor of the directory */
    bool has_openat2; /* here and now, probed at start */
    bool has_dotfiles;
};

/* What was opened. */
struct file {
    const char *type;
    int fd;
    uint64_t size;
    struct validators is;
    char etag[ETAG_BYTES];
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

    snprintf(f->etag, sizeof(f->etag), "\"%llx-%llx%08lx-%llx\"",
             (unsigned long long)st->st_size, (unsigned long long)changed_s,
             (unsigned long)st->st_mtim.tv_nsec, (unsigned long long)st->st_ino);
    f->type = type_of(path);
    f->size = (uint64_t)st->st_size;
    f->is = (struct validators){
        .etag = f->etag,
        /* Never later than Date (8.8.2.1), which the host renews once a second. */
        .modified_s = changed_s < now_s ? changed_s : now_s - 1,
        .now_s = now_s,
        .is_date_strong = changed_s < now_s - 1,
    };
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

/* ---- answers; each takes the file ---- */

static int set(remuda_ctx *c, int rc, const char *name, const char *value)
{
    return rc < 0 || value[0] == '\0' ? rc : remuda_set(c, name, value);
}

/* Those of a 304 are all that a cache needs to find and keep its copy: 15.4.5. */
static int set_fields(remuda_ctx *c, const struct file *f, bool is_304)
{
    char date[DATE_BYTES];
    int rc = set(c, 0, "ETag", f->etag);

    rc = set(c, rc, "Cache-Control", remuda_conf(c, "cache_control"));
    if (is_304)
        return rc;
    date_format(f->is.modified_s, date);
    rc = set(c, rc, "Last-Modified", date);
    rc = set(c, rc, "Accept-Ranges", "bytes");
    return set(c, rc, "X-Content-Type-Options", "nosniff");
}

static int send_not_modified(remuda_ctx *c, const struct file *f)
{
    int rc = set_fields(c, f, true);

    close(f->fd);
    return rc < 0 ? rc : remuda_send(c, 304, NULL, "", 0, REMUDA_STATIC);
}

static int send_outside(remuda_ctx *c, const struct file *f)
{
    static const char text[] = "416 Range Not Satisfiable\n";
    int rc = set(c, 0, "Content-Range",
                 remuda_format(c, "bytes */%llu", (unsigned long long)f->size));

    close(f->fd);
    return rc < 0 ? rc
                  : remuda_send(c, 416, "text/plain; charset=utf-8", text,
                                sizeof(text) - 1, REMUDA_STATIC);
}

static int send_whole(remuda_ctx *c, const struct file *f)
{
    int rc = set_fields(c, f, false);

    if (rc < 0) {
        close(f->fd);
        return rc;
    }
    return remuda_file(c, 200, f->type, f->fd, 0, f->size);
}

static int send_range(remuda_ctx *c, const struct file *f, struct span span)
{
    int rc = set_fields(c, f, false);

    rc = set(c, rc, "Content-Range",
             remuda_format(c, "bytes %llu-%llu/%llu", (unsigned long long)span.first,
                           (unsigned long long)(span.first + span.count - 1),
                           (unsigned long long)f->size));
    if (rc < 0) {
        close(f->fd);
        return rc;
    }
    return remuda_file(c, 206, f->type, f->fd, span.first, span.count);
}

static int answer(remuda_ctx *c, const struct file *f)
{
    struct conditions asked = {
        .match = remuda_header(c, "If-Match"),
        .none_match = remuda_header(c, "If-None-Match"),
        .modified_since = remuda_header(c, "If-Modified-Since"),
        .unmodified_since = remuda_header(c, "If-Unmodified-Since"),
        .range = remuda_header(c, "If-Range"),
    };
    int status = condition_check(&asked, &f->is);
    enum range_kind kind = RANGE_NONE;
    struct range_set ranges;

    if (status == 304)
        return send_not_modified(c, f);
    if (status != 0) {
        close(f->fd);
        return status;
    }
    if (strcmp(remuda_get(c, REMUDA_METHOD), "GET") == 0 &&
        condition_holds_range(&asked, &f->is))
        kind = range_parse(remuda_header(c, "Range"), f->size, &ranges);
    if (kind == RANGE_OUTSIDE)
        return send_outside(c, f);
    if (kind == RANGE_SOME && ranges.count == 1)
        return send_range(c, f, ranges.span[0]);
    return send_whole(c, f);
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
    rc = remuda_set(
        c, "Location",
        remuda_format(c, "./%.*s/%s", (int)(end - begin), target + begin, target + end));
    return rc < 0 ? rc : remuda_send(c, 301, NULL, "", 0, REMUDA_STATIC);
}

static int get(remuda_ctx *c)
{
    const struct site *site = remuda_state(c);
    const char *path = remuda_param(c, "path");
    struct file f;
    size_t n;
    int rc;

    path += strspn(path, "/");
    if (!is_served(path, site->has_dotfiles))
        return 404;
    rc = open_regular(c, path, &f);
    if (rc == -EISDIR) {
        n = strlen(path);
        if (n > 0 && path[n - 1] != '/')
            return send_to_directory(c);
        rc = open_regular(c, remuda_format(c, "%s%s", path, remuda_conf(c, "index")), &f);
    }
    if (rc == -EISDIR)
        return 404;
    return rc != 0 ? rc : answer(c, &f);
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
              REMUDA_OPTIONS(REMUDA_OPTION("root", REMUDA_STRING, NULL,
                                           .help = "directory whose files are served"),
                             REMUDA_OPTION("index", REMUDA_STRING, "index.html",
                                           .help = "file that answers for a directory"),
                             REMUDA_OPTION("cache_control", REMUDA_STRING, "",
                                           .help = "Cache-Control of every file"),
                             REMUDA_OPTION("dotfiles", REMUDA_BOOL, "no",
                                           .help = "serve names that begin with a dot")),
              REMUDA_ROUTES(REMUDA_GET("/*path", get)));
