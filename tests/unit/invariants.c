// SPDX-License-Identifier: MIT
/*
 * invariants.c - asserts what the kernel's headers promise about its structures; the letters and numbers
 * are the headers'.
 */
#include "tests/unit/invariants.h"

#include "assert.h"
#include "ipc/thread_queue.h"
#include "vm/mapping.h"
#include "object/thread.h"
#include "tests/unit/host/host.h"

/* ---- tree ---- */

static bool is_red(const struct tree_node *node)
{
    return node != NULL && node->colour == TREE_RED;
}

static bool before(const struct tree_node *a, uint64_t key, const struct tree_node *b)
{
    return a->key < key || (a->key == key && (uintptr_t)a < (uintptr_t)b);
}

/* Black nodes on each way down from `node`. */
static unsigned count_black(const struct tree_node *node)
{
    unsigned blacks;

    if (node == NULL)
        return 0;
    assert(node->colour == TREE_BLACK || !(is_red(node->left) || is_red(node->right)));
    assert(node->left == NULL || before(node->left, node->key, node));
    assert(node->right == NULL || before(node, node->right->key, node->right));
    assert(node->left == NULL || node->left->parent == node);
    assert(node->right == NULL || node->right->parent == node);
    blacks = count_black(node->left);
    if (count_black(node->right) != blacks)
        assert(!"the same number of black nodes on every way");
    return blacks + (node->colour == TREE_BLACK);
}

void tree_check(const struct tree *tree)
{
    assert(!is_red(tree->root));
    (void)count_black(tree->root);
}

/* ---- queues ---- */

void thread_queue_check(const struct thread_queue *queue)
{
    int last = MNOS_PRIORITY_COUNT;

    assert(list_empty(&queue->heads) == (queue->only != THREAD_QUEUE_RINGS)); /* W3 */
    for (struct list *l = queue->heads.next; l != &queue->heads; l = l->next) {
        const struct queue_link *head = container_of(l, struct queue_link, heads);

        assert(head->is_head && head->in_ring && head->priority < last); /* W1 */
        last = head->priority;
        for (struct list *r = head->ring.next; r != &head->ring; r = r->next) {
            const struct queue_link *link = container_of(r, struct queue_link, ring);

            assert(!link->is_head && link->in_ring && link->priority == head->priority); /* W2 */
            (void)link;
        }
    }
    (void)last;
}

static void check_list(const struct list *list, unsigned priority, uint64_t bits, bool pinned)
{
    const struct thread *last = NULL;

    assert(list_empty(list) == ((bits >> priority & 1) == 0)); /* R1 */
    for (struct list *l = list->next; l != list; l = l->next) {
        const struct thread *thread = container_of(l, struct thread, run_link);

        assert(thread->state == THREAD_READY && thread->queued_priority == priority); /* R2 */
        assert(thread->queued_pinned == pinned);
        assert(last == NULL || (int32_t)(thread->ticket - last->ticket) > 0); /* R3 */
        last = thread;
    }
    (void)last;
}

void runqueue_check(const struct runqueue *queue)
{
    for (unsigned p = 0; p < MNOS_PRIORITY_COUNT; p++) {
        check_list(&queue->movables[p], p, queue->movable, false);
        check_list(&queue->pinneds[p], p, queue->pinned, true);
    }
    assert(queue->ready == (queue->movable | queue->pinned | queue->work));
}

void work_check(const struct core *core)
{
    for (unsigned p = 0; p < MNOS_PRIORITY_COUNT; p++) {
        const struct list *entries = &core->work.entries[p];

        assert(list_empty(entries) == ((core->runqueue.work >> p & 1) == 0)); /* J2 */
        for (struct list *l = entries->next; l != entries; l = l->next) {
            const struct work *work = container_of(l, struct work, link);

            assert(work->entered && work->at == p && work->core == core->index); /* J1 */
            (void)work;
        }
    }
}

/* ---- capabilities ---- */

/* L2; returns 1 for a lasting mint. */
static uint32_t check_lasting_mint(const struct capability *cap)
{
    const unsigned flags = CAP_KERNEL | CAP_MINTED | CAP_GHOST | CAP_LASTING;

    if ((cap->flags & CAP_LASTING) == 0)
        return 0;
    assert((cap->flags & ~(unsigned)CAP_CURSOR) == flags && cap->type == MNOS_TYPE_NONE);
    (void)flags;
    return 1;
}

