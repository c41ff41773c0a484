// SPDX-License-Identifier: MIT
/* test_lx_calls - the table of calls: arguments are cut to their types, and numbers are those of Linux. */
#include "tests/unit/unit.h"

#include <string.h>
#include <sys/syscall.h>

#include "personality/linux/lx/call_stubs.h"

uint64_t lx_call_number;
static int32_t seen_which, seen_fd;
static uint32_t seen_options;
static uint64_t seen_length;

int64_t lx_wait4(int32_t which, uint64_t status, uint32_t options, uint64_t usage)
{
    (void)status, (void)usage;
    seen_which = which;
    seen_options = options;
    return which;
}

int64_t lx_mmap(uint64_t hint, uint64_t length, uint32_t protection, uint32_t flags, int32_t fd,
                uint64_t offset)
{
    (void)hint, (void)protection, (void)flags, (void)offset;
    seen_length = length;
    seen_fd = fd;
    return 0;
}

TEST(lx_calls, an_argument_is_cut_to_its_type)
{
    CHECK_EQ((uint64_t)stub_wait4(0xFFFFFFFF, 0, 0xABCD00000001, 0, 0, 0), UINT64_MAX);
    CHECK_EQ((uint64_t)(int64_t)seen_which, UINT64_MAX);
    CHECK_EQ(seen_options, 1);
    stub_mmap(0, UINT64_MAX, 0, 0, 0x12345678FFFFFFFE, 0);
    CHECK_EQ(seen_length, UINT64_MAX);
    CHECK_EQ((uint64_t)(int64_t)seen_fd, (uint64_t)-2);
}

/* Names of ours that differ: exit() ends a thread. */
#define SYS_exit_thread SYS_exit

TEST(lx_calls, numbers_are_those_of_linux_and_rise)
{
    int last = -1;

#define CALL(number, name, arguments)                                                              \
    CHECK_EQ(number, SYS_##name);                                                                  \
    CHECK((number) > last);                                                                        \
    CHECK((number) < (int)CALL_NUMBERS && (arguments) <= 6);                                       \
    last = (number);
#include "personality/linux/lx/call_list.h"
#undef CALL
}
