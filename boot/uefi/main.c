// SPDX-License-Identifier: MIT
/*
 * main - the UEFI front end: what the firmware knows, in the form that the core wants.
 *
 * The screen is the framebuffer, which the core draws to with or without boot services. The
 * firmware's own console is used only where graphics exist but cannot be reached in memory.
 */
#include <string.h>

#include "boot/core/console.h"
#include "boot/core/cpu.h"
#include "boot/core/hardware.h"
#include "uefi.h"

#define CALIBRATION_US 1000

efi_handle_t uefi_image;
struct efi_system_table *uefi_system;

efi_status_t efi_main(efi_handle_t image, struct efi_system_table *system);

static struct boot_platform platform;
static struct boot_framebuffer screen;
static bool has_screen;
static int64_t start_time;
static uint64_t tsc_per_us;

static void write_firmware_console(const char *line)
{
    static efi_char_t wide[2];

    for (; *line != 0; line++) {
        wide[0] = (efi_char_t)*line;
        uefi_system->console_out->output_string(uefi_system->console_out, wide);
    }
}

static const char *leave_firmware(struct boot_memmap *map)
{
    const char *reason;

    /* Stall() is the only clock that every UEFI machine has, and it ends here. */
    uint64_t start = cpu_read_tsc();
    uefi_system->boot->stall(CALIBRATION_US);
    tsc_per_us = (cpu_read_tsc() - start) / CALIBRATION_US + 1;

    reason = uefi_leave(&platform, map);
    boot_console_firmware(NULL);
    __asm__ volatile("cli");
    return reason;
}

static bool framebuffer(struct boot_framebuffer *fb)
{
    *fb = screen;
    return has_screen;
}

static uint64_t get_tsc_per_us(void)
{
    return tsc_per_us;
}

static int64_t get_boot_time(void)
{
    return start_time;
}

static int64_t read_time(void)
{
    struct efi_time now;
    int64_t time;

    if (uefi_system->runtime->get_time(&now, NULL) != EFI_SUCCESS)
        return 0;
    time = boot_unix_time(now.year, now.month, now.day,
                          now.hour * 3600u + now.minute * 60u + now.second);
    if (now.time_zone != EFI_UNSPECIFIED_TIMEZONE)
        time += now.time_zone * 60;
    return time;
}

static void find_tables(void)
{
    static const struct efi_guid acpi_1 = {
        0xeb9d2d30, 0x2d88, 0x11d3, {0x9a, 0x16, 0x00, 0x90, 0x27, 0x3f, 0xc1, 0x4d}};
    static const struct efi_guid acpi_2 = {
        0x8868e871, 0xe4f1, 0x11d3, {0xbc, 0x22, 0x00, 0x80, 0xc7, 0x3c, 0x88, 0x81}};
    static const struct efi_guid smbios = {
        0xeb9d2d31, 0x2d88, 0x11d3, {0x9a, 0x16, 0x00, 0x90, 0x27, 0x3f, 0xc1, 0x4d}};
    static const struct efi_guid smbios_3 = {
        0xf2fd1544, 0x9794, 0x4a2c, {0x99, 0x2e, 0xe5, 0xbb, 0xcf, 0x20, 0xe3, 0x94}};
    bool have_acpi_2 = false;

    for (uint64_t i = 0; i < uefi_system->table_count; i++) {
        const struct efi_configuration_table *entry = &uefi_system->tables[i];
        uint64_t address = (uint64_t)(uintptr_t)entry->table;

        if (memcmp(&entry->guid, &acpi_2, sizeof acpi_2) == 0) {
            platform.rsdp = address;
            have_acpi_2 = true;
        }
        if (memcmp(&entry->guid, &acpi_1, sizeof acpi_1) == 0 && !have_acpi_2)
            platform.rsdp = address;
        if (memcmp(&entry->guid, &smbios, sizeof smbios) == 0)
            platform.smbios32 = address;
        if (memcmp(&entry->guid, &smbios_3, sizeof smbios_3) == 0)
            platform.smbios64 = address;
    }
}

static void open_screen(void)
{
    has_screen = uefi_set_mode(&screen);
    if (has_screen)
        boot_console_framebuffer(&screen);
    else if (uefi_has_graphics())
        boot_console_firmware(write_firmware_console);
}

efi_status_t efi_main(efi_handle_t image, struct efi_system_table *system)
{
    const char *reason;

    uefi_image = image;
    uefi_system = system;
    system->boot->set_watchdog_timer(0, 0, 0, NULL);
    platform = (struct boot_platform){
        .firmware_type = 2,
        .efi_system_table = (uint64_t)(uintptr_t)system,
        .reach = UINT64_MAX,
        .read_file = uefi_read_file,
        .allocate = uefi_allocate,
        .leave_firmware = leave_firmware,
        .framebuffer = framebuffer,
        .tsc_per_us = get_tsc_per_us,
        .boot_time = get_boot_time,
    };
    open_screen();
    reason = uefi_open_volume();
    if (reason != NULL)
        boot_fatal("firmware: %s", reason);
    uefi_describe_media(&platform.media);
    find_tables();
    start_time = read_time();
    boot_main(&platform);
}
