// SPDX-License-Identifier: MIT
/* network.h - the session of the network that this monitor has, and what it hands on of it. */
#pragma once

#include <stdbool.h>

#include "abi/types.h"
#include "programs/monitor/net_limits.h"

/* The addresses of a name; Ctrl-C ends the wait. False: why there are none was told. */
bool network_resolve(const char *command, const char *name, struct socket_resolved *resolved);
bool network_is_loopback(struct ip_address address);
/* Whether the address is one of this machine that leaves it, which a range has to name as such. */
bool network_is_own(struct ip_address address);
/* Gives the program that is put together (launch.h) the capability "net", with `rights`, Write and maybe Grant: a session
 * below this monitor's that may do what `wanted` says and nothing else. False: why not was told, and there is no program. */
bool network_give(const char *command, const struct net_limits *wanted, mnos_rights_t rights);
