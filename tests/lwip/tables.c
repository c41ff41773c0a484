// SPDX-License-Identifier: MIT
/* tables - ARP, neighbour discovery and reassembly with what looks into their tables, as services/net has them. */
#include "core/ipv4/etharp.c"
#include "core/ipv4/ip4_frag.c"
#include "core/ipv6/nd6.c"
#include "third_party/lwip/fragments6.c"
#include "third_party/lwip/steps.c"
