// SPDX-License-Identifier: MIT
/* net_format.h - what the manifest lets services do on the network, as tools/mknet.py compiles it for `net`: a header,
 * then the records. */
#pragma once

#include "protocols/socket.h"

#define NET_LIMITS_MAGIC 0x54494D494C54454Eull
#define NET_LIMITS_VERSION 2u

struct net_limits_header {
    uint64_t magic;
    uint32_t version, count;
    uint64_t reserved;
};
_Static_assert(sizeof(struct net_limits_header) == 24, "written by mknet.py");

struct net_limits_record {
    char service[MNOS_NAME_BYTES]; /* without the number of an instance */
    struct socket_limits limits;
};
_Static_assert(sizeof(struct net_limits_record) == 1328, "written by mknet.py");
