/* SPDX-License-Identifier: MIT */
/*
 * event.S - the common cases of sys_ipc_notify, sys_thread_yield and device interrupts straight through:
 *
 *   arch_call_ipc_notify    through the capability that the thread used last; nobody waits, or one thread
 *                           waits that is better than the current one, which is ready from then on
 *   arch_call_thread_yield  nobody is ready; or the first one of the same priority takes over
 *   line_interrupt          an edge or a message for one waiting thread that is better
 *
 * The first two are entries in call_table. Anything else: nothing has been changed, and C does it, which
 * also says what happens to the objects: object/endpoint.c, sched_wake() in sched/ready.c, sched_yield() in
 * sched/sched.c. Events
 * are traced by C only: `need_resched` is looked at together with `tracing`.
 *
 *   R11  the core
 *   R10  the current thread, which is going to be ready
 *   R8   the thread that goes on
 */
#include "arch/x86_64/entry/frame.inc"
#include "arch/x86_64/entry/spinlock.inc"
#include "arch/x86_64/apic/vectors.h"
#include "struct_offsets.h"

.text

/* The result is OK, and of the registers what a called function preserves. */
.macro KEEP_REGISTERS
    movq $0, FRAME_RAX(%r10)
    movq $0, FRAME_RDX(%r10)
    movq %rbx, FRAME_RBX(%r10)
    movq %rbp, FRAME_RBP(%r10)
    movq %r12, FRAME_R12(%r10)
    movq %r13, FRAME_R13(%r10)
    movq %r14, FRAME_R14(%r10)
    movq %r15, FRAME_R15(%r10)
.endm

/* Time, and FS and GS base: switch_account(), switch_save_bases(), switch_load_bases(). GS is the user's
 * afterwards. */
.macro CHANGE_BASES
    rdtsc
    shlq $32, %rdx
    orq %rdx, %rax
    addq %rax, THREAD_CPU_CYCLES(%r10)
    subq %rax, THREAD_CPU_CYCLES(%r8)
    rdfsbase %rcx
    movq %rcx, THREAD_FS_BASE(%r10)
    movq THREAD_FS_BASE(%r8), %rcx
    wrfsbase %rcx
    movq THREAD_GS_BASE(%r8), %rax
    swapgs
    rdgsbase %rcx
    wrgsbase %rax
    movq %rcx, THREAD_GS_BASE(%r10)
.endm

/* The address space of the thread that goes on, which is the current one from then on. What is more than
 * writing CR3 is at NAME_process, which ends at NAME_changed. */
.macro CHANGE_PROCESS name
    movq THREAD_ASPACE(%r8), %rcx
    cmpq %rcx, CORE_ASPACE(%r11)
    je \name\()_changed
    movl CORE_SWITCH_BIT(%r11), %edx
    testl %edx, ASPACE_PLAIN_ON(%rcx)
    jz \name\()_process
    movq %rcx, CORE_ASPACE(%r11)
    movq ASPACE_ROOT(%rcx), %rcx
    movq %rcx, %cr3
\name\()_changed:
    movq %r8, CORE_CURRENT(%r11)
    movq CORE_RUNNING_HERE(%r11), %rcx
    movq %rcx, THREAD_STATE(%r8) /* and `core` */
    movq CORE_STATISTICS(%r11), %rcx
    incq STATISTICS_SWITCHES(%rcx)
.endm

.macro INITIAL_VECTORS
    movl $-1, %eax
    xrstor64 vector_initial_state(%rip)
    ldmxcsr THREAD_MXCSR(%r8)
    fldcw THREAD_X87_CONTROL(%r8)
.endm

/* Plain variant: the processor pushes into the thread's frame. */
.macro SET_ENTRY_STACK
    movq CORE_TSS(%r11), %rcx
    leaq FRAME_BYTES(%r8), %rdx
    movq %rdx, TSS_RSP0(%rcx)
.endm

/* Around a call of C in the middle of it. The stack is never returned through. */
.macro C_BEGIN
    andq $-16, %rsp
    pushq %rdi
    pushq %rsi
    pushq %r8
    pushq %r10
    pushq %r11
    pushq %r11
    swapgs
