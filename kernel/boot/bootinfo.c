// SPDX-License-Identifier: MIT
/*
 * bootinfo.c - reads the loader's responses: checks them, brings the memory map into the shape that
 * bootinfo.h promises, and copies everything, since responses lie in memory that is reused later.
 */
#include "boot/bootinfo.h"

#include "arch/arch.h"
#include "boot/requests.h"
#include "lib/string.h"
#include "log/log.h"
#include "log/panic.h"

#define FRAMEBUFFER_RGB 1 /* the only memory model of the protocol */
#define FRAMEBUFFER_BYTES_MAX (1ull << 30)

struct boot_info boot_info;

void boot_cmdline_init(void)
{
    const struct limine_cmdline *cmdline = limine_requests.cmdline.response;
    const struct limine_kernel_file *file = limine_requests.file.response;
    const char *text = NULL;

    if (limine_requests.base_revision[2] != 0)
        return; /* boot_info_init() refuses; until then nothing is trusted */
    if (cmdline)
        text = cmdline->text;
    if (!text && file && file->file)
        text = file->file->cmdline;
    if (text)
        string_copy(boot_info.cmdline, text, sizeof(boot_info.cmdline));
}

static const void *need(const void *response, const char *what)
{
    if (!response)
        panic("the boot loader did not answer the %s request", what);
    return response;
}

/* ---- memory map ---- */

static enum boot_range_type range_type(uint64_t limine_type)
{
    switch (limine_type) {
    case LIMINE_USABLE: return BOOT_RANGE_USABLE;
    case LIMINE_BOOTLOADER: return BOOT_RANGE_RECLAIMABLE;
    case LIMINE_KERNEL_AND_MODULES: return BOOT_RANGE_KERNEL;
    case LIMINE_ACPI_RECLAIMABLE:
    case LIMINE_ACPI_NVS: return BOOT_RANGE_ACPI;
    default: return BOOT_RANGE_OTHER;
    }
}

static bool is_free_ram(const struct boot_range *range)
{
    return range->type == BOOT_RANGE_USABLE || range->type == BOOT_RANGE_RECLAIMABLE;
}

/* Whole frames: of memory to be used, those entirely inside; of memory in use, all that it touches. */
static struct boot_range frame_range(const struct limine_memory_entry *entry)
{
    const paddr_t mask = PAGE_BYTES - 1;
    struct boot_range range = {.type = range_type(entry->type)};

    if (entry->length > UINT64_MAX - PAGE_BYTES - entry->base)
        return range; /* beyond the end of the address space: empty */
    range.base = entry->base;
    range.end = entry->base + entry->length;
    if (is_free_ram(&range)) {
        range.base = (range.base + mask) & ~mask;
        range.end &= ~mask;
        if (range.end > RAM_LIMIT)
            range.end = RAM_LIMIT;
    } else if (range.type == BOOT_RANGE_KERNEL) {
        range.base &= ~mask;
        range.end = (range.end + mask) & ~mask;
    }
    return range;
}

static void insert_range(const struct boot_range *range)
{
    uint32_t at = boot_info.range_count;

    if (range->base >= range->end)
        return;
    if (at == BOOT_RANGES_MAX)
        panic("the memory map has more than %u ranges", (unsigned)BOOT_RANGES_MAX);
    for (; at > 0 && boot_info.ranges[at - 1].base > range->base; at--)
        boot_info.ranges[at] = boot_info.ranges[at - 1];
    boot_info.ranges[at] = *range;
    boot_info.range_count++;
}

/* Takes from free RAM what any other range claims: a loader that contradicts itself must not make us
 * hand out memory in use. Ranges are sorted, so only the neighbours matter. */
static void cut_overlaps(void)
{
    paddr_t claimed_to = 0;

    for (uint32_t i = 0; i < boot_info.range_count; i++) {
        struct boot_range *range = &boot_info.ranges[i];
        if (is_free_ram(range)) {
            if (range->base < claimed_to)
                range->base = (claimed_to + PAGE_BYTES - 1) & ~(paddr_t)(PAGE_BYTES - 1);
            if (i + 1 < boot_info.range_count && range->end > range[1].base)
                range->end = range[1].base & ~(paddr_t)(PAGE_BYTES - 1);
            if (range->base > range->end)
                range->base = range->end;
        }
        if (range->end > claimed_to)
            claimed_to = range->end;
    }
}

