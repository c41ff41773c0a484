// SPDX-License-Identifier: MIT
/*
 * main - the direct boot front end: no firmware to ask, everything is already in memory.
 *
 * Files are the modules that the loader before us has brought: either one ustar archive (boot.tar),
 * or each file under its own path.
 */
#include <string.h>

#include "boot/core/console.h"
#include "boot/core/cpu.h"
#include "boot/core/hardware.h"
#include "direct.h"
#include "lib/format/ustar.h"

extern const uint8_t loader_start[], loader_end[];

void direct_main(uint32_t magic, uint64_t info);

static struct direct_machine machine;
static struct boot_memmap memory;

uint64_t direct_memory_type(uint32_t e820_type)
{
    /* E820: 1 RAM, 2 reserved, 3 ACPI tables, 4 NVS, 5 bad; everything else is not ours. */
    static const uint8_t types[] = {
        BOOT_MEMORY_RESERVED,         BOOT_MEMORY_USABLE,   BOOT_MEMORY_RESERVED,
        BOOT_MEMORY_ACPI_RECLAIMABLE, BOOT_MEMORY_ACPI_NVS, BOOT_MEMORY_BAD,
    };

    return e820_type < sizeof types ? types[e820_type] : BOOT_MEMORY_RESERVED;
}

void direct_set_cmdline(struct direct_machine *to, const char *text)
{
    unsigned length = 0;

    while (text[length] == ' ')
        text++;
    for (; text[length] != 0; length++) {
        if (length == DIRECT_CMDLINE - 1)
            boot_fatal("command line: longer than %u bytes", (unsigned)DIRECT_CMDLINE - 1);
        to->cmdline[length] = text[length];
    }
    to->cmdline[length] = 0;
}

static void mark(uint64_t start, uint64_t end)
{
    boot_memmap_set(&memory, start, end - start, BOOT_MEMORY_LOADER);
}

static void build_memory_map(void)
{
    boot_memmap_build(&memory, &machine.memory, cpu_physical_end());
    mark((uint64_t)(uintptr_t)loader_start, (uint64_t)(uintptr_t)loader_end);
    if (machine.info_end > machine.info_start)
        mark(machine.info_start, machine.info_end);
    for (unsigned i = 0; i < machine.module_count; i++)
        mark(machine.modules[i].start, machine.modules[i].end);
}

static uint64_t allocate(uint64_t page_count, uint64_t below)
{
    return boot_memmap_allocate(&memory, page_count, below, BOOT_MEMORY_LOADER);
}

/* An archive's first header has its magic at byte 257 (POSIX.1-2017, "pax"). */
static bool is_archive(const struct direct_module *module)
{
    const uint8_t *bytes = (const uint8_t *)(uintptr_t)module->start;

    return module->end - module->start >= 512 && memcmp(bytes + 257, "ustar", 5) == 0;
}

/* The last two of the reasons come from ustar_find, whose words fit after the name of a file. */
static const char *find_file(const char *path, struct boot_file *file)
{
    for (unsigned i = 0; i < machine.module_count; i++) {
        const struct direct_module *module = &machine.modules[i];

        if (module->name[0] == 0 || !ustar_path_equal(module->name, path))
            continue;
        file->data = (const uint8_t *)(uintptr_t)module->start;
        file->size = module->end - module->start;
        return NULL;
    }
    for (unsigned i = 0; i < machine.module_count; i++) {
        const struct direct_module *module = &machine.modules[i];
        struct ustar_entry entry;
        enum ustar_error error;

        if (!is_archive(module))
            continue;
        error = ustar_find((const void *)(uintptr_t)module->start,
                           (size_t)(module->end - module->start), path, &entry);
        if (error == USTAR_OK) {
            file->data = entry.data;
            file->size = entry.size;
            return NULL;
        }
        if (error != USTAR_END)
            return ustar_error_text(error);
    }
    return "not found";
}

/* A file that starts on a page is used where it is: the archive has been made so. */
static const char *read_file(const char *path, bool keep, struct boot_file *file)
{
    const char *reason = find_file(path, file);
    uint64_t copy;

    if (reason != NULL || !keep)
        return reason;
    if (file->data != NULL && ((uintptr_t)file->data & BOOT_PAGE_MASK) == 0)
        return NULL;
    copy = allocate(file->size / BOOT_PAGE_SIZE + 1, BOOT_BELOW_4G);
    if (copy == 0)
        return "does not fit into memory";
    memcpy((void *)(uintptr_t)copy, file->data, (size_t)file->size);
    file->data = (const uint8_t *)(uintptr_t)copy;
    return NULL;
}

static const char *leave_firmware(struct boot_memmap *map)
{
    boot_memmap_copy(map, &memory);
    return NULL;
}

/* Our page tables reach 4 GiB. */
static void use_screen(void)
{
    if (machine.has_framebuffer && boot_framebuffer_valid(&machine.framebuffer, BOOT_BELOW_4G))
        boot_console_framebuffer(&machine.framebuffer);
}

static bool framebuffer(struct boot_framebuffer *fb)
{
    if (!machine.has_framebuffer && machine.may_set_mode)
        machine.has_framebuffer = dispi_set_mode(&machine.framebuffer);
    if (!machine.has_framebuffer)
        return false;
    *fb = machine.framebuffer;
    use_screen();
    return true;
}

void direct_main(uint32_t magic, uint64_t info)
{
    static struct boot_platform platform = {
        .reach = BOOT_BELOW_4G,
        .read_file = read_file,
        .allocate = allocate,
        .leave_firmware = leave_firmware,
        .framebuffer = framebuffer,
        .tsc_per_us = pit_tsc_per_us,
        .boot_time = boot_rtc_time,
    };

    boot_console_vga_text();
    if (!pvh_read(&machine, info) && !multiboot2_read(&machine, magic, info))
        boot_fatal("start: neither PVH nor Multiboot2 information was given");
    use_screen();
    build_memory_map();
    boot_check_memory(&memory);
    if (machine.module_count == 0)
        boot_fatal("boot.tar: not given (qemu -initrd)");

    platform.cmdline = machine.cmdline;
    platform.rsdp = bios_find_rsdp(machine.rsdp);
    platform.smbios32 = bios_find_smbios32();
    platform.smbios64 = bios_find_smbios64();
    boot_main(&platform);
}
