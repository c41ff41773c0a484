// SPDX-License-Identifier: MIT
/*
 * trace - the command trace: has the kernel record events for a while, and shows the last ones of
 * all cores in one order. Recording is on while the trace is mapped, and only then.
 *
 * The rings keep what was recorded before; what counts here is what is newer than the mapping.
 */
#include "abi/trace.h"

#include <stdatomic.h>

#include "abi/inspect.h"
#include "abi/kinfo.h"
#include "lib/base/printf.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/memory.h"
#include "lib/base/string.h"
#include "lib/format/net/ipv4.h"
#include "lib/mnos/syscall.h"
#include "lib/mnos/time.h"
#include "programs/monitor/command.h"
#include "programs/monitor/console.h"
#include "programs/monitor/names.h"

#define SHOWN 40
#define DURATION_MS 100u
#define DURATION_MS_MAX 10000u
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
#define SYSCALL(number, call, ...) {number, #call},
#include "abi/syscalls.def"
#undef SYSCALL
};

/* What is in one recording. */
struct recording {
    uint64_t begin, end; /* time stamps */
    uint64_t events;     /* recorded, of which the latest are shown */
};

/* The latest of all cores, oldest first. */
static struct mnos_trace_record latest[SHOWN];
static unsigned count;
static const struct wait_names *names;

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

static uint64_t written_by_all(const struct mnos_trace *trace)
{
    uint64_t sum = 0;

    for (uint32_t core = 0; core < trace->core_count; core++)
        sum += written(trace, core);
    return sum;
}

static void collect(const struct mnos_trace *trace, uint32_t core, uint64_t begin)
{
    const struct mnos_trace_record *ring =
        (const void *)((const char *)trace + trace->rings_offset);
    uint64_t end = written(trace, core);

    ring += (uint64_t)core * trace->capacity;
    for (uint64_t number = end < SHOWN ? 0 : end - SHOWN; number < end; number++) {
        struct mnos_trace_record record = ring[number % trace->capacity];

        atomic_thread_fence(memory_order_acquire);
        /* Of the place of one that is overwritten meanwhile another may have been read. */
        if (number + trace->capacity > written(trace, core) && record.tsc >= begin)
            keep(&record);
    }
}

/* A word that is the id of something that has a name. */
static bool is_id(const char *word)
{
    return strcmp(word, "thread") == 0 || strcmp(word, "process") == 0 ||
           strcmp(word, "parent") == 0 || strcmp(word, "endpoint") == 0;
}

static void print_name(uint64_t id)
{
    char name[2 * MNOS_NAME_BYTES + 2];

    waits_name(names, id, name, sizeof name);
    if (name[0] != 0)
        console_print(" (%s)", name);
}

static void print_word(const char *word, uint64_t value)
{
    if (strcmp(word, "-") == 0)
        return;
    for (size_t i = 0; strcmp(word, "number") == 0 && i < sizeof calls / sizeof calls[0]; i++) {
        if (calls[i].number == value) {
            console_print(" %s", calls[i].name);
            return;
        }
    }
    console_print(value <= DECIMAL_MAX ? " %s %llu" : " %s 0x%llx", word, (ull)value);
    if (is_id(word))
        print_name(value);
}

static uint64_t ns_of(uint64_t cycles)
{
    return (uint64_t)((unsigned __int128)cycles * kinfo()->tsc_multiplier >> 32);
}

/* Whose thread it is; a core that idles has none. */
static void print_thread(uint32_t id)
{
    char name[2 * MNOS_NAME_BYTES + 2] = "idle", text[sizeof name + 16];

    if (id != 0)
        waits_name(names, id, name, sizeof name);
    mnos_snprintf(text, sizeof text, "%u %s", id, name);
    console_print(" %-24s", id != 0 ? text : name);
}

static void print_record(const struct mnos_trace_record *record)
{
    uint64_t ns = ns_of(record->tsc - kinfo()->tsc_base);

    if (record->event >= sizeof events / sizeof events[0])
        return;
    console_print("%5llu.%09llu core %-2u", (ull)(ns / NS_PER_S), (ull)(ns % NS_PER_S),
                  record->core);
    print_thread(record->thread);
    console_print(" %-15s", events[record->event].name);
    for (unsigned i = 0; i < 2; i++)
        print_word(events[record->event].words[i], record->words[i]);
    console_print("\n");
}

/* As "12.3 ms". */
static void print_ms(uint64_t ns)
{
    console_print("%llu.%llu ms", (ull)(ns / NS_PER_MS), (ull)(ns / (NS_PER_MS / 10) % 10));
}

static void print_end(const struct recording *recording)
{
    console_print("%u of %llu events", count, (ull)recording->events);
    if (count != 0) {
        console_print(", the last ");
        print_ms(ns_of(recording->end - latest[0].tsc));
    }
    console_print(" of ");
    print_ms(ns_of(recording->end - recording->begin));
    console_print(" recorded; numbers are those of ps, of endpoints those of caps\n");
}

static void record_for(const struct mnos_trace *trace, uint64_t duration_ms,
                       struct recording *recording)
{
    uint64_t before = written_by_all(trace);

    recording->begin = tsc_read();
    if (!console_pause(duration_ms * NS_PER_MS))
        console_print("^C\n");
    recording->end = tsc_read();
    recording->events = written_by_all(trace) - before;
    for (uint32_t core = 0; core < trace->core_count; core++)
        collect(trace, core, recording->begin);
}

/* Records for a while; false, and a message, when that is not possible. */
static bool record(mnos_cap_t cap, uint64_t duration_ms, struct recording *recording)
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
    good = trace->magic == MNOS_TRACE_MAGIC && trace->record_bytes == sizeof latest[0] &&
           trace->core_count <= MNOS_CORES_MAX;
    if (good)
        record_for(trace, duration_ms, recording);
    memory_unmap(address, pages);
    if (!good)
        console_print("trace: the capability \"trace\" holds no trace\n");
    return good;
}

/* Threads that were made meanwhile have names, too; of those that have ended only the numbers are known. */
static void learn_names(void)
{

    command_processes.count = 0;
    if (bootstrap_find("manager") != 0)
        (void)!task_processes(&command_processes);
    names = names_collect(&command_processes);
}

void command_trace(const struct words *words)
{
    mnos_cap_t cap = bootstrap_find("trace");
    const char *number = words->word[1];
    uint32_t duration_ms = DURATION_MS;
    struct recording recording;

    if (words->count > 1 && (!ipv4_read_number(&number, DURATION_MS_MAX, &duration_ms) ||
                             *number != 0 || duration_ms == 0)) {
        console_print("trace: MS is a number of milliseconds from 1 to %u, not \"%s\"\n",
                      DURATION_MS_MAX, words->word[1]);
        return;
    }
    if (cap == 0) {
        console_print("trace: this monitor has no capability \"trace\"; the manifest must grant "
                      "memory = [\"trace\"]\n");
        return;
    }
    count = 0;
    if (!record(cap, duration_ms, &recording))
        return;
    learn_names();
    for (unsigned i = 0; i < count; i++)
        print_record(&latest[i]);
    print_end(&recording);
}
