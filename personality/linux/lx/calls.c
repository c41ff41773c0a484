// SPDX-License-Identifier: MIT
/* calls - the table of handlers, from calls.def; and calls that are not in it, or are traced. */
#include "personality/linux/lx/calls.h"

#include "personality/linux/lx/call_stubs.h"
#include "personality/linux/lx/signals.h"
#include "personality/linux/lx/threads.h"

/* entry.S: the table, and below which numbers it is looked at. */
extern call_stub *const lx_calls[CALL_NUMBERS];
extern uint64_t lx_call_limit;
int64_t lx_call_slowly(uint64_t number, const struct lx_call_frame *frame);

call_stub *const lx_calls[CALL_NUMBERS] = {
#define CALL(number, name, count) [number] = stub_##name,
#include "personality/linux/lx/call_list.h"
#undef CALL
};

uint64_t lx_call_limit = CALL_NUMBERS;

static const struct {
    const char *name;
    uint32_t count;
} described[CALL_NUMBERS] = {
#define CALL(number, name, count) [number] = {#name, count},
#include "personality/linux/lx/call_list.h"
#undef CALL
};

static uint32_t slow; /* enum calls_slow */

void calls_go_slowly(enum calls_slow why, bool on)
{
    slow = on ? slow | (uint32_t)why : slow & ~(uint32_t)why;
    lx_call_limit = slow != 0 ? 0 : CALL_NUMBERS;
}

void calls_trace(void)
{
    calls_go_slowly(CALLS_OF_TRACE, true);
}

static void trace(uint64_t number, const struct lx_call_frame *frame, int64_t result)
{
    const uint64_t a[6] = {frame->rdi, frame->rsi, frame->rdx, frame->r10, frame->r8, frame->r9};
    bool known = number < CALL_NUMBERS && described[number].name != NULL;

    if (known)
        lx_say("%s(%lx, %lx, %lx, %lx) = %ld", described[number].name, a[0], a[1], a[2], a[3],
               result);
    else
        lx_say("call %lu(%lx, %lx, %lx) = ENOSYS", number, a[0], a[1], a[2]);
}

int64_t lx_call_slowly(uint64_t number, const struct lx_call_frame *frame)
{
    int64_t result = -LX_ENOSYS;

    threads_enter();
    thread_self()->call_number = number;
    if (number < CALL_NUMBERS && lx_calls[number] != NULL) {
        result =
            lx_calls[number](frame->rdi, frame->rsi, frame->rdx, frame->r10, frame->r8, frame->r9);
        lx_call_number = number; /* others, which may be gone, have made calls while it waited */
    }
    if ((slow & CALLS_OF_TRACE) != 0)
        trace(number, frame, result);
    signals_look();
    threads_leave();
    return result;
}
