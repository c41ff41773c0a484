// SPDX-License-Identifier: MIT
/* devices.h - the machine's own devices: their registers are in device memory, and are the kernel's business. */
#pragma once

/* Keeps the pages of their registers from being mapped by programs (arch_is_own_device()), once the firmware's
 * tables have been read. */
void devices_init(void);
