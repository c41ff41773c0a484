// SPDX-License-Identifier: MIT
/* pci_fuzz.c - see pci_fuzz.h. Each input lies in memory of exactly its size, so that the sanitizer
 * sees a byte read behind it. */
#include "tests/unit/pci_fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "lib/format/pci/config.h"
#include "lib/format/pci/mcfg.h"
#include "tests/unit/unit.h"

static void fuzz_config(const uint8_t *config)
{
    struct pci_header header;
    struct pci_msix msix;
    struct pci_stop stop;
    struct pci_msi msi;

    if (pci_header_read(config, &header))
        CHECK(header.bar_count <= PCI_BARS && header.vendor != 0xFFFF);
    pci_msi_read(config, &msi);
    CHECK(msi.at == 0 || (msi.at >= PCI_CAPABILITIES_FIRST && msi.data + 2 <= 256 &&
                          (msi.mask == 0 || msi.mask + 4 <= 256) && msi.vectors <= 32));
    pci_msix_read(config, &msix);
    CHECK(msix.at == 0 || (msix.at + 12 <= 256 && msix.table_bar < PCI_BARS && msix.vectors >= 1 &&
                           msix.vectors <= 2048));
    pci_stop_read(config, &stop);
    CHECK(stop.express_reset + 12 <= 256 && stop.af_reset + 6 <= 256 && stop.power + 8 <= 256);
    for (unsigned id = 0; id < 256; id++) {
        unsigned count = 0;
        uint8_t at;

        while ((at = pci_capability_find(config, (uint8_t)id, count)) != 0) {
            CHECK(at >= PCI_CAPABILITIES_FIRST && at % 4 == 0 && config[at] == id);
            CHECK(pci_capability_bytes(config, at) + at <= PCI_CONFIG_BYTES);
            CHECK(++count <= 48);
        }
    }
}

static void fuzz_bars(const uint8_t *data)
{
    uint32_t words[4];
    struct pci_bar bar;

    memcpy(words, data, sizeof words);
    for (unsigned has_next = 0; has_next < 2; has_next++) {
        pci_bar_read(words[0], words[1], words[2], words[3], has_next, &bar);
        CHECK((bar.bytes & (bar.bytes - 1)) == 0);
        CHECK(bar.bytes == 0 || bar.address % bar.bytes == 0);
        CHECK(bar.bytes == 0 || bar.address + (bar.bytes - 1) >= bar.address);
    }
}

static void fuzz_mcfg(const uint8_t *region, size_t size)
{
    struct mcfg_segment segment;
    const uint8_t *table;
    size_t bytes;

    table = mcfg_find(region, size, &bytes);
    if (table != NULL)
        CHECK(table >= region && bytes <= size - (size_t)(table - region));
    /* What lies behind the header need not wait for a good checksum. */
    for (unsigned i = 0; mcfg_segment(region, size, i, 1ull << 46, &segment); i++) {
        CHECK(segment.first_bus <= segment.last_bus);
        CHECK(segment.address + (segment.last_bus + 1) * MCFG_BUS_BYTES <= 1ull << 46);
        CHECK(i < size);
    }
}

void pci_fuzz(const uint8_t *data, size_t size)
{
    uint8_t *exact = malloc(size != 0 ? size : 1);

    if (size != 0)
        memcpy(exact, data, size);
    fuzz_mcfg(exact, size);
    if (size >= PCI_CONFIG_BYTES) {
        uint8_t *config = malloc(PCI_CONFIG_BYTES);

        memcpy(config, data, PCI_CONFIG_BYTES);
        fuzz_config(config);
        fuzz_bars(config + PCI_BAR);
        free(config);
    }
    free(exact);
}
