// SPDX-License-Identifier: MIT
/*
 * main - the power driver: resets the machine when asked, and switches it off (power_off.c). See README.md.
 *
 * Tries the register that the ACPI tables name, then what it was given besides, and logs each
 * attempt that was not possible or did not work.
 */
#include "drivers/power/acpi_reset/fadt.h"
#include "drivers/power/acpi_reset/power.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/ipc.h"
#include "lib/mnos/log.h"
#include "lib/server/alive.h"
#include "lib/mnos/time.h"
#include "protocols/power.h"

#define WAIT_FOR_RESET_NS 100000000ull /* a reset that works takes effect long before */

/* Reset control register of Intel chipsets, copied by nearly all others: first choose a full
 * reset, then the rising edge of bit 2 does it. Intel 82371AB data sheet, "RC - Reset Control". */
#define RESET_CONTROL_PREPARE 0x02
#define RESET_CONTROL_RESET 0x06
/* Keyboard controller: pulse the line that is wired to the processor's reset. */
#define KEYBOARD_PULSE_RESET 0xFE

static void wait_for_reset(const char *how)
{
    sleep_until(deadline_after_ns(WAIT_FOR_RESET_NS));
    log_line("reset by %s: the machine still runs", how);
}

static void reset_by_tables(void)
{
    struct fadt_reset reset;
    struct tables tables;
    uint64_t first, count;
    bool found;

    found = tables_open(&tables) && fadt_find_reset(tables.region, tables.size, &reset);
    tables_close(&tables);
    if (!found) {
        log_line("reset by ACPI: no readable table names a reset register");
        return;
    }
    if (reset.space != FADT_SPACE_PORTS ||
        !open_ports(BOOTSTRAP_OPTIONAL("reset_control"), &first, &count) || reset.address < first ||
        reset.address - first >= count) {
        log_line("reset by ACPI: its register (space %u, address 0x%llx) is not among the ports "
                 "of \"reset_control\" in the manifest",
                 reset.space, (unsigned long long)reset.address);
        return;
    }
    port_write8((uint16_t)reset.address, reset.value);
    wait_for_reset("ACPI");
}

static void reset_by_chipset(void)
{
    uint64_t first, count;

    if (!open_ports(BOOTSTRAP_OPTIONAL("reset_control"), &first, &count)) {
        log_line("reset by the chipset: no capability \"reset_control\"");
        return;
    }
    port_write8((uint16_t)first, RESET_CONTROL_PREPARE);
    port_write8((uint16_t)first, RESET_CONTROL_RESET);
    wait_for_reset("the chipset");
}

static void reset_by_keyboard(void)
{
    uint64_t first, count;

    if (!open_ports(BOOTSTRAP_OPTIONAL("keyboard"), &first, &count)) {
        log_line("reset by the keyboard controller: no capability \"keyboard\"");
        return;
    }
    port_write8((uint16_t)first, KEYBOARD_PULSE_RESET);
    wait_for_reset("the keyboard controller");
}

static mnos_status_t handle(const struct message *msg)
{
    if (msg->label == POWER_POWER_OFF)
        return power_off();
    if (msg->label != POWER_RESET)
        return MNOS_ERR_LABEL;
    reset_by_tables();
    reset_by_chipset();
    reset_by_keyboard();
    return MNOS_ERR_DEVICE;
}

int main(void)
{
    mnos_cap_t endpoint = bootstrap_cap("requests");
    struct message msg = {0};

    for (;;) {
        mnos_status_t status = ipc_reply_receive(endpoint, &msg, MNOS_DEADLINE_NEVER);

        if (status != MNOS_OK) {
            log_error(status, "receive a request");
            return 1;
        }
        alive_answer(&msg);
        if (msg.kind != MNOS_KIND_MESSAGE)
            msg = (struct message){0};
        else
            message_put(&msg, handle(&msg), NULL, 0);
    }
}
