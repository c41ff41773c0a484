// SPDX-License-Identifier: MIT
/*
 * bios - finds what a PC BIOS leaves at well-known places, and talks to devices of every PC that
 * was booted by one: the display adapter of Bochs and QEMU, and the 8254 timer.
 */
#include <string.h>

#include "boot/core/cpu.h"
#include "direct.h"
#include "lib/format/acpi.h"
#include "lib/format/bytes.h"

#define EBDA_SEGMENT UINT64_C(0x40e)
#define RSDP_BYTES 20 /* of its first version */
#define BIOS_END UINT64_C(0x100000)

/* Physical memory as bytes. The compiler must not see the number: it takes small ones for NULL. */
static const uint8_t *memory_at(uint64_t address)
{
    __asm__("" : "+r"(address));
    return (const uint8_t *)(uintptr_t)address;
}

/* The same kind of search for all three: an aligned signature and a sound checksum. */
static uint64_t search(uint64_t start, uint64_t end, const char *signature, unsigned checked)
{
    size_t length = 0;

    while (signature[length] != 0)
        length++;
    for (uint64_t at = start; at < end; at += 16) {
        const uint8_t *bytes = memory_at(at);

        if (bytes[0] == (uint8_t)signature[0] && memcmp(bytes, signature, length) == 0 &&
            bytes_sum_to_zero(bytes, checked))
            return at;
    }
    return 0;
}

/* ACPI 6.5, "Finding the RSDP on IA-PC Systems". */
uint64_t bios_find_rsdp(uint64_t told)
{
    const uint8_t *segment = memory_at(EBDA_SEGMENT);
    uint64_t ebda = (uint64_t)(segment[0] | segment[1] << 8) << 4, found = 0;
    struct acpi_roots roots;

    if (told != 0 && told <= BOOT_BELOW_4G - RSDP_BYTES &&
        acpi_rsdp_parse(memory_at(told), RSDP_BYTES, &roots))
        return told;
    if (ebda >= 0x80000 && ebda < 0xa0000)
        found = search(ebda, ebda + 1024, "RSD PTR ", RSDP_BYTES);
    return found != 0 ? found : search(0xe0000, BIOS_END, "RSD PTR ", RSDP_BYTES);
}

/* DMTF SMBIOS, "Table Specification": entry points of 31 and 24 bytes in the BIOS segment. */
uint64_t bios_find_smbios32(void)
{
    return search(0xf0000, BIOS_END, "_SM_", 31);
}

uint64_t bios_find_smbios64(void)
{
    return search(0xf0000, BIOS_END, "_SM3_", 24);
}

#define PCI_ADDRESS 0xcf8
#define PCI_DATA 0xcfc
#define PCI_COMMAND 0x04
#define PCI_COMMAND_MEMORY 2u
#define PCI_BAR0 0x10
#define DISPLAY_ID 0x11111234u

#define DISPI_INDEX 0x1ce
#define DISPI_VALUE 0x1cf
enum { DISPI_ID, DISPI_WIDTH, DISPI_HEIGHT, DISPI_BPP, DISPI_ENABLE };
#define DISPI_VIRTUAL_WIDTH 6
#define DISPI_ENABLE_LINEAR 0x41

#define WIDTH 1024
#define HEIGHT 768

static uint32_t pci_read(unsigned device, unsigned offset)
{
    cpu_out32(PCI_ADDRESS, 0x80000000u | device << 11 | offset);
    return cpu_in32(PCI_DATA);
}

static void pci_write(unsigned device, unsigned offset, uint32_t value)
{
    cpu_out32(PCI_ADDRESS, 0x80000000u | device << 11 | offset);
    cpu_out32(PCI_DATA, value);
}

static uint16_t dispi_read(uint16_t index)
{
    cpu_out16(DISPI_INDEX, index);
    return cpu_in16(DISPI_VALUE);
}

static void dispi_write(uint16_t index, uint16_t value)
{
    cpu_out16(DISPI_INDEX, index);
    cpu_out16(DISPI_VALUE, value);
}

/* Physical address of the adapter's memory; 0 if bus 0 has no such adapter. */
static uint64_t find_display(void)
{
    for (unsigned device = 0; device < 32; device++) {
        uint32_t bar;

        if (pci_read(device, 0) != DISPLAY_ID)
            continue;
        bar = pci_read(device, PCI_BAR0);
        if ((bar & 1) != 0 || (bar & ~15u) == 0)
            return 0;
        pci_write(device, PCI_COMMAND,
                  (pci_read(device, PCI_COMMAND) & 0xffff) | PCI_COMMAND_MEMORY);
        return bar & ~15u;
    }
    return 0;
}

bool dispi_set_mode(struct boot_framebuffer *fb)
{
    uint64_t memory = find_display();

    if (memory == 0 || (dispi_read(DISPI_ID) & 0xfff0) != 0xb0c0)
        return false;
    dispi_write(DISPI_ENABLE, 0);
    dispi_write(DISPI_WIDTH, WIDTH);
    dispi_write(DISPI_HEIGHT, HEIGHT);
    dispi_write(DISPI_BPP, 32);
    dispi_write(DISPI_ENABLE, DISPI_ENABLE_LINEAR); /* also clears the screen */
    if (dispi_read(DISPI_WIDTH) != WIDTH || dispi_read(DISPI_HEIGHT) != HEIGHT)
        return false;
    *fb = (struct boot_framebuffer){.physical = memory,
                                    .width = WIDTH,
                                    .height = HEIGHT,
                                    .pitch = (uint64_t)dispi_read(DISPI_VIRTUAL_WIDTH) * 4,
                                    .bpp = 32,
                                    .masks = {8, 16, 8, 8, 8, 0}};
    return true;
}

#define PIT_HZ 1193182u
#define PIT_CHANNEL_2 0x42
#define PIT_COMMAND 0x43
#define PIT_GATE 0x61
#define PIT_TICKS (PIT_HZ / 1000) /* 1 ms */

/* Channel 2 counts down once while its gate is open; its output then rises. */
uint64_t pit_tsc_per_us(void)
{
    uint8_t gate = cpu_in8(PIT_GATE) & 0xfc;
    uint64_t start, ticks;

    cpu_out8(PIT_GATE, gate);
    cpu_out8(PIT_COMMAND, 0xb0); /* channel 2, both bytes, mode 0 */
    cpu_out8(PIT_CHANNEL_2, PIT_TICKS & 0xff);
    cpu_out8(PIT_CHANNEL_2, PIT_TICKS >> 8);
    start = cpu_read_tsc();
    cpu_out8(PIT_GATE, gate | 1);
    /* Without a timer the port reads ones or zeros for ever; 100,000 reads are at least 50 ms. */
    for (unsigned i = 0; i < 100000 && (cpu_in8(PIT_GATE) & 0x20) == 0; i++)
        cpu_pause();
    ticks = (cpu_read_tsc() - start) / 1000;
    cpu_out8(PIT_GATE, gate);
    /* A port that reads ones at once measures nothing: assume the fastest clock there is. */
    return ticks < 10 ? 6000 : ticks;
}
