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

static inline void arch_switch_out_whole(struct thread *thread)
{
    arch_thread_save(thread, false);
}

static inline void arch_exchange_out(struct thread *from, const struct thread *to, bool whole)
{
    (void)to;
    arch_thread_save(from, !whole);
}

static inline void arch_switch_in(struct core *core, struct thread *thread)
{
    (void)core;
    trace(MNOS_TRACE_SWITCH, thread->obj.id, thread->process->obj.id);
    arch_thread_load(thread);
}

static inline void arch_exchange_in(struct core *core, struct thread *to)
{
    arch_switch_in(core, to);
}
