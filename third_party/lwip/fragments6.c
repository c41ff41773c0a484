// SPDX-License-Identifier: MIT
/* fragments6 - reassembly of IPv6, whose table has in lwIP the name of that of IPv4: both are compiled in one file
 * (make/user.mk). */
#define reassdatagrams reassdatagrams6
#include "core/ipv6/ip6_frag.c"
#undef reassdatagrams
