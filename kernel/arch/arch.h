// SPDX-License-Identifier: MIT
/*
 * arch.h - everything the portable kernel asks of the machine. arch/x86_64 implements it on hardware,
 * tests/unit/host inside an ordinary process for unit tests.
 *
 * The kernel runs with interrupts off. They are taken only in user mode, in arch_idle() and in
 * arch_poll_interrupts(), never while a lock is held.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/process.h"
#include "abi/types.h"
#include "arch/user_frame.h"
#include "arch_types.h"
#include "mm/addr.h"

struct thread;
struct quota;

/* ---- processor ---- */

/* arch_this_core(): this core's structure, from the arch's arch_types.h. */
static inline void arch_relax(void)
{
    __builtin_ia32_pause();
}
/* Stops this core for ever, interrupts off. */
[[gnu::noreturn]] void arch_halt(void);
/* Leaves the emulator with `code` through the debug exit port when the command line allows it. */
void arch_debug_exit(uint32_t code);
/* Waits for an interrupt and handles it; returns with interrupts off. */
void arch_idle(void);
/* Handles interrupts that are pending, without waiting. A preemption point: hold no lock. */
void arch_poll_interrupts(void);
/* Leaves the kernel: to core->current in user mode. The only way back to user space. */
[[gnu::noreturn]] void arch_enter_user(void);

/* Ends the boot: unmaps and frees what only the boot needed, arch_boot_pages() frames. Not to be called from there. All
 * other cores are in the scheduler. */
void arch_leave_boot(void);
uint64_t arch_boot_pages(void);

/* Pages that physical addresses of this processor reach. */
uint64_t arch_physical_pages(void);

/* What the kernel uses of the processor: words separated by blanks. */
void arch_cpu_features_text(char *text, size_t capacity);
/* The first twelve digits of the build ID, which the linker makes of all that is in the kernel. */
#define ARCH_BUILD_TEXT 13u
void arch_build_text(char text[ARCH_BUILD_TEXT]);
/* True when any of the pages holds registers that are the kernel's business: interrupt controllers, clocks,
 * IOMMUs. */
bool arch_is_own_device(paddr_t first, uint64_t page_count);
/* From the first byte of the lowest ACPI table to the end of the highest; false: there are none. */
bool arch_firmware_tables(paddr_t *first, paddr_t *end);

/* What the processor's manual calls exception number `vector`; never NULL. */
const char *arch_exception_name(uint64_t vector);

/* ---- time ---- */

/* Nanoseconds since boot; never goes back on one core, cores agree as far as their TSCs do. */
uint64_t arch_time_ns(void);
/* arch_cycles(): the raw TSC, from the arch's arch_types.h. */
/* For the kernel information page: time_ns = ((tsc - tsc_base) * tsc_multiplier) >> 32. */
struct arch_time_info {
    bool tsc_usable; /* every core reads the same TSC, at a constant rate */
    uint64_t tsc_base;
    uint64_t tsc_multiplier;
};
void arch_time_info(struct arch_time_info *info);
/* A number of TSC cycles as nanoseconds. */
uint64_t arch_cycles_to_ns(uint64_t cycles);
/* Makes the entry code of this core call sched_timer_interrupt() at `deadline_ns` (at once when past); UINT64_MAX: no
 * timer interrupt at all. */
void arch_timer_arm(uint64_t deadline_ns);

/* ---- other cores ---- */

/* What a core is asked to do by arch_ipi_round(); it does them at its next quiescent point. */
enum ipi_work {
    IPI_QUIESCE = 1u << 0,   /* nothing but pass a quiescent point */
    IPI_FLUSH_TLB = 1u << 1, /* drop every user translation */
    IPI_FLUSH_ALL = 1u << 2, /* drop kernel translations as well */
};
/* Asks the cores of `core_mask` (bit n: core n; this one is ignored) and waits until all have done it,
 * serving requests to this core meanwhile. Hold no lock. */
void arch_ipi_round(uint32_t core_mask, unsigned work);
/* Makes another core look at its run queue. Does not wait. */
void arch_ipi_reschedule(struct core *target);
/* Stops every other core for good; for panic. */
void arch_stop_others(void);

/* ---- address spaces ---- */

