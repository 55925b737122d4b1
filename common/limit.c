/* SPDX-License-Identifier: MIT */
/*
 * limit - the words.                                         [worker, ctl]
 *
 * Owns:    nothing.
 * Called:  by account.c for the access log, by ctl for its table.
 * Fails:   never.
 */
#include "common/limit.h"

#include "common/check.h"

static const struct limit_name names[LIMIT_COUNT] = {
    [LIMIT_NONE] = {"", ""},
    [LIMIT_REQUEST_LINE] = {"line-too-long", "limits.request_line"},
    [LIMIT_HEADER_FIELDS] = {"too-many-fields", "limits.header_fields"},
    [LIMIT_HEADER_SIZE] = {"header-too-long", "limits.header_size"},
    [LIMIT_BODY] = {"body-too-large", "limits.body"},
    [LIMIT_FRAMING] = {"framing", ""},
    [LIMIT_HEAD_TIMEOUT] = {"head-timeout", "limits.head_timeout"},
    [LIMIT_BODY_TIMEOUT] = {"body-timeout", "limits.body_timeout"},
    [LIMIT_BODY_RATE] = {"body-rate", "limits.body_min_rate"},
    [LIMIT_WRITE_TIMEOUT] = {"write-timeout", "limits.write_timeout"},
    [LIMIT_WRITE_RATE] = {"write-rate", "limits.write_min_rate"},
    [LIMIT_KEEPALIVE] = {"idle", "limits.keepalive"},
    [LIMIT_REQUEST_TIMEOUT] = {"request-timeout", "limits.request_timeout"},
    [LIMIT_SLOW_REQUEST] = {"slow", "limits.slow_request"},
    [LIMIT_QUEUE] = {"queue-full", "limits.queue_limit"},
    [LIMIT_QUEUE_TIMEOUT] = {"queue-timeout", "limits.queue_timeout"},
    [LIMIT_PER_ADDRESS] = {"per-address", "limits.per_address"},
};

struct limit_name limit_name(unsigned limit)
{
    return limit < COUNT_OF(names) ? names[limit] : names[LIMIT_NONE];
}
