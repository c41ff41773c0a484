// SPDX-License-Identifier: MIT
/*
 * table.h - the functions that were found, who has claimed them, and how far quiescing one has
 * come: all that this service knows and cannot ask for again. It is plain data without pointers in
 * a state region, so the next run of the service goes on where this one ended.
 *
 *   ABSENT --scan--> FREE --CLAIM--> CLAIMED --its driver has gone--> QUIESCING --quiet--> FREE
 *   FREE --scan: no usable interrupt, no address--> FAILED
 *   QUIESCING --it does not become quiet in time--> FAILED
 *
 * D1  `badge` is the driver's in CLAIMED and QUIESCING, in other states it means nothing; no two
 *     functions have one driver, or a message line, in common.
 * D2  A function is master of its bus only in CLAIMED, and only after it was told of memory by
 *     DMA_USE.
 * D3  Before FREE is stored, the function was quiet: not master, its messages off.
 *
 * Every change is one store, or stores that the next run makes again: claiming writes the badge
 * first and the state last, a step of quiescing is written before it is made. So no undo log is
 * needed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/format/pci/config.h"
#include "protocols/device.h"

#define FUNCTIONS_MAX 256u
#define LINE_NONE 0xFF

struct function_bar {
    uint64_t address, bytes;
    uint32_t flags; /* enum device_bar_flags */
    uint32_t reserved;
};

struct function {
    struct device_ids ids;
    uint32_t state; /* enum device_state */
    uint32_t flags; /* enum device_flags, without DEVICE_MASTER_ON */
    uint32_t secondary_bus;
    struct function_bar bars[DEVICE_BARS];
    struct pci_msi msi;
    struct pci_msix msix;
    struct pci_stop stop;
    uint8_t line_count; /* MSI: those of the range; MSI-X: the numbers below that are used */
    uint8_t lines[DEVICE_VECTORS_MAX]; /* message lines, counted from the first; LINE_NONE */
    mnos_badge_t badge;
    uint32_t dma; /* 1: it was told of memory */
    uint32_t quiet_step;
    uint64_t quiet_deadline_ns;
    char service[MNOS_NAME_BYTES]; /* whose it is by the manifest; empty: nobody's */
    char reason[DEVICE_TEXT_BYTES];
};

struct table {
    uint32_t count;
    uint32_t left_out; /* functions that found no room */
    struct function functions[FUNCTIONS_MAX];
};

#define TABLE_MAGIC 0x3153454349564544ull /* "DEVICES1" */
#define TABLE_LAYOUT 1u

/* D1 to D3 and all numbers in range; NULL or which does not hold. */
const char *table_check(const struct table *table);

/* A message line that no function has, or the first of `count` in a row, aligned to `count`, a
 * power of two; `total` is how many there are. LINE_NONE: there are none. */
uint8_t table_free_lines(const struct table *table, unsigned count, unsigned total);

/* The function that the manifest gives to this service; NULL: none. */
struct function *table_of_service(struct table *table, const char *service);
struct function *table_of_badge(struct table *table, mnos_badge_t badge);

/* "00:1f.2" or "0001:00:1f.2", at least 16 bytes. */
void function_address_text(const struct function *function, char *out, size_t size);

void function_fail(struct function *function, const char *reason);
