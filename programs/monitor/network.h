// SPDX-License-Identifier: MIT
/* network.h - the session of the network that this monitor has, and what it hands on of it. */
#pragma once

#include <stdbool.h>

#include "abi/types.h"
#include "programs/monitor/net_limits.h"

/* The addresses of a name; Ctrl-C ends the wait. False: why there are none was told. */
bool network_resolve(const char *command, const char *name, struct socket_resolved *resolved);
/* Whether the address is one of this machine that leaves it, which a range has to name as such. */
bool network_is_own(uint32_t address);
/* A session below this monitor's that may do what `wanted` says and nothing else, for a program: a capability with Write
 * and Grant, the caller's to delete. False: why not was told. */
bool network_narrow(const char *command, const struct net_limits *wanted, mnos_cap_t *below);
