// SPDX-License-Identifier: MIT
/*
 * cpuid.c - see cpuid.h. Leaf numbers and fields: Intel SDM vol 2A, "CPUID"; of hypervisors, the
 * convention of VMware's "Mechanisms to determine if software is running in a VMware virtual machine".
 */
#include "arch/x86_64/cpu/cpuid.h"

#include <stdbool.h>
#include <stddef.h>

#include "arch/x86_64/cpu/insn.h"

#define RANGE_MASK 0xFFFF0000u
#define HYPERVISOR 0x40000000u
#define LEAF_1_ECX_HYPERVISOR (1u << 31)

#define LEAF_XSAVE 0x0Du
#define LEAF_TSC 0x15u
#define LEAF_FREQUENCY 0x16u
#define LEAF_HYPERVISOR_TIMING 0x40000010u
#define LEAF_ADDRESSES 0x80000008u

/* No 64-bit processor has had fewer, and page tables have no room for more. */
#define PHYSICAL_BITS_MIN 36u
#define PHYSICAL_BITS_MAX 52u

/* Outside of this it is no frequency of a TSC. */
#define TSC_HZ_MIN 1000000ull
#define TSC_HZ_MAX 1000000000000ull

#define STATE_LEGACY 0x03ull /* x87 and SSE */
#define STATE_AVX 0x04ull
#define STATE_AVX512 0xE0ull
#define STATE_FIRST_EXTENDED 2u
#define STATE_END 8u
/* The part of FXSAVE and the header, in front of all components; and a page, in which the largest set that
 * is used, 2,688 bytes with AVX-512, fits easily. */
#define RECORD_BYTES_MIN 576u
#define RECORD_BYTES_MAX 4096u

struct cpuid cpuid_leaf(uint32_t leaf, uint32_t subleaf)
{
    uint32_t range = leaf & RANGE_MASK, max;

    /* Without a hypervisor these leaves are any other's contents, the maximum included. */
    if (range == HYPERVISOR && (cpuid_leaf(1, 0).ecx & LEAF_1_ECX_HYPERVISOR) == 0)
        return (struct cpuid){0};
    max = cpuid(range, 0).eax;
    if ((max & RANGE_MASK) != range || leaf > max)
        return (struct cpuid){0};
    return cpuid(leaf, subleaf);
}

static bool can_be_tsc_hz(uint64_t hz)
{
    return hz >= TSC_HZ_MIN && hz <= TSC_HZ_MAX;
}

uint64_t cpuid_tsc_hz(void)
{
    struct cpuid id = cpuid_leaf(LEAF_TSC, 0);
    uint64_t hz = id.eax == 0 ? 0 : (uint64_t)id.ecx * id.ebx / id.eax;

    if (!can_be_tsc_hz(hz))
        hz = (uint64_t)(cpuid_leaf(LEAF_FREQUENCY, 0).eax & 0xFFFF) * 1000000;
    if (!can_be_tsc_hz(hz))
        hz = (uint64_t)cpuid_leaf(LEAF_HYPERVISOR_TIMING, 0).eax * 1000;
    return can_be_tsc_hz(hz) ? hz : 0;
}

unsigned cpuid_physical_bits(void)
{
    unsigned bits = cpuid_leaf(LEAF_ADDRESSES, 0).eax & 0xFF;

    if (bits < PHYSICAL_BITS_MIN)
        return PHYSICAL_BITS_MIN;
    return bits < PHYSICAL_BITS_MAX ? bits : PHYSICAL_BITS_MAX;
}

/* What a record of these components takes; 0: that cannot be. Each says where it begins and how long it is. */
static uint32_t record_size(uint64_t components)
{
    uint32_t end = RECORD_BYTES_MIN;

    for (unsigned i = STATE_FIRST_EXTENDED; i < STATE_END; i++) {
        struct cpuid id;

        if ((components >> i & 1) == 0)
            continue;
        id = cpuid_leaf(LEAF_XSAVE, i);
        if (id.eax == 0 || id.ebx < RECORD_BYTES_MIN || id.ebx > RECORD_BYTES_MAX ||
            id.eax > RECORD_BYTES_MAX - id.ebx)
            return 0;
        if (id.ebx + id.eax > end)
            end = id.ebx + id.eax;
    }
    return end;
}

uint64_t cpuid_vector_components(uint64_t wanted, uint32_t *record_bytes)
{
    static const uint64_t sets[] = {STATE_LEGACY | STATE_AVX | STATE_AVX512,
                                    STATE_LEGACY | STATE_AVX, STATE_LEGACY};
    uint64_t offered = cpuid_leaf(LEAF_XSAVE, 0).eax & wanted;

    for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
        uint32_t bytes = (offered & sets[i]) == sets[i] ? record_size(sets[i]) : 0;

        if (bytes != 0) {
            *record_bytes = bytes;
            return sets[i];
        }
    }
    return 0;
}
