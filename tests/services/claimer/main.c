// SPDX-License-Identifier: MIT
/*
 * claimer - a driver that claims whatever device it is given, maps every window, turns mastering
 * on, and then does nothing until somebody ends it: what `devices` has to make quiet.
 */
#include "lib/client/device.h"
#include "lib/driver/dma.h"
#include "lib/driver/window.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/ipc.h"
#include "lib/mnos/log.h"
#include "lib/mnos/time.h"

static struct device_windows windows;
static struct dma_memory memory;

static mnos_status_t take_over(mnos_cap_t devices, struct device_info *info)
{
    mnos_status_t status = device_claim(devices, info);
    mnos_cap_t line;

    for (uint32_t bar = 0; status == MNOS_OK && bar < DEVICE_BARS; bar++)
        if (info->bars[bar].parts != 0)
            status = device_window_map(&windows, devices, bar);
    for (uint32_t i = 0; status == MNOS_OK && i < info->vectors; i++)
        status = device_vector(devices, i, &line);
    if (status == MNOS_OK)
        status = dma_open(&memory, devices, bootstrap_cap("claimer_dma"));
    return status == MNOS_OK ? device_master(devices, true) : status;
}

int main(void)
{
    struct device_info info;
    mnos_status_t status = take_over(bootstrap_cap("devices"), &info);

    if (status != MNOS_OK) {
        log_error(status, "take the device over");
        return 1;
    }
    log_line("has %04x:%04x with %u vectors, resets: %s", info.ids.vendor, info.ids.device,
             info.vectors, info.flags & DEVICE_RESET ? "yes" : "no");
    for (;;)
        sleep_until(MNOS_DEADLINE_NEVER);
}
