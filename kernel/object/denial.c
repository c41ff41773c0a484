// SPDX-License-Identifier: MIT
/* denial.c - see denial.h. */
#include "object/denial.h"

#include "abi/expand.h"
#include "abi/syscalls.h"
#include "arch/arch.h"
#include "cap/captable.h"
#include "object/process.h"
#include "object/thread.h"

/* Of messages, whose arguments are not in the table: the endpoint, and where a reply receives (abi/message.h). */
#define ARGUMENT_ENDPOINT 1
#define ARGUMENT_RECEIVE 8

/* Which arguments of a call are handles: bit 0 for the first. */
#define HANDLE_mnos_cap_t 1u
#define HANDLE_uint64_t 0u
#define HANDLE_int64_t 0u
#define HANDLE_OF(type) HANDLE_##type
#define HANDLE_OF_PAIR(type, name) HANDLE_OF(type)
enum register_number {
    REGISTER_rdi,
    REGISTER_rsi,
    REGISTER_rdx,
    REGISTER_r10,
    REGISTER_r8,
    REGISTER_r9
};
#define HANDLE_BIT(register, pair) | HANDLE_OF_PAIR pair << REGISTER_##register
#define SYSCALL(number, name, result, way, ...)                                                    \
    [(number)-MNOS_SYSCALL_BASE] = 0 EACH_ARGUMENT(HANDLE_BIT, __VA_ARGS__),
static const uint8_t handles_of[MNOS_SYSCALL_END - MNOS_SYSCALL_BASE] = {
#include "abi/syscalls.def"
};
#undef SYSCALL

static bool is_denial(result_t why)
{
    switch (status_of(why)) {
    case MNOS_ERR_HANDLE:
    case MNOS_ERR_TYPE:
    case MNOS_ERR_RIGHTS:
    case MNOS_ERR_QUOTA:
    case MNOS_ERR_CEILING: return true;
    default: return false;
    }
}

static mnos_cap_t argument_of(const struct user_frame *frame, unsigned index)
{
    const uint64_t arguments[] = {frame->rdi, frame->rsi, frame->rdx,
                                  frame->r10, frame->r8,  frame->r9};

    return arguments[index];
}

/* The argument that `why` names, or, when that is what is wanted of a capability, the handle before it. */
static mnos_cap_t handle_at_fault(const struct user_frame *frame, result_t why)
{
    unsigned argument = MNOS_DETAIL_ARGUMENT(why);
    uint64_t call = frame->rax - MNOS_SYSCALL_BASE;
    unsigned handles = call < sizeof(handles_of) ? handles_of[call] : 0;

    if (frame->rax >= MNOS_SYS_ipc_send && frame->rax <= MNOS_SYS_ipc_reply) {
        if (argument == ARGUMENT_RECEIVE)
            return frame->r13;
        return argument == ARGUMENT_ENDPOINT ? frame->rdi : 0;
    }
    for (unsigned i = argument == 0 ? 1 : argument; i-- > 0;)
        if (i < 6 && (handles & 1u << i) != 0)
            return argument_of(frame, i);
    return 0;
}

void denial_note_cap(const struct thread *thread, mnos_cap_t handle, result_t why)
{
    struct process *process = thread->process;
    struct mnos_denial denial = {
        .rax = result_told(why), .handle = handle, .call = (uint32_t)thread->frame.rax};
    struct cap_view view;

    if (!is_denial(result_told(why)))
        return;
    if (handle != 0 &&
        cap_lookup(&process->captable, handle, MNOS_TYPE_NONE, 0, &view) == RESULT_OK) {
        denial.object_id = view.object->id;
        denial.type = view.object->type;
    }
    denial.time_ns = arch_time_ns();
    spin_lock(&process->lock);
    process->denials.kept[process->denials.count++ % MNOS_DENIALS_KEPT] = denial;
    spin_unlock(&process->lock);
}

void denial_note(const struct thread *thread, result_t why)
{
    denial_note_cap(thread, handle_at_fault(&thread->frame, why), why);
}

mnos_status_t denial_get(struct process *process, uint64_t index, struct mnos_denial *denial)
{
    const struct denials *denials = &process->denials;
    mnos_status_t status = MNOS_ERR_END;
    struct mnos_denial found;

    spin_lock(&process->lock);
    if (index < MNOS_DENIALS_KEPT && index < denials->count) {
        found = denials->kept[(denials->count - 1 - index) % MNOS_DENIALS_KEPT];
        status = MNOS_OK;
    }
    spin_unlock(&process->lock);
    if (status == MNOS_OK)
        *denial = found; /* where a program can write */
    return status;
}