.endm
.macro C_END
    swapgs
    popq %r11
    popq %r11
    popq %r10
    popq %r8
    popq %rsi
    popq %rdi
.endm

/* ---- an event for whoever waits on the endpoint R9, which is locked ---- */

/* The only receiver takes over if next_is_all() in sched/sched.c would say so; else NAME_not_now. EAX = its
 * priority. */
.macro FIND_RECEIVER name
    movq ENDPOINT_QUEUE(%r9), %r8
    cmpq $1, %r8 /* ipc/thread_queue.h */
    jbe \name\()_not_now
    cmpq $0, THREAD_STOP(%r8) /* and `slow` */
    jne \name\()_pinned
\name\()_free:
    movzbl THREAD_EFFECTIVE(%r8), %eax
    cmpb THREAD_EFFECTIVE(%r10), %al
    jbe \name\()_not_now
    cmpq $0, CORE_SLICE_END(%r11)
    jne \name\()_not_now
    cmpl $0, idle_cores(%rip) /* it may be better off there */
    jne \name\()_not_now
    bsrq CORE_READY(%r11), %rdx
    jz \name\()_best
    cmpl %eax, %edx
    jge \name\()_not_now
\name\()_best:
.endm

/* Is it pinned to this core, and that is all? Behind it, NAME_not_now. */
.macro PINNED_RECEIVER name
\name\()_pinned:
    movq CORE_PINNED_HERE(%r11), %rcx
    cmpq %rcx, THREAD_STOP(%r8)
    je \name\()_free
.endm

/* Off the endpoint, where it was alone; and alone in waiting through its capability. */
.macro TAKE_RECEIVER
    movl %eax, %edi
    movl $ENDPOINT_IDLE, ENDPOINT_STATE(%r9)
    movq $0, ENDPOINT_QUEUE(%r9)
    movq THREAD_VIA(%r8), %rcx
    movq $0, CAP_WAITERS(%rcx)
    movq $0, THREAD_WAITS_ON(%r8)
    movq $-1, THREAD_DEADLINE(%r8)
    incw ENDPOINT_LOCK_SERVING(%r9)
.endm

/* ---- notify ---- */

/* struct call_return arch_call_ipc_notify(uint64_t endpoint, uint64_t events) */
.globl arch_call_ipc_notify
arch_call_ipc_notify:
    movq %gs:0, %r11
    movq CORE_CURRENT(%r11), %r10
    cmpw $0, CORE_NEED_RESCHED(%r11)
    jne enter_ipc_notify
    cmpq %rdi, THREAD_SENT_KEY(%r10)
    jne enter_ipc_notify
    movq THREAD_SENT_CAP(%r10), %rcx
    movq %rsi, %rax
    andq CAP_EVENT_MASK(%rcx), %rax
    jz enter_ipc_notify
    cmpq %rdi, CAP_KEY(%rcx) /* after the mask was read: it is the one of that capability */
    jne enter_ipc_notify
    cmpq %rsi, %rax
    jne enter_ipc_notify
    movq THREAD_SENT_TO(%r10), %r9
    SPIN_LOCK ENDPOINT_LOCK_NEXT(%r9), ENDPOINT_LOCK_SERVING(%r9)
    cmpl $ENDPOINT_RECEIVING, ENDPOINT_STATE(%r9)
    je 1f
    orq %rsi, ENDPOINT_EVENTS(%r9)
    movl $1, ENDPOINT_PENDING(%r9)
    incw ENDPOINT_LOCK_SERVING(%r9)
    xorl %eax, %eax
    xorl %edx, %edx
    ret

1:  FIND_RECEIVER notify
    KEEP_REGISTERS
    TAKE_RECEIVER
notify_hand_over:
    CHANGE_BASES
    movq THREAD_VECTOR_AREA(%r10), %rcx
    movb $1, THREAD_VECTOR_LIVE(%r10)
    movl $-1, %eax /* of all components that are enabled; there is none beyond bit 31 */
    xsaveopt64 (%rcx)

