/* SPDX-License-Identifier: MIT */
/*
 * url - cuts a URL, strictly; only http, over TCP or a unix socket.      [clients]
 *
 * Called:  by bench.c.
 * Fails:   with what is wrong, as a static text.
 */
#include "cli/url.h"

#include <netdb.h>
#include <stdio.h>

static const char tcp_scheme[] = "http://";
static const char unix_scheme[] = "http+unix:";

static bool has_prefix(const char *text, const char *prefix)
{
    return strncasecmp(text, prefix, strlen(prefix)) == 0;
}

/* A blank or a control byte would end the request line where we do not want it to. */
static bool is_clean(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text <= ' ' || *text == 0x7f || *text == '#')
            return false;
    return true;
}

static const char *connect_unix(struct slice path, struct addr *out)
{
    char text[ADDR_TEXT_MAX + 8];

    if (path.n >= ADDR_TEXT_MAX)
        return "the path of a unix socket may have at most 107 bytes";
    snprintf(text, sizeof(text), "unix:%.*s", (int)path.n, path.p);
    return addr_parse(text, out);
}

static const char *look_up(const char *host, const char *port, struct addr *out)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    struct addrinfo *found = NULL;
    const char *why = "no such host or port";

    if (getaddrinfo(host, port, &hints, &found) != 0)
        return why;
    if (found->ai_family == AF_INET || found->ai_family == AF_INET6) {
        out->kind = found->ai_family == AF_INET ? ADDR_INET : ADDR_INET6;
        out->length = found->ai_addrlen;
        memcpy(&out->storage, found->ai_addr, found->ai_addrlen);
        why = NULL;
    }
    freeaddrinfo(found);
    return why;
}

/* "host", "host:port", "[v6]", "[v6]:port" */
static const char *connect_tcp(struct slice where, struct addr *out)
{
    char text[300];
    char *colon, *bracket;

    if (where.n == 0 || where.n > 255)
        return "a URL needs a host";
    snprintf(text, sizeof(text), "%.*s", (int)where.n, where.p);
    bracket = strrchr(text, ']');
    colon = strrchr(bracket == NULL ? text : bracket, ':');
    if (colon == NULL) {
        colon = text + where.n;
        memcpy(colon, ":80", sizeof(":80"));
    }
    if (addr_parse(text, out) == NULL)
        return addr_port((const struct sockaddr *)&out->storage) != 0
                   ? NULL
                   : "port 0 cannot be connected to";
    if (bracket != NULL || strchr("0123456789", colon[1]) == NULL || colon[1] == '\0')
        return "is not HOST, HOST:PORT or [V6]:PORT";
    *colon = '\0';
    return look_up(text, colon + 1, out);
}

/* Behind the socket's path a colon, then the target: neither may be mistaken. */
static const char *parse_unix_url(const char *rest, struct url *out)
{
    const char *colon = strstr(rest, ":/");
    const size_t n = colon == NULL ? strlen(rest) : (size_t)(colon - rest);
    size_t socket_n = n;

    if (socket_n > 0 && colon == NULL && rest[socket_n - 1] == ':')
        socket_n--;
    out->host = SLICE_LIT("localhost");
    out->target = colon == NULL ? SLICE_LIT("/") : slice_of(colon + 1);
    return connect_unix((struct slice){rest, socket_n}, &out->address);
}

static const char *parse_tcp_url(const char *rest, const char *unix_path, struct url *out)
{
    const size_t n = strcspn(rest, "/?");

    if (memchr(rest, '@', n) != NULL)
        return "user and password belong into -H 'Authorization: ...'";
    if (rest[n] == '?')
        return "a query needs a path before it: http://HOST/?QUERY";
    out->host = (struct slice){rest, n};
    out->target = rest[n] == '\0' ? SLICE_LIT("/") : slice_of(rest + n);
    if (unix_path != NULL)
        return n == 0 ? "a URL needs a host"
                      : connect_unix(slice_of(unix_path), &out->address);
    return connect_tcp(out->host, &out->address);
}

const char *url_parse(const char *text, const char *unix_path, struct url *out)
{
    if (!is_clean(text))
        return "has a blank, a control character or a fragment in it";
    if (has_prefix(text, unix_scheme))
        return unix_path != NULL
                   ? "http+unix: already names the socket: --unix is too much"
                   : parse_unix_url(text + strlen(unix_scheme), out);
    if (has_prefix(text, tcp_scheme))
        return parse_tcp_url(text + strlen(tcp_scheme), unix_path, out);
    if (has_prefix(text, "https:"))
        return "https is not spoken here: bench measures what is behind the TLS proxy";
    return "must begin with http:// or http+unix:/";
}
