// SPDX-License-Identifier: MIT
/*
 * serial_client.h - writing to a serial line (protocols/serial.def) so that nothing is lost when its
 * driver dies in the middle.
 */
#pragma once

#include <stddef.h>

#include "abi/types.h"

/* Returns when the device has all of the bytes. What a driver had taken when it died is written again
 * to its successor, so part of it may appear twice. An error is one that trying again does not help. */
mnos_status_t serial_write(mnos_cap_t serial, const void *bytes, size_t count);
