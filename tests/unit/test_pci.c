// SPDX-License-Identifier: MIT
/* test_pci - the readers of configuration space: good functions, and bytes that no function has. */
#include <string.h>

#include "lib/format/pci/config.h"
#include "lib/format/pci/mcfg.h"
#include "tests/unit/pci_fuzz.h"
#include "tests/unit/unit.h"

static uint8_t config[PCI_CONFIG_BYTES];

static void put(unsigned at, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        config[at + i] = (uint8_t)(value >> (8 * i));
}

static void begin(void)
{
    memset(config, 0, sizeof config);
    put(PCI_VENDOR, 0x1AF4, 2);
    put(PCI_DEVICE, 0x1042, 2);
    put(PCI_STATUS, 0x10, 2);
    put(PCI_REVISION, 0x01000001, 4);
    put(PCI_SUBSYSTEM_VENDOR, 0x1AF4, 2);
    put(PCI_SUBSYSTEM, 0x1100, 2);
}

static void capability(uint8_t at, uint8_t id, uint8_t next)
{
    config[at] = id;
    config[at + 1] = next;
}

/* ---- header ---- */

TEST(pci_header, says_what_a_function_is)
{
    struct pci_header header;

    begin();
    config[PCI_HEADER_TYPE] = 0x80;
    CHECK(pci_header_read(config, &header));
    CHECK_EQ(header.vendor, 0x1AF4);
    CHECK_EQ(header.device, 0x1042);
    CHECK_EQ(header.class_code, 0x010000);
    CHECK_EQ(header.revision, 1);
    CHECK_EQ(header.subsystem, 0x1100);
    CHECK_EQ(header.bar_count, 6);
    CHECK(header.many_functions);
    CHECK(header.has_capabilities);
}

TEST(pci_header, of_a_bridge_has_buses_and_two_bars)
{
    struct pci_header header;

    begin();
    config[PCI_HEADER_TYPE] = 1;
    config[PCI_SECONDARY_BUS] = 3;
    config[PCI_SUBORDINATE_BUS] = 7;
    CHECK(pci_header_read(config, &header));
    CHECK_EQ(header.bar_count, 2);
    CHECK_EQ(header.secondary, 3);
    CHECK_EQ(header.subordinate, 7);
    config[PCI_HEADER_TYPE] = 5; /* no such type: nothing of it is used */
    CHECK(pci_header_read(config, &header));
    CHECK_EQ(header.bar_count, 0);
    CHECK_EQ(header.secondary, 0);
}

TEST(pci_header, of_nobody_is_none)
{
    struct pci_header header;

    memset(config, 0xFF, sizeof config);
    CHECK(!pci_header_read(config, &header));
    memset(config, 0, sizeof config);
    CHECK(!pci_header_read(config, &header));
}

/* ---- BARs ---- */

static struct pci_bar bar_of(uint32_t value, uint32_t mask, uint32_t high, uint32_t high_mask)
{
    struct pci_bar bar;

    pci_bar_read(value, mask, high, high_mask, true, &bar);
    return bar;
}

TEST(pci_bar, has_an_address_and_a_size)
{
    struct pci_bar bar = bar_of(0xFEBD1000, 0xFFFFF000, 0, 0);

    CHECK_EQ(bar.address, 0xFEBD1000);
    CHECK_EQ(bar.bytes, 0x1000);
    CHECK(!bar.wide && !bar.ports && !bar.prefetchable);
    bar = bar_of(0xFE00000C, 0xFFFFC00C, 0x38, 0xFFFFFFFF);
    CHECK_EQ(bar.address, 0x38FE000000);
    CHECK_EQ(bar.bytes, 0x4000);
    CHECK(bar.wide && bar.prefetchable);
    bar = bar_of(0x0000000C, 0x0000000C, 0x100, 0xFFFFFF80); /* half a TiB */
    CHECK_EQ(bar.bytes, 0x8000000000);
    CHECK_EQ(bar.address, 0x10000000000);
    bar = bar_of(0xC041, 0xFFFFFFC1, 0, 0);
    CHECK(bar.ports);
    CHECK_EQ(bar.address, 0xC040);
    CHECK_EQ(bar.bytes, 64);
    bar = bar_of(0xC041, 0x0000FFC1, 0, 0); /* the upper half is wired to 0 */
    CHECK_EQ(bar.bytes, 64);
}

