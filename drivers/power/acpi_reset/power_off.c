// SPDX-License-Identifier: MIT
/*
 * power_off - the state S5, soft off: ACPI specification, "PM1 Control Registers" and "Sleeping States".
 *
 * The tables name the registers (FADT) and the values (_S5 in the DSDT); that they are among the ports of this driver is
 * the manifest's doing.
 */
#include "drivers/power/acpi_reset/fadt.h"
#include "drivers/power/acpi_reset/power.h"
#include "lib/format/acpi_sleep.h"
#include "lib/mnos/log.h"
#include "lib/mnos/time.h"

#define PM1_SCI_ENABLED 0x0001u /* the machine is in ACPI mode */
#define PM1_SLEEP_TYPE_SHIFT 10
#define PM1_SLEEP_TYPE_MASK (7u << PM1_SLEEP_TYPE_SHIFT)
#define PM1_SLEEP_ENABLE (1u << 13)

#define STEP_NS 1000000ull
#define ENABLE_STEPS 3000u /* the specification names no limit; firmware takes milliseconds */
#define WAIT_FOR_OFF_NS 1000000000ull

BOOTSTRAP_LIST("sleep_control");
BOOTSTRAP_LIST("sleep_control_old");
BOOTSTRAP_LIST("smi_command");

static bool is_open(uint16_t port, unsigned bytes)
{
    static const char *const names[] = {"sleep_control", "sleep_control_old", "smi_command"};
    uint64_t first, count;

    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (open_ports(bootstrap_listed(names[i]), &first, &count) && port >= first &&
            port - first < count && count - (port - first) >= bytes)
            return true;
    }
    return false;
}

static bool read_tables(struct acpi_sleep_registers *registers, struct acpi_sleep_types *types)
{
    const uint8_t *fadt, *dsdt;
    struct tables tables;
    bool found = false;

    if (tables_open(&tables)) {
        fadt = table_find(tables.region, tables.size, "FACP");
        dsdt = table_find(tables.region, tables.size, "DSDT");
        found =
            fadt != NULL && dsdt != NULL &&
            acpi_sleep_registers(fadt, tables.size - (size_t)(fadt - tables.region), registers) &&
            acpi_s5_types(dsdt, tables.size - (size_t)(dsdt - tables.region), types);
    }
    tables_close(&tables);
    return found;
}

/* Firmware without a system that knows ACPI starts in another mode, in which the registers may do nothing. */
static void enter_acpi_mode(const struct acpi_sleep_registers *registers)
{
    if (registers->smi_command == 0 || registers->acpi_enable == 0 ||
        port_read16(registers->pm1a_control) & PM1_SCI_ENABLED)
        return;
    if (!is_open(registers->smi_command, 1)) {
        log_line(
            "power off: port 0x%x, which gets the machine into ACPI mode, is not in the manifest",
            registers->smi_command);
        return;
    }
    port_write8(registers->smi_command, registers->acpi_enable);
    for (unsigned i = 0; i < ENABLE_STEPS; i++) {
        if (port_read16(registers->pm1a_control) & PM1_SCI_ENABLED)
            return;
        sleep_until(deadline_after_ns(STEP_NS));
    }
    log_line("power off: the machine does not get into ACPI mode");
}

static void write_type(uint16_t port, uint8_t type, unsigned more)
{
    unsigned value = port_read16(port) & ~(PM1_SLEEP_TYPE_MASK | PM1_SLEEP_ENABLE);

    port_write16(port, (uint16_t)(value | (unsigned)type << PM1_SLEEP_TYPE_SHIFT | more));
}

mnos_status_t power_off(void)
{
    struct acpi_sleep_registers registers;
    struct acpi_sleep_types types;

    if (!read_tables(&registers, &types)) {
        log_line("power off: no readable table says how");
        return MNOS_ERR_NOT_FOUND;
    }
    if (!is_open(registers.pm1a_control, 2) ||
        (registers.pm1b_control != 0 && !is_open(registers.pm1b_control, 2))) {
        log_line("power off: its registers, ports 0x%x and 0x%x, are not among the ports of "
                 "\"sleep_control\" in "
                 "the manifest",
                 registers.pm1a_control, registers.pm1b_control);
        return MNOS_ERR_NOT_FOUND;
    }
    enter_acpi_mode(&registers);
    /* Both know the type before one of them begins. */
    write_type(registers.pm1a_control, types.a, 0);
    if (registers.pm1b_control != 0)
        write_type(registers.pm1b_control, types.b, 0);
    write_type(registers.pm1a_control, types.a, PM1_SLEEP_ENABLE);
    if (registers.pm1b_control != 0)
        write_type(registers.pm1b_control, types.b, PM1_SLEEP_ENABLE);
    sleep_until(deadline_after_ns(WAIT_FOR_OFF_NS));
    log_line("power off: the machine still runs");
    return MNOS_ERR_DEVICE;
}