/* Returns how many of them are lasting mints. */
static uint32_t check_locked(const struct kobject *object, const struct capability *parent)
{
    cap_ref_t ref = parent == NULL ? object->caps : parent->child;
    cap_ref_t previous = 0;
    uint32_t lasting = 0;

    while (ref != 0) {
        const struct capability *cap = cap_at(ref);

        assert(cap->object == object && cap->prev == previous); /* C5 */
        assert(cap->parent == cap_ref(parent));
        assert(parent == NULL || (cap->rights & ~parent->rights) == 0); /* C3 */
        assert(parent == NULL || cap->depth > parent->depth);           /* C4 */
        if (object->type == MNOS_TYPE_ENDPOINT && (cap->flags & CAP_MINTED) == 0)
            assert(cap->badge == (parent == NULL ? 0 : parent->badge)); /* C6 */
        assert((cap->flags & CAP_GHOST) == 0 || cap->child != 0);
        assert((cap->flags & CAP_CURSOR) == 0 ||
               cap == ((const struct endpoint *)object)->search.next);
        lasting += check_lasting_mint(cap) + check_locked(object, cap);
        previous = ref;
        ref = cap->next;
    }
    (void)previous;
    return lasting;
}

void cap_tree_check(struct kobject *object)
{
    const struct endpoint *endpoint = (const struct endpoint *)object;
    uint32_t lasting;

    spin_lock(&object->derive);
    lasting = check_locked(object, NULL);
    if (object->type == MNOS_TYPE_ENDPOINT && endpoint->lasting != NULL && !object->dying)
        assert(endpoint->lasting->minted == lasting);
    else
        assert(lasting == 0 || object->dying);
    spin_unlock(&object->derive);
    (void)lasting, (void)endpoint;
}

void captable_check(struct captable *table)
{
    uint32_t free = 0;
    uint32_t used = 0;

    spin_lock(&table->lock);
    for (const struct capability *slot = table->free; slot != NULL; slot = slot->next_free) {
        assert(slot->type == MNOS_TYPE_NONE && slot->object == NULL);
        free++;
    }
    for (uint32_t i = 1; i < table->page_count * CAPTABLE_PAGE_SLOTS; i++)
        used += captable_slot(table, i)->type != MNOS_TYPE_NONE;
    assert(used <= table->used);
    for (uint32_t i = 0; i < table->next_filled; i++) /* K4 */
        assert(table->next_root[i] == table->root[i < table->page_count ? i : 0] ||
               i >= table->page_count);
    assert(table->page_count == 0 ||
           table->used + free == table->page_count * CAPTABLE_PAGE_SLOTS - 1); /* K3 */
    spin_unlock(&table->lock);
    (void)free;
    (void)used;
}

/* ---- objects ---- */

static void check_mappings(const struct tree_node *node, uint64_t *end)
{
    const struct mapping *mapping;

    if (node == NULL)
        return;
    check_mappings(node->left, end);
    mapping = container_of(node, struct mapping, node);
    assert(node->key >= *end); /* A1 */
    *end = node->key + mapping->page_count * PAGE_BYTES;
    assert(*end <= MNOS_USER_END || mapping->memory->flavour == MNOS_MEMORY_PORTS);
    for (uint64_t i = 0; i < mapping->page_count && *end <= MNOS_USER_END; i++) {
        paddr_t frame;
        unsigned rights;
        uint64_t run;

        assert(arch_aspace_lookup(&mapping->process->aspace.arch, node->key + i * PAGE_BYTES,
                                  &frame, &rights)); /* A2 */
        assert(frame == memory_frame(mapping->memory, mapping->first_page + i, &run));
        assert((rights & (MAP_READ | MAP_WRITE | MAP_EXECUTE) &
                ~(mapping->most | mapping->cap->rights)) == 0); /* A2, A5 */
        (void)frame, (void)rights, (void)run;
    }
    assert(mapping->link != NULL && *mapping->link == mapping); /* A3 */
    check_mappings(node->right, end);
}

void aspace_check(struct aspace *aspace)
{
    uint64_t end = 0;

    spin_lock(&aspace->lock);
    tree_check(&aspace->mappings);
    check_mappings(aspace->mappings.root, &end);
    spin_unlock(&aspace->lock);
}

void memory_check(const struct memory *memory)
{
    uint32_t count = memory->extent_count;

    assert(memory->frames == memory->page_count);
    assert(count > 0 && memory_extent(memory, 0)->first_page == 0); /* M1 */
    for (uint32_t i = 1; i < count; i++)
        assert(memory_extent(memory, i)->first_page > memory_extent(memory, i - 1)->first_page);
    assert(memory_extent(memory, count - 1)->first_page < memory->page_count);
    (void)count;
}

