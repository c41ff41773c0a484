// SPDX-License-Identifier: MIT
/* claim.c - see claim.h. */
#include "tests/guest/claim.h"

#include <stdatomic.h>

#include "lib/base/printf.h"
#include "tests/guest/output.h"

#define CLAIMS_MAX 1024

/* How lib/mnos/error.c keeps RAX and the number of the call. */
#define NUMBER_SHIFT 48
#define RAX_MASK ((1ull << NUMBER_SHIFT) - 1)

extern const struct guest_claim __start_guest_claims[];
extern const struct guest_claim __stop_guest_claims[];
extern const struct handle_case __start_guest_cases[];
extern const struct handle_case __stop_guest_cases[];

/* Of each record of the sections; several threads may prove claims. */
static _Atomic bool claim_holds[CLAIMS_MAX];
static _Atomic bool case_holds[CLAIMS_MAX];

uint64_t claim_rax(mnos_status_t status, uint32_t number)
{
    uint64_t last = ipc_buffer()->reserved[2];

    if (status == MNOS_OK)
        return 0;
    return last >> NUMBER_SHIFT == number - MNOS_SYSCALL_BASE ? last & RAX_MASK : UINT64_MAX;
}

bool claim_check(const struct guest_claim *claim, uint64_t rax, const char *file, int line)
{
    if ((uint32_t)rax != claim->status)
        return check_fail(file, line, "%s gives status %u, not %s", claim->call, (uint32_t)rax,
                          claim->error);
    if (MNOS_DETAIL_ARGUMENT(rax) != claim->argument)
        return check_fail(file, line, "%s %s names argument %u, not %u", claim->call, claim->error,
                          MNOS_DETAIL_ARGUMENT(rax), claim->argument);
    if (MNOS_DETAIL_RIGHTS(rax) != claim->detail)
        return check_fail(file, line, "%s %s tells detail 0x%x, not 0x%x", claim->call,
                          claim->error, MNOS_DETAIL_RIGHTS(rax), claim->detail);
    atomic_store(&claim_holds[claim - __start_guest_claims], true);
    return true;
}

void claim_case_holds(const struct handle_case *test)
{
    atomic_store(&case_holds[test - __start_guest_cases], true);
}

/* ---- the report ---- */

static const char *call_name(uint64_t number)
{
#define SYSCALL(number, name, ...)                                                                 \
    case (number): return #name;
    switch (number) {
#include "abi/syscalls.def"
#undef SYSCALL
    }
    return "no system call";
}

static unsigned report(bool holds, const char *name)
{
    if (holds)
        print("ok %s", name);
    else
        print("FAIL %s: not shown, the check failed or was not reached", name);
    return holds;
}

static unsigned report_claim(const struct guest_claim *claim)
{
    char name[120];

    mnos_snprintf(name, sizeof name, "error, %s gives %s of argument %u, detail 0x%x", claim->call,
                  claim->error, claim->argument, claim->detail);
    return report(claim_holds[claim - __start_guest_claims], name);
}

static unsigned report_case(const struct handle_case *test)
{
    char name[120];

    mnos_snprintf(name, sizeof name, "handle, %s refuses what argument %u must not be, rights 0x%x",
                  call_name(test->number), test->argument, test->rights);
    return report(case_holds[test - __start_guest_cases], name);
}

void claims_report(unsigned *passed, unsigned *count)
{
    for (const struct guest_claim *claim = __start_guest_claims; claim != __stop_guest_claims;
         claim++) {
        *passed += report_claim(claim);
        *count += 1;
    }
    for (const struct handle_case *test = __start_guest_cases; test != __stop_guest_cases; test++) {
        *passed += report_case(test);
        *count += 1;
    }
}
