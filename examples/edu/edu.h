// SPDX-License-Identifier: MIT
/* edu.h - what the driver of QEMU's device for teaching can be asked. The label of the reply is the status. */
#pragma once

#include <stdint.h>

/* Both wait for the device. MNOS_ERR_AGAIN: it works for another client. */
enum edu_request {
    /* struct edu_number: n, up to EDU_FACTORIAL_MAX; the reply is n!, computed by the device. */
    EDU_FACTORIAL = 1,
    /* Up to EDU_TEXT_BYTES bytes, which the device copies into its memory and back: the reply. */
    EDU_ECHO = 2,
};

#define EDU_FACTORIAL_MAX 12u /* 13! has more than 32 bits */
#define EDU_TEXT_BYTES 256u

struct edu_number {
    uint64_t value;
};
