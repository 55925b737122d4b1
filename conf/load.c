/* SPDX-License-Identifier: MIT */
/*
 * load - from files, environment and command line to a struct conf.   [master]
 *
 * Owns:    the struct conf until it is complete.
 * Called:  by main and master/reload.c.
 * Fails:   all mistakes of all sources are collected before it gives up.
 *
 * The order of the calls in fill is the order of precedence, weakest first.
 */
#include "conf/load.h"

#include "common/check.h"
#include "conf/book.h"
#include "conf/check.h"
#include "conf/env.h"
#include "conf/reader.h"
#include "conf/setting.h"
#include "conf/sources.h"

#include <stdlib.h>

#define CONF_MAGIC 0x636f6e66u /* "conf" */

static struct conf *create(void)
{
    struct conf *conf = calloc(1, sizeof(*conf));
    struct conf_book *book = calloc(1, sizeof(*book));

    if (conf == NULL || book == NULL) {
        free(conf);
        free(book);
        return NULL;
    }
    arena_init(&book->arena);
    book->conf = conf;
    conf->magic = CONF_MAGIC;
    conf->book = book;
    conf->server.uid = (uid_t)-1;
    conf->server.gid = (gid_t)-1;
    return conf;
}

void conf_destroy(struct conf **conf)
{
    struct conf *c = *conf;

    if (c == NULL)
        return;
    *conf = NULL;
    CHECK_OBJ(c, CONF_MAGIC);
    arena_fini(&c->book->arena);
    free(c->book);
    c->magic = 0;
    free(c);
}

static void fill(struct conf_book *book, const struct conf_source *src)
{
    for (size_t i = 0; i < OPTION_ROWS; i++)
        setting_init(book, &book->setting[i], &option_table[i], book->conf);
    book->conf->file = book_copy(book, src->file != NULL ? src->file : "");
    book->is_retold = src->told != NULL;
    if (book->is_retold) {
        sources_told(book, src);
    } else {
        if (src->file != NULL && !reader_run(book, book->conf->file))
            return;
        sources_environment(book);
        sources_define(book, src);
        sources_flags(book, src);
    }
    env_collect(book);
    check_server(book);
    check_addresses(book);
    check_plugins(book);
}

int conf_load(const struct conf_source *src, struct conf **out,
              struct conf_errors *errors)
{
    struct conf *conf = create();
    struct place nowhere = {NULL, NULL, NULL};

    *out = NULL;
    *errors = (struct conf_errors){0};
    if (conf != NULL) {
        conf->book->errors = errors;
        conf->book->environment = src->environment;
        fill(conf->book, src);
    }
    if (conf == NULL || conf->book->out_of_memory)
        mistake_add(errors, &nowhere, MISTAKE_NO_MEMORY, NULL, NULL);
    if (conf == NULL || errors->status != 0) {
        conf_destroy(&conf);
        return errors->status;
    }
    conf->book->errors = NULL; /* the caller's, as the environment */
    conf->book->environment = NULL;
    *out = conf;
    return 0;
}
