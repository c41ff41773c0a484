// SPDX-License-Identifier: MIT
/* test_interrupt.c - binding lines, delivering them as events, acknowledging, and losing them. */
#include "object/interrupt.h"

#include "cap/derive.h"
#include "sched/sched.h"
#include "tests/unit/kernel_world.h"

static struct thread *actor;
static mnos_cap_t lines; /* all of them */
static mnos_cap_t port;

static void init(void)
{
    world_init();
    actor = world_thread(world_root, WORLD_PRIORITY);
    CHECK_EQ(
        cap_create_root(world_root, interrupt_object(), MNOS_RIGHTS_ALL, 0, HOST_LINES, &lines),
        MNOS_OK);
    port = CALL_VALUE(actor, cap_create, MNOS_CREATE_ENDPOINT);
}

/* As the entry code does, when so much time passes from reading the clock there to reading it again. */
static void fire_for(uint32_t number, uint64_t ns)
{
    uint64_t began = arch_cycles();

    host_time_pass(ns);
    interrupt_deliver(number, began);
}

static void fire(uint32_t number)
{
    fire_for(number, 0);
}

static mnos_cap_t line(uint64_t number)
{
    return CALL_VALUE(actor, cap_create, MNOS_CREATE_RANGE, lines, MNOS_RIGHTS_ALL, number, 1);
}

static struct endpoint *endpoint(void)
{
    return endpoint_of(world_object(world_root, port));
}

TEST(interrupt, a_bound_line_sets_its_events)
{
    init();
    mnos_cap_t irq = line(4);
    CHECK_EQ(CALL(actor, irq_bind, irq, port, 0x30), 0);
    CHECK(host_lines[4].enabled && !host_lines[4].masked);
    fire(4);
    CHECK_EQ(endpoint()->events, 0x30);
    fire(5);
    fire(MNOS_INTERRUPT_LINES - 1);
    CHECK_EQ(endpoint()->events, 0x30);
    CHECK_EQ(cores[0].statistics->interrupts, 3);
    world_check();
}

TEST(interrupt, a_waiting_driver_is_woken)
{
    init();
    struct thread *driver = world_thread(world_root, 30);
    CHECK_EQ(CALL(actor, irq_bind, line(4), port, 1), 0);
    CHECK_EQ(world_receive(driver, port, 0, MNOS_DEADLINE_NEVER), WORLD_WAITS);
    fire(4);
    CHECK(world_woke_with(driver, MNOS_OK));
    CHECK_EQ(driver->frame.rdx, 1);
    CHECK(host_leave_kernel());
    CHECK_PTR_EQ(cores[0].current, driver);
    world_check();
}

TEST(interrupt, every_line_can_be_bound_to_one_endpoint)
{
    mnos_cap_t irq[HOST_LINES];

    init();
    for (unsigned i = 1; i < HOST_LINES; i++) {
        irq[i] = line(i);
        CHECK_EQ(CALL(actor, irq_bind, irq[i], port, 1ull << i), 0);
        world_check(); /* the kernel's listeners are in the tree of the endpoint */
    }
    for (unsigned i = 1; i < HOST_LINES; i += 2)
        CHECK_EQ(CALL(actor, cap_delete, irq[i]), 0);
    world_check();
    for (unsigned i = 1; i < HOST_LINES; i++) {
        CHECK_EQ(host_lines[i].enabled, i % 2 == 0);
        fire(i);
    }
    CHECK_EQ(endpoint()->events, 0x555554);
    CHECK_EQ(CALL(actor, cap_delete, port), 0);
    world_check();
}

TEST(interrupt, acknowledging_unmasks_a_level_triggered_line)
{
    init();
    host_lines[9].level = true;
    mnos_cap_t level = line(9), edge = line(4);
    CHECK_EQ(CALL(actor, irq_bind, level, port, 1), 0);
    CHECK_EQ(CALL(actor, irq_bind, edge, port, 2), 0);
    arch_irq_mask(9); /* as the entry code does when it fires */
    CHECK_EQ(CALL(actor, irq_ack, level), 0);
    CHECK(!host_lines[9].masked);
    uint32_t unmasks = host_lines[4].unmasks;
    CHECK_EQ(CALL(actor, irq_ack, edge), 0);
    CHECK_EQ(host_lines[4].unmasks, unmasks);
    /* Another capability to the same line is not the one it was bound through. */
    CHECK_EQ(STATUS_OF(CALL(actor, irq_ack, line(9))), MNOS_ERR_STATE);
    CHECK_EQ(STATUS_OF(CALL(actor, irq_ack, lines)), MNOS_ERR_STATE);
}