static void check_lasting(const struct lasting *lasting)
{
    const struct capability *gone = lasting->gone_first;
    uint32_t free = lasting->count - lasting->touched;

    for (const struct capability *slot = lasting->free; slot != NULL; slot = slot->next_free)
        free++;
    assert(free + lasting->minted + lasting->news == lasting->count); /* L1 */
    for (uint32_t i = 0; i < lasting->news; i++, gone = cap_at(gone->next)) {
        assert(gone->type == MNOS_TYPE_NONE && gone->object == NULL); /* L3 */
        assert((gone == lasting->gone_last) == (i + 1 == lasting->news));
    }
    (void)free;
}

void endpoint_check(struct endpoint *endpoint)
{
    const struct thread *first;

    spin_lock(&endpoint->lock);
    first = thread_queue_first(&endpoint->queue);
    assert((first == NULL) == (endpoint->state == EP_IDLE)); /* E1 */
    assert(first == NULL || first->waits_on == endpoint);    /* E2 */
    assert(first == NULL ||
           first->state == (endpoint->state == EP_SENDING ? THREAD_SENDING : THREAD_RECEIVING));
    if (endpoint->state == EP_RECEIVING)
        assert(!endpoint->pending); /* E3 */
    assert(endpoint->gone_count <= ENDPOINT_GONE_MAX);
    assert(endpoint->pending ==
           (endpoint->events != 0 || endpoint->gone_count != 0 || endpoint->lost ||
            lasting_has_news_locked(endpoint->lasting))); /* E4 */
    if (endpoint->lasting != NULL && !endpoint->obj.dying)
        check_lasting(endpoint->lasting);
    thread_queue_check(&endpoint->queue);
    spin_unlock(&endpoint->lock);
    (void)first;
}

static void check_ending(const struct ending *ending, int own)
{
    const struct thread *first = thread_queue_first(&ending->waiters);
    int priority = own;

    thread_queue_check(&ending->waiters);
    assert(first == NULL ||
           (first->awaits == ending && first->state == THREAD_ENDING)); /* G3, T8 */
    if (ending->work.core == WORK_NOWHERE || ending->progress == END_TOLD)
        return;
    assert(ending->work.entered || ending->away); /* G2: no step runs while a test looks */
    if (thread_queue_priority(&ending->waiters) > priority)
        priority = thread_queue_priority(&ending->waiters);
    if (ending->marked > priority)
        priority = ending->marked;
    if (ending->handed > priority)
        priority = ending->handed;
    assert(ending->work.priority >= priority || ending->away); /* G1 */
}

static void check_threads_at(const struct process *process)
{
    uint32_t threads_at[MNOS_PRIORITY_COUNT] = {0};

    for (struct list *l = process->threads.next; l != &process->threads; l = l->next) {
        const struct thread *thread = container_of(l, struct thread, process_link);

        threads_at[thread->effective] += thread->counted;
        check_ending(&thread->end, 0);
    }
    for (unsigned p = 0; p < MNOS_PRIORITY_COUNT; p++) { /* P5 */
        assert(process->threads_at[p] == threads_at[p]);
        assert(threads_at[p] == 0 || (process->threads_ever_at >> p & 1) != 0);
    }
    check_ending(&process->end,
                 process->end.progress <= END_THREADS ? process_threads_priority(process) : 0);
}

/* P2: what a process has charged covers the limits of its children. */
static void check_children(const struct process *process)
{
    uint64_t frames = 0, bytes = 0;

    for (struct list *l = process->children.next; l != &process->children; l = l->next) {
        const struct process *child = container_of(l, struct process, sibling_link);

        if (child->state == MNOS_PROCESS_DEAD)
            continue; /* has given them back */
        frames += child->quota.frames.limit;
        bytes += child->quota.bytes.limit;
    }
    assert(frames <= quota_used(&process->quota.frames));
    assert(bytes <= quota_used(&process->quota.bytes));
}

void process_check(struct process *process)
{
    captable_check(&process->captable);
    aspace_check(&process->aspace);
    assert(quota_used(&process->quota.frames) <= process->quota.frames.limit);
    assert(quota_used(&process->quota.bytes) <= process->quota.bytes.limit);
    check_children(process);
    assert(process->parent == NULL ||
           process->priority_ceiling <= process->parent->priority_ceiling);               /* P3 */
    assert(process->depth == (process->parent == NULL ? 0 : process->parent->depth + 1)); /* P4 */
    check_threads_at(process);
}
