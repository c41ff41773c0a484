// SPDX-License-Identifier: MIT
/*
 * tlb.c - which address space a core has loaded, and which translations it may still hold.
 *
 * With process-context identifiers (PCIDs) a core keeps the translations of address spaces it has left.
 * Identifiers are handed out round robin and may collide; each core knows whose translations an
 * identifier stands for, and drops them when that changes. Intel SDM vol 3A, "Process-Context
 * Identifiers (PCIDs)" and "Operations that Invalidate TLBs and Paging-Structure Caches".
 */
#include "arch/x86_64/mmu/tlb.h"

#include <stdatomic.h>
#include <stddef.h>

#include "arch/arch.h"
#include "arch/x86_64/cpu/cpu.h"
#include "arch/x86_64/cpu/insn.h"
#include "arch/x86_64/mmu/paging.h"
#include "core.h"

/* Beyond so many pages, dropping everything is cheaper than one page after the other. */
#define FLUSH_PAGES_MAX 32

#define CR4_PGE (1ull << 7)

#define MSR_PRED_CMD 0x49u
#define PRED_CMD_IBPB (1ull << 0)

enum invpcid_type {
    INVPCID_ADDRESS = 0,
    INVPCID_ONE = 1,
    INVPCID_ALL_AND_GLOBAL = 2,
    INVPCID_ALL = 3,
};

static void invpcid(enum invpcid_type type, uint64_t pcid, uint64_t address)
{
    struct {
        uint64_t pcid, address;
    } descriptor = {pcid, address};

    __asm__ volatile("invpcid %0, %1" ::"m"(descriptor), "r"((uint64_t)type) : "memory");
}

void tlb_flush_user(void)
{
    if (cpu_facts.pcid)
        invpcid(INVPCID_ALL, 0, 0);
    else
        write_cr3(read_cr3());
}

void tlb_flush_all(void)
{
    uint64_t cr4 = read_cr4();

    if (cpu_facts.pcid) {
        invpcid(INVPCID_ALL_AND_GLOBAL, 0, 0);
    } else if (cr4 & CR4_PGE) {
        write_cr4(cr4 & ~CR4_PGE);
        write_cr4(cr4);
    } else {
        write_cr3(read_cr3());
    }
}

/* ---- loading ---- */

/* Thirty-two calls that never return fill every entry of the return stack with a harmless address.
 * Intel, "Retpoline: A Branch Target Injection Mitigation", on refilling the return stack buffer. */
static void return_stack_fill(void)
{
    __asm__ volatile("movl $16, %%ecx\n"
                     "1:\tcall 3f\n"
                     "2:\tpause\n\tlfence\n\tjmp 2b\n"
                     "3:\tcall 5f\n"
                     "4:\tpause\n\tlfence\n\tjmp 4b\n"
                     "5:\tdecl %%ecx\n\tjnz 1b\n\t"
                     "addq $256, %%rsp" ::
                         : "ecx", "cc", "memory");
}

/* Keeps what earlier processes taught the predictors from the next one. */
static void barrier_between_processes(void)
{
    if (cpu_facts.ibpb)
        wrmsr(MSR_PRED_CMD, PRED_CMD_IBPB);
    if (cpu_facts.rsb_stuff)
        return_stack_fill();
}

static uint16_t pcid_choose(struct arch_aspace *aspace)
{
    static _Atomic uint32_t next;
    uint16_t chosen, none = 0;

    /* 0 is the kernel's own. Two cores may load a new address space at once: the first one decides. */
    chosen =
        (uint16_t)(atomic_fetch_add_explicit(&next, 1, memory_order_relaxed) % (PCID_COUNT - 1) +
                   1);
    if (__atomic_compare_exchange_n(&aspace->pcid, &none, chosen, false, __ATOMIC_RELAXED,
                                    __ATOMIC_RELAXED))
        return chosen;
    return none;
}

