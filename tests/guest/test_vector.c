// SPDX-License-Identifier: MIT
/* test_vector.c - x87 and vector registers: kept across preemption, and never another process's. */
#include "lib/base/string.h"
#include "tests/guest/child.h"

/* What XSAVE writes: the first 512 bytes as FXSAVE, the header, then one place for each component. */
#define MXCSR 0x3F80u /* initial, but rounding down */
#define AREA_BYTES 4096
#define X87_BEGIN 32
#define SSE_END 416
#define HEADER_BEGIN 512
#define HEADER_END 576
/* x87, SSE, AVX and the three of AVX-512, as far as the machine has them. */
#define COMPONENTS 0xE7u

struct vectors {
    uint8_t bytes[AREA_BYTES];
} __attribute__((aligned(64)));

static struct vectors mine, found; /* a child has its own */

struct cpuid {
    uint32_t a, b, c, d;
};

static struct cpuid cpuid(uint32_t leaf, uint32_t subleaf)
{
    struct cpuid out;

    __asm__("cpuid" : "=a"(out.a), "=b"(out.b), "=c"(out.c), "=d"(out.d) : "a"(leaf), "c"(subleaf));
    return out;
}

/* The components that XSAVE is used for; 0 on a machine that has FXSAVE only. */
static uint32_t components(void)
{
    uint32_t low, high;

    if ((cpuid(1, 0).c & 1u << 27) == 0)
        return 0;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low & COMPONENTS;
}

static void vectors_load(const struct vectors *v)
{
    uint32_t mask = components();

    if (mask != 0)
        __asm__ volatile("xrstor64 (%0)" ::"r"(v), "a"(mask), "d"(0) : "memory");
    else
        __asm__ volatile("fxrstor64 (%0)" ::"r"(v) : "memory");
}

static void vectors_store(struct vectors *v)
{
    uint32_t mask = components();

    if (mask != 0)
        __asm__ volatile("xsave64 (%0)" ::"r"(v), "a"(mask), "d"(0) : "memory");
    else
        __asm__ volatile("fxsave64 (%0)" ::"r"(v) : "memory");
}

static void fill_range(struct vectors *v, uint32_t begin, uint32_t end, uint64_t seed)
{
    for (uint32_t i = begin; i < end; i++)
        v->bytes[i] = (uint8_t)(seed * 0x45 + i * 7 + 1);
}

static void fill(struct vectors *v, uint64_t seed)
{
    static const uint8_t control[] = {0x7F, 0x03, 0, 0, 0xFF}; /* all x87 registers are in use */
    uint32_t mask = components();

    memset(v, 0, sizeof *v);
    memcpy(v->bytes, control, sizeof control);
    memcpy(v->bytes + 24, &(uint32_t){MXCSR}, 4);
    memcpy(v->bytes + HEADER_BEGIN, &mask, sizeof mask);
    for (uint32_t i = X87_BEGIN; i < X87_BEGIN + 8 * 16; i += 16)
        fill_range(v, i, i + 10, seed);
    fill_range(v, X87_BEGIN + 8 * 16, SSE_END, seed);
    for (uint32_t i = 2; i < 32; i++)
        if (mask & 1u << i)
            fill_range(v, cpuid(13, i).b, cpuid(13, i).b + cpuid(13, i).a, seed);
}

/* All registers, no control words. */
static bool same_registers(const struct vectors *a, const struct vectors *b)
{
    return memcmp(a->bytes + X87_BEGIN, b->bytes + X87_BEGIN, SSE_END - X87_BEGIN) == 0 &&
           memcmp(a->bytes + HEADER_END, b->bytes + HEADER_END, AREA_BYTES - HEADER_END) == 0;
}

static bool is_filled(const struct vectors *v, uint64_t seed)
{
    static struct vectors wanted;

    fill(&wanted, seed);
    return same_registers(v, &wanted);
}

static bool is_zero(const struct vectors *v)
{
    static const struct vectors zero;

    return same_registers(v, &zero);
}

/* Yields, which loses all but the control word, loads its pattern, spins until it has been preempted now
 * and then, and looks whether it is still there: 0 when it was. */
static uint64_t keep_pattern(uint64_t seed, uint64_t rounds, uint64_t, uint64_t)
{
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
    vectors_store(&found);
    return is_zero(&found);
}

