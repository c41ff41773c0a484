// SPDX-License-Identifier: MIT
/*
 * pcapng.h - files of frames as Wireshark and its kin read them: a section, an interface for each card, then a block for each
 * frame (draft-ietf-opsawg-pcapng, sections 4.1 to 4.3). Blocks are whole: a file that ends behind any of them is one.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PCAPNG_INTERFACES_MAX 4u
#define PCAPNG_BEGIN_BYTES (64u + PCAPNG_INTERFACES_MAX * 48u)
/* Of the block of a frame beside its bytes, filled up to 4. */
#define PCAPNG_FRAME_BYTES 60u

struct pcapng_frame {
    uint32_t interface; /* below the number that the file began with */
    bool sent;          /* by this machine */
    uint64_t unix_ns;
    uint64_t lost; /* frames, between the one before and this one */
    uint32_t bytes;
};

/* The section and its interfaces, en0 to that number: Ethernet, and time in nanoseconds. Returns its length. */
size_t pcapng_begin(uint8_t out[PCAPNG_BEGIN_BYTES], uint32_t interfaces);
/* `out` has room for PCAPNG_FRAME_BYTES and the bytes. */
size_t pcapng_frame(uint8_t *out, const struct pcapng_frame *frame, const uint8_t *bytes);
