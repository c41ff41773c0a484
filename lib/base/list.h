// SPDX-License-Identifier: MIT
/* list.h - circular doubly linked lists whose links live in the members. No allocation, no locking. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct list {
    struct list *next;
    struct list *prev;
};

#define container_of(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))

static inline void list_init(struct list *list)
{
    list->next = list;
    list->prev = list;
}

static inline bool list_empty(const struct list *list)
{
    return list->next == list;
}

/* Puts `item` before `position`; with the head as position, at the end of the list. */
static inline void list_insert_before(struct list *position, struct list *item)
{
    item->next = position;
    item->prev = position->prev;
    position->prev->next = item;
    position->prev = item;
}

static inline void list_append(struct list *head, struct list *item)
{
    list_insert_before(head, item);
}

static inline void list_prepend(struct list *head, struct list *item)
{
    list_insert_before(head->next, item);
}

/* Takes `item` out and leaves it empty, so that removing twice is harmless. */
static inline void list_remove(struct list *item)
{
    item->prev->next = item->next;
    item->next->prev = item->prev;
    list_init(item);
}

#define list_first(head, type, member) container_of((head)->next, type, member)
