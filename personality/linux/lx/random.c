// SPDX-License-Identifier: MIT
/* random - see random.h. */
#include "personality/linux/lx/random.h"

#include "lib/base/string.h"
#include "lib/client/entropy.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/chacha20.h"
#include "lib/mnos/time.h"
#include "personality/linux/lx/cpuid.h"

/* Intel SDM vol 1, "Random Number Generator Instructions": ten tries are enough for a working generator. */
#define RDRAND_TRIES 10
#define CPUID_RDRAND (1u << 30)

static struct random generator;
static bool has_key;
static bool is_own; /* a copy of the process has its parent's key until it has got another */

static bool processor_has_rdrand(void)
{
    uint32_t out[4];

    cpuid(1, out);
    return (out[2] & CPUID_RDRAND) != 0;
}

static bool read_word(uint64_t *word)
{
    for (unsigned i = 0; i < RDRAND_TRIES; i++) {
        bool valid;

        __asm__ volatile("rdrand %0" : "=r"(*word), "=@ccc"(valid));
        if (valid)
            return true;
    }
    return false;
}

static bool key_of_processor(uint8_t key[CHACHA20_KEY_BYTES])
{
    uint64_t words[CHACHA20_KEY_BYTES / 8];

    if (!processor_has_rdrand())
        return false;
    for (unsigned i = 0; i < CHACHA20_KEY_BYTES / 8; i++) {
        if (!read_word(&words[i]))
            return false;
    }
    memcpy(key, words, sizeof words);
    return true;
}

static bool key_of_service(uint8_t key[CHACHA20_KEY_BYTES])
{
    mnos_cap_t entropy = bootstrap_lookup(BOOTSTRAP_OPTIONAL("entropy"));
    struct entropy_bytes bytes;

    _Static_assert(sizeof bytes == CHACHA20_KEY_BYTES, "what the service gives is a key");
    if (entropy == 0 || entropy_get(entropy, &bytes) != MNOS_OK)
        return false;
    memcpy(key, &bytes, sizeof bytes);
    return true;
}

/* Which copy of another process this is, for one whose source is gone: it is unlike all others. */
static struct {
    uint64_t time_ns;
    int32_t pid;
} copy;

static void take_key(void)
{
    uint8_t key[CHACHA20_KEY_BYTES] = {0};

    if (key_of_service(key) || key_of_processor(key))
        has_key = is_own = true;
    else
        memcpy(key, &copy, sizeof copy);
    random_stir(&generator, key);
}

bool random_bytes(void *to, size_t count)
{
    if (!is_own)
        take_key();
    if (has_key)
        random_draw(&generator, to, (uint32_t)count);
    return has_key;
}

void random_forked(int32_t pid)
{
    copy.time_ns = kinfo_time_ns();
    copy.pid = pid;
    is_own = false;
}
