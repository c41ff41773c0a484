// SPDX-License-Identifier: MIT
/* lwippools.h - the sizes of memory that lwIP allocates: headers of segments, messages of DHCP, datagrams, and segments of
 * loopback. */
LWIP_MALLOC_MEMPOOL_START
LWIP_MALLOC_MEMPOOL(768, 192)
LWIP_MALLOC_MEMPOOL(128, 640)
LWIP_MALLOC_MEMPOOL(128, 1664)
LWIP_MALLOC_MEMPOOL(32, 11072)
LWIP_MALLOC_MEMPOOL(2, 66048)
LWIP_MALLOC_MEMPOOL_END
