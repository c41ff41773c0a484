// SPDX-License-Identifier: MIT
/*
 * machine - the commands about the machine: mem, irq, cpu, uptime and date. They read the kernel's
 * counters, which costs the kernel and those observed nothing.
 */
#include "programs/monitor/machine.h"

#include "abi/inspect.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/memory.h"
#include "lib/mnos/statistics.h"
#include "lib/base/string.h"
#include "lib/client/clock.h"
#include "lib/format/date.h"
#include "lib/mnos/syscall.h"
#include "lib/mnos/time.h"
#include "programs/monitor/command.h"
#include "programs/monitor/console.h"
#include "programs/monitor/services.h"
#include "programs/monitor/tasks.h"

#define KIB_PER_FRAME 4
#define NS_PER_S 1000000000ull

typedef unsigned long long ull;

const void *machine_memory(struct bootstrap_name name, const char *command)
{
    static struct {
        mnos_cap_t cap;
        const void *address;
    } mapped[4]; /* more than there are names */
    const struct mnos_cap_info *info = (const void *)ipc_buffer()->data;
    mnos_cap_t cap = bootstrap_lookup(name);
    mnos_status_t status;
    uint64_t size;
    void *address;
    unsigned i = 0;

    if (cap == 0) {
        console_print("%s: this monitor has no capability \"%s\"; the manifest must grant %s\n",
                      command, name.text,
                      strcmp(name.text, "log") == 0 ? "log = \"read, write\""
                                                    : "memory = [\"statistics\"]");
        return NULL;
    }
    while (mapped[i].cap != 0 && mapped[i].cap != cap)
        i++;
    if (mapped[i].cap == cap)
        return mapped[i].address;
    status = sys_cap_inspect(cap, MNOS_VIEW_CAPABILITY, 0, &size);
    if (status == MNOS_OK)
        status = memory_map(cap, 0, info->count, MNOS_MAP_READ, &address);
    if (status != MNOS_OK) {
        console_error(status, command);
        return NULL;
    }
    mapped[i].cap = cap;
    mapped[i].address = address;
    return address;
}

static const struct mnos_statistics *statistics(const char *command)
{
    const struct mnos_statistics *counters =
        machine_memory(BOOTSTRAP_OPTIONAL("statistics"), command);

    if (counters != NULL && counters->magic != MNOS_STATISTICS_MAGIC) {
        console_print("%s: the capability \"statistics\" holds no statistics\n", command);
        return NULL;
    }
    return counters;
}

static void print_process_memory(void)
{
    mnos_status_t status = task_processes(&command_processes);

    console_print("%-16s %9s %9s %12s %12s\n", "PROCESS", "USED KiB", "QUOTA KiB", "OBJECT BYTES",
                  "QUOTA BYTES");
    for (unsigned i = 0; i < command_processes.count; i++) {
        const struct mnos_process_info *info = &command_processes.info[i];

        console_print("%-16.23s %9llu %9llu %12llu %12llu\n", info->name,
                      (ull)info->frames_used * KIB_PER_FRAME,
                      (ull)info->frames_quota * KIB_PER_FRAME, (ull)info->bytes_used,
                      (ull)info->bytes_quota);
    }
    if (status != MNOS_OK)
        console_error(status, "mem: list the processes");
}

void command_mem(const struct words *)
{
    const struct mnos_statistics *counters = statistics("mem");

    if (counters != NULL) {
        uint64_t total = counters->frames_total, free = counters->frames_free;
        uint64_t kernel = counters->frames_kernel;

        console_print(
            "total      %10llu KiB\nfree       %10llu KiB\n"
            "at boot    %10llu KiB  taken by the kernel, its tables and the boot files\n"
            "since then %10llu KiB  by processes and the kernel objects made for them\n\n",
            (ull)total * KIB_PER_FRAME, (ull)free * KIB_PER_FRAME, (ull)kernel * KIB_PER_FRAME,
            (ull)(total - free - kernel) * KIB_PER_FRAME);
    }
    if (manager_available("mem"))
        print_process_memory();
}

/* Sets the bit of entry `number`, from 1, for each line that the process holds. */
static void collect_lines(mnos_cap_t process, uint64_t number,
                          uint64_t holders[MNOS_INTERRUPT_LINES])
{
    const struct mnos_cap_info *info = (const void *)ipc_buffer()->data;
    uint64_t size, slot = 0;

    while (sys_cap_inspect(process, MNOS_VIEW_PROCESS_CAP, slot, &size) == MNOS_OK) {
        if (info->type == MNOS_TYPE_INTERRUPT)
            for (uint64_t i = 0; i < info->count; i++)
                holders[info->first + i] |= 1ull << (number - 1);
        slot = MNOS_HANDLE_INDEX(info->handle) + 1;
    }
}

