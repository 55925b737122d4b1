/* SPDX-License-Identifier: MIT */
/*
 * reader - the ini files, line by line, through inih.         [master]
 *
 * Owns:    the stack of files being read.
 * Called:  by load.c; line.c judges a line, include.c finds what it includes, assign.c
 *          takes the pairs.
 * Fails:   every mistake is noted; reading goes on with the next line.
 *
 * inih takes a line from next_line and at once calls on_pair for it, so the file on top of
 * the stack is the pair's, with its line and section: inih tells no line, and would carry
 * a section over into the next file. What it would cut or misread never reaches it
 * (line.c).
 */
#include "conf/reader.h"

#include "conf/assign.h"
#include "conf/include.h"
#include "conf/line.h"
#include "conf/reference.h"
#include "conf/textfile.h"

#include <ini.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

/* The section in force when the header was wrong: its keys are skipped. */
static const char skipped[] = "!";

/* Reads a file whose turn has come; after a mistake it has no lines. */
static void begin_file(struct reader *reader, struct reader_file *file)
{
    struct textfile text;
    struct conf_origin origin = {CONF_FROM_FILE, file->path, 0};
    struct place place = {.origin = &origin};
    enum mistake mistake = textfile_read(reader->book, file->path, true, &text);

    file->opened = true;
    file->device = text.device;
    file->inode = text.inode;
    if (mistake != MISTAKE_NONE) {
        mistake_add(reader->book->errors, &place, mistake, text.detail, NULL);
    } else if (include_is_cycle(file)) {
        place.origin = &file->included_at;
        mistake_add(reader->book->errors, &place, MISTAKE_INCLUDE_CYCLE, file->path,
                    NULL);
    } else {
        file->text = text.text;
        file->end = text.text + text.n;
        if (text.n >= 3 && memcmp(text.text, "\xef\xbb\xbf", 3) == 0)
            file->text += 3; /* a byte order mark */
    }
}

/* One file too many is a mistake, and said once; the rest is passed over. */
static void begin_next_file(struct reader *reader, struct reader_file *file)
{
    struct place place = {.origin = &file->included_at};

    reader->files++;
    if (reader->files <= READER_FILES_MOST) {
        begin_file(reader, file);
        return;
    }
    file->opened = true;
    if (reader->files == READER_FILES_MOST + 1)
        mistake_add(reader->book->errors, &place, MISTAKE_INCLUDE_COUNT, "256", NULL);
}

/* The next line of a file, without its end. False when there is none. */
static bool take_line(struct reader_file *file, struct slice *out)
{
    const char *stop;

    if (file->text == file->end)
        return false;
    stop = memchr(file->text, '\n', (size_t)(file->end - file->text));
    out->p = file->text;
    out->n = (size_t)((stop != NULL ? stop : file->end) - file->text);
    file->text = stop != NULL ? stop + 1 : file->end;
    if (out->n > 0 && out->p[out->n - 1] == '\r')
        out->n--;
    file->line++;
    return true;
}

static void enter_section(struct reader *reader, struct reader_file *file,
                          const char *section)
{
    struct conf_origin origin = {CONF_FROM_FILE, file->path, file->line};

    file->section = skipped;
    if (assign_section(reader->book, &origin, section))
        file->section = book_copy(reader->book, section);
}

/* Leaves in str what inih is to see of the line, at most num bytes with the NUL. */
static void digest_line(struct reader *reader, struct slice raw, char *str, int num)
{
    struct reader_file *file = reader->top;
    struct conf_origin origin = {CONF_FROM_FILE, file->path, file->line};
    struct place place = {.origin = &origin};
    struct line line;
    size_t most = (size_t)num - 2; /* a line end and a NUL */

    line_judge(raw, most < LINE_BUFFER ? most : LINE_BUFFER - 1, &line);
    if (line.kind == LINE_WRONG) {
        mistake_add(reader->book->errors, &place, line.mistake, line.a, line.b);
        if (raw.n > 0 && raw.p[0] == '[')
            file->section = skipped;
    } else if (line.kind == LINE_SECTION) {
        enter_section(reader, file, line.text);
    }
    (void)snprintf(str, (size_t)num, "%s\n", line.kind == LINE_PAIR ? line.text : "");
}

/* inih's reader: as fgets. */
static char *next_line(char *str, int num, void *stream)
{
    struct reader *reader = stream;
    struct slice raw;

    while (reader->top != NULL) {
        struct reader_file *file = reader->top;

        if (!file->opened)
            begin_next_file(reader, file);
        if (take_line(file, &raw)) {
            digest_line(reader, raw, str, num);
            return str;
        }
        reader->top = file->below;
    }
    return NULL;
}

static void take_pair(struct reader *reader, const char *key, const char *value)
{
    struct reader_file *file = reader->top;
    struct assignment a = {.origin = {CONF_FROM_FILE, file->path, file->line},
                           .section = file->section,
                           .key = book_copy(reader->book, key)};
    struct place place = {&a.origin, a.section, a.key};
    bool include = strcmp(key, "include") == 0;
    bool secret;

    if (include) {
        place.section = NULL;
    } else if (file->section == skipped) {
        return;
    } else if (file->section[0] == '\0') {
        place.section = NULL;
        mistake_add(reader->book->errors, &place, MISTAKE_KEY_OUTSIDE, key, NULL);
        return;
    }
    if (!reference_expand(reader->book, &place, value, &a.text, &secret))
        return;
    a.secret = secret ? value : NULL;
    if (include)
        include_resolve(reader, a.text);
    else
        assign_value(reader->book, &a);
}

/* inih's handler. */
static int on_pair(void *user, const char *section, const char *name, const char *value)
{
    struct reader *reader = user;
    char unquoted[LINE_BUFFER];

    (void)section; /* the file on top knows it */
    (void)snprintf(unquoted, sizeof(unquoted), "%s", value);
    line_unquote(unquoted);
    value = book_copy(reader->book, unquoted);
    take_pair(reader, name, value);
    return 1;
}

bool reader_run(struct conf_book *book, const char *path)
{
    struct reader reader = {.book = book};
    struct conf_origin origin = {CONF_FROM_FILE, path, 0};
    struct place place = {.origin = &origin};
    struct reader_file *file;
    int refused;

    include_drop_ins(&reader, book_join(book, path, ".d", ""));
    file = include_push(&reader, path, NULL);
    if (file == NULL)
        return false;
    begin_next_file(&reader, file);
    if (file->end == NULL)
        return false;
    refused = ini_parse_stream(next_line, &reader, on_pair, &reader);
    if (refused > 0)
        mistake_add(book->errors, &place, MISTAKE_INI_REFUSED, NULL, NULL);
    else if (refused < 0)
        book->out_of_memory = true;
    return true;
}
