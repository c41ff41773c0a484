/* SPDX-License-Identifier: MIT */
/* test_slab.c - the kernel heap. */
#include "mm/slab.h"

#include <string.h>

#include "tests/unit/invariants.h"
#include "tests/unit/ram.h"
#include "tests/unit/unit.h"

enum { MANY = 1000 };

static void init(void)
{
    const struct boot_range range = {MIB(1), MIB(16), BOOT_RANGE_USABLE};

    test_ram_init(&range, 1);
}

TEST(slab, objects_are_zero_aligned_and_apart)
{
    static unsigned char *objects[MANY];

    init();
    struct slab_cache *cache = slab_cache_create("test", 200, 64);
    CHECK_EQ(cache->object_bytes, 256);
    for (int i = 0; i < MANY; i++) {
        objects[i] = slab_alloc(cache);
        CHECK_EQ((uintptr_t)objects[i] % 64, 0);
        for (int k = 0; k < 200; k++)
            CHECK_EQ(objects[i][k], 0);
        memset(objects[i], i & 0xFF, 200);
    }
    for (int i = 0; i < MANY; i++)
        CHECK(objects[i][0] == (i & 0xFF) && objects[i][199] == (i & 0xFF));
    slab_check();
}

TEST(slab, freed_objects_come_back_as_zeros)
{
    init();
    struct slab_cache *cache = slab_cache_create("test", 48, 8);
    unsigned char *object = slab_alloc(cache);
    memset(object, 0xAA, 48);
    slab_free(cache, object);
    unsigned char *again = slab_alloc(cache);
    CHECK_PTR_EQ(again, object);
    for (int i = 0; i < 48; i++)
        CHECK_EQ(again[i], 0);
}

TEST(slab, every_frame_returns_when_all_is_free_and_trimmed)
{
    static void *objects[3][MANY];
    const size_t sizes[3] = {1, 616, 4096};
    struct slab_cache *caches[3];

    init();
    uint64_t before = frame_count_free();
    for (int c = 0; c < 3; c++)
        caches[c] = slab_cache_create("test", sizes[c], 16);
    for (int i = 0; i < MANY; i++)
        for (int c = 0; c < 3; c++)
            CHECK((objects[c][i] = slab_alloc(caches[c])) != NULL);
    slab_check();
    /* Freed in another order than allocated. */
    for (int i = 0; i < MANY; i++)
        for (int c = 0; c < 3; c++)
            slab_free(caches[c], objects[c][(i * 7) % MANY]);
    slab_check();
    slab_trim();
    slab_check();
    frame_trim();
    frame_check();
    CHECK_EQ(frame_count_free(), before);
}

TEST(slab, says_so_when_memory_is_spent_and_recovers)
{
    void *first = NULL, *object;

    init();
    struct slab_cache *cache = slab_cache_create("test", 4096, 16);
    while ((object = slab_alloc(cache)) != NULL) {
        *(void **)object = first;
        first = object;
    }
    while (first) {
        object = first;
        first = *(void **)object;
        slab_free(cache, object);
    }
    CHECK(slab_alloc(cache) != NULL);
    slab_check();
}

TEST(slab, large_objects_waste_little)
{
    void *object;
    uint64_t count = 0;

    init();
    struct slab_cache *cache = slab_cache_create("test", 2752, 64);
    uint64_t room = frame_count_free() * PAGE_BYTES;
    while ((object = slab_alloc(cache)) != NULL)
        count++;
    CHECK(count * cache->object_bytes > room / 8 * 7);
}

TEST(slab, freeing_twice_is_a_panic)
{
    init();
    struct slab_cache *cache = slab_cache_create("test", 48, 8);
    void *object = slab_alloc(cache);
    slab_free(cache, object);
    EXPECT_PANIC(slab_free(cache, object));
}

TEST(slab, writing_after_free_is_a_panic)
{
    init();
    struct slab_cache *cache = slab_cache_create("test", 48, 8);
    unsigned char *object = slab_alloc(cache);
    slab_free(cache, object);
    memset(object, 0, 48);
    EXPECT_PANIC(slab_alloc(cache));
}

TEST(slab, freeing_to_another_cache_is_a_panic)
{
    init();
    struct slab_cache *one = slab_cache_create("one", 48, 8);
    struct slab_cache *other = slab_cache_create("other", 48, 8);
    void *object = slab_alloc(one);
    EXPECT_PANIC(slab_free(other, object));
}
