/* SPDX-License-Identifier: MIT */
/*
 * addr - parses and prints socket addresses.                 [every process]
 *
 * Owns:    nothing.
 * Called:  by the config's checks, the listeners, and for the peer of each connection.
 * Fails:   addr_parse says what is wrong with the text; printing never fails ("?").
 */
#include "common/addr.h"

#include "common/check.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

enum { HOST_MAX = INET6_ADDRSTRLEN + 1 + IF_NAMESIZE };

/* ---- text to address ---- */

static bool parse_port(const char *text, in_port_t *out)
{
    unsigned long value = 0;

    if (*text == '\0' || strlen(text) > 5)
        return false;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9')
            return false;
        value = value * 10 + (unsigned long)(*text - '0');
    }
    if (value > 65535)
        return false;
    *out = htons((in_port_t)value);
    return true;
}

static const char *parse_unix(const char *path, struct addr *out)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    size_t n = strlen(path);

    if (path[0] != '/')
        return "the path of a unix socket must start with /";
    if (n >= sizeof(sun.sun_path))
        return "the path of a unix socket may have at most 107 bytes";
    memcpy(sun.sun_path, path, n + 1);
    memcpy(&out->storage, &sun, sizeof(sun));
    out->kind = ADDR_UNIX;
    out->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + 1);
    return NULL;
}

static const char *parse_inet(const char *host, in_port_t port, struct addr *out)
{
    struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = port};

    if (inet_pton(AF_INET, strcmp(host, "localhost") == 0 ? "127.0.0.1" : host,
                  &sin.sin_addr) != 1)
        return "not a numeric IPv4 address or localhost; names are not resolved";
    memcpy(&out->storage, &sin, sizeof(sin));
    out->kind = ADDR_INET;
    out->length = sizeof(sin);
    return NULL;
}

