/* SPDX-License-Identifier: MIT */
/*
 * status - status codes and their reason phrases.
 */
#ifndef HTTP_STATUS_H
#define HTTP_STATUS_H

#include "common/slice.h"

/** "HTTP/1.1 200 OK\r\n" for a known status; n 0 for any other. Static. */
struct slice http_status_line(int status);

/** "Not Found"; for an unknown status the name of its class ("Client Error"). Static. */
struct slice http_status_reason(int status);

#endif
