// SPDX-License-Identifier: MIT
/*
 * paging_prove.c - walks the page tables that are in force, as the processor would, and proves what
 * paging.h promises. It trusts nothing that the code which built them remembers: only CR3, the bounds
 * of the image and the frames themselves.
 */
#include "arch/x86_64/paging.h"

#include "arch/x86_64/image.h"
#include "boot/bootinfo.h"
#include "log/log.h"
#include "log/panic.h"

enum { EXTENTS_MAX = 320 };

/* A physically contiguous run of mappings with the same right. */
struct extent {
    paddr_t base;
    paddr_t end;
};

struct extents {
    const char *right;
    unsigned count;
    struct extent list[EXTENTS_MAX];
};

struct walk {
    uint64_t mappings;
    struct extents writable;
    struct extents executable;
};

/* Rights are granted only when every level grants them. */
struct rights {
    bool write;
    bool user;
    bool execute;
};

static struct walk walk; /* too large for the stack */

static void add_extent(struct extents *extents, paddr_t base, uint64_t bytes)
{
    struct extent *last = extents->count > 0 ? &extents->list[extents->count - 1] : NULL;

    if (last && last->end == base) {
        last->end += bytes;
        return;
    }
    if (extents->count == EXTENTS_MAX)
        panic("page tables: more than %u %s pieces", (unsigned)EXTENTS_MAX, extents->right);
    extents->list[extents->count++] = (struct extent){base, base + bytes};
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
    if (rights.write)
        add_extent(&walk.writable, phys, bytes);
    if (rights.execute)
        add_extent(&walk.executable, phys, bytes);
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

/* Nothing in `extents` may touch [base, end). */
static void check_apart(const struct extents *extents, paddr_t base, paddr_t end, const char *what)
{
    for (unsigned i = 0; i < extents->count; i++) {
        const struct extent *extent = &extents->list[i];
        if (extent->base < end && base < extent->end)
            panic("page tables: %s at %p is mapped %s", what, (void *)base, extents->right);
    }
}

static void check_executable(void)
{
    paddr_t text = boot_image_to_phys(__boot_text_start), text_end = boot_image_to_phys(__text_end);
    const struct extents *executable = &walk.executable;

    if (executable->count != 1 || executable->list[0].base != text ||
        executable->list[0].end != text_end)
        panic("page tables: something other than the kernel's text is executable");
}

void paging_prove(void)
{
    walk = (struct walk){.writable.right = "writable", .executable.right = "executable"};
    walk_table(read_cr3() & PTE_ADDRESS, LEVEL_ROOT, 0, (struct rights){true, true, true});

    check_executable();
    check_apart(&walk.writable, boot_image_to_phys(__boot_start), boot_image_to_phys(__rodata_end),
                "text or read-only data");
    check_apart(&walk.writable, boot_info.initrd, boot_info.initrd + boot_info.initrd_bytes,
                "the initial RAM disk");
    if (paging_is_mapped((uintptr_t)__boot_stack_guard))
        panic("page tables: the guard page of the boot stack is mapped");
    log_info("page tables: %lu mappings proved W^X, none user accessible", walk.mappings);
}
