// SPDX-License-Identifier: MIT
/* info.c - see info.h. */
#include "sched/info.h"

#include <stdatomic.h>

#include "abi/kinfo.h"
#include "abi/statistics.h"
#include "arch/arch.h"
#include "boot/bootinfo.h"
#include "boot/boot_code.h"
#include "core.h"
#include "lib/base/string.h"
#include "base/panic.h"
#include "mm/frame.h"
#include "sched/sched.h"
#include "version.h"

static struct mnos_kinfo *kinfo;
static struct mnos_statistics *statistics;

BOOT_CODE static uint64_t frames_for(size_t size_bytes)
{
    return (size_bytes + PAGE_BYTES - 1) / PAGE_BYTES;
}

BOOT_CODE void *info_boot_alloc(size_t size_bytes)
{
    uint64_t frames = frames_for(size_bytes);
    paddr_t run = frame_alloc_run(frames, 1, FRAME_LIMIT_NONE);

    if (run == PADDR_NONE)
        panic("no memory for %zu bytes of kernel tables", size_bytes);
    return memset(phys_to_virt(run), 0, frames * PAGE_BYTES);
}

BOOT_CODE void info_statistics_create(void)
{
    statistics = info_boot_alloc(sizeof(*statistics));
    statistics->magic = MNOS_STATISTICS_MAGIC;
    for (uint32_t i = 0; i < MNOS_CORES_MAX; i++)
        cores[i].statistics = &statistics->cores[i];
}

BOOT_CODE static void kinfo_framebuffer(void)
{
    const struct boot_framebuffer *fb = &boot_info.framebuffer;

    kinfo->framebuffer_address = fb->address;
    kinfo->framebuffer_width = fb->width;
    kinfo->framebuffer_height = fb->height;
    kinfo->framebuffer_pitch = fb->pitch;
    kinfo->framebuffer_bpp = fb->bpp;
    kinfo->framebuffer_red_shift = fb->red_shift;
    kinfo->framebuffer_red_size = fb->red_size;
    kinfo->framebuffer_green_shift = fb->green_shift;
    kinfo->framebuffer_green_size = fb->green_size;
    kinfo->framebuffer_blue_shift = fb->blue_shift;
    kinfo->framebuffer_blue_size = fb->blue_size;
}

BOOT_CODE void info_kinfo_create(void)
{
    struct arch_time_info time;

    arch_time_info(&time);
    kinfo = info_boot_alloc(sizeof(*kinfo));
    kinfo->magic = MNOS_KINFO_MAGIC;
    kinfo->abi_version = 1;
    for (uint32_t mask = sched_online_cores(); mask != 0; mask &= mask - 1)
        kinfo->core_count++;
    kinfo->tsc_usable = time.tsc_usable;
    kinfo->tsc_base = time.tsc_base;
    kinfo->tsc_multiplier = time.tsc_multiplier;
    kinfo->wall_clock_base_ns = boot_info.boot_time * 1000000000;
    kinfo->page_sizes = 1ull << 12 | 1ull << 21;
    kinfo->acpi_rsdp_address = boot_info.rsdp;
    kinfo_framebuffer();
    string_copy(kinfo->kernel_version, KERNEL_VERSION, sizeof(kinfo->kernel_version));
    arch_build_text(kinfo->kernel_build);
    arch_cpu_features_text(kinfo->cpu_features, sizeof(kinfo->cpu_features));

    statistics->core_count = core_count;
    statistics->line_count = MNOS_INTERRUPT_LINES;
    statistics->frames_kernel = frame_count_total() - frame_count_free();
    for (uint32_t i = 0; i < core_count; i++) {
        statistics->cores[i].online = cores[i].online;
        statistics->cores[i].apic_id = cores[i].arch.apic_id;
    }
    info_update_memory();
}

paddr_t kinfo_frame(void)
{
    return virt_to_phys(kinfo);
}

BOOT_CODE paddr_t info_statistics_frame(uint64_t *page_count)
{
    *page_count = frames_for(sizeof(*statistics));
    return virt_to_phys(statistics);
}

void info_count_line(uint32_t line, bool delivered)
{
    if (delivered)
        statistics->line_interrupts[line]++;
    else
        statistics->line_spurious++;
}

void info_update_memory(void)
{
    statistics->frames_total = frame_count_total();
    statistics->frames_free = frame_count_free();
}
