/* SPDX-License-Identifier: MIT */
/*
 * list - a doubly linked ring through the elements themselves. The head is a link that
 * belongs to no element; an element that is on no list points at itself.
 */
#ifndef COMMON_LIST_H
#define COMMON_LIST_H

#include "common/check.h"

#include <stdbool.h>

struct list {
    struct list *next, *prev;
};

static inline void list_init(struct list *l)
{
    l->next = l->prev = l;
}

static inline bool list_is_empty(const struct list *l)
{
    return l->next == l;
}

static inline void list_append(struct list *head, struct list *l)
{
    l->prev = head->prev;
    l->next = head;
    head->prev->next = l; /* NOLINT(clang-analyzer-core.*): no link is ever NULL */
    head->prev = l;
}

static inline void list_remove(struct list *l)
{
    l->prev->next = l->next;
    l->next->prev = l->prev;
    list_init(l);
}

static inline struct list *list_first(struct list *head)
{
    /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): what was freed was taken out before */
    return list_is_empty(head) ? NULL : head->next;
}

#define LIST_ENTRY(link, type, member) CONTAINER_OF(link, type, member)

/** `it` may be removed inside the body; no other element may. */
#define LIST_FOREACH(it, head)                                                           \
    for (struct list *it = (head)->next, *it##_next = it->next; it != (head);            \
         it = it##_next, it##_next = it->next)

#endif