TEST(interrupt, binding_is_checked)
{
    init();
    mnos_cap_t irq = line(4);
    mnos_cap_t badged =
        CALL_VALUE(actor, cap_create, MNOS_CREATE_MINT, port, MNOS_RIGHT_WRITE, 1, 0xF);
    mnos_cap_t reader = CALL_VALUE(actor, cap_create, MNOS_CREATE_COPY, port, MNOS_RIGHT_READ);
    CHECK_EQ(STATUS_OF(CALL(actor, irq_bind, lines, port, 1)), MNOS_ERR_STATE);
    CHECK_EQ(STATUS_OF(CALL(actor, irq_bind, port, port, 1)), MNOS_ERR_TYPE);
    CHECK_EQ(STATUS_OF(CALL(actor, irq_bind, irq, irq, 1)), MNOS_ERR_TYPE);
    CHECK_EQ(STATUS_OF(CALL(actor, irq_bind, irq, reader, 1)), MNOS_ERR_RIGHTS);
    CHECK_EQ(STATUS_OF(CALL(actor, irq_bind, irq, badged, 0x10)), MNOS_ERR_ARGUMENT);
    CHECK_EQ(STATUS_OF(CALL(actor, irq_bind, irq, port, 0)), MNOS_ERR_ARGUMENT);
    CHECK_EQ(STATUS_OF(CALL(actor, irq_bind, line(0), port, 1)), MNOS_ERR_STATE);
    CHECK_EQ(STATUS_OF(CALL(actor, irq_ack, irq)), MNOS_ERR_STATE);
    CHECK(!host_lines[4].enabled);
    CHECK_EQ(CALL(actor, irq_bind, irq, badged, 0xF), 0);
    world_check();
}

TEST(interrupt, binding_again_moves_it)
{
    init();
    mnos_cap_t other = CALL_VALUE(actor, cap_create, MNOS_CREATE_ENDPOINT);
    mnos_cap_t first = line(4), second = line(4);
    CHECK_EQ(CALL(actor, irq_bind, first, port, 1), 0);
    CHECK_EQ(CALL(actor, irq_bind, second, other, 2), 0);
    fire(4);
    CHECK_EQ(endpoint()->events, 0);
    CHECK_EQ((endpoint_of(world_object(world_root, other)))->events, 2);
    CHECK_EQ(STATUS_OF(CALL(actor, irq_ack, first)), MNOS_ERR_STATE);
    CHECK_EQ(CALL(actor, cap_delete, first), 0);
    CHECK(host_lines[4].enabled); /* not bound through that one any more */
    world_check();
}

TEST(interrupt, revoking_unbinds_and_masks)
{
    init();
    mnos_cap_t irq = line(4);
    CHECK_EQ(CALL(actor, irq_bind, irq, port, 1), 0);
    CHECK_EQ(CALL(actor, cap_revoke, lines), 0);
    CHECK(!host_lines[4].enabled && host_lines[4].masked);
    fire(4);
    CHECK_EQ(endpoint()->events, 0);
    CHECK_EQ(world_view(world_root, port).slot->child, 0); /* the listener has gone */
    world_check();
    CHECK_EQ(CALL(actor, irq_bind, line(4), port, 8), 0);
    fire(4);
    CHECK_EQ(endpoint()->events, 8);
}

TEST(interrupt, the_death_of_the_endpoint_is_survived)
{
    init();
    mnos_cap_t irq = line(4);
    CHECK_EQ(CALL(actor, irq_bind, irq, port, 1), 0);
    CHECK_EQ(CALL(actor, cap_revoke, port), 0); /* takes the listener */
    fire(4);
    CHECK_EQ(endpoint()->events, 0);
    CHECK_EQ(CALL(actor, irq_bind, irq, port, 1), 0);
    CHECK_EQ(CALL(actor, cap_delete, port), 0);
    fire(4);
    CHECK_EQ(CALL(actor, cap_delete, irq), 0);
    world_check();
}