/* The thread that ran goes to the front of its priority: simple when nobody else is there. */
    SPIN_LOCK CORE_RUNQUEUE_NEXT(%r11), CORE_RUNQUEUE_SERVING(%r11)
    movzbl THREAD_EFFECTIVE(%r10), %edx
    btq %rdx, CORE_READY(%r11)
    jc notify_insert
    movl %edx, %eax /* queued_priority, and not queued_pinned */
    leaq CORE_MOVABLES(%r11), %r9
    cmpq $0, THREAD_STOP(%r10)
    jne notify_insert_pinned
    btsq %rdx, CORE_MOVABLE(%r11)
notify_queue:
    btsq %rdx, CORE_READY(%r11)
    movw %ax, THREAD_QUEUED_PRIORITY(%r10)
    movl CORE_NEXT_TICKET(%r11), %ecx
    movl %ecx, THREAD_TICKET(%r10)
    incl CORE_NEXT_TICKET(%r11)
    shll $4, %edx
    addq %r9, %rdx
    leaq THREAD_RUN_LINK(%r10), %rcx
    movq %rdx, (%rcx)
    movq %rdx, 8(%rcx)
    movq %rcx, (%rdx)
    movq %rcx, 8(%rdx)
notify_inserted:
    movl $STATE_READY, THREAD_STATE(%r10)
    movl %edi, CORE_RUNNING_PRIORITY(%r11)
    incw CORE_RUNQUEUE_SERVING(%r11) /* from here on it can be made to run elsewhere */
    cmpl $1, core_count(%rip)
    jne notify_offer
notify_switch:
    CHANGE_PROCESS notify
    INITIAL_VECTORS

/* It waited in a system call, else SLOW_FAULTED were set, so that SYSRET is right. */
    cmpb $0, paging_isolation(%rip)
    jne notify_isolating
    SET_ENTRY_STACK
    movq FRAME_R15(%r8), %r15
    movq FRAME_R14(%r8), %r14
    movq FRAME_R13(%r8), %r13
    movq FRAME_RBP(%r8), %rbp
    movq FRAME_RBX(%r8), %rbx
    movq FRAME_RIP(%r8), %rcx
    movq FRAME_RFLAGS(%r8), %r11
    movq FRAME_RSP(%r8), %rsp
    movq %rsi, %rdx
    movl $INFO_EVENTS, %esi
    xorl %eax, %eax
    xorl %edi, %edi
    xorl %r12d, %r12d
    xorl %r8d, %r8d
    xorl %r9d, %r9d
    xorl %r10d, %r10d
    sysretq

notify_isolating:
    movq $0, FRAME_RAX(%r8)
    movq $0, FRAME_RDI(%r8)
    movq $0, FRAME_R12(%r8)
    movq $INFO_EVENTS, FRAME_RSI(%r8)
    movq %rsi, FRAME_RDX(%r8)
    swapgs
    jmp exit_isolating

notify_insert_pinned:
    movq CORE_PINNED_HERE(%r11), %rcx
    cmpq %rcx, THREAD_STOP(%r10)
    jne notify_insert
    btsq %rdx, CORE_PINNED(%r11)
    leaq CORE_PINNEDS(%r11), %r9
    orl $0x100, %eax
    jmp notify_queue
notify_insert:
    C_BEGIN
    leaq CORE_RUNQUEUE(%r11), %rdi
    movq %r10, %rsi
    movl $1, %edx
    call runqueue_insert_locked
    C_END
    jmp notify_inserted
notify_offer:
    C_BEGIN
    movq %r11, %rdi
    call sched_offer_to_idle
    C_END
    jmp notify_switch
notify_process:
    C_BEGIN
    movq %r8, %rdi
    call switch_to_process_of
    C_END
    jmp notify_changed

    PINNED_RECEIVER notify
notify_not_now:
    incw ENDPOINT_LOCK_SERVING(%r9)
    jmp enter_ipc_notify

