/* SPDX-License-Identifier: MIT */
/*
 * env - the environment that workers get: env_file, then [env].
 *
 * Owns:    nothing; the pairs live in the book.
 * Called:  by load.c and assign.c; conf_env_apply by worker/.
 * Fails:   the mistake is noted, each with its line.
 *
 * env_file: NAME=VALUE lines as systemd's EnvironmentFile= in its plain form. The value
 * is taken as it is, without quotes, references or comments behind it; it is a secret.
 */
#include "conf/env.h"

#include "conf/textfile.h"

#include <stdlib.h>
#include <string.h>

bool env_is_name(const char *name)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";
    static const char all[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";
    size_t n = strlen(name);

    return n > 0 && strspn(name, letters) > 0 && strspn(name, all) == n;
}

static void take_line(struct conf_book *book, struct pair_list *out, const char *line,
                      const struct conf_origin *origin)
{
    struct place place = {.origin = origin};
    const char *mark = strchr(line, '=');
    struct conf_pair pair = {.origin = *origin};

    if (line[0] == '\0' || line[0] == '#' || line[0] == ';')
        return;
    pair.key = book_copy_n(book, line, mark != NULL ? (size_t)(mark - line) : 0);
    if (!env_is_name(pair.key)) {
        /* the whole line may be a secret: only its name is shown */
        mistake_add(book->errors, &place, MISTAKE_ENV_FILE_LINE, pair.key, NULL);
        return;
    }
    pair.value = book_copy(book, mark + 1);
    pair.secret = origin->name;
    book_set_pair(book, out, &pair);
}

static void take_text(struct conf_book *book, struct pair_list *out, const char *path,
                      const struct textfile *file)
{
    struct conf_origin origin = {CONF_FROM_FILE, path, 0};
    struct place place = {.origin = &origin};
    const char *p = file->text;
    const char *end = p + file->n;

    if (memchr(p, '\0', file->n) != NULL) {
        mistake_add(book->errors, &place, MISTAKE_LINE_NUL, NULL, NULL);
        return;
    }
    while (p < end) {
        size_t n = strcspn(p, "\n");
        size_t kept = n > 0 && p[n - 1] == '\r' ? n - 1 : n;

        origin.line++;
        take_line(book, out, book_copy_n(book, p, kept), &origin);
        p += n + (p[n] == '\n');
    }
}

void env_collect(struct conf_book *book)
{
    struct pair_list all = {NULL, 0};
    const char *path = book->conf->server.env_file;
    struct conf_origin origin = {CONF_FROM_FILE, path, 0};
    struct place place = {.origin = &origin};
    struct textfile file;
    enum mistake mistake;

    if (path[0] != '\0') {
        mistake = textfile_read(book, path, true, &file);
        if (mistake == MISTAKE_FILE_MISSING)
            mistake = MISTAKE_ENV_FILE_MISSING; /* 66 is for the main file */
        if (mistake == MISTAKE_NONE)
            take_text(book, &all, path, &file);
        else
            mistake_add(book->errors, &place, mistake, file.detail, NULL);
    }
    for (size_t i = 0; i < book->env.count; i++)
        book_set_pair(book, &all, &book->env.item[i]);
    book->conf->env = (struct conf_pairs){all.item, all.count};
}

int conf_env_apply(const struct conf *conf)
{
    for (size_t i = 0; i < conf->env.count; i++) {
        if (setenv(conf->env.item[i].key, conf->env.item[i].value, 1) == -1)
            return -1;
    }
    return 0;
}
