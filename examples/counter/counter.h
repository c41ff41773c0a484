// SPDX-License-Identifier: MIT
/* counter.h - what the service `counter` can be asked. */
#pragma once

#include <stdint.h>

/* The label of a request. The reply to each is a struct counter_value: the count after it. */
enum counter_request {
    COUNTER_ADD = 1, /* carries a struct counter_value, which is added */
    COUNTER_GET = 2, /* carries nothing */
};

struct counter_value {
    uint64_t value;
};
