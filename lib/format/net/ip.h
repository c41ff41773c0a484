// SPDX-License-Identifier: MIT
/* ip.h - addresses of both families as people write them: 10.0.2.2, or 2001:db8::1 (RFC 4291, 2.2). */
#pragma once

#include "protocols/address.h"

#define IP_TEXT_BYTES 46u /* with the end */

/* Reads an address, and moves *text behind it. ::ffff:10.0.2.2 is 10.0.2.2, by another name. False: it is none; *text is
 * anywhere in it then. */
bool ip_read(const char **text, struct ip_address *address);
/* Reads 10.0.0.0/8, [2001:db8::]/32 or an address alone: the first and the last of the network. False: it is none, or has
 * bits behind the prefix. An address of IPv6 stands in brackets, since a port may follow. */
bool ip_read_network(const char **text, struct ip_address *first, struct ip_address *last);
/* Reads what may stand behind an address or a name: ":PORT", from 1 to 65535, or nothing; then *port is as it was. False: it is
 * no port; *text is somewhere in it then. */
bool ip_read_port(const char **text, uint32_t *port);
/* As RFC 5952 writes it. */
const char *ip_text(char text[IP_TEXT_BYTES], struct ip_address address);