/* ---- the interrupt of a line: trap_interrupt(), ioapic_interrupt(), interrupt_deliver() ---- */

/* All registers of the thread RDI are in its frame. RBX = the line, RBP = its number. */
.globl line_interrupt
line_interrupt:
    cmpb $0, cpu_facts + CPU_FAST_SWITCH(%rip)
    je line_in_c
    movq %rdi, %r10
    movq %gs:0, %r11
    cmpw $0, CORE_NEED_RESCHED(%r11)
    jne line_in_c
    cmpl $(LINE_BURST - 1), CORE_BURST(%r11)
    jae line_in_c
    movzbl FRAME_VECTOR(%rdi), %ebp
    subl $VECTOR_LINE_FIRST, %ebp
    jb line_message
1:  imull $LINE_BYTES, %ebp, %ebx
    addq interrupt_lines(%rip), %rbx
    SPIN_LOCK LINE_LOCK_NEXT(%rbx), LINE_LOCK_SERVING(%rbx)
    cmpw $0, LINE_FIRED(%rbx) /* and `is_level` */
    jne line_later
    movq LINE_EVENTS(%rbx), %rsi
    testq %rsi, %rsi
    jz line_later
    movq LINE_LISTENER(%rbx), %rcx
    movq CAP_OBJECT(%rcx), %r9
    cmpb $0, CAP_TYPE(%rcx) /* after the object was read: it is the one of that capability */
    je line_later
    SPIN_LOCK ENDPOINT_LOCK_NEXT(%r9), ENDPOINT_LOCK_SERVING(%r9)
    cmpl $ENDPOINT_RECEIVING, ENDPOINT_STATE(%r9)
    jne line_not_now
    FIND_RECEIVER line
    TAKE_RECEIVER
    movb $1, LINE_FIRED(%rbx)
    incw LINE_LOCK_SERVING(%rbx)
    incl CORE_BURST(%r11)
    movq CORE_STATISTICS(%r11), %rcx
    incq STATISTICS_INTERRUPTS(%rcx)
    movq statistics(%rip), %rcx
    incq STATISTICS_LINES(%rcx, %rbp, 8)
    movq lapic_registers(%rip), %rcx
    testq %rcx, %rcx
    jz line_x2apic
    movl $0, EOI_OFFSET(%rcx)
    jmp notify_hand_over

line_message:
    addl $(VECTOR_LINE_FIRST - VECTOR_MESSAGE_FIRST + MESSAGE_LINE_FIRST), %ebp
    jmp 1b
line_x2apic:
    movl $EOI_MSR, %ecx
    xorl %eax, %eax
    xorl %edx, %edx
    wrmsr
    jmp notify_hand_over
    PINNED_RECEIVER line
line_not_now:
    incw ENDPOINT_LOCK_SERVING(%r9)
line_later:
    incw LINE_LOCK_SERVING(%rbx)
    movq %r10, %rdi
line_in_c:
    call trap_from_user
    cmpb $0, paging_isolation(%rip)
    je leave_plain
    jmp leave_isolating

/* ---- yield ---- */

/* struct call_return arch_call_thread_yield(void) */
.globl arch_call_thread_yield
arch_call_thread_yield:
    movq %gs:0, %r11
    cmpq $0, CORE_READY(%r11)
    jne 2f
1:  xorl %eax, %eax
    xorl %edx, %edx
    ret

2:  movq CORE_CURRENT(%r11), %r10
    movzbl THREAD_EFFECTIVE(%r10), %edx
    bsrq CORE_READY(%r11), %rcx
    jz 1b
    cmpl %edx, %ecx
    jne 1b /* nobody to yield to, or the long way out decides */
    cmpw $0, CORE_NEED_RESCHED(%r11)
    jne yield_in_c
    cmpq $0, CORE_SLICE_END(%r11)
    je yield_in_c /* the turn begins now */
    SPIN_LOCK CORE_RUNQUEUE_NEXT(%r11), CORE_RUNQUEUE_SERVING(%r11)

