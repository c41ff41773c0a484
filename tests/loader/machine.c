// SPDX-License-Identifier: MIT
/* machine - checks the state in which processors and interrupt controllers are handed over. */
#include "probe.h"

#define CR0_EXPECTED UINT64_C(0x80010011)
#define CR4_EXPECTED UINT64_C(0x20)
#define EFER_NXE UINT64_C(0x800)
#define EFER_LONG UINT64_C(0x500)          /* LME, LMA */
#define RFLAGS_FORBIDDEN UINT64_C(0x20600) /* VM, DF, IF */
#define PAT_EXPECTED UINT64_C(0x0000010500070406)
#define MAX_CPUS 64

struct control {
    uint64_t cr0, cr3, cr4, efer, pat, mtrr_default, gdt_base;
    uint16_t gdt_limit, cs, ss, ds, es, fs, gs;
};

struct cpu {
    uint32_t uid, lapic_id;
    uint64_t reserved;
    volatile uint64_t go, argument;
};

struct __attribute__((packed)) table_register {
    uint16_t limit;
    uint64_t base;
};

static struct control boot_processor;
static volatile unsigned aps_seen;
static volatile const char *ap_problem;

static bool has_nx(void)
{
    uint32_t id[4];

    cpuid(0x80000001, id);
    return (id[3] & 1u << 20) != 0;
}

static struct control read_control(void)
{
    struct control c;
    struct table_register gdt;
    uint32_t id[4];

    __asm__ volatile("mov %%cr0, %0" : "=r"(c.cr0));
    __asm__ volatile("mov %%cr3, %0" : "=r"(c.cr3));
    __asm__ volatile("mov %%cr4, %0" : "=r"(c.cr4));
    __asm__ volatile("sgdt %0" : "=m"(gdt));
    __asm__ volatile("mov %%cs, %0" : "=r"(c.cs));
    __asm__ volatile("mov %%ss, %0" : "=r"(c.ss));
    __asm__ volatile("mov %%ds, %0" : "=r"(c.ds));
    __asm__ volatile("mov %%es, %0" : "=r"(c.es));
    __asm__ volatile("mov %%fs, %0" : "=r"(c.fs));
    __asm__ volatile("mov %%gs, %0" : "=r"(c.gs));
    cpuid(1, id);
    c.efer = read_msr(0xc0000080);
    c.pat = (id[3] & 1u << 16) != 0 ? read_msr(0x277) : PAT_EXPECTED;
    c.mtrr_default = (id[3] & 1u << 12) != 0 ? read_msr(0x2ff) : 0;
    c.gdt_base = gdt.base;
    c.gdt_limit = gdt.limit;
    return c;
}

/* The first thing that is wrong, or NULL. */
static const char *problem_with(const struct control *c)
{
    if (c->cr0 != CR0_EXPECTED)
        return "CR0";
    if (c->cr4 != CR4_EXPECTED)
        return "CR4";
    if (c->efer != (EFER_LONG | (has_nx() ? EFER_NXE : 0)))
        return "EFER";
    if (c->pat != PAT_EXPECTED)
        return "PAT";
    if (c->cs != 0x28)
        return "CS";
    if (c->ss != 0x30 || c->ds != 0x30 || c->es != 0x30 || c->fs != 0x30 || c->gs != 0x30)
        return "data segments";
    if (c->gdt_limit != 0x37)
        return "GDT limit";
    return NULL;
}

static bool registers_zero(const struct saved *s)
{
    return (s->rax | s->rbx | s->rcx | s->rdx | s->rsi | s->rbp | s->r8 | s->r9 | s->r10 | s->r11 |
            s->r12 | s->r13 | s->r14 | s->r15) == 0;
}

static bool stack_is_right(const struct saved *s, uint64_t size)
{
    uint64_t top = (uint64_t)(s + 1);

    return s->return_address == 0 && top % 16 == 0 &&
           memory_has_type(top - size - hhdm(), size, 1u << RECLAIMABLE);
}

static bool gdt_is_right(void)
{
    static const uint64_t expected[7] = {
        0,
        0x00009b000000ffff,
        0x000093000000ffff,
        0x00cf9b000000ffff,
        0x00cf93000000ffff,
        0x00209b0000000000,
        0x0000930000000000,
    };
    const uint64_t *gdt = (const uint64_t *)boot_processor.gdt_base;

    /* Processors set the accessed bit, bit 40, and may do so early. */
    for (unsigned i = 0; i < 7; i++) {
        if ((gdt[i] | (i != 0 ? UINT64_C(1) << 40 : 0)) != expected[i])
            return false;
    }
    return memory_has_type(boot_processor.gdt_base - hhdm(), 56, 1u << RECLAIMABLE);
}

