/* SPDX-License-Identifier: MIT */
/*
 * estate_field - one field of a struct as NAME=VALUE, there and back.
 */
#ifndef MASTER_ESTATE_FIELD_H
#define MASTER_ESTATE_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum field_kind {
    FIELD_UINT, /* of 4 or 8 bytes */
    FIELD_INT,  /* of 4 */
    FIELD_BOOL,
    FIELD_FD,    /* an int */
    FIELD_TEXT,  /* char[size] */
    FIELD_STRING /* const char *; what is read points into the line */
};

struct field {
    const char *name;
    enum field_kind kind;
    size_t offset, size;
};

#define FIELD_NAMED(kind, type, name, member)                                            \
    {                                                                                    \
        name, FIELD_##kind, offsetof(type, member), sizeof(((type *)0)->member)          \
    }
#define FIELD(kind, type, member) FIELD_NAMED(kind, type, #member, member)

/** " name=value", the value escaped so that it has no blank and no end of line. */
void field_put(FILE *out, const struct field *field, const void *base);

/** The value (changed where it stands: its escapes are replaced) into the struct. NULL, or what
 *  is wrong with it. */
const char *field_take(const struct field *field, void *base, char *value);

#endif