TEST(interrupt, the_death_of_the_driver_unbinds)
{
    mnos_cap_t handle;

    init();
    struct process *process = world_process(world_root, 100, 100000, &handle);
    struct thread *driver = world_thread(process, WORLD_PRIORITY);
    mnos_cap_t irq = CALL_VALUE(actor, cap_transfer, handle, line(4), MNOS_RIGHTS_ALL);
    mnos_cap_t inbox = CALL_VALUE(driver, cap_create, MNOS_CREATE_ENDPOINT);
    CHECK_EQ(CALL(driver, irq_bind, irq, inbox, 1), 0);
    CHECK_EQ(CALL(actor, proc_destroy, handle), 0);
    CHECK(!host_lines[4].enabled);
    fire(4);
    world_check();
}

/* ---- storms ---- */

TEST(interrupt, one_that_fires_again_before_it_is_acknowledged_is_told_then)
{
    init();
    mnos_cap_t irq = line(4);
    CHECK_EQ(CALL(actor, irq_bind, irq, port, 1), 0);
    fire(4);
    endpoint()->events = 0;
    fire(4);
    fire(4);
    CHECK_EQ(endpoint()->events, 0);
    CHECK_EQ(CALL(actor, irq_ack, irq), 0);
    CHECK_EQ(endpoint()->events, 1);
    endpoint()->events = 0;
    CHECK_EQ(CALL(actor, irq_ack, irq), 0);
    CHECK_EQ(endpoint()->events, 0);
    fire(4);
    CHECK_EQ(endpoint()->events, 1);
}

TEST(interrupt, an_edge_that_is_not_acknowledged_is_masked_in_the_end)
{
    init();
    mnos_cap_t irq = line(4);
    CHECK_EQ(CALL(actor, irq_bind, irq, port, 1), 0);
    for (unsigned i = 1; i <= 16; i++) {
        CHECK(!host_lines[4].masked);
        fire(4);
    }
    CHECK(host_lines[4].masked);
    CHECK_EQ(CALL(actor, irq_ack, irq), 0);
    CHECK(!host_lines[4].masked);
    world_check();
}

TEST(interrupt, what_was_not_told_yet_is_told_to_the_next_listener)
{
    init();
    mnos_cap_t other = CALL_VALUE(actor, cap_create, MNOS_CREATE_ENDPOINT);
    mnos_cap_t irq = line(4);
    CHECK_EQ(CALL(actor, irq_bind, irq, port, 1), 0);
    fire(4);
    CHECK_EQ(CALL(actor, irq_bind, irq, port, 2), 0);
    CHECK_EQ(endpoint()->events, 1);
    fire(4);
    fire(4);
    CHECK_EQ(CALL(actor, irq_bind, irq, other, 4), 0);
    CHECK_EQ((endpoint_of(world_object(world_root, other)))->events, 4);
    CHECK_EQ(endpoint()->events, 3);
    world_check();
}

#define HALF_MS 500000u
#define HANDLING_NS 1000u
#define FAR_AWAY_NS 1000000000ull /* from whatever was before */
#define MESSAGE_LINE (MNOS_MESSAGE_LINE_FIRST + 3)

/* Lets `number` fire again and again, each `every_ns` after the one before, for so long or until a hold begins, and
 * returns how long. */
static uint64_t storm(uint32_t number, uint64_t every_ns, uint64_t for_ns)
{
    enum irq_hold before = host_hold;
    uint64_t begin = arch_time_ns();

    while (host_hold == before && arch_time_ns() - begin < for_ns) {
        host_time_pass(every_ns - HANDLING_NS);
        fire_for(number, HANDLING_NS);
    }
    return arch_time_ns() - begin;
}

static void leave_kernel_and_wait(uint64_t ns)
{
    CHECK(host_leave_kernel());
    host_time_pass(ns);
}

