// SPDX-License-Identifier: MIT
/* store.h - labels and records of the store; what they mean is in store.def. */
#pragma once

#include <stdint.h>

enum store_request {
#define REQUEST(label, name, class, request, reply, text) STORE_##name = (label),
#include "store.def"
#undef REQUEST
};

#define STORE_SHARE 4u /* names of one client */

/* Both with a terminating 0. */
struct store_name {
    char bytes[24];
};
struct store_text {
    char bytes[104];
};

struct store_pair {
    struct store_name name;
    struct store_text text;
};
_Static_assert(sizeof(struct store_pair) == 128, "client and service agree, and so do two runs");

struct store_index {
    uint64_t index;
};
