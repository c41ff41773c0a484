// SPDX-License-Identifier: MIT
/*
 * work.h - what a core does between threads: steps of work that has a priority and no thread of its
 * own.
 *
 * An entry belongs to whatever is worked on (the end of a process or thread, a core's list of
 * objects to be freed), so that entering it takes no memory. The first core that enters it owns it
 * for good: only that core runs it. The scheduler runs the best entry when no thread of the core is
 * better; entries take turns with threads of their priority, and with each other.
 *
 * J1  an entry is in one list at most, that of the core `core`, under the priority `at`
 * J2  bit p of the run queue's `work` is set exactly when the list p is not empty
 * J3  while a step runs the core has no current thread and no next one, and holds no lock
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "abi/types.h"
#include "lib/base/list.h"
#include "base/spinlock.h"

struct core;

/* Of an entry that no core owns yet. */
#define WORK_NOWHERE UINT32_MAX

struct work {
    struct list link;
    /* Does one step. It is in no list meanwhile: the step enters it again when there is more to do
     * now. */
    void (*run)(struct work *work);
    _Atomic uint32_t core; /* who owns it, or WORK_NOWHERE; written once */
    /* What its object asks for, under the object's lock. */
    _Atomic uint8_t priority;
    uint8_t at;   /* J1; under that core's lock, as is the next */
    bool entered; /* in a list */
};

struct work_list {
    struct spinlock lock; /* rank LOCK_WORK, guards all below and the run queue's `work` */
    struct list entries[MNOS_PRIORITY_COUNT];
};

void work_list_init(struct work_list *list);
void work_init(struct work *work, void (*run)(struct work *work));

/* Enters it at the end of its priority, at least `least`: on the core that owns it, which is told
 * if need be; if none does, this core does from now on. Nothing when it is entered already. */
void work_enter(struct work *work, uint8_t least);
/* Its object asks for another priority. The caller has the object's lock. */
void work_move(struct work *work, uint8_t priority);
/* Does one step of the best entry of this core, if there is one (J3). */
void work_run(struct core *core);
