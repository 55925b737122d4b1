/* SPDX-License-Identifier: MIT */
/*
 * fuzz_forwarded - what stands left of an honest proxy's own element changes nothing.
 *
 * The input is what a client has sent; a trusted proxy then adds, at the right, whom it has heard.
 * In both forms the client is that one, whatever the input holds.
 */
#include "tests/fuzz/must.h"

#include "http/forwarded.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char PROXY[] = "10.0.0.1";
static const char HEARD[] = "203.0.113.7";

static bool is_proxy(const void *arg, const char *host)
{
    (void)arg;
    return strncmp(host, "10.", 3) == 0;
}

static void check_client(const struct forwarded *said)
{
    unsigned char bytes[16];

    must(memchr(said->client, '\0', sizeof said->client) != NULL, "the end of a client");
    must(said->client[0] == '\0' || inet_pton(AF_INET, said->client, bytes) == 1 ||
             inet_pton(AF_INET6, said->client, bytes) == 1,
         "a client that is no address");
}

static void check_alone(struct slice text, enum forwarded_form form)
{
    struct forwarded said;
    struct slice last = forwarded_last(text);

    forwarded_read(text, form, is_proxy, NULL, &said);
    check_client(&said);
    must(last.n == 0 || (last.p >= text.p && last.p + last.n <= text.p + text.n),
         "an element inside the list");
}

/* The input, a comma, and what honest proxies add. */
static void check_behind(struct slice text, enum forwarded_form form, const char *added)
{
    size_t n = text.n + strlen(added);
    char *list = malloc(n);
    struct forwarded said;

    must(list != NULL, "memory");
    memcpy(list, text.p, text.n);
    memcpy(list + text.n, added, strlen(added));
    forwarded_read((struct slice){list, n}, form, is_proxy, NULL, &said);
    must(strcmp(said.client, HEARD) == 0, "a forged client");
    must(said.proto.n == 0 || slice_is(said.proto, SLICE_LIT("http")), "a forged scheme");
    free(list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *exact = malloc(size > 0 ? size : 1), added[128];
    struct slice text = {exact, size};

    must(exact != NULL, "memory");
    memcpy(exact, data, size);
    check_alone(text, FORWARDED_X);
    check_alone(text, FORWARDED_RFC7239);
    snprintf(added, sizeof added, ", %s, %s", HEARD, PROXY);
    check_behind(text, FORWARDED_X, added);
    snprintf(added, sizeof added, ", for=%s;proto=http, for=\"%s:1\"", HEARD, PROXY);
    check_behind(text, FORWARDED_RFC7239, added);
    free(exact);
    return 0;
}
