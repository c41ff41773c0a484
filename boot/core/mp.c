// SPDX-License-Identifier: MIT
/*
 * mp - starts the other processors and parks them on their goto addresses.
 *
 * All are started at once: INIT to each, one wait, a startup interrupt to each. Each finds its own
 * stack and entry by its local APIC identifier (handoff.S). Intel SDM vol 3A, "MP Initialization
 * For P6 Family Processors and Later".
 */
#include <string.h>

#include "arena.h"
#include "console.h"
#include "context.h"
#include "handoff.h"
#include "hardware.h"

#define MSR_APIC_BASE 0x1b
#define APIC_BASE_X2APIC UINT64_C(0x400)
#define APIC_BASE_ENABLED UINT64_C(0x800)
#define APIC_BASE_ADDRESS UINT64_C(0x000ffffffffff000)
#define MSR_X2APIC_ID 0x802
#define MSR_X2APIC_ICR 0x830
#define LAPIC_ID 0x20
#define LAPIC_ICR_LOW 0x300
#define LAPIC_ICR_HIGH 0x310
#define ICR_PENDING 0x1000u
#define ICR_INIT 0x4500u
#define ICR_STARTUP 0x4600u

#define MSR_MTRR_CAP 0xfe
#define MSR_MTRR_DEFAULT 0x2ff
#define MSR_MTRR_VARIABLE 0x200
#define MTRR_CAP_FIXED 0x100u
#define MTRR_ENABLED UINT64_C(0x800)
#define MAX_MSRS (1 + 1 + 11 + 2 * 255 + 1)

#define INIT_DELAY_US 10000
#define STARTUP_DELAY_US 200
#define START_TIMEOUT_US 2000000

struct lapic {
    bool x2apic;
    volatile uint32_t *registers; /* not in x2APIC mode */
};

static struct lapic lapic;
static uint64_t ticks_per_us;

static void wait_us(uint64_t us)
{
    uint64_t start = cpu_read_tsc();

    while (cpu_read_tsc() - start < us * ticks_per_us)
        cpu_pause();
}

/* Firmware that has turned x2APIC mode on has its reasons; then it stays on. Who asks for processors
 * cannot do without a local APIC, whether there are others or not. */
static void lapic_init(bool want_x2apic)
{
    struct cpu_id id = cpu_id(1);
    uint64_t base;

    lapic = (struct lapic){.x2apic = false};
    if ((id.edx & 1u << 9) == 0)
        boot_fatal("processor: has no local APIC (CPUID leaf 1, EDX bit 9)");
    base = cpu_read_msr(MSR_APIC_BASE);
    lapic.x2apic = (base & APIC_BASE_X2APIC) != 0 || (want_x2apic && (id.ecx & 1u << 21) != 0);
    if ((base & APIC_BASE_ENABLED) == 0)
        cpu_write_msr(MSR_APIC_BASE, base | APIC_BASE_ENABLED);
    if (lapic.x2apic)
        cpu_write_msr(MSR_APIC_BASE, base | APIC_BASE_ENABLED | APIC_BASE_X2APIC);
    else
        lapic.registers = (volatile uint32_t *)(uintptr_t)(base & APIC_BASE_ADDRESS);
}

static uint32_t lapic_id(void)
{
    if (lapic.x2apic)
        return (uint32_t)cpu_read_msr(MSR_X2APIC_ID);
    return lapic.registers[LAPIC_ID / 4] >> 24;
}

static void lapic_send(uint32_t target, uint32_t command)
{
    if (lapic.x2apic) {
        cpu_write_msr(MSR_X2APIC_ICR, (uint64_t)target << 32 | command);
        return;
    }
    lapic.registers[LAPIC_ICR_HIGH / 4] = target << 24;
    lapic.registers[LAPIC_ICR_LOW / 4] = command;
    /* A command is accepted within microseconds; registers that are not there read ones for ever. */
    for (unsigned i = 0; i < 100000 && (lapic.registers[LAPIC_ICR_LOW / 4] & ICR_PENDING) != 0; i++)
        cpu_pause();
}

static void add_msr(struct boot_msr *list, uint64_t *count, uint32_t number)
{
    list[(*count)++] = (struct boot_msr){number, cpu_read_msr(number)};
}

/* MTRRs are off while they change, and on again with the last entry. */
static void collect_mtrrs(struct boot_msr *list, uint64_t *count)
{
    static const uint16_t fixed[] = {0x250, 0x258, 0x259, 0x268, 0x269, 0x26a,
                                     0x26b, 0x26c, 0x26d, 0x26e, 0x26f};
    uint64_t cap = cpu_read_msr(MSR_MTRR_CAP);

    add_msr(list, count, MSR_MTRR_DEFAULT);
    list[*count - 1].value &= ~MTRR_ENABLED;
    for (unsigned i = 0; (cap & MTRR_CAP_FIXED) != 0 && i < sizeof fixed / sizeof fixed[0]; i++)
        add_msr(list, count, fixed[i]);
    for (uint32_t i = 0; i < 2 * (cap & 0xff); i++)
        add_msr(list, count, MSR_MTRR_VARIABLE + i);
    add_msr(list, count, MSR_MTRR_DEFAULT);
}

static struct boot_ap_common *make_common(struct boot_context *c, const struct boot_ap *aps,
                                          uint64_t count)
{
    struct boot_ap_common *common = boot_arena_allocate(sizeof *common);
    struct boot_msr *msrs = boot_arena_allocate(MAX_MSRS * sizeof *msrs);
    uint32_t features = cpu_id(1).edx;

    if ((features & 1u << 16) != 0)
        add_msr(msrs, &common->msr_count, BOOT_MSR_PAT);
    if ((features & 1u << 12) != 0)
        collect_mtrrs(msrs, &common->msr_count);
    common->kernel_tables = (uint64_t)(uintptr_t)c->tables.root;
    common->aps = boot_hhdm(aps);
    common->ap_count = count;
    common->msrs = boot_hhdm(msrs);
    common->x2apic = lapic.x2apic;
    common->gdtr.limit = 7 * 8 - 1;
    common->gdtr.base = boot_hhdm(c->gdt);
    return common;
}