TEST(pci_bar, that_cannot_be_is_none)
{
    struct pci_bar bar;

    CHECK_EQ(bar_of(0, 0, 0, 0).bytes, 0);
    CHECK_EQ(bar_of(0xFFFFFFFF, 0xFFFFFFFF, 0, 0).bytes, 0);
    CHECK_EQ(bar_of(0xFEBD1000, 0xFFF0F000, 0, 0).bytes, 0); /* a hole in the mask */
    CHECK_EQ(bar_of(0xFEBD1000, 0xFFFF0000, 0, 0).bytes, 0); /* not a multiple of its size */
    CHECK_EQ(bar_of(0xFE000004, 0xFFFFC004, 0, 0).bytes, 0); /* wide, without upper bits */
    CHECK_EQ(bar_of(4, 4, 0, 0).bytes, 0);
    pci_bar_read(0xFE000004, 0xFFFFC004, 0, 0xFFFFFFFF, false, &bar); /* the last register */
    CHECK_EQ(bar.bytes, 0);
}

/* ---- capabilities ---- */

TEST(pci_capability, are_found_by_number)
{
    begin();
    config[PCI_CAPABILITIES] = 0x40;
    capability(0x40, PCI_CAP_MSIX, 0x84);
    capability(0x84, PCI_CAP_VENDOR, 0x70);
    capability(0x70, PCI_CAP_VENDOR, 0);
    CHECK_EQ(pci_capability_find(config, PCI_CAP_VENDOR, 0), 0x84);
    CHECK_EQ(pci_capability_find(config, PCI_CAP_VENDOR, 1), 0x70);
    CHECK_EQ(pci_capability_find(config, PCI_CAP_VENDOR, 2), 0);
    CHECK_EQ(pci_capability_find(config, PCI_CAP_POWER, 0), 0);
    CHECK_EQ(pci_capability_bytes(config, 0x40), 0x30);
    CHECK_EQ(pci_capability_bytes(config, 0x70), 0x14);
    CHECK_EQ(pci_capability_bytes(config, 0x84), 0x7C);
    put(PCI_STATUS, 0, 2); /* it says that it has no list */
    CHECK_EQ(pci_capability_find(config, PCI_CAP_VENDOR, 0), 0);
}

TEST(pci_capability, a_circle_ends)
{
    begin();
    config[PCI_CAPABILITIES] = 0x40;
    capability(0x40, PCI_CAP_VENDOR, 0x50);
    capability(0x50, PCI_CAP_POWER, 0x40);
    CHECK_EQ(pci_capability_find(config, PCI_CAP_MSI, 0), 0);
    CHECK_EQ(pci_capability_bytes(config, 0x40), 0x10);
    capability(0x40, PCI_CAP_VENDOR, 0x10); /* into the header */
    CHECK_EQ(pci_capability_find(config, PCI_CAP_VENDOR, 1), 0);
}

TEST(pci_capability, msi_says_where_its_registers_are)
{
    struct pci_msi msi;

    begin();
    config[PCI_CAPABILITIES] = 0x50;
    capability(0x50, PCI_CAP_MSI, 0);
    put(0x52, 0x0186, 2); /* wide, maskable, 8 vectors */
    pci_msi_read(config, &msi);
    CHECK_EQ(msi.at, 0x50);
    CHECK(msi.wide);
    CHECK_EQ(msi.data, 0x5C);
    CHECK_EQ(msi.mask, 0x60);
    CHECK_EQ(msi.vectors, 8);
    put(0x52, 0, 2);
    pci_msi_read(config, &msi);
    CHECK(!msi.wide);
    CHECK_EQ(msi.data, 0x58);
    CHECK_EQ(msi.mask, 0);
    CHECK_EQ(msi.vectors, 1);
    put(0x52, 7 << 1, 2); /* 128 vectors: there is no such thing */
    pci_msi_read(config, &msi);
    CHECK_EQ(msi.at, 0);
    config[PCI_CAPABILITIES] = 0xF4; /* its registers would end behind the space */
    capability(0xF4, PCI_CAP_MSI, 0);
    put(0xF6, 0x80, 2);
    pci_msi_read(config, &msi);
    CHECK_EQ(msi.at, 0);
}

TEST(pci_capability, msix_says_where_its_table_is)
{
    struct pci_msix msix;

    begin();
    config[PCI_CAPABILITIES] = 0x98;
    capability(0x98, PCI_CAP_MSIX, 0);
    put(0x9A, 0x8040, 2);
    put(0x9C, 0x2000, 4);
    put(0xA0, 0x3004, 4);
    pci_msix_read(config, &msix);
    CHECK_EQ(msix.at, 0x98);
    CHECK_EQ(msix.vectors, 65);
    CHECK_EQ(msix.table_bar, 0);
    CHECK_EQ(msix.table_offset, 0x2000);
    CHECK_EQ(msix.pending_bar, 4);
    CHECK_EQ(msix.pending_offset, 0x3000);
    put(0x9C, 0x2006, 4); /* window 6 */
    pci_msix_read(config, &msix);
    CHECK_EQ(msix.at, 0);
}

