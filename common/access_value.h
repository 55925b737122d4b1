/* SPDX-License-Identifier: MIT */
/*
 * access_value - what an access-log line can say about a request.
 */
#ifndef COMMON_ACCESS_VALUE_H
#define COMMON_ACCESS_VALUE_H

#include "common/slice.h"
#include "common/access_format.h"

enum access_value {
    /* texts */
    VALUE_NOTHING,
    VALUE_PEER,
    VALUE_USER,
    VALUE_METHOD,
    VALUE_TARGET,
    VALUE_PATH,
    VALUE_QUERY,
    VALUE_PROTOCOL,
    VALUE_ENDING,
    VALUE_REFERER,
    VALUE_USER_AGENT,
    VALUE_ROUTE,
    VALUE_ID,
    VALUE_NOTE,
    VALUE_HEADER, /* named by the step */
    /* numbers */
    VALUE_NUMBERS,
    VALUE_BYTES = VALUE_NUMBERS,
    VALUE_BYTES_OR_DASH,
    VALUE_QUEUE_US,
    VALUE_SERVICE_US,
    VALUE_WHOLE_US,
    VALUE_WHOLE_S,
    VALUE_WORKER,
    VALUE_SLOT,
    VALUE_PID,
    /* composed by the format */
    VALUE_TIME,
    VALUE_STATUS,
    VALUE_REQUEST_LINE,
    VALUE_END /* nothing at all */
};

/** Empty when it is missing; `name` is that of a header. */
struct slice access_value_text(enum access_value value, const struct access_entry *e,
                               struct slice name);

/** Negative when it is missing. */
int64_t access_value_number(enum access_value value, const struct access_entry *e);

/** The value of a pattern's %{name}letter, name empty for none. False: there is no such.
 */
bool access_value_find(char letter, struct slice name, enum access_value *value_out);

#endif
