// SPDX-License-Identifier: MIT
/*
 * windows.h - which pages of a register window a driver may have: exactly those of the window,
 * minus those of the MSI-X table. A page in which another function has registers is nobody's, or
 * one driver would reach another's device.
 */
#pragma once

#include "services/devices/table.h"

/* Part `part` of window `bar`. MNOS_ERR_END: there is none; MNOS_ERR_DENIED: the window is of
 * ports, or shares a page. */
mnos_status_t window_part(const struct table *table, const struct function *function, uint32_t bar,
                          uint32_t part, struct device_bar_part *out, uint64_t *first_page);
uint32_t window_parts(const struct table *table, const struct function *function, uint32_t bar);
