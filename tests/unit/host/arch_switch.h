// SPDX-License-Identifier: MIT
/* arch_switch.h - on the host nothing is gained by switching inline. */
#pragma once

#include "core.h"
#include "object/process.h"
#include "object/thread.h"
#include "tests/unit/host/host.h"
#include "base/trace.h"

static inline void arch_switch_out(struct thread *thread)
{
    arch_thread_save(thread, true);
}

static inline void arch_switch_in(struct core *core, struct thread *thread)
{
    (void)core;
    trace(MNOS_TRACE_SWITCH, thread->obj.id, thread->process->obj.id);
    arch_thread_load(thread);
}