TEST(interrupt, messages_that_take_all_the_time_are_held_for_as_long_as_they_took)
{
    init();
    host_time_pass(FAR_AWAY_NS);
    for (unsigned i = 0; i < 10; i++) {
        uint64_t taken_ns = storm(MESSAGE_LINE, HANDLING_NS, FAR_AWAY_NS), hold_ns;

        CHECK_EQ(host_hold, IRQ_HOLD_MESSAGES);
        CHECK(taken_ns >= HALF_MS - 8 * HANDLING_NS && taken_ns <= HALF_MS + 2 * HANDLING_NS);
        CHECK(host_leave_kernel());
        hold_ns = host_cores[0].timer_ns - arch_time_ns();
        CHECK(hold_ns >= HALF_MS && hold_ns <= HALF_MS + HANDLING_NS);
        host_time_pass(hold_ns - 1);
        CHECK_EQ(host_hold, IRQ_HOLD_MESSAGES);
        host_time_pass(1);
        CHECK_EQ(host_hold, IRQ_HOLD_NONE);
        CHECK_EQ(host_cores[0].timer_ns, UINT64_MAX);
    }
}

TEST(interrupt, it_is_the_time_of_interrupts_that_counts_and_not_how_many_they_are)
{
    init();
    host_time_pass(FAR_AWAY_NS);
    (void)storm(MESSAGE_LINE, 8 * HANDLING_NS, 100 * 2 * HALF_MS);
    CHECK_EQ(host_hold, IRQ_HOLD_NONE);
    (void)storm(4, 8 * HANDLING_NS, 100 * 2 * HALF_MS);
    CHECK_EQ(host_hold, IRQ_HOLD_NONE);
}

/* With the way in and out, which the kernel does not see. */
TEST(interrupt, time_between_two_interrupts_in_a_row_counts_as_theirs)
{
    uint64_t taken_ns;

    init();
    host_time_pass(FAR_AWAY_NS);
    taken_ns = storm(MESSAGE_LINE, 4 * HANDLING_NS, FAR_AWAY_NS);
    CHECK_EQ(host_hold, IRQ_HOLD_MESSAGES);
    CHECK(taken_ns <= HALF_MS + 8 * HANDLING_NS);
}

TEST(interrupt, on_a_slow_machine_a_few_interrupts_are_held_back)
{
    init();
    host_time_pass(FAR_AWAY_NS);
    for (unsigned i = 0; i < 7; i++) { /* before the first of them was nothing for long */
        CHECK_EQ(host_hold, IRQ_HOLD_NONE);
        fire_for(MESSAGE_LINE, HALF_MS / 5);
    }
    CHECK_EQ(host_hold, IRQ_HOLD_MESSAGES);
}

TEST(interrupt, one_that_took_as_long_as_the_machine_stood_still_is_held_against_nobody_for_long)
{
    init();
    host_time_pass(FAR_AWAY_NS);
    fire_for(MESSAGE_LINE, FAR_AWAY_NS);
    CHECK_EQ(host_hold, IRQ_HOLD_MESSAGES);
    leave_kernel_and_wait(2 * HALF_MS);
    CHECK_EQ(host_hold, IRQ_HOLD_NONE);
    host_time_pass(HALF_MS);
    fire(MESSAGE_LINE);
    CHECK_EQ(host_hold, IRQ_HOLD_NONE);
}

TEST(interrupt, levels_acknowledged_elsewhere_are_held_back_as_well_and_all_of_the_core_with_them)
{
    init();
    host_lines[9].level = true;
    host_time_pass(FAR_AWAY_NS);
    (void)storm(9, HANDLING_NS, FAR_AWAY_NS);
    CHECK_EQ(host_hold, IRQ_HOLD_LINES);
}

TEST(interrupt, lines_that_storm_while_messages_are_held_are_held_too)
{
    init();
    host_time_pass(FAR_AWAY_NS);
    (void)storm(MESSAGE_LINE, HANDLING_NS, FAR_AWAY_NS);
    leave_kernel_and_wait(HALF_MS / 2);
    fire_for(4, HANDLING_NS);
    CHECK_EQ(host_hold, IRQ_HOLD_MESSAGES);
    (void)storm(4, HANDLING_NS, HALF_MS);
    CHECK_EQ(host_hold, IRQ_HOLD_LINES);
    leave_kernel_and_wait(2 * HALF_MS);
    CHECK_EQ(host_hold, IRQ_HOLD_NONE);
}

