// SPDX-License-Identifier: MIT
/* stream.h - labels and records of the stream protocol, and its rings; what they mean is in stream.def. */
#pragma once

#include <stdint.h>

enum stream_request {
#define REQUEST(label, name, class, request, reply, text) STREAM_##name = (label),
#include "protocols/stream.def"
#undef REQUEST
};

/* What a client of rings sets at the service's endpoint. */
#define STREAM_EVENT_LOOK (1ull << 1)

#define STREAM_COLUMNS 80u /* of a terminal that does not tell */
#define STREAM_ROWS 24u
#define STREAM_RING_PAGES_MAX 16u

struct stream_read {
    uint64_t max_bytes;
};

/* Bits to be set at the client's endpoint; 0: it is not told. */
struct stream_events {
    uint64_t input;
    uint64_t front;
    uint64_t size;
    uint64_t interrupt;
};
_Static_assert(sizeof(struct stream_events) == 32, "shared between programs");

struct stream_attach {
    struct stream_events events;
    uint64_t output;
};
_Static_assert(sizeof(struct stream_attach) == 40, "shared between programs");

enum stream_front_flags {
    STREAM_BEHIND = 1u << 0,
    STREAM_INTERRUPTS = 1u << 1,
};

struct stream_front {
    uint32_t flags;
    uint32_t terminal; /* 0: the asker's */
};

enum stream_ask_flags {
    STREAM_ASK = 1u << 0, /* again, without waiting for the answer */
    STREAM_NOW = 1u << 1, /* what is known; the terminal is not asked */
};

struct stream_ask {
    uint32_t flags;
    uint32_t reserved;
};

enum stream_size_flags {
    STREAM_TOLD = 1u << 0,     /* the terminal has said so */
    STREAM_IN_FRONT = 1u << 1, /* the asker is */
};

struct stream_size {
    uint32_t columns;
    uint32_t rows;
    uint32_t flags;
    uint32_t reserved;
};
_Static_assert(sizeof(struct stream_size) == 16, "shared between programs");

/*
 * The rings of ATTACH are of lib/mnos/ring.h; the output ring fills its memory. The input's memory begins with
 * this, and the ring follows. `lost` counts the places where bytes are missing. The service counts one only when the client
 * has taken all that came before it, and puts what came after it then: a client that finds bytes, and the number changed,
 * has found the place.
 */
#define STREAM_INPUT_HEADER 64u
struct stream_input {
    _Atomic uint64_t lost;
    uint64_t reserved[7];
};
_Static_assert(sizeof(struct stream_input) == STREAM_INPUT_HEADER,
               "the ring begins at a cache line");
