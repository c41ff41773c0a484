// SPDX-License-Identifier: MIT
/* debug.c - sys_debug_write. */
#include <stddef.h>

#include "abi/message.h"
#include "syscall/calls.h"
#include "sched/info.h"
#include "base/log.h"
#include "measure.h"
#include "object/memory.h"
#include "sched/sched.h"

/* Steps towards showing it, for much more than one text. Others may log as fast as it is shown. */
#define SHOW_STEPS 4096

/* Needs Write on a Memory capability to the kernel log. The text is at the start of the caller's IPC
 * buffer; it goes to the log ring. Who wrote it also shows it, on the devices that are the kernel's, as far as they
 * take it at once and nothing more urgent is to be done; the rest follows by the timer, or when the core idles. No
 * text at all asks a measuring kernel for what it has measured. */
result_t sys_debug_write(struct thread *current, mnos_cap_t log, uint64_t size_bytes,
                         uint64_t level)
{
    struct call_record *record = call_record(current);
    struct cap_view cap;
    uint64_t pages;
    result_t status = argument_cap(current, 1, log, MNOS_TYPE_MEMORY, MNOS_RIGHT_WRITE, &cap);

    if (status != RESULT_OK)
        return status;
    if (memory_of(cap.object)->single.frame != log_ring_frames(&pages))
        return error_at(1, MNOS_ERR_STATE);
    if (size_bytes > sizeof(current->buffer->data))
        return error_at(2, MNOS_ERR_SIZE);
    if (level >= MNOS_LOG_LEVELS)
        return error_at(3, MNOS_ERR_ARGUMENT);
    if (size_bytes == 0)
        measure_report();
    while (record->done < size_bytes) {
        record->done += log_write_user((enum log_level)level,
                                       (const char *)current->buffer->data + record->done,
                                       size_bytes - record->done);
        if (record->done < size_bytes && sched_preempt_point())
            return RESULT_AGAIN;
    }
    for (unsigned i = 0; i < SHOW_STEPS && !sched_preempt_point() && log_show_step(); i++)
        ;
    return RESULT_OK;
}
