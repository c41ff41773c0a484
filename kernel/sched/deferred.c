// SPDX-License-Identifier: MIT
/* deferred.c - see deferred.h. */
#include "sched/deferred.h"

#include <stdatomic.h>
#include <stddef.h>

#include "core.h"
#include "sched/sched.h"
#include "sched/tlb_batch.h"

static uint32_t count_of(const struct deferred_list *list)
{
    return __atomic_load_n(&list->waiting.count, __ATOMIC_RELAXED) +
           __atomic_load_n(&list->ripe.count, __ATOMIC_RELAXED);
}

static uint32_t bytes_of(const struct deferred_list *list)
{
    return __atomic_load_n(&list->waiting.bytes, __ATOMIC_RELAXED) +
           __atomic_load_n(&list->ripe.bytes, __ATOMIC_RELAXED);
}

/* As work of this core: when it has nothing better to do. */
static void step(struct work *work)
{
    if (deferred_step())
        work_enter(work, 0);
}

static void chain_clear(struct deferred_chain *chain)
{
    chain->first = NULL;
    chain->end = &chain->first;
    __atomic_store_n(&chain->count, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&chain->bytes, 0, __ATOMIC_RELAXED);
}

static void count(struct deferred_chain *chain, uint32_t more, uint32_t bytes)
{
    __atomic_store_n(&chain->count, chain->count + more, __ATOMIC_RELAXED);
    __atomic_store_n(&chain->bytes, chain->bytes + bytes, __ATOMIC_RELAXED);
}

void deferred_list_init(struct deferred_list *list)
{
    spin_init(&list->lock, LOCK_DEFERRED);
    chain_clear(&list->waiting);
    chain_clear(&list->ripe);
    work_init(&list->work, step);
}

/* ---- chains; the list is locked ---- */

static void append_locked(struct deferred_chain *chain, struct deferred *deferred)
{
    deferred->next = NULL;
    *chain->end = deferred;
    chain->end = &deferred->next;
    count(chain, 1, deferred->bytes);
}

/* All of `from` goes behind `to`. */
static void move_locked(struct deferred_chain *to, struct deferred_chain *from)
{
    if (from->first == NULL)
        return;
    *to->end = from->first;
    to->end = from->end;
    count(to, from->count, from->bytes);
    chain_clear(from);
}

static struct deferred *take_ripe(struct deferred_list *list)
{
    struct deferred *deferred;

    spin_lock(&list->lock);
    deferred = list->ripe.first;
    if (deferred != NULL) {
        list->ripe.first = deferred->next;
        count(&list->ripe, (uint32_t)-1, -deferred->bytes);
        if (deferred->next == NULL)
            chain_clear(&list->ripe);
    }
    spin_unlock(&list->lock);
    return deferred;
}

static void give_back(struct deferred_list *list, struct deferred *deferred)
{
    spin_lock(&list->lock);
    append_locked(&list->ripe, deferred);
    spin_unlock(&list->lock);
}

/* ---- collecting ---- */

void deferred_add(struct deferred *deferred, uint32_t bytes, bool (*release)(struct deferred *))
{
    struct core *core = this_core();
    struct deferred_list *list = &core->deferred;

    deferred->release = release;
    deferred->bytes = bytes;
    spin_lock(&list->lock);
    append_locked(&list->waiting, deferred);
    spin_unlock(&list->lock);
    if (deferred_is_due(core))
        core->need_resched = true;
    else if (!list->work.entered) /* only this core enters it, and takes it out */
        work_enter(&list->work, 0);
}

bool deferred_is_due(const struct core *core)
{
    const struct deferred_list *list = &core->deferred;

    return count_of(list) != 0 && (sched_single_core() || count_of(list) > DEFERRED_MAX ||
                                   bytes_of(list) > DEFERRED_BYTES);
}

void deferred_due_step(struct core *core)
{
    if (deferred_step() && !core->deferred.work.entered)
        work_enter(&core->deferred.work, 0); /* at the latest before the core idles */
}

bool deferred_anywhere(void)
{
    for (uint32_t i = 0; i < core_count; i++)
        if (deferred_any(&cores[i].deferred))
            return true;
    return false;
}

static void take_over(struct deferred_list *to, struct deferred_list *from)
{
    struct deferred_chain waiting, ripe;

    chain_clear(&waiting);
    chain_clear(&ripe);
    spin_lock(&from->lock);
    move_locked(&waiting, &from->waiting);
    move_locked(&ripe, &from->ripe);
    spin_unlock(&from->lock);
    spin_lock(&to->lock);
    move_locked(&to->waiting, &waiting);
    move_locked(&to->ripe, &ripe);
    spin_unlock(&to->lock);
}

void deferred_take_over(void)
{
    struct core *core = this_core();

    for (uint32_t i = 0; i < core_count; i++)
        if (&cores[i] != core && deferred_any(&cores[i].deferred))
            take_over(&core->deferred, &cores[i].deferred);
}

/* ---- releasing ---- */

/* What waits is ripe after a round of all cores. Only what is there now: it is cut off. */
static void ripen(struct deferred_list *list)
{
    struct deferred_chain cut;

    chain_clear(&cut);
    spin_lock(&list->lock);
    move_locked(&cut, &list->waiting);
    spin_unlock(&list->lock);
    if (cut.first == NULL)
        return;
    /* A page of it may still be in a TLB: who unmapped it has not flushed yet. */
    tlb_batch_finish_all(&(struct tlb_batch){0});
    sched_quiesce();
    spin_lock(&list->lock);
    move_locked(&list->ripe, &cut);
    spin_unlock(&list->lock);
}

bool deferred_step(void)
{
    struct deferred_list *list = &this_core()->deferred;
    struct deferred *deferred;

    if (__atomic_load_n(&list->ripe.first, __ATOMIC_RELAXED) == NULL)
        ripen(list);
    for (unsigned i = 0; i < DEFERRED_STEP && (deferred = take_ripe(list)) != NULL; i++)
        if (!deferred->release(deferred))
            give_back(list, deferred);
    return deferred_any(list);
}
