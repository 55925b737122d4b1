/* SPDX-License-Identifier: MIT */
/*
 * estate_records - the format of an estate, as tables: its kinds of lines and their fields.
 */
#ifndef MASTER_ESTATE_RECORDS_H
#define MASTER_ESTATE_RECORDS_H

#include "master/estate.h"
#include "master/estate_field.h"

#define ESTATE_TITLE "remuda-estate"

/** The first ones stand there once, the last one is on the heap and of any number. */
enum { ESTATE_ONCE = 3, ESTATE_RECORDS = 10, ESTATE_TOLD = ESTATE_RECORDS - 1 };

/** One kind of line. An array has its count in the estate. */
struct estate_record {
    const char *name;
    const struct field *field;
    size_t fields;
    size_t offset, stride, most;
    size_t count_offset; /* 0: there once */
};

extern const struct estate_record estate_records[ESTATE_RECORDS];

size_t estate_count_of(const struct estate *estate, const struct estate_record *record);
void *estate_item_of(const struct estate *estate, const struct estate_record *record,
                     size_t i);

/** One more, empty. NULL: out of memory. */
struct conf_told *estate_push_told(struct estate *estate);

#endif
