// SPDX-License-Identifier: MIT
/*
 * direct_map.h - the direct map as a table of the objects that a proof has, at the highest addresses that a reference of 32
 * bits reaches. cbmc follows a pointer that comes out of a table, and not one that is computed; an address that is none of
 * these objects breaks the proof. To be included before everything else, with PLACES defined: how many objects there are.
 */
#pragma once

#define phys_to_virt phys_to_virt_by_number
#define virt_to_phys virt_to_phys_by_number
#include "mm/addr.h"
#undef phys_to_virt
#undef virt_to_phys

#include "tests/proofs/kernel/proof.h"

#define PLACE_BYTES 64u

/* What there is, one after another downwards from the end of RAM, and the number of what is at `pointer`: of the proof. */
static void *const places[PLACES];
static unsigned place_of(const void *pointer);

#define PLACE_ADDRESS(number) (RAM_LIMIT - PLACE_BYTES * ((number) + 1))

static inline void *phys_to_virt(paddr_t address)
{
    assert(address < RAM_LIMIT && address >= PLACE_ADDRESS(PLACES - 1) &&
           address % PLACE_BYTES == 0);
    return places[PLACES - 1 - (address - PLACE_ADDRESS(PLACES - 1)) / PLACE_BYTES];
}

static inline paddr_t virt_to_phys(const void *pointer)
{
    unsigned number = place_of(pointer);

    assert(number < PLACES && pointer == places[number]);
    return PLACE_ADDRESS(number);
}