struct arch_aspace {
    paddr_t root;      /* top page table, kernel half included */
    paddr_t user_root; /* the one used in user mode; == root without page-table isolation */
    uint16_t pcid;     /* 0: none */
    /* The table of 4 KiB pages used last, and whose addresses it translates; under the aspace lock. */
    uint64_t *leaf_table;
    uint64_t leaf_number; /* address >> 21; ~0: none */
    uaddr_t teardown;     /* arch_aspace_destroy() has freed what translates lower addresses */
    uint8_t
        root_eighths; /* of the root that lead to tables: mmu/aspace_tables.h; under the aspace lock */
    _Atomic uint32_t loaded_on; /* cores that ever loaded it; bits are only ever set */
    _Atomic uint32_t plain_on; /* of these, where loading it is all it takes: no I/O port is open */
    _Atomic bool dying;        /* cores must leave it at the next quiescent point */
};

enum map_rights {
    MAP_READ = 1u << 0,
    MAP_WRITE = 1u << 1,
    MAP_EXECUTE = 1u << 2,
    MAP_UNCACHED = 1u << 3,
    MAP_WRITE_COMBINING = 1u << 4,
};

/* Allocates the top tables, charged to `quota`. */
mnos_status_t arch_aspace_create(struct arch_aspace *aspace, struct quota *quota);
/* Frees some page tables; true when nothing is left (the top tables included). Progress is in the address space,
 * so it can be continued by anyone. No core may have it loaded. */
bool arch_aspace_destroy(struct arch_aspace *aspace, struct quota *quota);
/* Maps the page at `address`, whose entry must be empty (else MNOS_ERR_OVERLAP). Page tables are charged to
 * `quota`: MNOS_ERR_QUOTA, MNOS_ERR_MEMORY. The caller holds the aspace lock, here and below. */
mnos_status_t arch_aspace_map_page(struct arch_aspace *aspace, struct quota *quota, uaddr_t address,
                                   paddr_t frame, unsigned rights);
/* Maps the first of *page_count pages at `address` to contiguous frames from `frame`, with large pages where both
 * align: as many as a step may enter, as far as entries are empty. *page_count: how many, at least one. Errors as
 * above, and then nothing is changed. */
mnos_status_t arch_aspace_map_some(struct arch_aspace *aspace, struct quota *quota, uaddr_t address,
                                   paddr_t frame, uint64_t *page_count, unsigned rights);
/* Maps a run of pages to contiguous frames when one table of small pages has room for all of it. MNOS_ERR_STATE: it has
 * not, or there is none; MNOS_ERR_OVERLAP: an entry is not empty. Then nothing is changed. */
mnos_status_t arch_aspace_map_run(struct arch_aspace *aspace, uaddr_t address, uint64_t page_count,
                                  paddr_t frame, unsigned rights);
/* Unmaps a run of pages that are mapped, when they are in one table of small pages; else false, and nothing is
 * changed. */
bool arch_aspace_unmap_run(struct arch_aspace *aspace, uaddr_t address, uint64_t page_count);
/* Unmaps the page at `address`, which was mapped alone. TLBs are not flushed here: arch_aspace_flush(). */
void arch_aspace_unmap_page(struct arch_aspace *aspace, uaddr_t address);
/* Unmaps the last of the *page_count pages from `address` on, all of which are mapped: as many as a step may.
 * *page_count: how many, at least one. Cuts a large page of which a part stays, which takes a table from `quota`
 * and may fail: then nothing is changed. */
mnos_status_t arch_aspace_unmap_some(struct arch_aspace *aspace, struct quota *quota,
                                     uaddr_t address, uint64_t *page_count);
/* How many of the pages from `address` on have their entries in one table of small pages. */
uint64_t arch_aspace_pages_in_table(uaddr_t address, uint64_t page_count);
/* Makes sure that there is a table of small pages for `address`, cutting a large page that is there: MNOS_ERR_QUOTA,
 * MNOS_ERR_MEMORY. */
mnos_status_t arch_aspace_prepare(struct arch_aspace *aspace, struct quota *quota, uaddr_t address);
/* Whether there is one with all of the run; of such a run, whether nothing is mapped there. */
bool arch_aspace_has_run(struct arch_aspace *aspace, uaddr_t address, uint64_t page_count);
bool arch_aspace_is_empty(struct arch_aspace *aspace, uaddr_t address, uint64_t page_count);
/* Maps such a run to contiguous frames, whatever is there. TLBs are not flushed here. */
void arch_aspace_exchange(struct arch_aspace *aspace, uaddr_t address, uint64_t page_count,
                          paddr_t frame, unsigned rights);
/* Cuts a large page that goes across `address`, which takes a table from `quota`: MNOS_ERR_QUOTA, MNOS_ERR_MEMORY. */
mnos_status_t arch_aspace_cut(struct arch_aspace *aspace, struct quota *quota, uaddr_t address);
/* Gives the last of the *page_count pages from `address` on, all of which are mapped, and at whose ends no large page
 * is to be cut, other rights, READ, WRITE and EXECUTE; the rest of their flags stays. As many as a step may: *page_count.
 * True: one has lost a right, and TLBs have to be flushed. */
