// SPDX-License-Identifier: MIT
/*
 * cpu.c - finds out what the processor has and what it needs, and switches it on in each core. Leaf and
 * bit numbers: Intel SDM vol 2A, "CPUID"; AMD64 APM vol 3, "Obtaining Processor Information via the
 * CPUID Instruction"; MSRs of speculation control: Intel, "Speculative Execution Side Channel
 * Mitigations".
 */
#include "arch/x86_64/cpu/cpu.h"

#include <stddef.h>

#include "arch/x86_64/entry/cpu_entry.h"
#include "arch/x86_64/cpu/cpuid.h"
#include "arch/x86_64/entry/init.h"
#include "arch/x86_64/cpu/insn.h"
#include "arch/x86_64/cpu/selectors.h"
#include "arch/x86_64/mmu/paging.h"
#include "arch/x86_64/entry/trap.h"
#include "boot/bootinfo.h"
#include "core.h"
#include "lib/base/string.h"

#define CR0_PE (1ull << 0)
#define CR0_MP (1ull << 1)
#define CR0_ET (1ull << 4)
#define CR0_NE (1ull << 5)
#define CR0_WP (1ull << 16)
#define CR0_PG (1ull << 31)

#define CR4_PAE (1ull << 5)
#define CR4_MCE (1ull << 6)
#define CR4_PGE (1ull << 7)
#define CR4_OSFXSR (1ull << 9)
#define CR4_OSXMMEXCPT (1ull << 10)
#define CR4_UMIP (1ull << 11)
#define CR4_LA57 (1ull << 12)
#define CR4_FSGSBASE (1ull << 16)
#define CR4_PCIDE (1ull << 17)
#define CR4_OSXSAVE (1ull << 18)
#define CR4_SMEP (1ull << 20)
#define CR4_SMAP (1ull << 21)

#define EFER_AUTOMATIC_IBRS (1ull << 21)

#define MSR_SPEC_CTRL 0x48u
#define MSR_ARCH_CAPABILITIES 0x10Au

#define SPEC_CTRL_IBRS (1ull << 0)
#define SPEC_CTRL_STIBP (1ull << 1)

#define ARCH_CAP_RDCL_NO (1ull << 0) /* not vulnerable to Meltdown */
#define ARCH_CAP_IBRS_ALL (1ull << 1)

/* What SYSCALL clears: TF, IF, DF, IOPL, NT, RF, AC. */
#define SYSCALL_CLEARS 0x57700ull

#define CR3_USER 0x1000ull /* the lower table of the pair is the kernel's: paging.h */

/* State components that are used: x87, SSE, AVX and the three of AVX-512, which go together. */
#define XCR0_AVX 0x04ull
#define XCR0_AVX512 0xE0ull
#define XCR0_USED 0xE7ull
#define FXSAVE_BYTES 512u

struct cpu_facts cpu_facts;

static bool has_bit(uint32_t word, unsigned bit)
{
    return (word >> bit & 1) != 0;
}

static bool vendor_is(const char *text)
{
    struct cpuid id = cpuid_leaf(0, 0);

    return memcmp(&id.ebx, text, 4) == 0 && memcmp(&id.edx, text + 4, 4) == 0 &&
           memcmp(&id.ecx, text + 8, 4) == 0;
}

static bool is_amd(void)
{
    return vendor_is("AuthenticAMD") || vendor_is("HygonGenuine");
}

/* QEMU's instruction translator, which executes one guest instruction after the other. */
static bool is_translated(void)
{
    struct cpuid id = cpuid_leaf(0x40000000, 0);

    return memcmp(&id.ebx, "TCGTCGTCGTCG", 12) == 0;
}

static void detect_features(struct cpu_facts *facts)
{
    struct cpuid id = cpuid_leaf(1, 0);
    bool pcid = has_bit(id.ecx, 17);

    facts->x2apic = has_bit(id.ecx, 21);
    facts->tsc_deadline = has_bit(id.ecx, 24);
    facts->xsave = has_bit(id.ecx, 26);
    facts->mce = has_bit(id.edx, 7);
    facts->pge = has_bit(id.edx, 13);
    id = cpuid_leaf(7, 0);
    facts->fsgsbase = has_bit(id.ebx, 0);
    facts->smep = has_bit(id.ebx, 7);
    facts->pcid = pcid && has_bit(id.ebx, 10);
    facts->smap = has_bit(id.ebx, 20);
    facts->umip = has_bit(id.ecx, 2);
    id = cpuid_leaf(0x80000001, 0);
    facts->nx = has_bit(id.edx, 20);
    facts->pages_1g = has_bit(id.edx, 26);
    facts->invariant_tsc = has_bit(cpuid_leaf(0x80000007, 0).edx, 8);
}

