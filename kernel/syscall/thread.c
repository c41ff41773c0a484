// SPDX-License-Identifier: MIT
/* thread.c - sys_thread_control: what can be changed of a thread that exists. */
#include "abi/fault.h"
#include "abi/message.h"
#include "syscall/calls.h"
#include "ipc/wait.h"
#include "lib/base/string.h"
#include "sched/sched.h"

#define UPCALL_FLAGS (MNOS_UPCALL_FAULTS | MNOS_UPCALL_SYSCALLS)

static result_t set_priority(const struct thread *current, struct thread *thread, uint64_t priority)
{
    if (priority > current->process->priority_ceiling ||
        priority > thread->process->priority_ceiling)
        return error_at(3, MNOS_ERR_CEILING);
    thread_set_priority(thread, (uint8_t)priority);
    return RESULT_OK;
}

static result_t set_affinity(struct thread *thread, uint64_t affinity)
{
    if (!thread_affinity_valid(affinity))
        return error_at(3, MNOS_ERR_ARGUMENT);
    thread_set_affinity(thread, (uint32_t)affinity);
    return RESULT_OK;
}

static result_t set_registers(const struct thread *current, struct thread *thread, uint64_t value)
{
    struct mnos_registers registers;
    result_t status;

    if (value != 0)
        return error_at(3, MNOS_ERR_ARGUMENT);
    memcpy(&registers, current->buffer->data, sizeof(registers)); /* others may write there */
    status = thread_registers(thread, &registers, true);
    return result_at(status == result_of(MNOS_ERR_ADDRESS) ? 3 : 1, status);
}

static result_t set_upcall(struct thread *thread, uint64_t value)
{
    if ((value & ~UPCALL_FLAGS) >= MNOS_USER_END)
        return error_at(3, MNOS_ERR_ADDRESS);
    if (((value & UPCALL_FLAGS) == 0) != ((value & ~UPCALL_FLAGS) == 0))
        return error_at(3, MNOS_ERR_ARGUMENT);
    thread->upcall = value;
    return RESULT_OK;
}

static result_t cancel(struct thread *thread, uint64_t value)
{
    if (value != 0)
        return error_at(3, MNOS_ERR_ARGUMENT);
    if (!wait_cancel(thread, MNOS_DEADLINE_NEVER, MNOS_ERR_CANCELLED))
        return error_at(1, MNOS_ERR_STATE);
    return RESULT_OK;
}

/* Needs Execute to cancel, else Write (neither for MNOS_SELF); enum mnos_thread_operation says what each
 * operation does. */
result_t sys_thread_control(struct thread *current, mnos_cap_t thread_cap, uint64_t operation,
                            uint64_t value)
{
    struct thread *thread;
    result_t status = call_thread(
        current, 1, thread_cap,
        operation == MNOS_THREAD_CANCEL ? MNOS_RIGHT_EXECUTE : MNOS_RIGHT_WRITE, &thread);

    if (status != RESULT_OK)
        return status;
    switch (operation) {
    case MNOS_THREAD_PRIORITY: return set_priority(current, thread, value);
    case MNOS_THREAD_AFFINITY: return set_affinity(thread, value);
    case MNOS_THREAD_REGISTERS: return set_registers(current, thread, value);
    case MNOS_THREAD_UPCALL: return set_upcall(thread, value);
    case MNOS_THREAD_CANCEL: return cancel(thread, value);
    default: return error_at(2, MNOS_ERR_ARGUMENT);
    }
}
