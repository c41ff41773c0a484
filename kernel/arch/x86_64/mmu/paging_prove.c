// SPDX-License-Identifier: MIT
/*
 * paging_prove.c - walks the page tables that are in force, as the processor would, and proves what
 * paging.h promises. It trusts nothing that the code which built them remembers: only CR3, the bounds
 * of the image and the frames themselves.
 */
#include "arch/x86_64/mmu/paging.h"

#include "arch/x86_64/cpu/image.h"
#include "boot/bootinfo.h"
#include "base/log.h"
#include "base/panic.h"

/* Physically contiguous memory. */
struct extent {
    paddr_t base;
    paddr_t end;
};

/* Nothing is collected but what must be one piece, so that no machine's memory is in too many. */
static struct {
    uint64_t mappings;
    struct extent executable; /* what was seen of it so far */
    struct extent image;      /* text and read-only data, never to be writable, */
    struct extent initrd;     /* nor is the initial RAM disk */
} walk;

/* Rights are granted only when every level grants them. */
struct rights {
    bool write;
    bool user;
    bool execute;
};

/* The walk is in the order of virtual addresses, and the text is contiguous. */
static void add_executable(paddr_t base, uint64_t bytes)
{
    if (walk.executable.end == 0)
        walk.executable.base = base;
    else if (walk.executable.end != base)
        panic("page tables: executable memory at %p is not the kernel's text", (void *)base);
    walk.executable.end = base + bytes;
}

static void check_apart(const struct extent *extent, paddr_t base, uint64_t bytes, const char *what)
{
    if (extent->base < base + bytes && base < extent->end)
        panic("page tables: %s at %p is mapped writable", what, (void *)base);
}

static void check_leaf(uint64_t virt, uint64_t entry, unsigned level, struct rights rights)
{
    uint64_t bytes = LEVEL_BYTES(level);
    paddr_t phys = entry & PTE_ADDRESS & ~(bytes - 1);

    walk.mappings++;
    if (rights.user)
        panic("page tables: %p is accessible in user mode", (void *)virt);
    if (rights.write && rights.execute)
        panic("page tables: %p is writable and executable", (void *)virt);
    if (rights.write) {
        check_apart(&walk.image, phys, bytes, "text or read-only data");
        check_apart(&walk.initrd, phys, bytes, "the initial RAM disk");
    }
    if (rights.execute)
        add_executable(phys, bytes);
}

static void walk_table(paddr_t table, unsigned level, uint64_t virt, struct rights above)
{
    const uint64_t *entries = phys_to_virt(table);
    uint64_t bytes = LEVEL_BYTES(level);

    for (unsigned i = 0; i < TABLE_ENTRIES; i++, virt += bytes) {
        uint64_t entry = entries[i];
        if (!entry_present(entry))
            continue;
        struct rights rights = {
            .write = above.write && (entry & PTE_WRITE),
            .user = above.user && (entry & PTE_USER),
            .execute = above.execute && !(entry & PTE_NX),
        };
        if (level == LEVEL_ROOT && i >= ROOT_KERNEL_ENTRY)
            virt |= 0xFFFF000000000000ull; /* canonical */
        if (level < LEVEL_ROOT && entry_is_leaf(entry, level))
            check_leaf(virt, entry, level, rights);
        else
            walk_table(entry & PTE_ADDRESS, level - 1, virt, rights);
    }
}

void paging_prove(void)
{
    walk.image.base = boot_image_to_phys(__boot_start);
    walk.image.end = boot_image_to_phys(__rodata_end);
    walk.initrd.base = boot_info.initrd;
    walk.initrd.end = boot_info.initrd + boot_info.initrd_bytes;
    walk_table(read_cr3() & PTE_ADDRESS, LEVEL_ROOT, 0, (struct rights){true, true, true});

    if (walk.executable.base != boot_image_to_phys(__boot_text_start) ||
        walk.executable.end != boot_image_to_phys(__text_end))
        panic("page tables: not all of the kernel's text is executable, or more than it");
    if (paging_is_mapped((uintptr_t)__boot_stack_guard))
        panic("page tables: the guard page of the boot stack is mapped");
    log_info("page tables: %lu mappings proved W^X, none user accessible", walk.mappings);
}
