/* SPDX-License-Identifier: MIT */
/*
 * addr - socket addresses as text and back. Names are never resolved.
 */
#ifndef COMMON_ADDR_H
#define COMMON_ADDR_H

#include <stddef.h>
#include <sys/socket.h>

enum {
    ADDR_TEXT_MAX = 128
}; /* longest text with its NUL: a unix path or [v6%scope]:port */

enum addr_kind { ADDR_INET, ADDR_INET6, ADDR_UNIX };

struct addr {
    enum addr_kind kind;
    socklen_t length;
    struct sockaddr_storage storage;
};

/** "127.0.0.1:80", "[::1]:80", "localhost:80", "unix:/path". NULL, or what is wrong.
 *  "*:80" is the listener's business: it means two addresses. */
const char *addr_parse(const char *text, struct addr *out);

/** host:port, [v6]:port or unix:path; v4-mapped addresses read as v4. Always terminates.
 */
void addr_format(const struct sockaddr *sa, socklen_t length, char *out, size_t size);

/** As above without the port ("" for unix), in at least INET6_ADDRSTRLEN bytes. */
void addr_format_host(const struct sockaddr *sa, socklen_t length, char *out,
                      size_t size);

/** The port in host order; 0 for unix. */
unsigned addr_port(const struct sockaddr *sa);

#endif