TEST(vector, a_new_process_finds_them_zero)
{
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

/* ---- where x87 was last used ---- */

/* As FNSTENV writes it in 64-bit mode. */
struct x87_environment {
    uint32_t control, status, tags, instruction, selector_and_opcode, data, data_selector;
};

/* Uses x87 all the time, between the two labels and nowhere else. */
__attribute__((noinline)) static void use_x87(void)
{
    for (unsigned i = 0; i < 100; i++)
        __asm__ volatile(".globl x87_use_begin\nx87_use_begin:\n\t"
                         "fld1\n\tfstp %%st(0)\n\t"
                         ".globl x87_use_end\nx87_use_end:\n" ::
                             : "memory");
}

extern const char x87_use_begin[], x87_use_end[];

static _Atomic bool x87_over;

static void use_x87_for_ever(void *)
{
    while (!x87_over)
        use_x87();
}

/* Another thread on the same core uses x87 in a place where this one never does. */
TEST(vector, where_another_thread_used_x87_is_not_seen)
{
    uint32_t core = thread_info(MNOS_SELF).core, seen = 0;
    uint64_t switches = 0, last, rounds = 0, limit = soon();
    struct x87_environment environment;
    struct thread user;

    x87_over = false;
    CHECK_OK(sys_thread_control(MNOS_SELF, MNOS_THREAD_AFFINITY, core));
    helper_start_at(&user, use_x87_for_ever, NULL, TEST_PRIORITY, core);
    __asm__ volatile("fninit");
    last = thread_info(user.thread).cpu_time_ns;
    while (switches < 20 && kinfo_time_ns() < limit) {
        uint64_t other;

        /* Not always as often: a slice could end in the call below each time. */
        for (uint64_t i = 0; i < 1000 + rounds % 97; i++) {
            __asm__ volatile("fnstenv %0" : "=m"(environment)::"memory");
            seen += environment.instruction - (uint32_t)(uintptr_t)x87_use_begin <
                    (uint32_t)(x87_use_end - x87_use_begin);
        }
        other = thread_info(user.thread).cpu_time_ns;
        switches += other != last;
        last = other;
        rounds++;
    }
    x87_over = true;
    helper_finish(&user);
    CHECK_OK(sys_thread_control(MNOS_SELF, MNOS_THREAD_AFFINITY, MNOS_AFFINITY_ANY));
    __asm__ volatile("fninit");
    CHECK(switches >= 20);
    CHECK_EQ(seen, 0);
}

#define EXCHANGES 10

/* Makes the call with its pattern loaded, and looks what it finds then: the pattern or nothing. */
static bool finds_its_own(uint64_t number, struct raw_registers *regs, uint64_t seed)
{
    vectors_load(&mine);
    if (raw_call(number, regs) != MNOS_OK)
        return false;
    vectors_store(&found);
    return is_zero(&found) || is_filled(&found, seed);
}

/* A server's loop; the first and the last turn have nobody to answer, or nothing to wait for. */
static uint64_t serve_with_pattern(uint64_t endpoint, uint64_t seed, uint64_t, uint64_t)
{
    uint64_t reply_id = 0;

    fill(&mine, seed);
    for (unsigned i = 0; i <= EXCHANGES; i++) {
        struct raw_registers regs = {
            .rdi = reply_id, .r12 = MNOS_DEADLINE_NEVER, .r13 = i < EXCHANGES ? endpoint : 0};

        if (!finds_its_own(MNOS_SYS_ipc_reply, &regs, seed))
            return 2;
        reply_id = regs.r12;
    }
    return 1;
}

TEST(vector, a_call_and_its_reply_bring_nothing_of_the_others)
{
    mnos_cap_t endpoint = endpoint_new();
    struct child child;

    fill(&mine, 0xCD);
    if (child_create(&child) &&
        child_start(&child, serve_with_pattern, child_give(&child, endpoint, MNOS_RIGHT_READ), 0xEF,
                    0, 0)) {
        for (unsigned i = 0; i < EXCHANGES && !check_failed(); i++) {
            struct raw_registers regs = {.rdi = endpoint, .r12 = soon()};

            CHECK(finds_its_own(MNOS_SYS_ipc_call, &regs, 0xCD));
        }
        CHECK_EQ(child_result(&child), 1);
    }
    child_drop(&child);
    cap_drop(endpoint);
}

static uint64_t mxcsr_across_call(uint64_t endpoint, uint64_t, uint64_t, uint64_t)
{
    struct raw_registers regs = {.rdi = endpoint, .r12 = MNOS_DEADLINE_NEVER};
    uint32_t set = 0x7F80, after = 0; /* another rounding mode */

    __asm__ volatile("ldmxcsr %0" ::"m"(set));
    (void)raw_call(MNOS_SYS_ipc_recv, &regs);
    __asm__ volatile("stmxcsr %0" : "=m"(after));
    return after;
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
