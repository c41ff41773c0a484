// SPDX-License-Identifier: MIT
/*
 * test_tickless.c - no timer interrupt without a deadline, and what thousands of deadlines cost.
 *
 * tests/system/test_tickless.py runs these with `counted` on the command line, in an emulator that counts
 * instructions: then a minute passes quickly, costs are exact, and its own log of interrupts is compared.
 * It finds its way in that log by the interrupts of the real-time clock, one before and one after each minute.
 */
#include "abi/statistics.h"
#include "lib/driver/ports.h"
#include "lib/mnos/bootstrap.h"
#include "tests/guest/output.h"
#include "tests/guest/scene.h"

static uint64_t read_tsc(void)
{
    uint32_t low, high;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high)::"memory");
    return (uint64_t)high << 32 | low;
}

/* ---- the real-time clock: interrupts that need no timer of the kernel ---- */

/* Motorola MC146818A datasheet: "Address Map", "Registers". */
#define RTC_PORT 0x70
#define RTC_LINE 8
#define RTC_SECONDS 0
#define RTC_ALARM_SECONDS 1
#define RTC_MINUTES 2
#define RTC_ALARM_MINUTES 3
#define RTC_ALARM_HOURS 5
#define RTC_ANY 0xC0 /* in an alarm register: always equal */
#define RTC_A 10
#define RTC_A_UPDATING 0x80
#define RTC_A_RATE 0x0F
#define RTC_A_RATE_122_US 3
#define RTC_B 11
#define RTC_B_BINARY 4
#define RTC_B_ALARM 0x20
#define RTC_B_PERIODIC 0x40
#define RTC_C 12 /* reading it lets the next interrupt come */

#define SECOND_NS (1000 * MILLISECOND_NS)

struct alarm {
    mnos_cap_t ports, line, endpoint;
};

static uint8_t rtc_read(uint8_t reg)
{
    port_write8(RTC_PORT, reg);
    return port_read8(RTC_PORT + 1);
}

static void rtc_write(uint8_t reg, uint8_t value)
{
    port_write8(RTC_PORT, reg);
    port_write8(RTC_PORT + 1, value);
}

static bool alarm_open(struct alarm *alarm)
{
    alarm->endpoint = endpoint_new();
    alarm->line =
        cap_range(bootstrap_cap("interrupts"), MNOS_RIGHT_WRITE | MNOS_RIGHT_GRANT, RTC_LINE, 1);
    alarm->ports =
        cap_range(bootstrap_cap("ports"), MNOS_RIGHT_READ | MNOS_RIGHT_WRITE, RTC_PORT, 2);
    return CHECK_OK(sys_mem_map(MNOS_SELF, alarm->ports, 0, 0, 2, MAP_RW)) &&
           CHECK_OK(sys_irq_bind(alarm->line, alarm->endpoint, 1));
}

static void alarm_close(struct alarm *alarm)
{
    cap_drop(alarm->line);
    cap_drop(alarm->ports);
    cap_drop(alarm->endpoint);
}

/* One interrupt for this reason. */
static void interrupt_wait(const struct alarm *alarm, uint8_t reason)
{
    struct message msg = {0};

    (void)rtc_read(RTC_C);
    rtc_write(RTC_B, rtc_read(RTC_B) | reason);
    CHECK_OK(ipc_receive(alarm->endpoint, &msg, MNOS_DEADLINE_NEVER));
    rtc_write(RTC_B, rtc_read(RTC_B) & (uint8_t)~reason);
    (void)rtc_read(RTC_C);
    CHECK_OK(sys_irq_ack(alarm->line));
}

static uint64_t binary(uint8_t value)
{
    return (rtc_read(RTC_B) & RTC_B_BINARY) != 0 ? value : (value >> 4) * 10u + (value & 15u);
}

static uint8_t as_rtc(uint64_t value)
{
    return (uint8_t)((rtc_read(RTC_B) & RTC_B_BINARY) != 0 ? value : value / 10 << 4 | value % 10);
}