/* XSAVE is used only with a record whose size was made certain of: FXSAVE's is the same everywhere. */
static void detect_vector_state(struct cpu_facts *facts)
{
    facts->vector_bytes = FXSAVE_BYTES;
    if (!facts->xsave)
        return;
    facts->xcr0 = cpuid_vector_components(XCR0_USED, &facts->vector_bytes);
    facts->xsave = facts->xcr0 != 0;
    facts->xsaveopt = facts->xsave && has_bit(cpuid_leaf(0xD, 1).eax, 0);
}

/*
 * AMD's processors before Zen save and restore the x87 pointers only while an exception is pending, so that
 * one thread could see where another one last used x87. AMD64 Architecture Programmer's Manual vol 4, "FXRSTOR";
 * later ones say in CPUID that they restore them always (vol 3, "CPUID Fn8000_0008_EBX", RstrFpErrPtrs).
 */
static void detect_x87(struct cpu_facts *facts)
{
    facts->x87_pointers_stay = is_amd() && !has_bit(cpuid_leaf(0x80000008, 0).ebx, 2);
    /* The manuals say that the initial state comes with pointers of its own, and the translator does so; whether
     * those processors do is not known. */
    facts->x87_pointers_stay_initial = facts->x87_pointers_stay && !is_translated();
}

static void detect_speculation(struct cpu_facts *facts)
{
    bool amd = is_amd();
    bool hardware_threads = has_bit(cpuid_leaf(1, 0).edx, 28);
    uint64_t capabilities = 0;
    uint32_t bits;

    if (is_translated())
        return;
    bits = cpuid_leaf(7, 0).edx;
    facts->ibpb = has_bit(bits, 26);
    facts->stibp = has_bit(bits, 27) && hardware_threads;
    if (has_bit(bits, 29))
        capabilities = rdmsr(MSR_ARCH_CAPABILITIES);
    if (amd) {
        bits = cpuid_leaf(0x80000008, 0).ebx;
        facts->ibpb |= has_bit(bits, 12);
        facts->stibp |= has_bit(bits, 15) && hardware_threads;
        facts->automatic_ibrs = has_bit(cpuid_leaf(0x80000021, 0).eax, 8);
    }
    facts->enhanced_ibrs = (capabilities & ARCH_CAP_IBRS_ALL) != 0;
    facts->meltdown = !amd && (capabilities & ARCH_CAP_RDCL_NO) == 0;
    facts->rsb_stuff = true; /* no processor says that it does not need it */
}

void cpu_detect(void)
{
    struct cpu_facts *facts = &cpu_facts;

    detect_features(facts);
    detect_vector_state(facts);
    detect_x87(facts);
    detect_speculation(facts);
    facts->tsc_hz = cpuid_tsc_hz();
    if (boot_cmdline_has("barriers=off")) {
        facts->ibpb = false;
        facts->rsb_stuff = false;
    }
    /* For measuring; what the processor does not have stays off. */
    facts->rsb_stuff |= boot_cmdline_has("barriers=on");
    facts->fast_switch = facts->fsgsbase && facts->xsaveopt;
    facts->plain_vectors = facts->fast_switch && !facts->x87_pointers_stay_initial;
    facts->plain_switch =
        !facts->pcid && !facts->ibpb && !facts->rsb_stuff && !facts->x87_pointers_stay_initial;
    paging_isolation =
        (facts->meltdown || boot_cmdline_has("pti=on")) && !boot_cmdline_has("pti=off");
}

