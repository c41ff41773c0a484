// SPDX-License-Identifier: MIT
/* kernel_world_check - asserts the invariants of all that is there: see kernel_world.h. */
#include "tests/unit/kernel_world.h"

#include "cap/derive.h"
#include "mm/slab.h"
#include "object/interrupt.h"
#include "sched/sched.h"

static void check_thread(const struct thread *thread)
{
    const struct thread *first = thread_queue_first(&thread->callers);
    bool waits = thread->waits_on != NULL || thread->owed_by != NULL || thread->awaits != NULL;
    uint8_t effective = thread->priority;

    thread_queue_check(&thread->callers);
    if (first != NULL && first->effective > effective)
        effective = first->effective;
    if (effective > thread->process->priority_ceiling)
        effective = thread->process->priority_ceiling;
    CHECK_EQ(thread->effective, effective);
    if (thread->queue_link.in_ring)
        CHECK_EQ(thread->queue_link.priority, effective);
    CHECK(thread->timer.due <= thread->deadline_ns || thread->deadline_ns == UINT64_MAX);
    CHECK_EQ(thread->timer.due == UINT64_MAX, thread->timer.queue == NULL);
    if (!waits && thread->state != THREAD_PARKED)
        CHECK_EQ(thread->deadline_ns, UINT64_MAX); /* T7 */
}

static void check_process(struct process *process)
{
    struct process *child;

    process_check(process);
    cap_tree_check(&process->obj);
    for (struct list *l = process->objects.next; l != &process->objects; l = l->next) {
        struct kobject *object = container_of(l, struct kobject, payer_link);

        CHECK_PTR_EQ(object->payer, process);
        cap_tree_check(object);
        if (object->type == MNOS_TYPE_ENDPOINT)
            endpoint_check((struct endpoint *)object);
        if (object->type == MNOS_TYPE_MEMORY)
            memory_check((struct memory *)object);
    }
    for (struct list *l = process->threads.next; l != &process->threads; l = l->next)
        check_thread(container_of(l, struct thread, process_link));
    for (struct list *l = process->children.next; l != &process->children; l = l->next) {
        child = container_of(l, struct process, sibling_link);
        CHECK_PTR_EQ(child->parent, process);
        check_process(child);
    }
}

void world_check(void)
{
    check_process(world_root);
    cap_tree_check(interrupt_object());
    for (uint32_t i = 0; i < core_count; i++) {
        runqueue_check(&cores[i].runqueue);
        work_check(&cores[i]);
        tree_check(&cores[i].timer_queue.tree);
    }
    slab_check();
    frame_check();
}
