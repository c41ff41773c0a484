// SPDX-License-Identifier: MIT
/*
 * claim.h - what a test proves of a system call: that it fails as abi/syscalls.toml says.
 *
 *   CHECK_ERROR(mem_map, ERR_OVERLAP, 3, 0, sys_mem_map(MNOS_SELF, memory, taken, 0, 1, MAP_RW));
 *
 * checks status, argument at fault and detail like CHECK_FAILS, and that it was this system call
 * which failed. Besides, it leaves a record in a section of the program, which tools/claims.py compares
 * with abi/syscalls.toml when the program has been linked: an error, or a missing right, that no claim
 * names is an error of the build. Each claim is reported as a test of its own; one whose check was
 * never reached has failed. docs/testing.md.
 */
#pragma once

#include <stdint.h>

#include "lib/mnos/syscall.h"
#include "tests/guest/guest.h"
#include "tests/guest/scene.h"

/* tools/claims.py knows this layout. */
struct guest_claim {
    char call[24];
    char error[24];
    uint32_t number;
    uint32_t status;
    uint32_t argument;
    uint32_t detail;
};

/* A capability argument of a call, and all that it must refuse: handles that name nothing
 * (MNOS_ERR_HANDLE), other types (MNOS_ERR_TYPE), and each right that is missing (MNOS_ERR_RIGHTS).
 * test_handles.c tries them. tools/claims.py knows this layout too. */
struct handle_case {
    uint64_t number;
    uint32_t argument; /* the one that is tested */
    uint32_t type;     /* MNOS_TYPE_NONE: any */
    mnos_rights_t rights;
    bool zero_allowed;
    struct raw_registers regs;
};

/* RAX of a failed call; 0 when it succeeded; UINT64_MAX when it was another call that failed. */
uint64_t claim_rax(mnos_status_t status, uint32_t number);
/* Checks RAX, and remembers that the claim holds. */
bool claim_check(const struct guest_claim *claim, uint64_t rax, const char *file, int line);
/* The case has been tried in full. */
void claim_case_holds(const struct handle_case *test);
/* Prints one line for each claim and each case; counts them. */
void claims_report(unsigned *passed, unsigned *count);

#define CHECK_ERROR_RAX(call_name, error_name, argument_number, detail_bits, rax)                  \
    ({                                                                                             \
        __attribute__((section("guest_claims"), used,                                              \
                       aligned(8))) static const struct guest_claim claim_record = {               \
            #call_name,        #error_name,       MNOS_SYS_##call_name,                            \
            MNOS_##error_name, (argument_number), (detail_bits)};                                  \
        claim_check(&claim_record, (rax), __FILE__, __LINE__);                                     \
    })
/* `invocation` is a call of the stub, or of a function whose last system call it is. */
#define CHECK_ERROR(call_name, error_name, argument_number, detail_bits, invocation)               \
    CHECK_ERROR_RAX(call_name, error_name, argument_number, detail_bits,                           \
                    claim_rax((invocation), MNOS_SYS_##call_name))
/* The call with registers as they are. */
#define CHECK_ERROR_RAW(call_name, error_name, argument_number, detail_bits, registers)            \
    CHECK_ERROR_RAX(call_name, error_name, argument_number, detail_bits,                           \
                    raw_call(MNOS_SYS_##call_name, (registers)))
