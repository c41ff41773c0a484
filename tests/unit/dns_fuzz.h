// SPDX-License-Identifier: MIT
/* dns_fuzz.h - an answer of arbitrary bytes to a question for an address, and what must hold of what is read out of it. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define DNS_FUZZ_NAME "www.example.org"
#define DNS_FUZZ_ID 0x1234u

/* The bytes are what comes behind the number of the question, which is DNS_FUZZ_ID. */
void dns_fuzz(const uint8_t *data, size_t size);
