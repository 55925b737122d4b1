/* SPDX-License-Identifier: MIT */
/*
 * textfile - a small file, whole, in memory.                  [master]
 *
 * Owns:    its descriptor while it reads.
 * Called:  by reader.c, reference.c, env.c.
 * Fails:   with the sentence that says why. Never waits: a FIFO is opened without
 *          blocking and refused.
 */
#include "conf/textfile.h"

#include "common/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum mistake from_errno(struct textfile *out)
{
    if (errno == ENOENT || errno == ENOTDIR)
        return MISTAKE_FILE_MISSING;
    if (errno == EACCES || errno == EPERM)
        return MISTAKE_FILE_DENIED;
    (void)snprintf(out->detail, sizeof(out->detail), "%s", strerror(errno));
    return MISTAKE_FILE_UNREADABLE;
}

/* Who may write what root reads is root. The group root has is no one else. */
static bool is_writable_by_others(const struct stat *st)
{
    return (st->st_mode & S_IWOTH) != 0 ||
           ((st->st_mode & S_IWGRP) != 0 && st->st_gid != 0);
}

static enum mistake examine(int fd, bool guarded, struct textfile *out)
{
    struct stat st;

    if (fstat(fd, &st) == -1)
        return from_errno(out);
    if (!S_ISREG(st.st_mode))
        return MISTAKE_FILE_NOT_REGULAR;
    if (guarded && geteuid() == 0 && is_writable_by_others(&st)) {
        (void)snprintf(out->detail, sizeof(out->detail), "%04o", st.st_mode & 07777u);
        return MISTAKE_FILE_WRITABLE;
    }
    out->device = st.st_dev;
    out->inode = st.st_ino;
    return MISTAKE_NONE;
}

static enum mistake take(struct conf_book *book, int fd, struct textfile *out)
{
    char bytes[TEXTFILE_MOST + 1]; /* one more, to see that it is too large */
    size_t n = 0;
    ssize_t got = 1;

    while (n < sizeof(bytes) && got != 0) {
        got = read(fd, bytes + n, sizeof(bytes) - n);
        if (got == -1 && errno != EINTR)
            return from_errno(out);
        n += got > 0 ? (size_t)got : 0;
    }
    if (n > TEXTFILE_MOST) {
        (void)snprintf(out->detail, sizeof(out->detail), "64k");
        return MISTAKE_FILE_TOO_LARGE;
    }
    out->text = book_copy_n(book, bytes, n);
    out->n = book->out_of_memory ? 0 : n;
    return MISTAKE_NONE;
}

enum mistake textfile_read(struct conf_book *book, const char *path, bool guarded,
                           struct textfile *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    enum mistake mistake;

    *out = (struct textfile){.text = ""};
    if (fd == -1)
        return from_errno(out);
    mistake = examine(fd, guarded, out);
    if (mistake == MISTAKE_NONE)
        mistake = take(book, fd, out);
    fd_close(&fd);
    return mistake;
}
