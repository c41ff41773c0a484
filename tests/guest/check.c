// SPDX-License-Identifier: MIT
/* check.c - the checks of guest.h; any thread of the process may call them. */
#include <stdatomic.h>

#include "lib/base/printf.h"
#include "lib/mnos/thread_block.h"
#include "tests/guest/guest.h"

#define REASON_BYTES 150

static char reason[REASON_BYTES]; /* of the running test; empty: no check has failed */
static _Atomic bool failed;

void check_begin(void)
{
    atomic_store(&failed, false);
}

const char *check_reason(void)
{
    return reason;
}

bool check_fail(const char *file, int line, const char *format, ...)
{
    const char *name = file;
    va_list arguments;
    int length;

    if (atomic_exchange(&failed, true))
        return false;
    for (const char *c = file; *c != '\0'; c++)
        if (*c == '/')
            name = c + 1;
    length = mnos_snprintf(reason, sizeof reason, "%s line %d, ", name, line);
    va_start(arguments, format);
    mnos_vsnprintf(reason + length, sizeof reason - (size_t)length, format, arguments);
    va_end(arguments);
    return false;
}

bool check(bool ok, const char *text, const char *file, int line)
{
    return ok || check_fail(file, line, "%s", text);
}

bool check_eq(uint64_t left, uint64_t right, const char *text, const char *file, int line)
{
    return left == right || check_fail(file, line, "%s, it is 0x%llx, not 0x%llx", text,
                                       (unsigned long long)left, (unsigned long long)right);
}

bool check_ok(mnos_status_t status, const char *text, const char *file, int line)
{
    uint64_t last = ipc_buffer()->reserved[2];

    return status == MNOS_OK || check_fail(file, line, "%s gives status %u, argument %u", text,
                                           status, MNOS_DETAIL_ARGUMENT(last));
}

bool check_fails(mnos_status_t status, mnos_status_t wanted, unsigned argument, unsigned detail,
                 const char *text, const char *file, int line)
{
    uint64_t last = ipc_buffer()->reserved[2];

    if (status != wanted)
        return check_fail(file, line, "%s gives status %u, not %u", text, status, wanted);
    if (MNOS_DETAIL_ARGUMENT(last) != argument)
        return check_fail(file, line, "%s names argument %u, not %u", text,
                          MNOS_DETAIL_ARGUMENT(last), argument);
    if (MNOS_DETAIL_RIGHTS(last) != detail)
        return check_fail(file, line, "%s tells detail 0x%x, not 0x%x", text,
                          MNOS_DETAIL_RIGHTS(last), detail);
    return true;
}

bool check_failed(void)
{
    return atomic_load(&failed);
}
