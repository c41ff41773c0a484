// SPDX-License-Identifier: MIT
/* test_vector.c - vector registers: kept across preemption, and never another process's. */
#include "tests/guest/child.h"

#define REGISTERS 16

struct vectors {
    uint64_t words[REGISTERS][2];
} __attribute__((aligned(16)));

static void vectors_load(const struct vectors *v)
{
#define LOAD(n) "movdqa " #n "*16(%0), %%xmm" #n "\n\t"
    __asm__ volatile(LOAD(0) LOAD(1) LOAD(2) LOAD(3) LOAD(4) LOAD(5) LOAD(6) LOAD(7) LOAD(8) LOAD(9)
                         LOAD(10) LOAD(11) LOAD(12) LOAD(13) LOAD(14) LOAD(15)::"r"(v)
                     : "memory");
#undef LOAD
}

static void vectors_store(struct vectors *v)
{
#define STORE(n) "movdqa %%xmm" #n ", " #n "*16(%0)\n\t"
    __asm__ volatile(STORE(0) STORE(1) STORE(2) STORE(3) STORE(4) STORE(5) STORE(6) STORE(7)
                         STORE(8) STORE(9) STORE(10) STORE(11) STORE(12) STORE(13) STORE(14)
                             STORE(15)::"r"(v)
                     : "memory");
#undef STORE
}

static void fill(struct vectors *v, uint64_t seed)
{
    for (unsigned i = 0; i < REGISTERS; i++) {
        v->words[i][0] = seed * 0x0101010101010101ull + i;
        v->words[i][1] = ~v->words[i][0];
    }
}

static bool is_filled(const struct vectors *v, uint64_t seed)
{
    struct vectors wanted;
    bool same = true;

    fill(&wanted, seed);
    for (unsigned i = 0; i < REGISTERS; i++)
        same &= v->words[i][0] == wanted.words[i][0] && v->words[i][1] == wanted.words[i][1];
    return same;
}

static bool is_zero(const struct vectors *v)
{
    uint64_t bits = 0;

    for (unsigned i = 0; i < REGISTERS; i++)
        bits |= v->words[i][0] | v->words[i][1];
    return bits == 0;
}

#define MXCSR 0x3F80u /* initial, but rounding down */

/* Yields, which loses all but the control word, loads its pattern, spins until it has been preempted now
 * and then, and looks whether it is still there: 0 when it was. */
static uint64_t keep_pattern(uint64_t seed, uint64_t rounds, uint64_t, uint64_t)
{
    struct vectors mine, found;
    uint32_t control = MXCSR;

    fill(&mine, seed);
    __asm__ volatile("ldmxcsr %0" ::"m"(control));
    for (uint64_t i = 0; i < rounds; i++) {
        if (i % 2 == 0)
            (void)syscall_raw(MNOS_SYS_thread_yield, 0, 0, 0, 0, 0, 0);
        __asm__ volatile("stmxcsr %0" : "=m"(control));
        vectors_load(&mine);
        for (volatile unsigned spin = 0; spin < 20000; spin++)
            ;
        vectors_store(&found);
        if (!is_filled(&found, seed) || control != MXCSR)
            return i + 1;
    }
    return 0;
}

TEST(vector, each_process_keeps_its_own_across_preemption)
{
    struct child children[3];
    uint32_t core = core_count() - 1;

    for (unsigned i = 0; i < 3; i++)
        if (child_create(&children[i]))
            child_start_at(&children[i], keep_pattern, i + 1, 40, TEST_PRIORITY - 1, core);
    for (unsigned i = 0; i < 3; i++) {
        CHECK_EQ(child_result(&children[i]), 0);
        child_drop(&children[i]);
    }
}

static uint64_t find_zero(uint64_t, uint64_t, uint64_t, uint64_t)
{
    struct vectors found;

    vectors_store(&found);
    return is_zero(&found);
}

TEST(vector, a_new_process_finds_them_zero)
{
    struct vectors mine;

    fill(&mine, 0xAB);
    for (unsigned i = 0; i < 10 && !check_failed(); i++) {
        struct child child;

        if (child_create(&child)) {
            vectors_load(&mine);
            child_start_at(&child, find_zero, 0, 0, TEST_PRIORITY, thread_info(MNOS_SELF).core);
            vectors_load(&mine);
            CHECK_EQ(child_result(&child), 1);
        }
        child_drop(&child);
    }
}

/* Waits for a message with its pattern loaded, and looks what it finds then: the pattern or nothing. */
static uint64_t wait_with_pattern(uint64_t endpoint, uint64_t seed, uint64_t, uint64_t)
{
    struct raw_registers regs = {.rdi = endpoint, .r12 = MNOS_DEADLINE_NEVER};
    struct vectors mine, found;

    fill(&mine, seed);
    for (unsigned i = 0; i < 10; i++) {
        vectors_load(&mine);
        regs = (struct raw_registers){.rdi = endpoint, .r12 = MNOS_DEADLINE_NEVER};
        if (raw_call(MNOS_SYS_ipc_recv, &regs) != MNOS_OK)
            return 2;
        vectors_store(&found);
        if (!is_zero(&found) && !is_filled(&found, seed))
            return 3;
    }
    return 1;
}

TEST(vector, a_message_brings_nothing_of_the_senders)
{
    mnos_cap_t endpoint = endpoint_new();
    struct vectors mine;
    struct child child;

    fill(&mine, 0xCD);
    if (child_create(&child) &&
        child_start(&child, wait_with_pattern, child_give(&child, endpoint, MNOS_RIGHT_READ), 0xEF,
                    0, 0)) {
        for (unsigned i = 0; i < 10; i++) {
            const struct message msg = {.label = i};

            vectors_load(&mine);
            CHECK_OK(ipc_send(endpoint, &msg, soon()));
        }
        CHECK_EQ(child_result(&child), 1);
    }
    child_drop(&child);
    cap_drop(endpoint);
}

static uint64_t mxcsr_across_call(uint64_t endpoint, uint64_t, uint64_t, uint64_t)
{
    struct raw_registers regs = {.rdi = endpoint, .r12 = MNOS_DEADLINE_NEVER};
    uint32_t set = 0x7F80, found = 0; /* another rounding mode */

    __asm__ volatile("ldmxcsr %0" ::"m"(set));
    (void)raw_call(MNOS_SYS_ipc_recv, &regs);
    __asm__ volatile("stmxcsr %0" : "=m"(found));
    return found;
}

TEST(vector, the_control_word_is_kept_across_a_wait)
{
    mnos_cap_t endpoint = endpoint_new();
    const struct message msg = {0};
    struct child child;

    if (child_create(&child) &&
        child_start(&child, mxcsr_across_call, child_give(&child, endpoint, MNOS_RIGHT_READ), 0, 0,
                    0)) {
        thread_reaches(child.thread, MNOS_STATE_RECEIVING);
        CHECK_OK(ipc_send(endpoint, &msg, soon()));
        CHECK_EQ(child_result(&child), 0x7F80);
    }
    child_drop(&child);
    cap_drop(endpoint);
}