bool arch_aspace_protect_some(struct arch_aspace *aspace, uaddr_t address, uint64_t *page_count,
                              unsigned rights);
/* The same for a run in one table of small pages, and *lost; false: it is not, and nothing is changed. */
bool arch_aspace_protect_run(struct arch_aspace *aspace, uaddr_t address, uint64_t page_count,
                             unsigned rights, bool *lost);
/* READ, WRITE and EXECUTE as the page at `address` has them; 0: none is there. */
unsigned arch_aspace_rights(const struct arch_aspace *aspace, uaddr_t address);
/* Drops translations of the range from this core's TLB. */
void arch_aspace_flush_here(struct arch_aspace *aspace, uaddr_t address, uint64_t page_count);
/* Drops translations of the range from the TLB of every core that ever loaded it, and waits until
 * they have. Hold no lock. */
void arch_aspace_flush(struct arch_aspace *aspace, uaddr_t address, uint64_t page_count);
/* Drops every user translation on the cores of `core_mask`, this one included when it is in it, and
 * waits until they have. Hold no lock. */
void arch_tlb_flush_cores(uint32_t core_mask);
/* Loads it on this core; NULL: the kernel's own. Flushes what it must; when the processor needs
 * prediction barriers between processes, issues them. */
void arch_aspace_load(struct arch_aspace *aspace);

/* ---- threads ---- */

/* Size of a thread's vector state on this machine. */
size_t arch_vector_bytes(void);
/* Prepares memory of that size for it; what of the contents no instruction reads stays undefined. */
void arch_vector_init(void *area);

/* The machine part of a thread; `frame` holds the general registers while it is not running. */
/* Prepares `thread` to start in user mode with `registers`. MNOS_ERR_ADDRESS: RIP is not a user
 * address, or FS or GS base no address at all. What a thread can have itself it can be given, but for an RIP at which it
 * could only fault. */
mnos_status_t arch_thread_set_registers(struct thread *thread,
                                        const struct mnos_registers *registers);
void arch_thread_get_registers(const struct thread *thread, struct mnos_registers *registers);
/* Called before a thread of this core becomes visible to others as blocked or ready: saves what the
 * entry path left in the processor (FS, GS base; vector state, or with `voluntary` (an IPC system
 * call) only MXCSR and the x87 control word: the rest is lost by definition). */
void arch_thread_save(struct thread *thread, bool voluntary);
/* Whether the processor has what the short paths in assembly take for granted. */
bool arch_fast_switch(void);
/* `thread` is before the SYSCALL instruction of the call that it is in, or behind it again. */
void arch_thread_before_syscall(struct thread *thread);
void arch_thread_after_syscall(struct thread *thread);

/* ---- I/O ports of a process ---- */

/* Opens or closes [first, first + count) in the process's port bitmap (8 KiB, allocated at the first
 * use, charged to `quota`). */
struct arch_ports;
mnos_status_t arch_ports_open(struct arch_ports **ports, struct quota *quota, uint32_t first,
                              uint32_t count);
void arch_ports_close(struct arch_ports *ports, uint32_t first, uint32_t count);
/* After opening or closing: every core takes over the bitmap of the thread it runs before this
 * returns. Hold no lock. */
void arch_ports_changed(void);
void arch_ports_destroy(struct arch_ports **ports, struct quota *quota);

/* ---- interrupt lines ---- */

/* Routes line `line` to the boot core, polarity and trigger as the firmware says, masked.
 * MNOS_ERR_STATE: there is no such line. */
mnos_status_t arch_irq_enable(uint32_t line);
void arch_irq_disable(uint32_t line);
/* Message lines cannot be masked: what these two ask of one is not done. An edge at a masked line is
 * lost. */
void arch_irq_mask(uint32_t line);
void arch_irq_unmask(uint32_t line);
bool arch_irq_is_level(uint32_t line);
/* What a device must write, and where, to make message line `line` fire; false: it never will. */
bool arch_irq_message(uint32_t line, paddr_t *address, uint32_t *data);
/* Which interrupts wait from now on at this core, without being lost. */
enum irq_hold {
    IRQ_HOLD_NONE,
    IRQ_HOLD_MESSAGES, /* those of message lines */
    IRQ_HOLD_LINES,    /* all of devices */
};
void arch_irq_hold(enum irq_hold hold);
