// SPDX-License-Identifier: MIT
/* interrupt - see interrupt.h. */
#include "lib/driver/interrupt.h"

#include "lib/client/device.h"
#include "lib/mnos/syscall.h"

mnos_status_t interrupt_open(mnos_cap_t devices, uint32_t index, mnos_cap_t endpoint,
                             uint64_t event, mnos_cap_t *line)
{
    mnos_status_t status = device_vector(devices, index, line);

    if (status == MNOS_OK)
        status = sys_irq_bind(*line, endpoint, event);
    if (status == MNOS_OK)
        status = sys_irq_ack(*line);
    return status;
}
