/* SPDX-License-Identifier: MIT */
/*
 * estate_field - one field of a struct as NAME=VALUE, there and back.          [master]
 *
 * Owns:    nothing. Pure.
 * Called:  by estate.c.
 * Fails:   with words: the number does not fit, the text is too long, an escape is none.
 */
#include "master/estate_field.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* ---- there ---- */

static void put_text(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        const unsigned char byte = (unsigned char)*text;

        if (byte <= ' ' || byte == '%' || byte == 0x7f)
            (void)fprintf(out, "%%%02x", byte);
        else
            (void)fputc(byte, out);
    }
}

static uint64_t get_uint(const struct field *field, const void *at)
{
    uint32_t small;
    uint64_t large;

    if (field->size == sizeof(small)) {
        memcpy(&small, at, sizeof(small));
        return small;
    }
    memcpy(&large, at, sizeof(large));
    return large;
}

void field_put(FILE *out, const struct field *field, const void *base)
{
    const char *at = (const char *)base + field->offset;
    const char *string;
    int number;

    (void)fprintf(out, " %s=", field->name);
    switch (field->kind) {
    case FIELD_UINT:
        (void)fprintf(out, "%" PRIu64, get_uint(field, at));
        return;
    case FIELD_INT:
    case FIELD_FD:
        memcpy(&number, at, sizeof(number));
        (void)fprintf(out, "%d", number);
        return;
    case FIELD_BOOL:
        (void)fputc(*at != 0 ? '1' : '0', out);
        return;
    case FIELD_TEXT:
        put_text(out, at);
        return;
    case FIELD_STRING:
        memcpy(&string, at, sizeof(string));
        put_text(out, string);
        return;
    }
}

/* ---- and back ---- */

static const char *take_uint(const struct field *field, void *at, const char *value)
{
    const uint64_t most = field->size == sizeof(uint32_t) ? UINT32_MAX : UINT64_MAX;
    char *end;
    uint64_t number;
    uint32_t small;

    errno = 0;
    number = strtoull(value, &end, 10);
    if (!isdigit((unsigned char)*value) || *end != '\0' || errno != 0 || number > most)
        return "not a number that fits";
    small = (uint32_t)number;
    if (field->size == sizeof(small))
        memcpy(at, &small, sizeof(small));
    else
        memcpy(at, &number, sizeof(number));
    return NULL;
}

static const char *take_int(void *at, const char *value)
{
    char *end;
    long number;
    int small;

    errno = 0;
    number = strtol(value, &end, 10);
    if (end == value || *end != '\0' || errno != 0 || number < INT_MIN ||
        number > INT_MAX)
        return "not a number that fits";
    small = (int)number;
    memcpy(at, &small, sizeof(small));
    return NULL;
}

static const char *take_bool(char *at, const char *value)
{
    const bool is_on = strcmp(value, "1") == 0;

    if (!is_on && strcmp(value, "0") != 0)
        return "neither 0 nor 1";
    memcpy(at, &is_on, sizeof(is_on));
    return NULL;
}

/* -1: no escape. */
static int hex_byte(const char *p)
{
    char digits[3] = {p[0], p[0] == '\0' ? '\0' : p[1], '\0'};

    if (!isxdigit((unsigned char)digits[0]) || !isxdigit((unsigned char)digits[1]))
        return -1;
    return (int)strtol(digits, NULL, 16);
}

/* What is escaped takes more room than what it stands for, so it can stay where it is. */
static bool unescape(char *text)
{
    char *to = text;

    for (const char *p = text; *p != '\0'; p++) {
        const int byte = *p == '%' ? hex_byte(p + 1) : *p;

        if (*p == '%' && byte <= 0)
            return false;
        if (*p == '%')
            p += 2;
        *to++ = (char)byte;
    }
    *to = '\0';
    return true;
}

static const char *take_text(const struct field *field, char *at, char *value)
{
    if (!unescape(value))
        return "an escape that is none";
    if (field->kind == FIELD_STRING) {
        const char *kept = value;

        memcpy(at, &kept, sizeof(kept));
        return NULL;
    }
    if (strlen(value) >= field->size)
        return "too long";
    memcpy(at, value, strlen(value) + 1);
    return NULL;
}

const char *field_take(const struct field *field, void *base, char *value)
{
    char *at = (char *)base + field->offset;

    switch (field->kind) {
    case FIELD_UINT:
        return take_uint(field, at, value);
    case FIELD_INT:
    case FIELD_FD:
        return take_int(at, value);
    case FIELD_BOOL:
        return take_bool(at, value);
    case FIELD_TEXT:
    case FIELD_STRING:
        return take_text(field, at, value);
    }
    return "of an unknown kind";
}