void check_entry_state(const struct saved *saved)
{
    const char *problem;

    boot_processor = read_control();
    problem = problem_with(&boot_processor);
    check(problem == NULL, "control registers and segments", problem);
    check(registers_zero(saved) && saved->rdi == 0, "general registers are zero", "one is not");
    check((saved->rflags & RFLAGS_FORBIDDEN) == 0, "RFLAGS", "IF, DF or VM is set");
    check(stack_is_right(saved, 0x20000), "stack", "wrong size, place or return address");
    check(gdt_is_right(), "GDT", "wrong descriptor, or not in reclaimable memory");
}

static bool ioapic_is_masked(uint64_t physical)
{
    volatile uint32_t *registers = (volatile uint32_t *)look_at(physical);
    uint32_t last;

    registers[0] = 1;
    last = registers[4] >> 16 & 0xff;
    for (uint32_t i = 0; i <= last; i++) {
        uint32_t low;

        registers[0] = 0x10 + 2 * i;
        low = registers[4];
        if ((low >> 8 & 7) <= 1 && (low & 0x10000) == 0)
            return false;
    }
    return true;
}

void check_interrupt_controllers(void)
{
    check(in8(0x21) == 0xff && in8(0xa1) == 0xff, "8259 lines are masked", "one is not");
    check(ioapic_is_masked(0xfec00000), "I/O APIC entries are masked", "one is not");
}

/* Runs on each other processor, on the stack that the loader gave it. */
void probe_ap(const struct saved *saved);
void probe_ap(const struct saved *saved)
{
    struct cpu *self = (struct cpu *)saved->rdi;
    struct control c = read_control();
    const char *problem = problem_with(&c);

    if (problem == NULL && c.cr3 != boot_processor.cr3)
        problem = "CR3";
    if (problem == NULL && c.gdt_base != boot_processor.gdt_base)
        problem = "GDT base";
    if (problem == NULL && c.mtrr_default != boot_processor.mtrr_default)
        problem = "MTRR";
    if (problem == NULL && !registers_zero(saved))
        problem = "general registers";
    if (problem == NULL && (saved->rflags & RFLAGS_FORBIDDEN) != 0)
        problem = "RFLAGS";
    if (problem == NULL && !stack_is_right(saved, 0x20000))
        problem = "stack";
    if (problem == NULL && self->argument != UINT64_C(0x1234567800000000) + self->lapic_id)
        problem = "RDI";
    if (problem != NULL)
        ap_problem = problem;
    __atomic_add_fetch(&aps_seen, 1, __ATOMIC_RELEASE);
}

/* One at a time, each waited for. */
static bool release(struct cpu *cpu)
{
    unsigned before = aps_seen;

    cpu->argument = UINT64_C(0x1234567800000000) + cpu->lapic_id;
    __atomic_store_n(&cpu->go, (uint64_t)ap_entry, __ATOMIC_RELEASE);
    for (uint64_t i = 0; i < UINT64_C(2000000000); i++) {
        if (aps_seen != before)
            return true;
        __asm__ volatile("pause");
    }
    return false;
}

static bool list_is_right(struct cpu *const *cpus, uint64_t count, uint32_t bsp)
{
    bool found = false;

    for (uint64_t i = 0; i < count; i++) {
        if (cpus[i]->go != 0)
            return false;
        found |= cpus[i]->lapic_id == bsp;
        for (uint64_t j = 0; j < i; j++) {
            if (cpus[i]->lapic_id == cpus[j]->lapic_id)
                return false;
        }
    }
    return found;
}

void check_processors(const volatile uint64_t *response)
{
    uint32_t flags = (uint32_t)response[1], bsp = (uint32_t)(response[1] >> 32), id[4];
    uint64_t count = response[2];
    struct cpu *const *cpus = (struct cpu *const *)response[3];
    bool x2apic = (read_msr(0x1b) & 0x400) != 0, released = true;

    check(count == expected_number("cpus"), "number of processors", "not what was expected");
    check(list_is_right(cpus, count, bsp), "processor list", "duplicate, or no boot processor");
    cpuid(1, id);
    check(((flags & 1) != 0) == x2apic && x2apic == ((id[2] & 1u << 21) != 0), "x2APIC mode",
          "not as asked for");
    for (uint64_t i = 0; i < count && count <= MAX_CPUS; i++) {
        if (cpus[i]->lapic_id != bsp)
            released &= release(cpus[i]);
    }
    check(released && aps_seen == count - 1, "all processors start", "one does not");
    check(ap_problem == NULL, "state of the other processors", (const char *)ap_problem);
}
