/* SPDX-License-Identifier: MIT */
/*
 * check_addresses - listeners and trusted networks.           [master]
 *
 * Owns:    nothing.
 * Called:  by load.c.
 * Fails:   each mistake is noted at the list it is in.
 */
#include "conf/check.h"

#include "common/addr.h"
#include "common/network.h"

#include <stdio.h>
#include <string.h>

/* Two spellings of one address have one text. `text` itself is good for fd:NAME. */
static const char *parse_listener(const char *text, char canonical[static ADDR_TEXT_MAX])
{
    char any[ADDR_TEXT_MAX];
    struct addr addr;
    const char *wrong;

    (void)snprintf(canonical, ADDR_TEXT_MAX, "%s", text);
    if (strncmp(text, "fd:", 3) == 0)
        return text[3] != '\0' && strchr(text + 3, ':') == NULL ? NULL : "bad name";
    (void)snprintf(any, sizeof(any), "0.0.0.0%s", text + 1);
    if (strncmp(text, "*:", 2) == 0)
        return addr_parse(any, &addr);
    wrong = addr_parse(text, &addr);
    if (wrong == NULL && (addr.kind == ADDR_UNIX ||
                          addr_port((const struct sockaddr *)&addr.storage) != 0))
        addr_format((const struct sockaddr *)&addr.storage, addr.length, canonical,
                    ADDR_TEXT_MAX);
    return wrong;
}

static bool has_port_zero(const char *text)
{
    size_t n = strlen(text);

    return strncmp(text, "unix:", 5) != 0 && strncmp(text, "fd:", 3) != 0 && n > 2 &&
           strcmp(text + n - 2, ":0") == 0;
}

static bool is_listed_before(const struct setting *setting, size_t i,
                             const char *canonical)
{
    char before[ADDR_TEXT_MAX];

    for (size_t k = 0; k < i; k++) {
        if (parse_listener(setting->item[k], before) == NULL &&
            strcmp(before, canonical) == 0)
            return true;
    }
    return false;
}

static void refuse_item(struct conf_book *book, const struct setting *setting, size_t i,
                        enum mistake mistake, const char *why)
{
    struct place place = {&setting->item_origin[i], setting->option->section,
                          setting->option->key};

    mistake_add(book->errors, &place, mistake, setting->item[i], why);
}

static void check_listeners(struct conf_book *book, const struct setting *setting)
{
    char canonical[ADDR_TEXT_MAX];
    char text[24];
    size_t sockets = setting->count;

    for (size_t i = 0; i < setting->count; i++)
        sockets += strncmp(setting->item[i], "*:", 2) == 0;
    if (sockets > BOOK_LISTENERS) {
        (void)snprintf(text, sizeof(text), "%zu", sockets);
        check_refuse(book, setting, MISTAKE_LISTEN_COUNT, text, "64");
        return;
    }
    for (size_t i = 0; i < setting->count; i++) {
        const char *wrong = parse_listener(setting->item[i], canonical);

        if (wrong != NULL)
            refuse_item(book, setting, i, MISTAKE_LISTEN, wrong);
        else if (!has_port_zero(canonical) && is_listed_before(setting, i, canonical))
            refuse_item(book, setting, i, MISTAKE_LISTEN_TWICE, NULL);
    }
}

static void check_proxies(struct conf_book *book)
{
    const struct setting *proxies = &book->setting[OPTION_server_trusted_proxies];
    const struct setting *protocol = &book->setting[OPTION_server_proxy_protocol];
    struct network network;

    for (size_t i = 0; i < proxies->count; i++) {
        if (!network_parse(proxies->item[i], &network))
            refuse_item(book, proxies, i, MISTAKE_PROXY_ADDRESS, NULL);
    }
    if (book->conf->server.proxy_protocol != CONF_PROXY_OFF && proxies->count == 0)
        check_refuse(book, protocol, MISTAKE_PROXY_NOBODY, protocol->text, NULL);
}

void check_addresses(struct conf_book *book)
{
    check_listeners(book, &book->setting[OPTION_server_listen]);
    check_listeners(book, &book->setting[OPTION_admin_listen]);
    check_proxies(book);
}
