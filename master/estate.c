/* SPDX-License-Identifier: MIT */
/*
 * estate - what one master image leaves to the next.                          [master]
 *
 * Owns:    the lists of an estate; descriptors in it belong to whoever adopts them.
 * Called:  by upgrade.c (write) and adopt.c; estate_read.c is the way back.
 * Fails:   -1 with errno.
 */
#include "master/estate.h"

#include "common/check.h"
#include "common/fd.h"
#include "master/estate_records.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct estate *estate_create(void)
{
    struct estate *estate = calloc(1, sizeof(*estate));

    if (estate == NULL)
        return NULL;
    arena_init(&estate->texts);
    estate->control.socket.fd = estate->self.oom.fd = -1;
    return estate;
}

void estate_destroy(struct estate **estate)
{
    if (*estate == NULL)
        return;
    arena_fini(&(*estate)->texts);
    free((*estate)->told);
    free((*estate)->read);
    free(*estate);
    *estate = NULL;
}

struct conf_told *estate_push_told(struct estate *estate)
{
    struct conf_told *grown =
        reallocarray(estate->told, estate->told_count + 1, sizeof(*grown));

    if (grown == NULL)
        return NULL;
    estate->told = grown;
    grown += estate->told_count++;
    *grown = (struct conf_told){.from = CONF_FROM_DEFAULT};
    return grown;
}

bool estate_add_told(struct estate *estate, const struct conf_told *told)
{
    struct conf_told *copy = estate_push_told(estate);

    if (copy == NULL)
        return false;
    copy->section = arena_copy(&estate->texts, told->section, strlen(told->section));
    copy->key = arena_copy(&estate->texts, told->key, strlen(told->key));
    copy->text = arena_copy(&estate->texts, told->text, strlen(told->text));
    copy->secret = arena_copy(&estate->texts, told->secret, strlen(told->secret));
    copy->from = told->from;
    return copy->section != NULL && copy->key != NULL && copy->text != NULL &&
           copy->secret != NULL;
}

bool estate_add_named(struct estate *estate, const char *name, int fd)
{
    struct estate_named *named;

    if (estate->named_count == COUNT_OF(estate->named))
        return false;
    named = &estate->named[estate->named_count++];
    named->fd = fd;
    snprintf(named->name, sizeof(named->name), "%s", name);
    return true;
}

int estate_take_named(struct estate *estate, const char *name)
{
    for (size_t i = 0; i < estate->named_count; i++) {
        const int fd = estate->named[i].fd;

        if (fd < 0 || strcmp(estate->named[i].name, name) != 0)
            continue;
        estate->named[i].fd = -1;
        return fd;
    }
    return -1;
}

void estate_each_fd(const struct estate *estate, estate_fd_fn *fn, void *arg)
{
    for (size_t r = 0; r < ESTATE_RECORDS; r++)
        for (size_t i = 0; i < estate_count_of(estate, &estate_records[r]); i++)
            for (size_t f = 0; f < estate_records[r].fields; f++) {
                const struct field *field = &estate_records[r].field[f];
                const char *item = estate_item_of(estate, &estate_records[r], i);
                int fd;

                if (field->kind != FIELD_FD)
                    continue;
                memcpy(&fd, item + field->offset, sizeof(fd));
                if (fd >= 0)
                    fn(arg, estate_records[r].name, fd);
            }
}

/* ---- to text ---- */

static void put_all(FILE *out, const struct estate *estate)
{
    size_t lines = 1;

    (void)fprintf(out, "%s %d\n", ESTATE_TITLE, ESTATE_VERSION);
    for (size_t r = 0; r < ESTATE_RECORDS; r++)
        for (size_t i = 0; i < estate_count_of(estate, &estate_records[r]);
             i++, lines++) {
            (void)fputs(estate_records[r].name, out);
            for (size_t f = 0; f < estate_records[r].fields; f++)
                field_put(out, &estate_records[r].field[f],
                          estate_item_of(estate, &estate_records[r], i));
            (void)fputc('\n', out);
        }
    (void)fprintf(out, "end %zu\n", lines);
}

static int seal(const char *text, size_t n)
{
    int fd = memfd_create("remuda-estate", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd >= 0 && (fd_write_all(fd, text, n) < 0 ||
                    fcntl(fd, F_ADD_SEALS,
                          F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0))
        fd_close(&fd);
    return fd;
}

int estate_write(const struct estate *estate)
{
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    bool is_bad;
    int fd = -1;

    if (out == NULL)
        return -1;
    put_all(out, estate);
    is_bad = ferror(out) != 0;
    if (fclose(out) == 0 && !is_bad)
        fd = seal(text, n);
    else
        errno = ENOMEM;
    free(text);
    return fd;
}
