/* SPDX-License-Identifier: MIT */
/* test_cpuid.c - what is believed of a processor, and what is not. The file under test is included below, with
 * the instruction replaced by a table. */
#include <string.h>

#include "arch/x86_64/cpu/insn.h"
#include "tests/unit/unit.h"

enum { ENTRIES_MAX = 32 };

/* What the model answers, the maxima among them. */
static struct entry {
    uint32_t leaf, subleaf;
    struct cpuid answer;
} entries[ENTRIES_MAX];
static unsigned entry_count;

static void says(uint32_t leaf, uint32_t subleaf, struct cpuid answer)
{
    entries[entry_count++] = (struct entry){leaf, subleaf, answer};
}

/* As Intel's do: above the maximum, the contents of another leaf. Here they are garbage everywhere. */
static struct cpuid model_cpuid(uint32_t leaf, uint32_t subleaf)
{
    for (unsigned i = 0; i < entry_count; i++)
        if (entries[i].leaf == leaf && entries[i].subleaf == subleaf)
            return entries[i].answer;
    return (struct cpuid){0x12345678, 0x9ABCDEF0, 0xFFFFFFFF, 0xFFFFFFFF};
}

#define cpuid(leaf, subleaf) model_cpuid(leaf, subleaf)
#include "kernel/arch/x86_64/cpu/cpuid.c" /* NOLINT */
#undef cpuid

static void basic_max(uint32_t max)
{
    says(0, 0, (struct cpuid){.eax = max});
}

static bool is_zero(struct cpuid id)
{
    return (id.eax | id.ebx | id.ecx | id.edx) == 0;
}

TEST(cpuid, a_leaf_above_the_maximum_is_not_believed)
{
    basic_max(4);
    says(0x80000000, 0, (struct cpuid){.eax = 0x80000001});
    says(0x80000001, 0, (struct cpuid){.edx = 5});
    CHECK(is_zero(cpuid_leaf(7, 0)) && is_zero(cpuid_leaf(0xD, 0)) && !is_zero(cpuid_leaf(4, 0)));
    CHECK(is_zero(cpuid_leaf(0x80000008, 0)));
    CHECK_EQ(cpuid_leaf(0x80000001, 0).edx, 5);
}

TEST(cpuid, a_maximum_of_another_range_is_none)
{
    basic_max(0x80000008);
    says(0x80000000, 0, (struct cpuid){.eax = 0x16});
    CHECK(is_zero(cpuid_leaf(1, 0)) && is_zero(cpuid_leaf(0x80000001, 0)));
}

TEST(cpuid, leaves_of_hypervisors_need_one)
{
    basic_max(1);
    says(1, 0, (struct cpuid){.ecx = 0});
    says(0x40000000, 0, (struct cpuid){.eax = 0x40000010});
    says(0x40000010, 0, (struct cpuid){.eax = 2000000});
    CHECK_EQ(cpuid_tsc_hz(), 0);
    entries[1].answer.ecx = 1u << 31;
    CHECK_EQ(cpuid_tsc_hz(), 2000000000);
}

TEST(cpuid, the_frequency_is_crystal_times_ratio_or_else_the_base)
{
    basic_max(0x16);
    says(1, 0, (struct cpuid){0});
    says(0x15, 0, (struct cpuid){2, 184, 24000000, 0});
    says(0x16, 0, (struct cpuid){.eax = 2100});
    CHECK_EQ(cpuid_tsc_hz(), 2208000000);
    entries[2].answer.ecx = 0;
    CHECK_EQ(cpuid_tsc_hz(), 2100000000);
    entries[2].answer = (struct cpuid){0};
    CHECK_EQ(cpuid_tsc_hz(), 2100000000);
    entries[2].answer = (struct cpuid){1, UINT32_MAX, UINT32_MAX, 0}; /* no TSC is as fast */
    CHECK_EQ(cpuid_tsc_hz(), 2100000000);
    entries[3].answer.eax = 0;
    CHECK_EQ(cpuid_tsc_hz(), 0);
}

TEST(cpuid, physical_addresses_have_36_to_52_bits)
{
    says(0x80000000, 0, (struct cpuid){.eax = 0x80000008});
    says(0x80000008, 0, (struct cpuid){.eax = 0x3028});
    CHECK_EQ(cpuid_physical_bits(), 40);
    entries[1].answer.eax = 255;
    CHECK_EQ(cpuid_physical_bits(), 52);
    entries[1].answer.eax = 3;
    CHECK_EQ(cpuid_physical_bits(), 36);
    entries[0].answer.eax = 0x80000007;
    CHECK_EQ(cpuid_physical_bits(), 36);
}

static void avx_processor(void)
{
    basic_max(0xD);
    says(0xD, 0, (struct cpuid){.eax = 0x2E7, .ebx = 0xFFFFFFFF});
    says(0xD, 2, (struct cpuid){.eax = 256, .ebx = 576});
    says(0xD, 5, (struct cpuid){.eax = 64, .ebx = 1088});
    says(0xD, 6, (struct cpuid){.eax = 512, .ebx = 1152});
    says(0xD, 7, (struct cpuid){.eax = 1024, .ebx = 1664});
}

TEST(cpuid, the_size_of_vector_state_is_that_of_its_components)
{
    uint32_t bytes = 0;

    avx_processor();
    CHECK_EQ(cpuid_vector_components(0xE7, &bytes), 0xE7);
    CHECK_EQ(bytes, 2688);
    CHECK_EQ(cpuid_vector_components(0x07, &bytes), 0x07);
    CHECK_EQ(bytes, 832);
    entries[1].answer.eax = 3;
    CHECK_EQ(cpuid_vector_components(0xE7, &bytes), 3);
    CHECK_EQ(bytes, 576);
}

TEST(cpuid, components_that_cannot_be_are_dropped)
{
    uint32_t bytes = 0;

    avx_processor();
    entries[5].answer.ebx = 0xFFFFFF00; /* the end overflows */
    CHECK_EQ(cpuid_vector_components(0xE7, &bytes), 0x07);
    CHECK_EQ(bytes, 832);
    entries[5].answer.ebx = 4000;
    CHECK_EQ(cpuid_vector_components(0xE7, &bytes), 0x07);
    entries[2].answer.ebx = 512; /* in the header */
    CHECK_EQ(cpuid_vector_components(0xE7, &bytes), 0x03);
    CHECK_EQ(bytes, 576);
    entries[2].answer = (struct cpuid){0};
    CHECK_EQ(cpuid_vector_components(0xE7, &bytes), 0x03);
    entries[1].answer.eax = 1; /* no SSE */
    CHECK_EQ(cpuid_vector_components(0xE7, &bytes), 0);
    entries[0].answer.eax = 4;
    CHECK_EQ(cpuid_vector_components(0xE7, &bytes), 0);
}
