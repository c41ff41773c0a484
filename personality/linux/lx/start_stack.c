// SPDX-License-Identifier: MIT
/* start_stack - see start_stack.h. */
#include "personality/linux/lx/start_stack.h"

#include "lib/base/string.h"
#include "personality/linux/lx/auxiliary.h"

struct build {
    uint8_t *image;
    size_t used, size; /* from the end */
    uint64_t top;
    bool full;
};

/* Puts bytes below what is there, and returns their address. */
static uint64_t put(struct build *build, const void *bytes, size_t count)
{
    if (count > build->size - build->used) {
        build->full = true;
        return 0;
    }
    build->used += count;
    memcpy(build->image + build->size - build->used, bytes, count);
    return build->top - build->used;
}

static uint64_t put_text(struct build *build, const char *text)
{
    return put(build, text, strlen(text) + 1);
}

static void put_word(struct build *build, uint64_t word)
{
    (void)put(build, &word, sizeof word);
}

static void put_pair(struct build *build, uint64_t type, uint64_t value)
{
    put_word(build, value);
    put_word(build, type);
}

/* The texts of a list, the last one first, so that they lie in order. Returns the lowest address. */
static uint64_t put_texts(struct build *build, const char *const *texts, uint32_t count)
{
    for (uint32_t i = count; i-- > 0;)
        (void)put_text(build, texts[i]);
    return build->top - build->used;
}

/* Their addresses, with a 0 behind them; the first text is at `address`. */
static void put_addresses(struct build *build, const char *const *texts, uint32_t count,
                          uint64_t address)
{
    for (uint32_t i = 0; i < count; i++)
        address += strlen(texts[i]) + 1;
    put_word(build, 0);
    for (uint32_t i = count; i-- > 0;) {
        address -= strlen(texts[i]) + 1;
        put_word(build, address);
    }
}

static void pad(struct build *build, size_t to)
{
    static const uint8_t zeros[16];

    (void)put(build, zeros, (16 - (build->used + to) % 16) % 16);
}

size_t start_stack_build(const struct start_stack *start, uint8_t *image, size_t size, uint64_t top)
{
    struct build build = {image, 0, size, top, false};
    uint64_t path, platform, random, arguments, environment;
    size_t words;

    put_word(&build, 0);
    path = put_text(&build, start->path);
    environment = put_texts(&build, start->environment, start->environment_count);
    arguments = put_texts(&build, start->arguments, start->argument_count);
    platform = put_text(&build, "x86_64");
    random = put(&build, start->random, sizeof start->random);
    words = 1 + start->argument_count + 1 + start->environment_count + 1 +
            2 * (start->auxiliary_count + 4);
    pad(&build, words * sizeof(uint64_t));
    put_pair(&build, LX_AT_NULL, 0);
    put_pair(&build, LX_AT_PLATFORM, platform);
    put_pair(&build, LX_AT_EXECFN, path);
    put_pair(&build, LX_AT_RANDOM, random);
    for (uint32_t i = start->auxiliary_count; i-- > 0;)
        put_pair(&build, start->auxiliary[i][0], start->auxiliary[i][1]);
    put_addresses(&build, start->environment, start->environment_count, environment);
    put_addresses(&build, start->arguments, start->argument_count, arguments);
    put_word(&build, start->argument_count);
    return build.full ? 0 : build.used;
}
