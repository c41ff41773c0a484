// SPDX-License-Identifier: MIT
/*
 * dns.h - questions for the addresses of a name, and their answers, as bytes of RFC 1035. Plain data; what comes from
 * outside may be any bytes.
 *
 * D1  An answer counts only if it repeats the question and its number; anything else is ignored, as if it had not come.
 * D2  Of its records those count that are of the name that was asked for, or of what an alias of it leads to.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocols/address.h"

#define DNS_NAME_BYTES 254u /* the longest name, 253, with its end */
#define DNS_QUESTION_BYTES (12u + DNS_NAME_BYTES + 1u + 4u)
#define DNS_ADDRESSES 8u /* of one name; what is beyond is left out */
#define DNS_PORT 53u

/* A name of a host, in small letters and without a point at its end, out of what somebody wrote: parts of 1 to 63 letters,
 * digits, `-` and `_`, with points between. False: it is none. */
bool dns_name_clean(const char *written, char name[DNS_NAME_BYTES]);
/* Whether `name` is `suffix`, or ends with it behind a point; "*" is the end of every name. Both are clean. */
bool dns_name_inside(const char *name, const char *suffix);

/* The question for the addresses of a clean name, of IPv4 or IPv6 (RFC 3596); returns its length. */
size_t dns_write_question(uint8_t out[DNS_QUESTION_BYTES], uint16_t id, const char *name, bool v6);

enum dns_result {
    DNS_IGNORED, /* D1 */
    DNS_FOUND,   /* there are addresses */
    DNS_NOTHING, /* there is no such name, or it has no address */
    DNS_REFUSED, /* the server does not say, or the part of its answer that fits does not */
};

struct dns_answer {
    uint32_t count;
    struct ip_address addresses[DNS_ADDRESSES];
    uint32_t ttl_s; /* how long they are good for */
};

enum dns_result dns_read_answer(const uint8_t *bytes, size_t count, uint16_t id, const char *name,
                                bool v6, struct dns_answer *answer);
