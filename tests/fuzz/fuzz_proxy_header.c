/* SPDX-License-Identifier: MIT */
/*
 * fuzz_proxy_header - a PROXY header is the same however its bytes arrive.
 *
 * The verdict on the whole is compared with that on each prefix, which grows by a byte: once it is
 * known it stays, and until then more is asked for. Nothing behind the header matters.
 */
#include "tests/fuzz/must.h"

#include "common/addr.h"
#include "http/proxy_header.h"

#include <netinet/in.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In memory of just that size, where a byte too far is seen. */
static enum proxy_verdict parse(const uint8_t *data, size_t size,
                                struct proxy_header *out)
{
    uint8_t *exact = malloc(size > 0 ? size : 1);

    must(exact != NULL, "memory");
    memcpy(exact, data, size);
    enum proxy_verdict verdict = proxy_header_parse(exact, size, out);
    free(exact);
    return verdict;
}

static void check_source(const struct proxy_header *header, size_t size)
{
    char host[INET6_ADDRSTRLEN];
    int family = header->source.ss_family;

    must(header->bytes > 0 && header->bytes <= size, "the length of a header");
    must(header->bytes <= PROXY_HEADER_MOST, "a header longer than any");
    must(family == AF_INET || family == AF_INET6 || family == AF_UNIX ||
             family == AF_UNSPEC,
         "a family");
    if (family == AF_INET || family == AF_INET6) {
        addr_format_host((const struct sockaddr *)&header->source, header->length, host,
                         sizeof host);
        must(strlen(host) >= 2 && strlen(host) < sizeof host, "an address");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct proxy_header whole, part;
    enum proxy_verdict verdict = parse(data, size, &whole);
    size_t step =
        size > 600 ? size / 97 : 1; /* one that is long takes the square of it */

    if (verdict == PROXY_DONE)
        check_source(&whole, size);
    for (size_t n = 1; n < size; n += step) {
        enum proxy_verdict early = parse(data, n, &part);
        must(early == PROXY_MORE || early == verdict, "a verdict that changes");
        must(verdict != PROXY_DONE || (early == PROXY_DONE) == (n >= whole.bytes),
             "a header that is over too early, or too late");
        if (early == PROXY_DONE)
            must(memcmp(&part, &whole, sizeof part) == 0, "another client");
    }
    return 0;
}
