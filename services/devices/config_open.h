// SPDX-License-Identifier: MIT
/* config_open.h - opens configuration space, before anything of config.h. */
#pragma once

#include "services/devices/config.h"

/* Learns the ways from the ACPI tables. An error: there is no MCFG, and the ports are not there
 * either. */
mnos_status_t config_open(void);
/* Which way it is, for people. */
const char *config_way(void);