/* Joins neighbours of one type and drops what became empty. */
static void compact_ranges(void)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < boot_info.range_count; i++) {
        const struct boot_range range = boot_info.ranges[i];
        struct boot_range *last = kept > 0 ? &boot_info.ranges[kept - 1] : NULL;
        if (range.base == range.end)
            continue;
        if (last && last->type == range.type && last->end == range.base)
            last->end = range.end;
        else
            boot_info.ranges[kept++] = range;
    }
    boot_info.range_count = kept;
}

static void read_memory_map(void)
{
    const struct limine_memory_map *map = need(limine_requests.memory_map.response, "memory map");

    boot_info.range_count = 0;
    for (uint64_t i = 0; i < map->count; i++) {
        struct boot_range range = frame_range(map->list[i]);
        insert_range(&range);
    }
    cut_overlaps();
    compact_ranges();
}

/* ---- devices and files ---- */

/* What a screen can be. 1 GiB is 16,384 x 16,384 pixels of 32 bits. */
static bool framebuffer_size_valid(const struct limine_framebuffer *fb)
{
    return fb->width > 0 && fb->width <= UINT16_MAX && fb->height > 0 && fb->height <= UINT16_MAX &&
           fb->pitch >= fb->width * (fb->bpp / 8u) && fb->pitch <= UINT32_MAX &&
           fb->height * fb->pitch <= FRAMEBUFFER_BYTES_MAX;
}

static bool framebuffer_format_valid(const struct limine_framebuffer *fb)
{
    bool depth_ok = fb->bpp == 16 || fb->bpp == 24 || fb->bpp == 32;

    return fb->model == FRAMEBUFFER_RGB && depth_ok && fb->red_size + fb->red_shift <= fb->bpp &&
           fb->green_size + fb->green_shift <= fb->bpp && fb->blue_size + fb->blue_shift <= fb->bpp;
}

/* An address in the direct map, of memory that the processor can reach and nobody else uses. The memory map has
 * been read, and the size is valid. */
static bool framebuffer_place_valid(const struct limine_framebuffer *fb)
{
    uint64_t address = (uintptr_t)fb->address, bytes = fb->height * fb->pitch;
    paddr_t base = address - boot_info.hhdm_offset, limit = arch_physical_pages() * PAGE_BYTES;

    if (address < boot_info.hhdm_offset || base == 0 || base >= limit || bytes > limit - base)
        return false;
    for (uint32_t i = 0; i < boot_info.range_count; i++) {
        const struct boot_range *range = &boot_info.ranges[i];

        if ((is_free_ram(range) || range->type == BOOT_RANGE_KERNEL) &&
            range->base < base + bytes && range->end > base)
            return false;
    }
    return true;
}

/* Only what the console can draw on is taken; without it the machine boots on the serial line. */
static void read_framebuffer(void)
{
    const struct limine_framebuffers *response = limine_requests.framebuffer.response;
    struct boot_framebuffer *out = &boot_info.framebuffer;

    if (!response || response->count == 0)
        return;
    const struct limine_framebuffer *fb = response->list[0];
    if (!framebuffer_format_valid(fb) || !framebuffer_size_valid(fb) ||
        !framebuffer_place_valid(fb)) {
        log_warning(
            "the framebuffer cannot be, and is not used: %lux%lu at %p, pitch %lu, %u bits, "
            "model %u",
            fb->width, fb->height, fb->address, fb->pitch, fb->bpp, fb->model);
        return;
    }
    *out = (struct boot_framebuffer){
        .address = (paddr_t)(uintptr_t)fb->address - boot_info.hhdm_offset,
        .mapping = fb->address,
        .width = (uint32_t)fb->width,
        .height = (uint32_t)fb->height,
        .pitch = (uint32_t)fb->pitch,
        .bpp = fb->bpp,
        .red_size = fb->red_size,
        .red_shift = fb->red_shift,
        .green_size = fb->green_size,
        .green_shift = fb->green_shift,
        .blue_size = fb->blue_size,
        .blue_shift = fb->blue_shift,
    };
}