/* Collects which services hold each line, by number of the manager's list; init, number 0, holds
 * them all and is left out. */
static void collect_holders(uint64_t holders[MNOS_INTERRUPT_LINES])
{
    struct manager_service service;
    mnos_cap_t process;

    for (uint64_t i = 1; i <= 64 && manager_entry(i, &service) == MNOS_OK; i++) {
        if (manager_open_process(i, &process) != MNOS_OK)
            continue;
        collect_lines(process, i, holders);
        (void)!sys_cap_delete(process);
    }
}

static void print_holders(uint64_t holders)
{
    struct manager_service service;

    for (uint64_t i = 1; i <= 64; i++) {
        if ((holders & 1ull << (i - 1)) != 0 && manager_entry(i, &service) == MNOS_OK)
            console_print(" %.23s", service.name);
    }
}

void command_irq(const struct words *)
{
    const struct mnos_statistics *counters = statistics("irq");
    static uint64_t holders[MNOS_INTERRUPT_LINES];

    if (counters == NULL)
        return;
    memset(holders, 0, sizeof holders);
    if (manager_available("irq: holders"))
        collect_holders(holders);
    console_print("%u lines; those that are held or have fired:\n%5s %12s  %s\n",
                  MNOS_INTERRUPT_LINES, "LINE", "FIRED", "HELD BY");
    for (uint32_t line = 0; line < MNOS_INTERRUPT_LINES; line++) {
        if (counters->line_interrupts[line] == 0 && holders[line] == 0)
            continue;
        console_print("%5u %12llu ", line, (ull)counters->line_interrupts[line]);
        print_holders(holders[line]);
        console_print("\n");
    }
    console_print("with nobody bound: %llu\n", (ull)counters->line_spurious);
}

void command_cpu(const struct words *)
{
    const struct mnos_statistics *counters = statistics("cpu");
    uint64_t now = kinfo_time_ns();

    console_print("%.63s, build %.15s\nfeatures used: %.191s\n", kinfo()->kernel_version,
                  kinfo()->kernel_build, kinfo()->cpu_features);
    if (counters == NULL)
        return;
    console_print("%4s %4s %6s %10s %10s %8s %8s %8s %8s %8s\n", "CORE", "APIC", "IDLE %",
                  "SWITCHES", "SYSCALLS", "FAULTS", "DEVICE", "TIMER", "IPI", "STEALS");
    for (uint32_t i = 0; i < counters->core_count && i < MNOS_CORES_MAX; i++) {
        const struct mnos_core_statistics *core = &counters->cores[i];
        unsigned idle = statistics_idle_permille(core, now);

        if (!core->online)
            continue;
        console_print("%4u %4u %4u.%u %10llu %10llu %8llu %8llu %8llu %8llu %8llu\n", i,
                      core->apic_id, idle / 10, idle % 10, (ull)(core->switches + core->messages),
                      (ull)(core->syscalls + core->messages), (ull)core->faults,
                      (ull)core->interrupts, (ull)core->timer_interrupts, (ull)core->ipis,
                      (ull)core->steals);
    }
}

void command_uptime(const struct words *)
{
    uint64_t now = kinfo_time_ns(), seconds = now / NS_PER_S;

    console_print("up %llu days, %02u:%02u:%02u.%03u\n", (ull)seconds / 86400,
                  (unsigned)(seconds / 3600 % 24), (unsigned)(seconds / 60 % 60),
                  (unsigned)(seconds % 60), (unsigned)(now / 1000000 % 1000));
}

/* As a time server says, or else by the clock that the loader has read. */
void command_date(const struct words *)
{
    int64_t boot_ns = clock_boot_ns();
    uint64_t now_ns = kinfo_time_ns(), said_ns;
    char text[DATE_WORDS_BYTES];

    if (boot_ns <= 0) {
        console_print("date: neither the loader nor a time server has said what time it is\n");
        return;
    }
    console_print("%s", date_words(text, boot_ns + (int64_t)now_ns));
    if (clock_is_said(&said_ns))
        console_print(", as a time server said %llu s ago", (ull)(now_ns - said_ns) / NS_PER_S);
    console_print("\n");
}