/* An interface by name or by number; 0 when there is none. */
static uint32_t parse_scope(const char *text)
{
    unsigned index = if_nametoindex(text);
    char *end;

    if (index != 0)
        return index;
    unsigned long number = strtoul(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && number <= UINT32_MAX
               ? (uint32_t)number
               : 0;
}

/* `host` without its brackets, writable: the scope is cut off. */
static const char *parse_inet6(char *host, in_port_t port, struct addr *out)
{
    struct sockaddr_in6 sin6 = {.sin6_family = AF_INET6, .sin6_port = port};
    char *scope = strchr(host, '%');

    if (scope != NULL) {
        *scope++ = '\0';
        sin6.sin6_scope_id = parse_scope(scope);
        if (sin6.sin6_scope_id == 0)
            return "there is no such network interface behind the %";
    }
    if (inet_pton(AF_INET6, host, &sin6.sin6_addr) != 1)
        return "not a numeric IPv6 address";
    memcpy(&out->storage, &sin6, sizeof(sin6));
    out->kind = ADDR_INET6;
    out->length = sizeof(sin6);
    return NULL;
}

const char *addr_parse(const char *text, struct addr *out)
{
    bool bracket = text[0] == '[';
    const char *colon = strrchr(text, ':');
    char host[HOST_MAX];
    in_port_t port;

    memset(out, 0, sizeof(*out));
    if (strncmp(text, "unix:", 5) == 0)
        return parse_unix(text + 5, out);
    if (colon == NULL || (bracket && (colon == text || colon[-1] != ']')))
        return "the port is missing: ADDRESS:PORT, [IPV6]:PORT or unix:/PATH";
    if (!bracket && memchr(text, ':', (size_t)(colon - text)) != NULL)
        return "an IPv6 address needs brackets: [ADDRESS]:PORT";
    if (!parse_port(colon + 1, &port))
        return "the port must be a number from 0 to 65535";
    size_t n = (size_t)(colon - text) - (bracket ? 2 : 0);
    if (n >= sizeof(host))
        return "the address is too long";
    memcpy(host, text + (bracket ? 1 : 0), n);
    host[n] = '\0';
    return bracket ? parse_inet6(host, port, out) : parse_inet(host, port, out);
}

/* ---- address to text ---- */

/* At least INET6_ADDRSTRLEN bytes: only a scope is ever cut. */
static void print_inet6(const struct sockaddr_in6 *sin6, char *out, size_t size)
{
    char name[IF_NAMESIZE];

    inet_ntop(AF_INET6, &sin6->sin6_addr, out, (socklen_t)size);
    if (sin6->sin6_scope_id == 0)
        return;
    size_t n = strlen(out);
    if (if_indextoname(sin6->sin6_scope_id, name) != NULL)
        snprintf(out + n, size - n, "%%%s", name);
    else
        snprintf(out + n, size - n, "%%%u", (unsigned)sin6->sin6_scope_id);
}

/* Without inet_ntop, whose sprintf costs more than the rest of an accept. */
static void print_inet(const unsigned char octets[static 4],
                       char out[static INET_ADDRSTRLEN])
{
    for (int i = 0; i < 4; i++) {
        unsigned o = octets[i];
        if (o >= 100)
            *out++ = (char)('0' + o / 100);
        if (o >= 10)
            *out++ = (char)('0' + o / 10 % 10);
        *out++ = (char)('0' + o % 10);
        *out++ = i < 3 ? '.' : '\0';
    }
}

/* The host of an internet address; true when a port has to be written behind brackets. */
static bool print_host(const struct sockaddr *sa, socklen_t length, char *out,
                       size_t size)
{
    struct sockaddr_in sin;
    struct sockaddr_in6 sin6;

    CHECK(size >= INET6_ADDRSTRLEN);
    memcpy(out, "?", 2);
    if (sa->sa_family == AF_INET && length >= sizeof(sin)) {
        memcpy(&sin, sa, sizeof(sin));
        print_inet((const unsigned char *)&sin.sin_addr, out);
    } else if (sa->sa_family == AF_INET6 && length >= sizeof(sin6)) {
        memcpy(&sin6, sa, sizeof(sin6));
        if (!IN6_IS_ADDR_V4MAPPED(&sin6.sin6_addr)) {
            print_inet6(&sin6, out, size);
            return true;
        }
        print_inet(sin6.sin6_addr.s6_addr + 12, out);
    }
    return false;
}

/* The path need not end in NUL; an abstract name starts with one, shown as @. */
static void print_unix(const struct sockaddr *sa, socklen_t length, char *out,
                       size_t size)
{
    const size_t before = offsetof(struct sockaddr_un, sun_path);
    struct sockaddr_un sun = {0};
    size_t n = length > sizeof(sun) ? sizeof(sun) : length;

    memcpy(&sun, sa, n);
    n = n > before ? n - before : 0;
    if (n > 1 && sun.sun_path[0] == '\0')
        sun.sun_path[0] = '@';
    snprintf(out, size, "unix:%.*s", (int)strnlen(sun.sun_path, n), sun.sun_path);
}

static bool is_unix(const struct sockaddr *sa, socklen_t length)
{
    return length >= sizeof(sa->sa_family) && sa->sa_family == AF_UNIX;
}

void addr_format(const struct sockaddr *sa, socklen_t length, char *out, size_t size)
{
    char host[HOST_MAX];

    if (is_unix(sa, length)) {
        print_unix(sa, length, out, size);
        return;
    }
    bool brackets = print_host(sa, length, host, sizeof(host));
    snprintf(out, size, brackets ? "[%s]:%u" : "%s:%u", host, addr_port(sa));
}

void addr_format_host(const struct sockaddr *sa, socklen_t length, char *out, size_t size)
{
    if (is_unix(sa, length))
        out[0] = '\0';
    else
        (void)print_host(sa, length, out, size);
}

unsigned addr_port(const struct sockaddr *sa)
{
    in_port_t port = 0;

    if (sa->sa_family == AF_INET)
        memcpy(&port, (const char *)sa + offsetof(struct sockaddr_in, sin_port),
               sizeof(port));
    else if (sa->sa_family == AF_INET6)
        memcpy(&port, (const char *)sa + offsetof(struct sockaddr_in6, sin6_port),
               sizeof(port));
    return ntohs(port);
}
