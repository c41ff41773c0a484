// SPDX-License-Identifier: MIT
/* acpi_sleep - see acpi_sleep.h. Layouts: ACPI specification, "Fixed ACPI Description Table (FADT)", "AML Grammar
 * Definition", "\_Sx (System States)". */
#include "lib/format/acpi_sleep.h"

#include "lib/base/string.h"
#include "lib/format/acpi.h"
#include "lib/format/bytes.h"

enum {
    FADT_SMI_COMMAND = 48,
    FADT_ACPI_ENABLE = 52,
    FADT_PM1A_CONTROL = 64,
    FADT_PM1B_CONTROL = 68,
    FADT_FLAGS = 112,
    FADT_FLAG_HARDWARE_REDUCED = 1 << 20, /* it has none of these registers */
    FADT_X_PM1A_CONTROL = 172,
    FADT_X_PM1B_CONTROL = 184,
    ADDRESS_BYTES = 12, /* of a generic address: space, width, offset, access, 64 bits */
    SPACE_IO = 1,

    AML_ZERO = 0x00,
    AML_ONE = 0x01,
    AML_NAME = 0x08,
    AML_BYTE = 0x0A,
    AML_WORD = 0x0B,
    AML_DWORD = 0x0C,
    AML_PACKAGE = 0x12,
    AML_ROOT = 0x5C,

    SLEEP_TYPE_MAX = 7,
};

/* The port of a register by its newer field, or its older one when that is empty or elsewhere; 0: none. */
static uint16_t port_of(const uint8_t *fadt, size_t bytes, size_t newer, size_t older)
{
    uint64_t port = 0;

    if (bytes >= newer + ADDRESS_BYTES && fadt[newer] == SPACE_IO)
        port = bytes_get(fadt + newer + 4, 8);
    if (port == 0 || port > UINT16_MAX)
        port = bytes_get(fadt + older, 4);
    return port > UINT16_MAX ? 0 : (uint16_t)port;
}

bool acpi_sleep_registers(const void *fadt, size_t size, struct acpi_sleep_registers *registers)
{
    const uint8_t *p = fadt;
    uint64_t smi_command;
    size_t bytes;

    if (!acpi_table_valid(fadt, size, "FACP"))
        return false;
    bytes = acpi_table_bytes(fadt);
    if (bytes < FADT_FLAGS + 4 || bytes_get(p + FADT_FLAGS, 4) & FADT_FLAG_HARDWARE_REDUCED)
        return false;
    smi_command = bytes_get(p + FADT_SMI_COMMAND, 4);
    *registers = (struct acpi_sleep_registers){
        .pm1a_control = port_of(p, bytes, FADT_X_PM1A_CONTROL, FADT_PM1A_CONTROL),
        .pm1b_control = port_of(p, bytes, FADT_X_PM1B_CONTROL, FADT_PM1B_CONTROL),
        .smi_command = smi_command > UINT16_MAX ? 0 : (uint16_t)smi_command,
        .acpi_enable = p[FADT_ACPI_ENABLE],
    };
    return registers->pm1a_control != 0;
}

/* ---- _S5 ---- */

struct cursor {
    const uint8_t *at, *end;
};

static bool take(struct cursor *cursor, unsigned bytes, uint64_t *value)
{
    if ((size_t)(cursor->end - cursor->at) < bytes)
        return false;
    *value = bytes_get(cursor->at, bytes);
    cursor->at += bytes;
    return true;
}

/* The length of a package counts its own bytes: the cursor goes behind them, and ends where the package does. */
static bool enter_package(struct cursor *cursor)
{
    const uint8_t *start;
    uint64_t byte, more = 0, length;
    unsigned count;

    if (!take(cursor, 1, &byte) || byte != AML_PACKAGE)
        return false;
    start = cursor->at;
    if (!take(cursor, 1, &byte))
        return false;
    count = (unsigned)(byte >> 6);
    if (!take(cursor, count, &more))
        return false;
    length = count == 0 ? (byte & 0x3F) : (byte & 0x0F) | more << 4;
    if (length < (size_t)(cursor->at - start) || length > (size_t)(cursor->end - start))
        return false;
    cursor->end = start + length;
    return true;
}

/* A constant from 0 to SLEEP_TYPE_MAX. */
static bool take_type(struct cursor *cursor, uint8_t *type)
{
    uint64_t value;

    if (!take(cursor, 1, &value))
        return false;
    switch (value) {
    case AML_ZERO:
    case AML_ONE: break;
    case AML_BYTE:
        if (!take(cursor, 1, &value))
            return false;
        break;
    case AML_WORD:
        if (!take(cursor, 2, &value))
            return false;
        break;
    case AML_DWORD:
        if (!take(cursor, 4, &value))
            return false;
        break;
    default: return false;
    }
    *type = (uint8_t)value;
    return value <= SLEEP_TYPE_MAX;
}

/* What is defined at `at`, behind the name. */
static bool read_package(struct cursor cursor, struct acpi_sleep_types *types)
{
    uint64_t elements;

    return enter_package(&cursor) && take(&cursor, 1, &elements) && elements >= 2 &&
           take_type(&cursor, &types->a) && take_type(&cursor, &types->b);
}

/* Whether the bytes before a name define it: Name (_S5, ...) or Name (\_S5, ...). */
static bool is_definition(const uint8_t *name, const uint8_t *code)
{
    if (name - code >= 1 && name[-1] == AML_NAME)
        return true;
    return name - code >= 2 && name[-1] == AML_ROOT && name[-2] == AML_NAME;
}

bool acpi_s5_types(const void *dsdt, size_t size, struct acpi_sleep_types *types)
{
    const uint8_t *code = (const uint8_t *)dsdt + ACPI_HEADER_BYTES, *end;

    if (!acpi_table_valid(dsdt, size, "DSDT"))
        return false;
    end = (const uint8_t *)dsdt + acpi_table_bytes(dsdt);
    for (const uint8_t *at = code; end - at >= 4; at++) {
        if (memcmp(at, "_S5_", 4) == 0 && is_definition(at, code) &&
            read_package((struct cursor){at + 4, end}, types))
            return true;
    }
    return false;
}