TEST(interrupt, a_hold_that_begins_with_a_better_thread_ends_in_time)
{
    init();
    struct thread *driver = world_thread(world_root, WORLD_PRIORITY + 1);
    CHECK_EQ(world_receive(driver, port, 0, MNOS_DEADLINE_NEVER), WORLD_WAITS);
    CHECK(host_leave_kernel());
    CHECK_PTR_EQ(cores[0].current, actor);
    CHECK_EQ(CALL(actor, irq_bind, line(4), port, 1), 0);
    host_time_pass(FAR_AWAY_NS);
    (void)storm(5, HANDLING_NS, HALF_MS + HANDLING_NS);
    CHECK_EQ(host_hold, IRQ_HOLD_NONE);
    fire_for(4, HANDLING_NS); /* wakes the driver, and is the one too many */
    CHECK_EQ(host_hold, IRQ_HOLD_LINES);
    CHECK(host_leave_kernel());
    CHECK_PTR_EQ(cores[0].current, driver);
    CHECK(host_cores[0].timer_ns <= arch_time_ns() + HALF_MS + 2 * HANDLING_NS);
    host_time_pass(2 * HALF_MS);
    CHECK_EQ(host_hold, IRQ_HOLD_NONE);
}

/* ---- in a long call, far from the way out ---- */

TEST(interrupt, a_hold_that_begins_in_a_long_call_ends_in_time)
{
    init();
    CHECK(host_leave_kernel());
    host_time_pass(FAR_AWAY_NS);
    (void)storm(MESSAGE_LINE, HANDLING_NS, FAR_AWAY_NS);
    CHECK(!sched_preempt_point());
    CHECK(host_cores[0].timer_ns <= arch_time_ns() + HALF_MS + 2 * HANDLING_NS);
    host_time_pass(2 * HALF_MS);
    CHECK_EQ(host_hold, IRQ_HOLD_NONE);
}

/* The timer fires in the call, for a thread that is no better than the one that calls; then for one that is. */
TEST(interrupt, a_deadline_in_a_long_call_does_not_hide_the_next)
{
    init();
    struct thread *worse = world_thread(world_root, WORLD_PRIORITY - 1);
    struct thread *better = world_thread(world_root, WORLD_PRIORITY + 1);
    uint64_t first = arch_time_ns() + HALF_MS, second = first + HALF_MS;
    CHECK_EQ(CALL(worse, thread_block, MNOS_SELF, first), WORLD_WAITS);
    CHECK_EQ(CALL(better, thread_block, MNOS_SELF, second), WORLD_WAITS);
    CHECK(host_leave_kernel());
    CHECK_PTR_EQ(cores[0].current, actor);
    CHECK_EQ(host_cores[0].timer_ns, first);
    host_cores[0].timer_ns = UINT64_MAX; /* it is taken in the call */
    host_time_pass(HALF_MS);
    sched_timer_interrupt(&cores[0], arch_time_ns());
    CHECK_EQ(worse->state, THREAD_READY);
    CHECK(!sched_preempt_point());
    CHECK_EQ(host_cores[0].timer_ns, second);
    host_time_pass(HALF_MS);
    CHECK_PTR_EQ(cores[0].current, better);
    world_check();
}

TEST(interrupt, a_message_line_tells_its_message_with_read)
{
    const struct mnos_cap_info *info;

    init();
    CHECK_EQ(cap_create_root(world_root, interrupt_object(), MNOS_RIGHTS_ALL, 0,
                             MNOS_INTERRUPT_LINES, &lines),
             MNOS_OK);
    mnos_cap_t message = line(MNOS_MESSAGE_LINE_FIRST + 1);
    mnos_cap_t blind = CALL_VALUE(actor, cap_create, MNOS_CREATE_COPY, message, MNOS_RIGHT_WRITE);
    info = (const struct mnos_cap_info *)actor->buffer->data;
    CALL_VALUE(actor, cap_inspect, message, MNOS_VIEW_CAPABILITY, 0);
    CHECK_EQ(info->physical_address, HOST_MESSAGE_ADDRESS);
    CHECK_EQ(info->message_data, MNOS_MESSAGE_LINE_FIRST + 1);
    CALL_VALUE(actor, cap_inspect, blind, MNOS_VIEW_CAPABILITY, 0);
    CHECK_EQ(info->physical_address, UINT64_MAX);
    CHECK_EQ(info->message_data, 0);
    CALL_VALUE(actor, cap_inspect, line(4), MNOS_VIEW_CAPABILITY, 0);
    CHECK_EQ(info->physical_address, UINT64_MAX);
}