/* The alarm is set to a second of an hour. */
static void alarm_set(uint64_t seconds_from_now)
{
    uint64_t second;

    while ((rtc_read(RTC_A) & RTC_A_UPDATING) != 0)
        ;
    second = binary(rtc_read(RTC_MINUTES)) * 60 + binary(rtc_read(RTC_SECONDS)) + seconds_from_now;
    rtc_write(RTC_ALARM_SECONDS, as_rtc(second % 60));
    rtc_write(RTC_ALARM_MINUTES, as_rtc(second / 60 % 60));
    rtc_write(RTC_ALARM_HOURS, RTC_ANY);
}

/* Until this time has passed, without any deadline: seconds with one interrupt, less than a second with one for
 * each 122 us. */
static void alarm_wait(const struct alarm *alarm, uint64_t ns)
{
    uint64_t end_ns = kinfo_time_ns() + ns;

    if (ns >= SECOND_NS) {
        alarm_set(ns / SECOND_NS + 1);
        interrupt_wait(alarm, RTC_B_ALARM);
        return;
    }
    rtc_write(RTC_A, (rtc_read(RTC_A) & (uint8_t)~RTC_A_RATE) | RTC_A_RATE_122_US);
    do
        interrupt_wait(alarm, RTC_B_PERIODIC);
    while (kinfo_time_ns() < end_ns);
}

/* ---- timer interrupts ---- */

#define MARK_NS 1ull /* one interrupt */

static uint64_t quiet_ns(void)
{
    return is_counted() ? 60000 * MILLISECOND_NS : 50 * MILLISECOND_NS;
}

/* Of all cores, by the kernel's own counters. */
static uint64_t timer_interrupts(void)
{
    const struct mnos_statistics *statistics;
    uint64_t count = 0, pages = cap_info(bootstrap_cap("statistics")).count;
    void *address;

    if (!CHECK_OK(memory_map(bootstrap_cap("statistics"), 0, pages, MNOS_MAP_READ, &address)))
        return 0;
    statistics = address;
    for (uint32_t i = 0; i < statistics->core_count; i++)
        count += statistics->cores[i].timer_interrupts;
    memory_unmap(address, pages);
    return count;
}

/* How many timer interrupts come while `pass` passes the time, with a mark before and after. */
static uint64_t interrupts_during(const struct alarm *alarm, void (*pass)(const struct alarm *))
{
    uint64_t before, began_ns;

    alarm_wait(alarm, MARK_NS);
    before = timer_interrupts();
    began_ns = kinfo_time_ns();
    pass(alarm);
    CHECK(kinfo_time_ns() - began_ns >= quiet_ns());
    return timer_interrupts() - before;
}

/* Where instructions are the clock there is none in the one minute. A host that is busy can let a core take an interrupt
 * late whose time came before, or hold the line that the log waits for; a tick would be in each of the intervals. */
static void check_quiet(void (*pass)(const struct alarm *))
{
    uint32_t tries = is_counted() ? 1 : 20;
    struct alarm alarm = {0};
    uint64_t interrupts;

    sleep_ns(MILLISECOND_NS); /* deadlines of the past go */
    if (!alarm_open(&alarm))
        return;
    do
        interrupts = interrupts_during(&alarm, pass);
    while (interrupts != 0 && --tries != 0);
    CHECK_EQ(interrupts, 0);
    alarm_close(&alarm);
}

static void idle(const struct alarm *alarm)
{
    alarm_wait(alarm, quiet_ns() + quiet_ns() / 20); /* the clocks do not quite agree */
}

static void run(const struct alarm *alarm)
{
    uint64_t end_ns = kinfo_time_ns() + quiet_ns();

    while (kinfo_time_ns() < end_ns)
        ;
    alarm_wait(alarm, MARK_NS);
}

TEST(tickless, idle_cores_take_no_timer_interrupt)
{
    check_quiet(idle);
}

TEST(tickless, a_core_with_one_runnable_thread_takes_no_timer_interrupt)
{
    check_quiet(run);
}

/* ---- many deadlines ---- */

