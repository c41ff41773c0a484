// SPDX-License-Identifier: MIT
/*
 * port_bitmap.c - I/O port permissions: a bitmap for each process that owns ports, copied into the TSS of the
 * core that runs it. The copy stays when another process runs, whose TSS then ends before the bitmap,
 * so that processes without ports pay one comparison. Intel SDM vol 1, "I/O Permission Bit Map".
 *
 * The callers of arch_ports_open() and arch_ports_close() hold a lock of the process.
 */
#include "arch/x86_64/cpu/port_bitmap.h"

#include <stdatomic.h>

#include "arch/arch.h"
#include "arch/x86_64/cpu/cpu.h"
#include "arch/x86_64/entry/cpu_entry.h"
#include "assert.h"
#include "boot/boot_code.h"
#include "lib/base/string.h"
#include "mm/frame.h"
#include "mm/slab.h"
#include "object/process.h"
#include "mm/quota.h"
#include "tcb.h"

#define BITMAP_FRAMES 2
#define FRAME_WORDS (PAGE_BYTES / sizeof(uint64_t))
#define FRAME_BITS (PAGE_BYTES * 8)
_Static_assert(PORT_BITMAP_WORDS == BITMAP_FRAMES * FRAME_WORDS);

struct arch_ports {
    uint64_t *frames[BITMAP_FRAMES]; /* as in the TSS: bit set, port closed */
    /* A new number after every change, never the same again for any process. */
    _Atomic uint64_t generation;
    uint32_t first_word, end_word; /* words outside are all ones */
};

static struct slab_cache *cache;
static _Atomic uint64_t last_generation;

BOOT_CODE void ports_init(void)
{
    cache = slab_cache_create("ports", sizeof(struct arch_ports), 8);
}

static void changed(struct arch_ports *ports)
{
    atomic_store_explicit(&ports->generation,
                          atomic_fetch_add_explicit(&last_generation, 1, memory_order_relaxed) + 1,
                          memory_order_release);
}

static void ports_free(struct arch_ports *ports, struct quota *quota)
{
    for (unsigned i = 0; i < BITMAP_FRAMES; i++)
        if (ports->frames[i] != NULL)
            quota_frame_free(quota, virt_to_phys(ports->frames[i]));
    quota_slab_free(quota, cache, ports);
}

static mnos_status_t ports_create(struct arch_ports **out, struct quota *quota)
{
    struct arch_ports *ports;
    void *object;
    mnos_status_t st = quota_slab_alloc(quota, cache, &object);

    if (st != MNOS_OK)
        return st;
    ports = object;
    for (unsigned i = 0; i < BITMAP_FRAMES; i++) {
        paddr_t frame;

        st = quota_frame_alloc(quota, &frame);
        if (st != MNOS_OK) {
            ports_free(ports, quota);
            return st;
        }
        ports->frames[i] = memset(phys_to_virt(frame), 0xFF, PAGE_BYTES);
    }
    ports->first_word = PORT_BITMAP_WORDS;
    ports->end_word = 0;
    changed(ports);
    *out = ports;
    return MNOS_OK;
}

static uint64_t *word_of(const struct arch_ports *ports, uint32_t word)
{
    return &ports->frames[word / FRAME_WORDS][word % FRAME_WORDS];
}

/* Bits of one word. */
static void mark_word(const struct arch_ports *ports, uint32_t first, uint32_t end, bool closed)
{
    uint64_t mask = UINT64_MAX << first % 64 & UINT64_MAX >> (63 - (end - 1) % 64);
    uint64_t *word = word_of(ports, first / 64);

    *word = closed ? *word | mask : *word & ~mask;
}

/* Sets or clears the bits of [first, end): whole words within a frame at once. */
static void mark(const struct arch_ports *ports, uint32_t first, uint32_t end, bool closed)
{
    for (uint32_t at = first, next; at < end; at = next) {
        uint32_t frame_end = (uint32_t)((at / FRAME_BITS + 1) * FRAME_BITS);
        uint32_t whole_end = (frame_end < end ? frame_end : end) & ~63u;

        if (at % 64 == 0 && whole_end > at) {
            next = whole_end;
            memset(word_of(ports, at / 64), closed ? 0xFF : 0, (next - at) / 8);
        } else {
            next = (at | 63) + 1 < end ? (at | 63) + 1 : end;
            mark_word(ports, at, next, closed);
        }
    }
}

mnos_status_t arch_ports_open(struct arch_ports **out, struct quota *quota, uint32_t first,
                              uint32_t count)
{
    struct arch_ports *ports;

    assert(count != 0 && first < PORT_BITMAP_BITS && count <= PORT_BITMAP_BITS - first);
    if (*out == NULL) {
        mnos_status_t st = ports_create(out, quota);

        if (st != MNOS_OK)
            return st;
    }
    ports = *out;
    mark(ports, first, first + count, false);
    if (first / 64 < ports->first_word)
        ports->first_word = first / 64;
    if ((first + count - 1) / 64 + 1 > ports->end_word)
        ports->end_word = (first + count - 1) / 64 + 1;
    changed(ports);
    return MNOS_OK;
}

void arch_ports_close(struct arch_ports *ports, uint32_t first, uint32_t count)
{
    mark(ports, first, first + count, true);
    changed(ports);
}

void arch_ports_destroy(struct arch_ports **ports, struct quota *quota)
{
    struct arch_ports *old = *ports;

    if (old == NULL)
        return;
    *ports = NULL;
    ports_free(old, quota);
}

static void bitmap_copy(struct core_arch *arch, const struct arch_ports *ports, uint64_t generation)
{
    uint64_t *bitmap = arch->entry->port_bitmap;

    if (arch->ports_first_word < arch->ports_end_word)
        memset(bitmap + arch->ports_first_word, 0xFF,
               (arch->ports_end_word - arch->ports_first_word) * sizeof(*bitmap));
    for (uint32_t word = ports->first_word, end; word < ports->end_word; word = end) {
        end = (uint32_t)(word / FRAME_WORDS * FRAME_WORDS + FRAME_WORDS); /* of its frame */
        if (end > ports->end_word)
            end = ports->end_word;
        memcpy(bitmap + word, word_of(ports, word), (end - word) * sizeof(*bitmap));
    }
    arch->ports = ports;
    arch->ports_generation = generation;
    arch->ports_first_word = ports->first_word;
    arch->ports_end_word = ports->end_word;
}

void ports_load(struct core *core, const struct arch_ports *ports)
{
    struct tss *tss = &core->arch.entry->tss;
    uint64_t generation;

    if (ports == NULL) {
        tss->iomap_base = TSS_IOMAP_NONE;
        core->switch_bit = cpu_facts.plain_switch ? 1u << core->index : 0;
        return;
    }
    generation = atomic_load_explicit(&ports->generation, memory_order_acquire);
    if (core->arch.ports != ports || core->arch.ports_generation != generation)
        bitmap_copy(&core->arch, ports, generation);
    tss->iomap_base = TSS_IOMAP_OPEN;
    core->switch_bit = 0;
}

void ports_refresh(struct core *core)
{
    if (core->current != NULL)
        ports_load(core,
                   atomic_load_explicit(&core->current->process->open_ports, memory_order_acquire));
}

void arch_ports_changed(void)
{
    ports_refresh(this_core());
    arch_ipi_round(UINT32_MAX, IPI_QUIESCE); /* each does the same when it answers: ipi.c */
}
