// SPDX-License-Identifier: MIT
/* lwipopts.h - our options of lwIP, and what its own tests need beside them. Those that name a number of ours say why. */
#pragma once

#include "../../third_party/lwip/config/lwipopts.h"

#define LWIP_TESTMODE 1

/* The tests look at counters to see that nothing leaks, and how often something happened. */
#undef LWIP_STATS
#define LWIP_STATS 1
#define MIB2_STATS 1
#define MEM_STATS                                                                                  \
    1 /* of pools there is nothing to count here, but test_pbuf.c will not be compiled without */
#define LWIP_STATS_LARGE 1
#undef LWIP_DNS
#define LWIP_DNS 0

/* They count segments of these sizes, and ask for a send buffer above the window. */
#undef TCP_MSS
#define TCP_MSS 536
#undef TCP_WND
#define TCP_WND (10 * TCP_MSS)
#undef TCP_SND_BUF
#define TCP_SND_BUF (12 * TCP_MSS)
#undef TCP_SNDLOWAT
#define TCP_SNDLOWAT (TCP_SND_BUF / 2)
#undef TCP_SND_QUEUELEN
#define TCP_SND_QUEUELEN 40
#undef PBUF_POOL_SIZE
#define PBUF_POOL_SIZE 400
#undef PBUF_POOL_BUFSIZE /* lwIP's own: 1,024 bytes are a chain of them */

/* Parts that they try, and that the service does without. */
#define ETHARP_SUPPORT_STATIC_ENTRIES 1
#define LWIP_NETIF_EXT_STATUS_CALLBACK 1
#define LWIP_HAVE_LOOPIF 1
/* They leave out this pool, which there is none of without lwIP's own timers (services/net/timers.c): it is no pool. */
#define MEMP_SYS_TIMEOUT MEMP_MAX