TEST(pci_capability, ways_to_stop_are_those_that_are_offered)
{
    struct pci_stop stop;

    begin();
    config[PCI_CAPABILITIES] = 0x40;
    capability(0x40, PCI_CAP_POWER, 0x50);
    capability(0x50, PCI_CAP_EXPRESS, 0x70);
    capability(0x70, PCI_CAP_AF, 0);
    pci_stop_read(config, &stop);
    CHECK_EQ(stop.power, 0x40);
    CHECK_EQ(stop.express_reset, 0);
    CHECK_EQ(stop.af_reset, 0);
    put(0x44, PCI_POWER_KEEPS_STATE, 2);
    put(0x54, 1u << 28, 4);
    config[0x73] = 2;
    pci_stop_read(config, &stop);
    CHECK_EQ(stop.power, 0);
    CHECK_EQ(stop.express_reset, 0x50);
    CHECK_EQ(stop.af_reset, 0x70);
}

/* ---- MCFG ---- */

static uint8_t region[512];

static void put_mcfg(unsigned at, uint64_t address, uint8_t first, uint8_t last)
{
    uint8_t *table = region + at, sum = 0;

    memset(region, 0x5A, sizeof region);
    memset(table, 0, 60);
    memcpy(table, "MCFG", 4);
    table[4] = 60;
    memcpy(table + 44, &address, 8);
    table[54] = first;
    table[55] = last;
    for (unsigned i = 0; i < 60; i++)
        sum = (uint8_t)(sum + table[i]);
    table[9] = (uint8_t)-sum;
}

TEST(mcfg, is_found_by_signature_and_checksum)
{
    struct mcfg_segment segment;
    const uint8_t *table;
    size_t bytes;

    put_mcfg(77, 0xB0000000, 0, 255);
    table = mcfg_find(region, sizeof region, &bytes);
    CHECK_PTR_EQ(table, region + 77);
    CHECK_EQ(bytes, 60);
    CHECK(mcfg_segment(table, bytes, 0, 1ull << 36, &segment));
    CHECK_EQ(segment.address, 0xB0000000);
    CHECK_EQ(segment.last_bus, 255);
    CHECK(!mcfg_segment(table, bytes, 1, 1ull << 36, &segment));
    region[100]++;
    CHECK_PTR_EQ(mcfg_find(region, sizeof region, &bytes), NULL);
    put_mcfg(440, 0xB0000000, 0, 255); /* its end is outside */
    CHECK_PTR_EQ(mcfg_find(region, 490, &bytes), NULL);
    CHECK_PTR_EQ(mcfg_find(region, 10, &bytes), NULL);
}

TEST(mcfg, a_segment_that_cannot_be_is_left_out)
{
    struct mcfg_segment segment;

    put_mcfg(0, 0xB0000000, 9, 8);
    CHECK(!mcfg_segment(region, 60, 0, 1ull << 36, &segment));
    put_mcfg(0, 0, 0, 255);
    CHECK(!mcfg_segment(region, 60, 0, 1ull << 36, &segment));
    put_mcfg(0, 0xB0001000, 0, 255);
    CHECK(!mcfg_segment(region, 60, 0, 1ull << 36, &segment));
    put_mcfg(0, 0xFF0100000, 0, 255); /* it would end behind the machine's last address */
    CHECK(!mcfg_segment(region, 60, 0, 1ull << 36, &segment));
    put_mcfg(0, 0xFF0100000, 0, 254);
    CHECK(mcfg_segment(region, 60, 0, 1ull << 36, &segment));
}

/* ---- anything ---- */

TEST(pci_fuzz, survives_random_bytes)
{
    uint64_t state = 0x9E3779B97F4A7C15;
    uint8_t bytes[512];

    for (unsigned round = 0; round < 20000; round++) {
        for (unsigned i = 0; i < sizeof bytes; i++) {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            bytes[i] = (uint8_t)(state >> 32);
        }
        /* Most have a list of capabilities that begins where it can. */
        bytes[PCI_STATUS] |= 0x10;
        bytes[PCI_CAPABILITIES] |= 0x40;
        for (unsigned at = 0x40; at < 256; at += 4)
            bytes[at] %= 20;
        pci_fuzz(bytes, 256 + round % 256);
        pci_fuzz(bytes, round % 256);
    }
}
