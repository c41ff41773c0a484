// SPDX-License-Identifier: MIT
/*
 * trace - the command trace: has the kernel record events for a while, and shows the last ones of
 * all cores in one order. Recording is on while the trace is mapped, and only then.
 */
#include "abi/trace.h"

#include <stdatomic.h>

#include "abi/inspect.h"
#include "abi/kinfo.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/memory.h"
#include "lib/base/string.h"
#include "lib/mnos/syscall.h"
#include "lib/mnos/time.h"
#include "programs/monitor/command.h"
#include "programs/monitor/console.h"

#define SHOWN 40
#define DURATION_MS 100
#define DURATION_MS_MAX 10000
#define NS_PER_MS 1000000ull
#define NS_PER_S 1000000000ull
#define DECIMAL_MAX 9999 /* numbers of things; above it are addresses, bits and handles */

typedef unsigned long long ull;

static const struct {
    const char *name, *words[2];
} events[] = {
#define TRACE_EVENT(number, event, first, second, text) [number] = {#event, {first, second}},
#include "abi/trace.def"
#undef TRACE_EVENT
};

static const struct {
    uint64_t number;
    const char *name;
} calls[] = {
#define CALL_NAME(number, call, ...) {number, #call},
#define SYSCALL0_WAITS CALL_NAME
#define SYSCALL1 CALL_NAME
#define SYSCALL1_BLOCKS CALL_NAME
#define SYSCALL2_BLOCKS CALL_NAME
#define SYSCALL2 CALL_NAME
#define SYSCALL2_WAITS CALL_NAME
#define SYSCALL3 CALL_NAME
#define SYSCALL6 CALL_NAME
#define SYSCALL1_VALUE CALL_NAME
#define SYSCALL2_VALUE CALL_NAME
#define SYSCALL2_VALUE_WAITS CALL_NAME
#define SYSCALL3_VALUE CALL_NAME
#define SYSCALL5_VALUE CALL_NAME
#define IPC_SYSCALL CALL_NAME
#include "abi/syscalls.def"
};

/* The latest of all cores, oldest first. */
static struct mnos_trace_record latest[SHOWN];
static unsigned count;

static void keep(const struct mnos_trace_record *record)
{
    unsigned at = count;

    if (count == SHOWN) {
        if (record->tsc <= latest[0].tsc)
            return;
        memmove(latest, latest + 1, (SHOWN - 1) * sizeof latest[0]);
        at--;
    } else {
        count++;
    }
    for (; at > 0 && latest[at - 1].tsc > record->tsc; at--)
        latest[at] = latest[at - 1];
    latest[at] = *record;
}

/* Acquire pairs with the kernel's release: the record is there before the count says so. */
static uint64_t written(const struct mnos_trace *trace, uint32_t core)
{
    return atomic_load_explicit((const _Atomic uint64_t *)&trace->cores[core].written,
                                memory_order_acquire);
}

static void collect(const struct mnos_trace *trace, uint32_t core)
{
    const struct mnos_trace_record *ring =
        (const void *)((const char *)trace + trace->rings_offset);
    uint64_t end = written(trace, core);

    ring += (uint64_t)core * trace->capacity;
    for (uint64_t number = end < SHOWN ? 0 : end - SHOWN; number < end; number++) {
        struct mnos_trace_record record = ring[number % trace->capacity];

        atomic_thread_fence(memory_order_acquire);
        if (number + trace->capacity > written(trace, core)) /* else it may be another by now */
            keep(&record);
    }
}

static void print_word(const char *name, uint64_t value)
{
    if (strcmp(name, "-") == 0)
        return;
    for (size_t i = 0; strcmp(name, "number") == 0 && i < sizeof calls / sizeof calls[0]; i++) {
        if (calls[i].number == value) {
            console_print(" %s", calls[i].name);
            return;
        }
    }
    console_print(value <= DECIMAL_MAX ? " %s %llu" : " %s 0x%llx", name, (ull)value);
}

static void print_record(const struct mnos_trace_record *record)
{
    uint64_t cycles = record->tsc - kinfo()->tsc_base;
    uint64_t ns = (uint64_t)((unsigned __int128)cycles * kinfo()->tsc_multiplier >> 32);

    if (record->event >= sizeof events / sizeof events[0])
        return;
    console_print("%5llu.%09llu core %-2u thread %-5u %-15s", (ull)(ns / NS_PER_S),
                  (ull)(ns % NS_PER_S), record->core, record->thread, events[record->event].name);
    for (unsigned i = 0; i < 2; i++)
        print_word(events[record->event].words[i], record->words[i]);
    console_print("\n");
}

/* Records for a while; false, and a message, when that is not possible. */
static bool record(mnos_cap_t cap, uint64_t duration_ms)
{
    const struct mnos_cap_info *info = (const void *)ipc_buffer()->data;
    const struct mnos_trace *trace;
    mnos_status_t status;
    uint64_t size, pages;
    void *address;
    bool good;

    status = sys_cap_inspect(cap, MNOS_VIEW_CAPABILITY, 0, &size);
    pages = info->count;
    if (status == MNOS_OK)
        status = memory_map(cap, 0, pages, MNOS_MAP_READ, &address);
    if (status != MNOS_OK) {
        console_error(status, "trace");
        return false;
    }
    trace = address;
    sleep_until(kinfo_time_ns() + duration_ms * NS_PER_MS);
    good = trace->magic == MNOS_TRACE_MAGIC && trace->record_bytes == sizeof latest[0];
    for (uint32_t core = 0; good && core < trace->core_count; core++)
        collect(trace, core);
    memory_unmap(address, pages);
    if (!good)
        console_print("trace: the capability \"trace\" holds no trace\n");
    return good;
}

void command_trace(const struct words *words)
{
    mnos_cap_t cap = bootstrap_cap("trace");
    uint64_t duration_ms = 0;

    for (const char *c = words->word[1]; *c >= '0' && *c <= '9' && duration_ms < DURATION_MS_MAX;
         c++)
        duration_ms = duration_ms * 10 + (uint64_t)(*c - '0');
    if (duration_ms == 0)
        duration_ms = DURATION_MS;
    if (duration_ms > DURATION_MS_MAX)
        duration_ms = DURATION_MS_MAX;
    if (cap == 0) {
        console_print("trace: this monitor has no capability \"trace\"; the manifest must grant "
                      "memory = [\"trace\"]\n");
        return;
    }
    count = 0;
    if (!record(cap, duration_ms))
        return;
    for (unsigned i = 0; i < count; i++)
        print_record(&latest[i]);
    console_print(
        "%u events, the last of %llu ms; threads, processes, endpoints and objects by id\n", count,
        (ull)duration_ms);
}
