// SPDX-License-Identifier: MIT
/*
 * acpi_sleep.h - what switches a machine off: the registers that the FADT names, and the values for them that the DSDT
 * has under the name _S5. No byte is trusted, and no code of the DSDT is run: the name is looked for among its bytes,
 * as it stands in a package of constants. A machine that computes the package has none for this reader.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct acpi_sleep_registers {
    uint16_t pm1a_control, pm1b_control; /* I/O ports; b may be 0: there is none */
    uint16_t smi_command;                /* 0: the machine is in ACPI mode always */
    uint8_t acpi_enable;                 /* what is written there to get into it; 0: nothing */
};

/* False: not a valid FADT, or its registers are not I/O ports. */
bool acpi_sleep_registers(const void *fadt, size_t size, struct acpi_sleep_registers *registers);

struct acpi_sleep_types {
    uint8_t a, b; /* SLP_TYP of the two registers, 0 to 7 */
};

/* Of the state S5, soft off. False: not a valid DSDT, or it has no such package of constants. */
bool acpi_s5_types(const void *dsdt, size_t size, struct acpi_sleep_types *types);