/* RDI = the list of those that are as free as the current thread; there are no others of the priority. */
    movq CORE_MOVABLE(%r11), %rax
    movq CORE_PINNED(%r11), %rcx
    leaq CORE_MOVABLES(%r11), %rdi
    movl %edx, %r9d /* queued_priority, and not queued_pinned */
    movq THREAD_STOP(%r10), %rsi
    testq %rsi, %rsi
    jnz yield_pinned
yield_free:
    btq %rdx, %rax
    jnc yield_not_now
    btq %rdx, %rcx
    jc yield_not_now
    shll $4, %edx
    addq %rdx, %rdi
    movq (%rdi), %rsi
    leaq -THREAD_RUN_LINK(%rsi), %r8
    cmpl $0, THREAD_STOP(%r8)
    jne yield_not_now

/* The current thread goes to the end of the list, the first one, which may be the same end, out of it. */
    movw %r9w, THREAD_QUEUED_PRIORITY(%r10)
    movl CORE_NEXT_TICKET(%r11), %eax
    movl %eax, THREAD_TICKET(%r10)
    incl CORE_NEXT_TICKET(%r11)
    leaq THREAD_RUN_LINK(%r10), %rax
    movq 8(%rdi), %rdx
    movq %rax, (%rdx)
    movq %rdx, 8(%rax)
    movq %rdi, (%rax)
    movq %rax, 8(%rdi)
    movq (%rsi), %rdx
    movq %rdx, (%rdi)
    movq %rdi, 8(%rdx)
    movq %rsi, (%rsi)
    movq %rsi, 8(%rsi)
    KEEP_REGISTERS
    CHANGE_BASES
    stmxcsr THREAD_MXCSR(%r10)
    fnstcw THREAD_X87_CONTROL(%r10)
    movl $STATE_READY, THREAD_STATE(%r10)
    movl $STATE_PAIRED, THREAD_STATE(%r8)
    incw CORE_RUNQUEUE_SERVING(%r11) /* from here on it can be made to run elsewhere */
    CHANGE_PROCESS yield
    cmpb $0, THREAD_VECTOR_LIVE(%r8)
    jne yield_vectors
    INITIAL_VECTORS
2:  cmpb $0, paging_isolation(%rip)
    jne yield_isolating
    SET_ENTRY_STACK
    cmpl $FRAME_SYSCALL_VECTOR, FRAME_VECTOR(%r8)
    jne yield_interrupted
    movq %r8, %rsp
    RESTORE_R15_TO_RBX
    RESTORE_R11_TO_RDI
    movq FRAME_RIP-FRAME_VECTOR(%rsp), %rcx
    movq FRAME_RFLAGS-FRAME_VECTOR(%rsp), %r11
    movq FRAME_RSP-FRAME_VECTOR(%rsp), %rsp
    sysretq

yield_pinned:
    cmpq %rsi, CORE_PINNED_HERE(%r11)
    jne yield_not_now
    xchgq %rax, %rcx
    addq $(CORE_PINNEDS - CORE_MOVABLES), %rdi
    orl $0x100, %r9d
    jmp yield_free
yield_process:
    C_BEGIN
    movq %r8, %rdi
    call switch_to_process_of
    C_END
    jmp yield_changed
yield_vectors:
    movb $0, THREAD_VECTOR_LIVE(%r8)
    FORGET_X87_POINTERS
    movq THREAD_VECTOR_AREA(%r8), %rcx
    movl $-1, %eax
    xrstor64 (%rcx)
    jmp 2b
yield_interrupted:
    swapgs
    jmp exit_plain
yield_isolating:
    swapgs
    jmp exit_isolating

yield_not_now:
    incw CORE_RUNQUEUE_SERVING(%r11)
yield_in_c:
    movq %r11, %rdi
    movq CORE_CURRENT(%rdi), %rsi
    movq %rsi, %r10
    KEEP_REGISTERS
    call sched_yield
    cmpb $0, paging_isolation(%rip)
    je leave_plain
    jmp leave_isolating

.section .note.GNU-stack, "", @progbits
