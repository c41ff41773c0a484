// SPDX-License-Identifier: MIT
/* net_format.h - what the manifest lets services do on the network, as tools/mknet.py compiles it for `net`: the
 * records behind the header of limits_format.h. */
#pragma once

#include "protocols/limits_format.h"
#include "protocols/socket.h"

#define NET_LIMITS_MAGIC 0x54494D494C54454Eull
#define NET_LIMITS_VERSION 3u

struct net_limits_record {
    char service[MNOS_NAME_BYTES]; /* without the number of an instance */
    struct socket_limits limits;
};
_Static_assert(sizeof(struct net_limits_record) == 2352, "written by mknet.py");
