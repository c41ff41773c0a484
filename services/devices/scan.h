// SPDX-License-Identifier: MIT
/*
 * scan.h - finds the functions: bus 0 of each segment and every bus behind a bridge of one that was
 * found, in ascending order. A bridge leads only to a bus with a greater number, so each is scanned
 * once and the search ends. Bus numbers and addresses are the firmware's; what it left without is
 * FAILED, with the reason.
 *
 * Further root buses, which servers have, are named only by ACPI's namespace and are not looked
 * for.
 */
#pragma once

#include "services/devices/table.h"

/* Fills an empty table. */
void scan_all(struct table *table);

/* Whether the function is still there, and the one that it was. */
bool scan_same(const struct function *function);

/* Its configuration space, as far as the readers of lib/format/pci look. */
void scan_copy(device_address_t address, uint8_t config[PCI_CONFIG_BYTES]);