static void read_initrd(void)
{
    const struct limine_modules *modules = limine_requests.modules.response;

    if (!modules || modules->count == 0)
        panic("no initial RAM disk: the boot loader loaded no module (module_path in limine.conf)");
    const struct limine_file *file = modules->list[0];
    boot_info.initrd = (paddr_t)(uintptr_t)file->address - boot_info.hhdm_offset;
    boot_info.initrd_bytes = file->size;
    string_copy(boot_info.initrd_path, file->path ? file->path : "", BOOT_PATH_BYTES);
    if (boot_info.initrd % PAGE_BYTES != 0 || file->size == 0)
        panic("the initial RAM disk %s is empty or not page aligned", boot_info.initrd_path);
    if (modules->count > 1)
        log_warning("%lu more modules ignored", modules->count - 1);
}

static void add_cpu(const struct limine_cpu *cpu, uint32_t index)
{
    boot_info.cpus[index] = (struct boot_cpu){
        .apic_id = cpu->apic_id,
        .acpi_uid = cpu->acpi_uid,
        .handoff = (paddr_t)(uintptr_t)cpu - boot_info.hhdm_offset,
    };
}

static void read_cpus(void)
{
    const struct limine_mp *mp = need(limine_requests.mp.response, "multiprocessor");
    bool found = false;

    boot_info.x2apic = mp->flags & 1;
    boot_info.cpu_count = 1;
    for (uint64_t i = 0; i < mp->count; i++) {
        const struct limine_cpu *cpu = mp->list[i];
        if (cpu->apic_id == mp->bsp_apic_id) {
            add_cpu(cpu, 0);
            found = true;
        } else if (boot_info.cpu_count < MNOS_CORES_MAX) {
            add_cpu(cpu, boot_info.cpu_count++);
        }
    }
    if (!found)
        panic("the boot loader does not list the processor that it booted on");
    if (mp->count > MNOS_CORES_MAX)
        log_warning("%lu processors, %u used", mp->count, (unsigned)MNOS_CORES_MAX);
}

static void read_addresses(void)
{
    const struct limine_hhdm *hhdm = need(limine_requests.hhdm.response, "direct map");
    const struct limine_kernel_address *kernel =
        need(limine_requests.kernel_address.response, "executable address");
    const struct limine_rsdp *rsdp = need(limine_requests.rsdp.response, "RSDP");
    const struct limine_boot_time *time = limine_requests.boot_time.response;

    boot_info.hhdm_offset = hhdm->offset;
    boot_info.kernel_physical = kernel->physical;
    boot_info.kernel_virtual = kernel->virtual;
    boot_info.rsdp = rsdp->address;
    boot_info.boot_time = time ? time->unix_seconds : 0;
    if (kernel->physical % PAGE_BYTES != 0)
        panic("the kernel is not loaded at a page: %p", (void *)kernel->physical);
}

void boot_info_init(void)
{
    const struct limine_loader *loader = limine_requests.loader.response;

    if (limine_requests.base_revision[2] != 0)
        panic("the boot loader does not know base revision 3 of the Limine protocol");
    read_addresses();
    read_memory_map();
    read_framebuffer();
    read_initrd();
    read_cpus();
    string_copy(boot_info.loader_name, loader && loader->name ? loader->name : "unknown",
                BOOT_PATH_BYTES);
    log_info("loaded by %s, command line \"%s\"", boot_info.loader_name, boot_info.cmdline);
}

void boot_cpu_start(const struct boot_cpu *cpu, uint64_t entry, uint64_t argument)
{
    struct limine_cpu *handoff = phys_to_virt(cpu->handoff);

    handoff->argument = argument;
    /* Release: the processor that wakes up sees the argument and everything written before. */
    __atomic_store_n(&handoff->goto_address, entry, __ATOMIC_RELEASE);
}
