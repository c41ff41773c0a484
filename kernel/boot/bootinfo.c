// SPDX-License-Identifier: MIT
/*
 * bootinfo.c - reads the loader's responses: checks them and copies everything, since responses lie in
 * memory that is reused later. The memory map is read by memory_map.c.
 */
#include "boot/bootinfo.h"

#include "arch/arch.h"
#include "boot/memory_map.h"
#include "boot/requests.h"
#include "lib/base/string.h"
#include "base/log.h"
#include "base/panic.h"

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

/* ---- addresses ---- */

/* Whether the processor can address [address, address + bytes), which begins above 0. */
static bool address_exists(paddr_t address, uint64_t bytes)
{
    paddr_t end = arch_physical_pages() << PAGE_SHIFT;

    return address != 0 && address < end && bytes <= end - address;
}

/* Base revision 3 gives a physical address, others one in the direct map: that is understood as well. */
static paddr_t checked_rsdp(uint64_t address)
{
    if (boot_info.hhdm_offset != 0 && address >= boot_info.hhdm_offset)
        address -= boot_info.hhdm_offset;
    if (address_exists(address, 1))
        return address;
    log_warning("the boot loader gives an RSDP at %p, which no memory is at: not used",
                (void *)address);
    return 0;
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
    paddr_t base = address - boot_info.hhdm_offset;

    return address >= boot_info.hhdm_offset && address_exists(base, bytes) &&
           !memory_map_overlaps(base, bytes);
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
    if (!address_exists(boot_info.initrd, file->size) ||
        !memory_map_claim(boot_info.initrd, file->size))
        panic("the initial RAM disk %s is not in memory, but at %p", boot_info.initrd_path,
              (void *)boot_info.initrd);
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
    const struct limine_mp *mp = limine_requests.mp.response;
    bool found = false;

    if (!mp) {
        log_warning("the boot loader lists no processors: only this one is used");
        boot_info.cpu_count = 1;
        return;
    }
    boot_info.cpus_listed = true;
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
    const struct limine_rsdp *rsdp = limine_requests.rsdp.response;
    const struct limine_boot_time *time = limine_requests.boot_time.response;

    boot_info.hhdm_offset = hhdm->offset;
    boot_info.kernel_physical = kernel->physical;
    boot_info.kernel_virtual = kernel->virtual;
    boot_info.rsdp = rsdp ? checked_rsdp(rsdp->address) : 0;
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
    memory_map_read(need(limine_requests.memory_map.response, "memory map"));
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
