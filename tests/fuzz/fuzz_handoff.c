/* SPDX-License-Identifier: MIT */
/*
 * fuzz_handoff - whatever a datagram says, its parts lie inside it, and what was decoded
 * encodes to the same facts again.
 */
#include "tests/fuzz/must.h"

#include "worker/handoff_message.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_parts(const struct handoff_message *m, const char *bytes, size_t size)
{
    must(m->head.p == bytes + HANDOFF_HEADER_BYTES, "where the head is");
    must(m->body.p == m->head.p + m->head.n, "where the body is");
    must(m->rest.p == m->body.p + m->body.n, "where the rest is");
    must(m->rest.p + m->rest.n == bytes + size, "where the rest ends");
    must(memchr(m->peer, '\0', sizeof m->peer) != NULL, "the address ends");
    bool is_beside = (m->flags & HANDOFF_BODY_BESIDE) != 0;
    must(m->body.n == (is_beside ? 0 : m->body_bytes), "the length of the body");
    must(m->type == HANDOFF_CONNECTION || m->type == HANDOFF_ASK, "its type");
}

/* A body beside is not in the datagram, so that its length cannot be encoded from it. */
static void check_again(struct handoff_message *m, const char *bytes)
{
    unsigned char header[HANDOFF_HEADER_BYTES];
    struct handoff_message again;
    if ((m->flags & HANDOFF_BODY_BESIDE) != 0)
        return;
    must(handoff_encode(m, header) == 0, "encoding what was decoded");
    size_t n = HANDOFF_HEADER_BYTES + m->head.n + m->body.n + m->rest.n;
    char *copy = malloc(n);
    must(copy != NULL, "memory");
    memcpy(copy, bytes, n);
    memcpy(copy, header, sizeof header);
    must(handoff_decode(copy, n, &again) == 0, "decoding what was encoded");
    must(again.number == m->number && again.hops == m->hops && again.flags == m->flags &&
             again.queued_ns == m->queued_ns && strcmp(again.peer, m->peer) == 0,
         "the same facts");
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *exact = malloc(size > 0 ? size : 1);
    struct handoff_message m;

    must(exact != NULL, "memory");
    memcpy(exact, data, size);
    if (handoff_decode(exact, size, &m) == 0) {
        check_parts(&m, exact, size);
        check_again(&m, exact);
    }
    free(exact);
    return 0;
}