/* CR3 for the address space; what the identifier stood for before is dropped when `fresh`. */
static uint64_t pcid_root(struct core *core, struct arch_aspace *aspace, bool fresh)
{
    uint16_t pcid = __atomic_load_n(&aspace->pcid, __ATOMIC_RELAXED);

    if (pcid == 0)
        pcid = pcid_choose(aspace);
    if (!fresh && core->arch.pcid_owner[pcid] == aspace)
        return aspace->root | pcid | CR3_NOFLUSH;
    core->arch.pcid_owner[pcid] = aspace;
    if (paging_isolation)
        invpcid(INVPCID_ONE, pcid | CR3_USER_PCID, 0);
    return aspace->root | pcid;
}

void arch_aspace_load(struct arch_aspace *aspace)
{
    struct core *core = this_core();
    uint32_t bit = 1u << core->index;
    bool fresh;

    if (core->aspace == aspace)
        return;
    core->aspace = aspace;
    if (aspace == NULL) {
        write_cr3(paging_kernel_root);
        return;
    }
    /* The bit is visible before the tables are used: who clears an entry and then does not see the bit
     * knows that this core will read the cleared entry. Pairs with the fence in arch_aspace_flush(). */
    fresh = (atomic_load_explicit(&aspace->loaded_on, memory_order_relaxed) & bit) == 0;
    if (fresh)
        atomic_fetch_or(&aspace->loaded_on, bit);
    write_cr3(cpu_facts.pcid ? pcid_root(core, aspace, fresh) : aspace->root);
    if (fresh || core->arch.last_process != aspace) {
        core->arch.last_process = aspace;
        barrier_between_processes();
    }
}

/* ---- flushing ---- */

static void flush_pages(const struct arch_aspace *aspace, uaddr_t address, uint64_t page_count)
{
    const uaddr_t end = address + page_count * PAGE_BYTES;

#pragma GCC unroll 4
    for (uaddr_t at = address; at < end; at += PAGE_BYTES)
        invlpg(at);
    if (!cpu_facts.pcid || !paging_isolation)
        return;
    for (uaddr_t at = address; at < end; at += PAGE_BYTES)
        invpcid(INVPCID_ADDRESS, aspace->pcid | CR3_USER_PCID, at);
}

[[gnu::always_inline]] static inline void flush_here(const struct core *core,
                                                     const struct arch_aspace *aspace,
                                                     uaddr_t address, uint64_t page_count)
{
    if (core->aspace == aspace && page_count <= FLUSH_PAGES_MAX) {
        flush_pages(aspace, address, page_count);
    } else if (cpu_facts.pcid) {
        if (core->arch.pcid_owner[aspace->pcid] != aspace)
            return;
        invpcid(INVPCID_ONE, aspace->pcid, 0);
        if (paging_isolation)
            invpcid(INVPCID_ONE, aspace->pcid | CR3_USER_PCID, 0);
    } else if (core->aspace == aspace) {
        write_cr3(read_cr3());
    }
}

void arch_aspace_flush_here(struct arch_aspace *aspace, uaddr_t address, uint64_t page_count)
{
    const struct core *core = this_core();

    if (aspace->loaded_on >> core->index & 1)
        flush_here(core, aspace, address, page_count);
}

void arch_aspace_flush(struct arch_aspace *aspace, uaddr_t address, uint64_t page_count)
{
    const struct core *core = this_core();
    uint32_t mask;

    atomic_thread_fence(memory_order_seq_cst); /* pairs with arch_aspace_load() */
    mask = atomic_load_explicit(&aspace->loaded_on, memory_order_relaxed);
    if (mask & (1u << core->index))
        flush_here(core, aspace, address, page_count);
    mask &= ~(1u << core->index);
    if (mask != 0)
        arch_ipi_round(mask, IPI_FLUSH_TLB);
}

void arch_tlb_flush_cores(uint32_t core_mask)
{
    uint32_t bit = 1u << this_core()->index;

    atomic_thread_fence(memory_order_seq_cst);
    if (core_mask & bit)
        tlb_flush_user();
    if (core_mask & ~bit)
        arch_ipi_round(core_mask & ~bit, IPI_FLUSH_TLB);
}