static void xsetbv0(uint64_t value)
{
    __asm__ volatile("xsetbv" ::"c"(0), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}

static void enable_control_registers(const struct cpu_facts *facts)
{
    uint64_t cr4 = (read_cr4() & CR4_LA57) | CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT;

    cr4 |= facts->mce ? CR4_MCE : 0;
    /* Global translations would survive the switch to the user's tables. */
    cr4 |= facts->pge && !paging_isolation ? CR4_PGE : 0;
    cr4 |= facts->umip ? CR4_UMIP : 0;
    cr4 |= facts->fsgsbase ? CR4_FSGSBASE : 0;
    cr4 |= facts->pcid ? CR4_PCIDE : 0;
    cr4 |= facts->xsave ? CR4_OSXSAVE : 0;
    cr4 |= facts->smep ? CR4_SMEP : 0;
    cr4 |= facts->smap ? CR4_SMAP : 0;
    write_cr0(CR0_PE | CR0_MP | CR0_ET | CR0_NE | CR0_WP | CR0_PG);
    write_cr4(cr4);
    if (facts->xsave)
        xsetbv0(facts->xcr0);
}

static void enable_speculation_control(const struct cpu_facts *facts)
{
    uint64_t control =
        (facts->enhanced_ibrs ? SPEC_CTRL_IBRS : 0) | (facts->stibp ? SPEC_CTRL_STIBP : 0);

    if (control != 0)
        wrmsr(MSR_SPEC_CTRL, control);
    if (facts->automatic_ibrs)
        wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_AUTOMATIC_IBRS);
}

static void enable_entries(struct core *core, const struct cpu_facts *facts)
{
    struct cpu_entry *entry = core->arch.entry;
    uint64_t pcid_bits = facts->pcid ? CR3_USER_PCID : 0;
    uint64_t noflush = facts->pcid ? CR3_NOFLUSH : 0;

    entry->cr3_kernel_and = ~(CR3_USER | pcid_bits);
    entry->cr3_kernel_or = noflush;
    entry->cr3_user_or = CR3_USER | pcid_bits | noflush;
    entry->kernel_root = paging_kernel_root;
    core->switch_bit = facts->plain_switch ? 1u << core->index : 0;
    cpu_entry_set_gs(core);
    wrmsr(MSR_STAR, (uint64_t)SELECTOR_SYSRET_BASE << 48 | (uint64_t)SELECTOR_KERNEL_CODE << 32);
    wrmsr(MSR_LSTAR,
          (uint64_t)(uintptr_t)(paging_isolation ? entry_syscall_isolating : entry_syscall_plain));
    wrmsr(MSR_SFMASK, SYSCALL_CLEARS);
    wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SCE | (facts->nx ? EFER_NXE : 0));
}

void cpu_enable(struct core *core)
{
    struct cpu_facts *facts = &cpu_facts;

    enable_control_registers(facts);
    enable_speculation_control(facts);
    enable_entries(core, facts);
    /* No breakpoints, whatever the loader used: user code cannot set any, so #DB needs no stack of
     * its own. */
    __asm__ volatile("mov %0, %%dr7" ::"r"(0x400ull));
}

void arch_cpu_features_text(char *text, size_t capacity)
{
    const struct cpu_facts *f = &cpu_facts;
    const struct {
        bool present;
        const char *word;
    } words[] = {
        {f->nx, "nx"},
        {f->smep, "smep"},
        {f->smap, "smap"},
        {f->umip, "umip"},
        {f->fsgsbase, "fsgsbase"},
        {f->pge && !paging_isolation, "pge"},
        {f->pcid, "pcid"},
        {f->pages_1g, "pages-1g"},
        {f->x2apic, "x2apic"},
        {f->invariant_tsc, "invariant-tsc"},
        {f->tsc_deadline, "tsc-deadline"},
        {!f->xsave, "fxsave"},
        {f->xsave && !f->xsaveopt, "xsave"},
        {f->xsaveopt, "xsaveopt"},
        {(f->xcr0 & XCR0_AVX) != 0, "avx"},
        {(f->xcr0 & XCR0_AVX512) != 0, "avx512"},
        {paging_isolation, "pti"},
        {f->enhanced_ibrs, "enhanced-ibrs"},
        {f->automatic_ibrs, "automatic-ibrs"},
        {f->ibpb, "ibpb"},
        {f->stibp, "stibp"},
        {f->rsb_stuff, "rsb-fill"},
    };
    size_t used = 0;

    text[0] = '\0';
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        size_t length = strlen(words[i].word);

        if (!words[i].present || used + length + 2 > capacity)
            continue;
        if (used > 0)
            text[used++] = ' ';
        memcpy(text + used, words[i].word, length + 1);
        used += length;
    }
}

uint64_t arch_physical_pages(void)
{
    return 1ull << (cpuid_physical_bits() - PAGE_SHIFT);
}