static void write_trampoline(struct boot_context *c, const struct boot_ap_common *common)
{
    uint8_t *page = (uint8_t *)(uintptr_t)c->trampoline;
    struct boot_trampoline data = {
        .bridge_tables = (uint32_t)(uintptr_t)c->bridge_root,
        .efer = (uint32_t)c->efer,
        .gdt_limit = 7 * 8 - 1,
        .gdt_base = (uint32_t)(uintptr_t)c->gdt,
        .long_mode_offset =
            (uint32_t)(c->trampoline + (uint64_t)(boot_trampoline_long - boot_trampoline_start)),
        .long_mode_selector = 0x28,
        .entry = boot_hhdm(boot_ap_entry),
        .common = boot_hhdm(common),
    };

    memcpy(page, boot_trampoline_start, (size_t)(boot_trampoline_end - boot_trampoline_start));
    memcpy(page + BOOT_TRAMPOLINE_DATA, &data, sizeof data);
}

static bool all_ready(const volatile struct boot_ap *aps, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        if (aps[i].ready == 0)
            return false;
    }
    return true;
}

static void start_all(struct boot_context *c, const volatile struct boot_ap *aps, uint64_t count)
{
    uint32_t startup = ICR_STARTUP | (uint32_t)(c->trampoline >> 12);

    ticks_per_us = c->platform->tsc_per_us();
    for (uint64_t i = 0; i < count; i++)
        lapic_send(aps[i].lapic_id, ICR_INIT);
    wait_us(INIT_DELAY_US);
    for (unsigned round = 0; round < 2 && !all_ready(aps, count); round++) {
        for (uint64_t i = 0; i < count; i++) {
            if (aps[i].ready == 0)
                lapic_send(aps[i].lapic_id, startup);
        }
        wait_us(STARTUP_DELAY_US);
    }
    for (unsigned waited = 0; waited < START_TIMEOUT_US && !all_ready(aps, count); waited += 10)
        wait_us(10);
    /* One that is late must not start in memory that has become the kernel's. */
    for (uint64_t i = 0; i < count; i++) {
        if (aps[i].ready == 0)
            lapic_send(aps[i].lapic_id, ICR_INIT);
    }
}

/* In the order of the MADT, the boot processor included, even if the MADT does not know it. */
static uint64_t list_cpus(struct boot_context *c, struct limine_cpu *cpus, uint32_t bsp)
{
    uint64_t count = 0;
    bool bsp_found = false;

    for (unsigned i = 0; i < madt_listed(&c->madt); i++) {
        uint32_t id = c->madt.cpus[i].apic_id;

        bsp_found |= id == bsp;
        if (id != bsp && (c->trampoline == 0 || (!lapic.x2apic && id >= 255)))
            continue;
        cpus[count++] =
            (struct limine_cpu){.processor_uid = c->madt.cpus[i].acpi_uid, .lapic_id = id};
    }
    if (!bsp_found)
        cpus[count++] = (struct limine_cpu){.lapic_id = bsp};
    return count;
}

static struct boot_ap *make_aps(struct boot_context *c, struct limine_cpu *cpus, uint64_t count,
                                uint32_t bsp)
{
    struct boot_ap *aps = boot_arena_allocate(count * sizeof *aps), *next = aps;

    for (uint64_t i = 0; i < count; i++) {
        uint8_t *stack;

        if (cpus[i].lapic_id == bsp)
            continue;
        stack = boot_arena_pages(c->stack_size / BOOT_PAGE_SIZE);
        *next++ = (struct boot_ap){.lapic_id = cpus[i].lapic_id,
                                   .stack_top = boot_hhdm(stack + c->stack_size),
                                   .cpu = boot_hhdm(&cpus[i])};
    }
    return aps;
}

/* Lists the boot processor and those that answered; `aps` are in the order of `cpus`. */
static void answer(struct boot_context *c, struct limine_cpu *cpus, uint64_t count, uint32_t bsp,
                   const struct boot_ap *aps)
{
    struct limine_mp_response *response;
    uint64_t *list = boot_arena_allocate(count * sizeof *list);

    response = (void *)boot_respond(c, BOOT_REQUEST_MP, 0, sizeof *response);
    response->flags = lapic.x2apic ? LIMINE_MP_X2APIC : 0;
    response->bsp_lapic_id = bsp;
    response->cpus = boot_hhdm(list);
    for (uint64_t i = 0; i < count; i++) {
        if (cpus[i].lapic_id == bsp || aps++->ready != 0)
            list[response->cpu_count++] = boot_hhdm(&cpus[i]);
    }
}

void boot_mp_start(struct boot_context *c)
{
    const struct limine_request *request = boot_asked(c, BOOT_REQUEST_MP);
    struct limine_cpu *cpus;
    struct boot_ap *aps;
    uint64_t count;
    uint32_t bsp;

    if (request == NULL)
        return;
    lapic_init((request->argument[0] & LIMINE_MP_X2APIC) != 0);
    bsp = lapic_id();
    cpus = boot_arena_allocate((madt_listed(&c->madt) + 1) * sizeof *cpus);
    count = list_cpus(c, cpus, bsp);
    aps = make_aps(c, cpus, count, bsp);
    if (count > 1) {
        write_trampoline(c, make_common(c, aps, count - 1));
        start_all(c, aps, count - 1);
    }
    answer(c, cpus, count, bsp, aps);
}
