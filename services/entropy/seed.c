// SPDX-License-Identifier: MIT
/* seed - see seed.h. */
#include "services/entropy/seed.h"

#include "lib/base/string.h"

/* Intel SDM volume 1, "Random Number Generator Instructions": RDRAND that fails ten times in a row is broken; RDSEED
 * may run dry for a while. */
#define TRIES 100u
#define CPUID_FEATURES 1u
#define CPUID_RDRAND (1u << 30) /* ECX */
#define CPUID_MORE_FEATURES 7u
#define CPUID_RDSEED (1u << 18) /* EBX */

static void cpuid(uint32_t leaf, uint32_t *ebx, uint32_t *ecx)
{
    uint32_t eax = leaf, edx;

    *ecx = 0;
    __asm__("cpuid" : "+a"(eax), "=b"(*ebx), "+c"(*ecx), "=d"(edx));
}

static uint32_t cpuid_max(void)
{
    uint32_t eax = 0, ebx, ecx = 0, edx;

    __asm__("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
    return eax;
}

static bool rdseed(uint64_t *value)
{
    bool ok;

    __asm__ volatile("rdseed %0" : "=r"(*value), "=@ccc"(ok));
    return ok;
}

static bool rdrand(uint64_t *value)
{
    bool ok;

    __asm__ volatile("rdrand %0" : "=r"(*value), "=@ccc"(ok));
    return ok;
}

static bool fill(uint64_t words[4], bool (*instruction)(uint64_t *value))
{
    for (unsigned i = 0; i < 4; i++) {
        unsigned tries = 0;

        while (!instruction(&words[i]))
            if (++tries == TRIES)
                return false;
    }
    /* Processors are known that answered all ones for ever, or all zeros, after a sleep. */
    return words[0] != words[1] && words[1] != words[2];
}

bool seed_from_processor(struct random *random)
{
    uint32_t ebx, ecx, more = 0, unused;
    uint64_t words[4];
    bool found = false;

    cpuid(CPUID_FEATURES, &unused, &ecx);
    if (cpuid_max() >= CPUID_MORE_FEATURES)
        cpuid(CPUID_MORE_FEATURES, &more, &ebx);
    if ((more & CPUID_RDSEED) != 0 && fill(words, rdseed)) {
        random_stir(random, (const uint8_t *)words);
        found = true;
    }
    if ((ecx & CPUID_RDRAND) != 0 && fill(words, rdrand)) {
        random_stir(random, (const uint8_t *)words);
        found = true;
    }
    memset(words, 0, sizeof words);
    return found;
}

void seed_from_time(struct random *random, uint64_t cycle)
{
    uint8_t bytes[CHACHA20_KEY_BYTES] = {0};

    memcpy(bytes, &cycle, sizeof cycle);
    random_stir(random, bytes);
}
