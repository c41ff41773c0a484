// SPDX-License-Identifier: MIT
/*
 * ports.c - I/O port permissions: a bitmap for each process that owns ports, copied into the TSS of the
 * core that runs it. The copy stays when another process runs, whose TSS then ends before the bitmap,
 * so that processes without ports pay one comparison. Intel SDM vol 1, "I/O Permission Bit Map".
 *
 * The callers of arch_ports_open() and arch_ports_close() hold a lock of the process.
 */
#include "arch/x86_64/ports.h"

#include <stdatomic.h>

#include "arch/arch.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/cpu_entry.h"
#include "assert.h"
#include "boot_code.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "mm/slab.h"
#include "object/process.h"
#include "object/quota.h"
#include "object/thread.h"

#define BITMAP_FRAMES 2

struct arch_ports {
    uint64_t *bitmap; /* as in the TSS: bit set, port closed */
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

static mnos_status_t ports_create(struct arch_ports **out, struct quota *quota)
{
    struct arch_ports *ports;
    void *object;
    paddr_t frames;
    mnos_status_t st = quota_slab_alloc(quota, cache, &object);

    if (st != MNOS_OK)
        return st;
    ports = object;
    st = quota_charge_frames(quota, BITMAP_FRAMES);
    if (st != MNOS_OK)
        goto free_object;
    frames = frame_alloc_run(BITMAP_FRAMES, 1, FRAME_LIMIT_NONE);
    if (frames == PADDR_NONE) {
        st = MNOS_ERR_MEMORY;
        goto return_frames;
    }
    ports->bitmap = phys_to_virt(frames);
    memset(ports->bitmap, 0xFF, BITMAP_FRAMES * PAGE_BYTES);
    ports->first_word = PORT_BITMAP_WORDS;
    ports->end_word = 0;
    changed(ports);
    __atomic_store_n(out, ports, __ATOMIC_RELEASE);
    return MNOS_OK;

return_frames:
    quota_return_frames(quota, BITMAP_FRAMES);
free_object:
    quota_slab_free(quota, cache, object);
    return st;
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
    for (uint32_t port = first; port < first + count; port++)
        ports->bitmap[port / 64] &= ~(1ull << port % 64);
    if (first / 64 < ports->first_word)
        ports->first_word = first / 64;
    if ((first + count - 1) / 64 + 1 > ports->end_word)
        ports->end_word = (first + count - 1) / 64 + 1;
    changed(ports);
    return MNOS_OK;
}

void arch_ports_close(struct arch_ports *ports, uint32_t first, uint32_t count)
{
    for (uint32_t port = first; port < first + count; port++)
        ports->bitmap[port / 64] |= 1ull << port % 64;
    changed(ports);
}

void arch_ports_destroy(struct arch_ports **ports, struct quota *quota)
{
    struct arch_ports *old = *ports;

    if (old == NULL)
        return;
    *ports = NULL;
    frame_free_run(virt_to_phys(old->bitmap), BITMAP_FRAMES);
    quota_return_frames(quota, BITMAP_FRAMES);
    quota_slab_free(quota, cache, old);
}

static void bitmap_copy(struct core_arch *arch, const struct arch_ports *ports, uint64_t generation)
{
    uint64_t *bitmap = arch->entry->port_bitmap;

    for (uint32_t i = arch->ports_first_word; i < arch->ports_end_word; i++)
        bitmap[i] = UINT64_MAX;
    for (uint32_t i = ports->first_word; i < ports->end_word; i++)
        bitmap[i] = ports->bitmap[i];
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
        ports_load(core, __atomic_load_n(&core->current->process->open_ports, __ATOMIC_ACQUIRE));
}

void arch_ports_changed(void)
{
    ports_refresh(this_core());
    arch_ipi_round(UINT32_MAX, IPI_QUIESCE); /* each does the same when it answers: ipi.c */
}
