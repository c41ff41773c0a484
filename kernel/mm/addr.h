// SPDX-License-Identifier: MIT
/*
 * addr.h - physical and user addresses as types, and the higher half direct map (HHDM), whose place
 * HHDM_BASE is the machine's choice (arch_types.h).
 *
 * From the end of phase 3 on, the kernel's own page tables map RAM at HHDM_BASE. Before that the
 * loader's map is in force, at an offset only boot code knows (boot/bootinfo.h).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "abi/types.h"
#include "arch_types.h"

typedef uint64_t paddr_t; /* a physical address */
typedef uint64_t uaddr_t; /* an address that a user program claims; never dereferenced */

#define PAGE_SHIFT 12
#define PAGE_BYTES ((size_t)MNOS_PAGE_BYTES)
#define RAM_LIMIT (1ull << 38)  /* memory above is not used: references between slots are 32 bits */
#define PADDR_NONE ((paddr_t)0) /* frame 0 is never handed out */

static inline void *phys_to_virt(paddr_t address)
{
    return (void *)(uintptr_t)(address + HHDM_BASE);
}

/* `pointer` must be inside the HHDM, not in the kernel image. */
static inline paddr_t virt_to_phys(const void *pointer)
{
    return (paddr_t)(uintptr_t)pointer - HHDM_BASE;
}
