// SPDX-License-Identifier: MIT
/* ioapic.h - interrupt lines, beyond what arch.h declares of them. */
#pragma once

#include <stdint.h>

struct madt_info;

/* Finds the I/O APICs and masks every line, as well as both 8259s. */
void ioapic_init(const struct madt_info *madt);
/* A device interrupt has arrived through `vector`: acknowledges it. Returns its line. */
uint32_t ioapic_interrupt(unsigned vector);
