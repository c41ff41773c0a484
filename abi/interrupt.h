// SPDX-License-Identifier: MIT
/*
 * interrupt.h - the numbers of interrupt lines, as ranges of Interrupt capabilities name them.
 *
 * Below MNOS_MESSAGE_LINE_FIRST line n is global system interrupt n of ACPI: a pin of an I/O APIC. The
 * others are message lines: a device makes one fire by writing its data to its address, which
 * sys_cap_inspect tells to who holds the line with Read. Consecutive message lines have one address and
 * consecutive data.
 */
#pragma once

#define MNOS_MESSAGE_LINE_FIRST 128
#define MNOS_MESSAGE_LINES 64
#define MNOS_INTERRUPT_LINES (MNOS_MESSAGE_LINE_FIRST + MNOS_MESSAGE_LINES)
