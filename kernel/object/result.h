// SPDX-License-Identifier: MIT
/*
 * result.h - what a system call answers, as one value: what RAX is by the ABI (abi/types.h), with the argument at fault
 * and the detail beside the status. The compiler keeps it apart from mnos_status_t, which is 32 bits wide and what
 * records carry, and what is returned by functions that know nothing of arguments: result_of() and error_at() lead
 * from there to here.
 */
#pragma once

#include <stdint.h>

#include "abi/types.h"
#include "mm/quota.h"

typedef enum [[nodiscard]] result{
    RESULT_OK = 0,
    /* The two below are outside of the range of the ABI, and no program ever sees them. */
    /* The system call was interrupted; what it has done is in thread->record, and it is made again. */
    RESULT_AGAIN = 1ull << 63,
    /* The thread waits, or has its result in its registers: nothing is to be put there. */
    RESULT_ANSWERED,
} result_t;
_Static_assert(sizeof(result_t) == sizeof(uint64_t), "it is RAX");
_Static_assert(sizeof(mnos_status_t) == sizeof(uint32_t), "it is in records and messages");

#define RESULT_ARGUMENT_SHIFT 32
#define RESULT_DETAIL_SHIFT 40

static inline mnos_status_t status_of(result_t result)
{
    return (mnos_status_t)(uint32_t)result;
}

/* What a program is told: of a quota that is spent (mm/quota.h) the kind is a detail. */
static inline result_t result_told(result_t result)
{
    uint64_t kinds = (uint64_t)QUOTA_KINDS << QUOTA_KIND_SHIFT;

    return (result_t)((result & ~kinds) | (result & kinds)
                                              << (RESULT_DETAIL_SHIFT - QUOTA_KIND_SHIFT));
}

/* Without details. */
static inline result_t result_of(mnos_status_t status)
{
    return (result_t)status;
}

/* Argument number `argument` (1 is the first) is at fault; MNOS_OK stays what it is. */
static inline result_t error_at(unsigned argument, mnos_status_t status)
{
    return status == MNOS_OK
               ? RESULT_OK
               : (result_t)((uint64_t)argument << RESULT_ARGUMENT_SHIFT | (uint64_t)status);
}

/* The same of a result that says nothing of the argument yet. */
static inline result_t result_at(unsigned argument, result_t result)
{
    return result == RESULT_OK || (result & RESULT_AGAIN) != 0
               ? result
               : (result_t)(result | (uint64_t)argument << RESULT_ARGUMENT_SHIFT);
}

/* What was found is of this type, for which the call has no use. */
static inline result_t error_type(unsigned argument, uint8_t type)
{
    return (result_t)(error_at(argument, MNOS_ERR_TYPE) | (uint64_t)type << RESULT_DETAIL_SHIFT);
}

/* Rights are wanted that are not held; neither is beyond MNOS_RIGHTS_ALL, or it is told as far as there is room. */
static inline result_t error_rights(unsigned argument, uint64_t wanted, mnos_rights_t held)
{
    return (result_t)(error_at(argument, MNOS_ERR_RIGHTS) |
                      (uint64_t)(uint8_t)(wanted & ~(uint64_t)held) << RESULT_DETAIL_SHIFT);
}
