// SPDX-License-Identifier: MIT
/* rng.h - what the driver of a virtio entropy device can be asked. The label of the reply is the status. */
#pragma once

enum rng_request {
    /* Nothing; the reply is 1 to RNG_BYTES random bytes. Waits for the device. MNOS_ERR_AGAIN: it works for another client. */
    RNG_GET = 1,
};

#define RNG_BYTES 64u