#define DEADLINES 10000u
#define DEADLINES_UNCOUNTED 100u
#define FAR_NS (3600 * 1000 * MILLISECOND_NS)
#define ROUNDS 32u
/* What each doubling of the number of deadlines may cost a wait that has to enter its own anew. */
#define STEP_INSTRUCTIONS 150u
#define DOUBLINGS 14u

/* Waits until RSI with nothing but registers. */
__asm__(".text\n"
        "tickless_wait:\n"
        "    syscall\n"
        "    jmp tickless_wait\n");
extern const char tickless_wait[];

static mnos_cap_t crowd[DEADLINES];

static void crowd_start(unsigned count)
{
    struct mnos_thread_params params = {
        .name = "waiting", .priority = TEST_PRIORITY, .affinity = 0};
    uint64_t now_ns = kinfo_time_ns();

    for (unsigned i = 0; i < count && !check_failed(); i++) {
        params.ipc_buffer = ARENA + i * PAGE;
        params.registers.rip = (uint64_t)(uintptr_t)tickless_wait;
        params.registers.rax = MNOS_SYS_thread_block;
        params.registers.rdi = MNOS_SELF;
        params.registers.rsi = now_ns + FAR_NS + i * 7919ull % count;
        CHECK_OK(thread_create_raw(MNOS_SELF, &params, &crowd[i]));
    }
    if (count != 0)
        thread_reaches(crowd[count - 1], MNOS_STATE_PARKED);
}

static void crowd_end(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        CHECK_OK(sys_thread_destroy(crowd[i]));
        cap_drop(crowd[i]);
    }
}

struct sleeper {
    mnos_cap_t endpoint;
    bool earlier; /* each deadline is before the last one */
    _Atomic bool over;
};

static void wait_often(void *argument)
{
    struct sleeper *sleeper = argument;
    uint64_t deadline_ns = kinfo_time_ns() + 2 * FAR_NS;

    while (!sleeper->over) {
        struct message msg = {0};

        CHECK_OK(ipc_receive(sleeper->endpoint, &msg, deadline_ns));
        deadline_ns += sleeper->earlier ? (uint64_t)-1000 : 1000;
    }
}

/* The cheapest of many times waking a more urgent thread and letting it wait for the next time. */
static uint64_t wake_cost(bool earlier)
{
    struct sleeper sleeper = {.endpoint = endpoint_new(), .earlier = earlier};
    struct thread thread;
    uint64_t least = UINT64_MAX;

    helper_start_at(&thread, wait_often, &sleeper, TEST_PRIORITY, 0);
    thread_reaches(thread.thread, MNOS_STATE_RECEIVING);
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint64_t began = read_tsc(), took;

        CHECK_OK(sys_ipc_notify(sleeper.endpoint, 1));
        CHECK_OK(sys_thread_yield());
        took = read_tsc() - began;
        least = took < least ? took : least;
        thread_reaches(thread.thread, MNOS_STATE_RECEIVING);
    }
    sleeper.over = true;
    CHECK_OK(sys_ipc_notify(sleeper.endpoint, 1));
    helper_finish(&thread);
    cap_drop(sleeper.endpoint);
    return least;
}

TEST(deadlines, ten_thousand_deadlines_cost_a_wake_next_to_nothing)
{
    unsigned count = is_counted() ? DEADLINES : DEADLINES_UNCOUNTED;
    uint64_t later_alone = wake_cost(false), earlier_alone = wake_cost(true);
    uint64_t later, earlier;

    crowd_start(count);
    later = wake_cost(false);
    earlier = wake_cost(true);
    crowd_end(count);
    if (!is_counted())
        return;
    print("deadlines: a wake and the next wait: %llu instructions, with %u other deadlines %llu; "
          "each earlier than the last: %llu, %llu",
          (unsigned long long)later_alone, count, (unsigned long long)later,
          (unsigned long long)earlier_alone, (unsigned long long)earlier);
    CHECK(later <= later_alone + 8);
    CHECK(earlier <= earlier_alone + (uint64_t)DOUBLINGS * STEP_INSTRUCTIONS);
}
