// SPDX-License-Identifier: MIT
/* hooks.h - what lwIP asks of us in the middle of its work (lwipopts.h); the functions are in port.c. */
#pragma once

#include "lwip/ip_addr.h"

/* The first sequence number of a connection (RFC 6528). */
uint32_t port_sequence(const ip_addr_t *local, uint16_t local_port, const ip_addr_t *remote,
                       uint16_t remote_port);
