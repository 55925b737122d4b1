/* SPDX-License-Identifier: MIT */
/*
 * include - the files that `include = PATH` and FILE.d bring in.   [master]
 *
 * Owns:    directory listings, while it pushes their files.
 * Called:  by reader.c.
 * Fails:   the mistake is noted at the line that includes.
 */
#include "conf/include.h"

#include "conf/reader.h"

#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct reader_file *include_push(struct reader *reader, const char *path,
                                 struct reader_file *parent)
{
    struct reader_file *file = book_alloc(reader->book, sizeof(*file));

    if (file == NULL)
        return NULL;
    file->path = book_copy(reader->book, path);
    file->section = "";
    file->parent = parent;
    file->included_at.from = CONF_FROM_FILE;
    file->included_at.name = parent != NULL ? parent->path : file->path;
    file->included_at.line = parent != NULL ? parent->line : 0;
    file->depth = parent != NULL ? parent->depth + 1 : 0;
    file->below = reader->top;
    reader->top = file;
    return file;
}

static void refuse(struct reader *reader, enum mistake mistake, const char *what)
{
    struct conf_origin origin = {CONF_FROM_FILE, reader->top->path, reader->top->line};
    struct place place = {.origin = &origin};

    mistake_add(reader->book->errors, &place, mistake, what, NULL);
}

static int is_ini(const struct dirent *entry)
{
    size_t n = strlen(entry->d_name);

    return n > 4 && entry->d_name[0] != '.' && strcmp(entry->d_name + n - 4, ".ini") == 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void push_directory(struct reader *reader, const char *directory,
                           struct reader_file *parent)
{
    struct dirent **entries;
    int n = scandir(directory, &entries, is_ini, by_name);

    if (n == -1) {
        struct conf_origin origin = {CONF_FROM_FILE, directory, 0};
        struct place place = {.origin = &origin};

        mistake_add(reader->book->errors, &place,
                    errno == EACCES ? MISTAKE_FILE_DENIED : MISTAKE_FILE_UNREADABLE,
                    strerror(errno), NULL);
        return;
    }
    while (n-- > 0) {
        const char *path = book_join(reader->book, directory, "/", entries[n]->d_name);

        (void)include_push(reader, path, parent);
        free(entries[n]);
    }
    free(entries);
}

static void push_pattern(struct reader *reader, const char *pattern,
                         struct reader_file *parent)
{
    glob_t found;

    /* GLOB_NOSORT is not set: in the C locale the order is that of strcmp */
    if (glob(pattern, 0, NULL, &found) != 0)
        return; /* a pattern that matches nothing includes nothing */
    for (size_t i = found.gl_pathc; i-- > 0;)
        (void)include_push(reader, found.gl_pathv[i], parent);
    globfree(&found);
}

static const char *from_directory_of(struct conf_book *book, const char *file,
                                     const char *path)
{
    const char *slash = strrchr(file, '/');

    if (path[0] == '/' || slash == NULL)
        return path;
    return book_join(book, book_copy_n(book, file, (size_t)(slash - file)), "/", path);
}

void include_resolve(struct reader *reader, const char *path)
{
    struct reader_file *parent = reader->top;
    struct stat st;

    if (parent->depth + 1 >= READER_DEPTH_MOST) {
        refuse(reader, MISTAKE_INCLUDE_DEPTH, "16");
        return;
    }
    path = from_directory_of(reader->book, parent->path, path);
    if (stat(path, &st) == 0) {
        if (S_ISDIR(st.st_mode))
            push_directory(reader, path, parent);
        else
            (void)include_push(reader, path, parent);
    } else if (strpbrk(path, "*?[") != NULL) {
        push_pattern(reader, path, parent);
    } else if (errno == ENOENT || errno == ENOTDIR) {
        refuse(reader, MISTAKE_INCLUDE_MISSING, path);
    } else {
        (void)include_push(reader, path, parent); /* opening it says what is wrong */
    }
}

void include_drop_ins(struct reader *reader, const char *directory)
{
    struct stat st;

    if (stat(directory, &st) == 0 && S_ISDIR(st.st_mode))
        push_directory(reader, directory, NULL);
}

bool include_is_cycle(const struct reader_file *file)
{
    for (const struct reader_file *f = file->parent; f != NULL; f = f->parent) {
        if (f->device == file->device && f->inode == file->inode)
            return true;
    }
    return false;
}
