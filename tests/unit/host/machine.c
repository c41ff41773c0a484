// SPDX-License-Identifier: MIT
/* machine.c - time, interrupt lines and the facts of the simulated machine; panics. */
#include "tests/unit/host/host.h"

#include <stdarg.h>

#include "core.h"
#include "lib/base/string.h"
#include "lib/base/printf.h"
#include "base/panic.h"
#include "sched/sched.h"

#define PHYSICAL_PAGES (1ull << 40 >> 12)

/* ---- time: one cycle is one nanosecond ---- */

static uint64_t now_ns = 1000;

uint64_t arch_time_ns(void)
{
    return now_ns;
}

uint64_t arch_cycles(void)
{
    return now_ns;
}

uint64_t arch_cycles_to_ns(uint64_t cycles)
{
    return cycles;
}

void arch_time_info(struct arch_time_info *info)
{
    *info = (struct arch_time_info){.tsc_usable = true, .tsc_multiplier = 1ull << 32};
}

void arch_timer_arm(uint64_t deadline_ns)
{
    struct host_core_state *state = &host_cores[this_core()->index];

    state->timer_ns = deadline_ns;
    state->timer_arms++;
}

void host_time_pass(uint64_t ns)
{
    uint32_t self = this_core()->index;

    now_ns += ns;
    for (uint32_t i = 0; i < core_count; i++) {
        if (!cores[i].online || host_cores[i].timer_ns > now_ns)
            continue;
        host_core_select(i);
        host_cores[i].timer_ns = UINT64_MAX;
        sched_timer_interrupt(this_core(), now_ns);
        (void)host_leave_kernel();
    }
    host_core_select(self);
}

bool arch_is_own_device(paddr_t first, uint64_t page_count)
{
    return first <= HOST_OWN_DEVICE && HOST_OWN_DEVICE - first < page_count * PAGE_BYTES;
}

/* ---- interrupt lines ---- */

struct host_line host_lines[MNOS_INTERRUPT_LINES];
enum irq_hold host_hold;

mnos_status_t arch_irq_enable(uint32_t line)
{
    if (line == 0 || (line >= HOST_LINES && line < MNOS_MESSAGE_LINE_FIRST))
        return MNOS_ERR_STATE;
    host_lines[line].enabled = true;
    host_lines[line].masked = true;
    return MNOS_OK;
}

void arch_irq_disable(uint32_t line)
{
    host_lines[line].enabled = false;
    host_lines[line].masked = true;
}

void arch_irq_mask(uint32_t line)
{
    host_lines[line].masked = true;
}

void arch_irq_unmask(uint32_t line)
{
    host_lines[line].masked = false;
    host_lines[line].unmasks++;
}

bool arch_irq_is_level(uint32_t line)
{
    return host_lines[line].level;
}

bool arch_irq_message(uint32_t line, paddr_t *address, uint32_t *data)
{
    *address = HOST_MESSAGE_ADDRESS;
    *data = line;
    return line >= MNOS_MESSAGE_LINE_FIRST;
}

void arch_irq_hold(enum irq_hold hold)
{
    host_hold = hold;
}

/* ---- facts ---- */

uint64_t arch_physical_pages(void)
{
    return PHYSICAL_PAGES;
}

void arch_build_text(char text[ARCH_BUILD_TEXT])
{
    memset(text, '0', ARCH_BUILD_TEXT - 1);
    text[ARCH_BUILD_TEXT - 1] = 0;
}

void arch_cpu_features_text(char *text, size_t capacity)
{
    string_copy(text, "host", capacity);
}

bool arch_firmware_tables(paddr_t *first, paddr_t *end)
{
    (void)first;
    (void)end;
    return false;
}

const char *arch_exception_name(uint64_t vector)
{
    return vector == 14 ? "page fault" : "exception";
}

/* ---- the end ---- */

static void panic_text(const char *format, va_list arguments)
{
    char message[256] = {0};

    mnos_vsnprintf(message, sizeof(message) - 1, format, arguments);
    host_panic(message);
}

void panic(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    panic_text(format, arguments);
    __builtin_unreachable();
}

void panic_frame(const struct user_frame *frame, const char *format, ...)
{
    va_list arguments;

    (void)frame;
    va_start(arguments, format);
    panic_text(format, arguments);
    __builtin_unreachable();
}

void arch_halt(void)
{
    host_panic("a core halts for ever");
}

void arch_debug_exit(uint32_t code)
{
    (void)code;
}

void arch_stop_others(void)
{
}
