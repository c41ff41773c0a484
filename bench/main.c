// SPDX-License-Identifier: MIT
/* main.c - chooses and runs the benchmarks, and ends QEMU. See bench.h. */
#include "bench/bench.h"
#include "bench/measure.h"
#include "lib/mnos/bootstrap.h"
#include "lib/base/string.h"

#define STACK_PAGES 16

extern const struct bench __start_benches[];
extern const struct bench __stop_benches[];

static bool contains(const char *text, const char *part, size_t length)
{
    for (; *text != '\0'; text++)
        if (strncmp(text, part, length) == 0)
            return true;
    return false;
}

/* Whether the metrics contain one of the texts that '|' separates. */
static bool is_chosen(const struct bench *bench, const char *choice, size_t length)
{
    size_t part = 0;

    for (size_t i = 0; i <= length; i++) {
        if (i < length && choice[i] != '|')
            continue;
        if (contains(bench->metrics, choice + part, i - part))
            return true;
        part = i + 1;
    }
    return false;
}

/* For this machine, and the command line has no choice, or one with part of the metrics. */
static bool is_wanted(const struct bench *bench)
{
    size_t length;
    const char *value = argument_value("machine=", &length);

    if (value == NULL || strlen(bench->machine) != length ||
        strncmp(value, bench->machine, length) != 0)
        return false;
    value = argument_value("only=", &length);
    if (value == NULL)
        value = argument_value("trace=", &length);
    return value == NULL || is_chosen(bench, value, length);
}

static void run_here(void *argument)
{
    const struct bench *bench = argument;

    bench->run();
}

static bool run(const struct bench *bench)
{
    struct thread thread;

    check_begin();
    helper_start_at(&thread, run_here, (void *)(uintptr_t)bench, PRIORITY_CLIENT, 0);
    if (thread.thread != 0)
        CHECK_OK(thread_join(&thread, MNOS_DEADLINE_NEVER));
    if (check_failed())
        print("bench-failed %s: %s", bench->metrics, check_reason());
    return !check_failed();
}

/* The readings cost what timed.h says. */
static bool readings_check(void)
{
    struct timed timed = {0};
    uint64_t begin = reading_begin(), end = reading_end();

    return CHECK_EQ(timed_nothing(&timed), 0) && CHECK_EQ(readings_between(begin, end), 0);
}

static bool map_shared(void)
{
    mnos_cap_t memory = memory_new(1);

    return CHECK_OK(sys_mem_map(MNOS_SELF, memory, ARENA, 0, 1, MAP_RW)) && shared_set(memory);
}

int main(void)
{
    unsigned failed = 0;

    if (!map_shared() || !readings_check()) {
        print("bench-failed all: %s", check_reason());
        failed++;
    }
    for (const struct bench *bench = __start_benches; bench != __stop_benches; bench++)
        if (is_wanted(bench) && !run(bench))
            failed++;
    machine_leave(failed == 0);
    return 1;
}
