/* SPDX-License-Identifier: MIT */
/*
 * mistakes - what conf/ says about a wrong configuration, collected.   [master]
 *
 * Owns:    the lines of struct conf_errors.
 * Called:  by all of conf/.
 * Fails:   never; what memory does not suffice for is lost, the status remains.
 */
#include "conf/mistakes.h"

#include "common/check.h"

#include <stdlib.h>
#include <string.h>

enum { STATUS_MISTAKE = 78, STATUS_SYSTEM = 71, SHOWN_MOST = 300 };

static const struct {
    int status;
    const char *text;
} mistakes[MISTAKE_COUNT] = {
#define MISTAKE(id, status, text) [MISTAKE_##id] = {status, text},
#include "conf/mistakes.def"
};

static const char *const reasons[REASON_COUNT] = {
#define REASON(id, text) [REASON_##id] = text,
#include "conf/mistakes.def"
};

const char *mistake_reason(enum reason reason)
{
    CHECK(reason < REASON_COUNT);
    return reasons[reason];
}

const char *mistake_text(enum mistake mistake)
{
    CHECK(mistake > MISTAKE_NONE && mistake < MISTAKE_COUNT);
    return mistakes[mistake].text;
}

int mistake_status(enum mistake mistake)
{
    CHECK(mistake > MISTAKE_NONE && mistake < MISTAKE_COUNT);
    return mistakes[mistake].status;
}

/* Bytes of a config are shown to people: a control byte must not reach their terminal,
 * nor a long value bury the line. */
static void put_visible(FILE *out, const char *text)
{
    for (const char *p = text; *p != '\0'; p++) {
        unsigned char byte = (unsigned char)*p;

        if (p - text == SHOWN_MOST) {
            (void)fputs("...", out);
            return;
        }
        if (byte < 0x20 || byte == 0x7f)
            (void)fprintf(out, "\\x%02x", byte);
        else
            (void)fputc(byte, out);
    }
}

static void put_place(FILE *out, const struct place *place)
{
    char where[512];

    if (place->origin != NULL && place->origin->from == CONF_FROM_DEFINE &&
        place->section != NULL) {
        (void)fputs("-D ", out); /* its name is the key, which follows */
    } else if (place->origin != NULL) {
        conf_origin_format(place->origin, where, sizeof(where));
        put_visible(out, where);
        (void)fputs(": ", out);
    }
    if (place->section != NULL) {
        put_visible(out, place->section);
        if (place->key != NULL) {
            (void)fputc('.', out);
            put_visible(out, place->key);
        }
        (void)fputs(": ", out);
    }
}

/* Fills the %s of a sentence. Not printf: the sentences stay data. */
static void put_sentence(FILE *out, const char *text, const char *a, const char *b)
{
    const char *rest = text;
    const char *hole;

    while ((hole = strstr(rest, "%s")) != NULL) {
        (void)fwrite(rest, 1, (size_t)(hole - rest), out);
        put_visible(out, a != NULL ? a : "");
        a = b;
        rest = hole + 2;
    }
    (void)fputs(rest, out);
}

void mistake_format(enum mistake mistake, const char *a, char *out, size_t size)
{
    FILE *stream = fmemopen(out, size, "w");

    out[0] = '\0';
    if (stream == NULL)
        return;
    put_sentence(stream, mistake_text(mistake), a, NULL);
    (void)fclose(stream);
    out[size - 1] = '\0';
}

static char *compose(const struct place *place, enum mistake mistake, const char *a,
                     const char *b)
{
    char *line = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&line, &n);

    if (out == NULL)
        return NULL;
    put_place(out, place);
    put_sentence(out, mistake_text(mistake), a, b);
    if (fclose(out) != 0) {
        free(line);
        return NULL;
    }
    return line;
}

/* 78 outweighs 66 and 77, so that a supervisor does not wait for a file or a permission
 * when the text is wrong too; a lack of memory outweighs all. */
static void note_status(struct conf_errors *errors, int status)
{
    if (errors->status == 0 || status == STATUS_SYSTEM ||
        (status == STATUS_MISTAKE && errors->status != STATUS_SYSTEM))
        errors->status = status;
}

void mistake_add(struct conf_errors *errors, const struct place *place,
                 enum mistake mistake, const char *a, const char *b)
{
    char *line = compose(place, mistake, a, b);
    char **grown = NULL;

    note_status(errors, mistake_status(mistake));
    if (line != NULL)
        grown = realloc(errors->line, (errors->count + 1) * sizeof(char *));
    if (grown == NULL) {
        free(line);
        errors->status = STATUS_SYSTEM;
        return;
    }
    errors->line = grown;
    errors->line[errors->count++] = line;
}

void conf_errors_print(const struct conf_errors *errors, FILE *out)
{
    for (size_t i = 0; i < errors->count; i++)
        (void)fprintf(out, "%s\n", errors->line[i]);
}

void conf_errors_fini(struct conf_errors *errors)
{
    for (size_t i = 0; i < errors->count; i++)
        free(errors->line[i]);
    free(errors->line);
    *errors = (struct conf_errors){0};
}
