/* SPDX-License-Identifier: MIT */
/*
 * timed.h - system calls between two readings of the time stamp counter, in assembly (timed.S).
 *
 * What lies between the readings is what a careful program executes: the SYSCALL instruction, and
 * around an IPC call the saving of those registers that C expects preserved and the call does not
 * preserve. Arguments are in their registers before. What the readings themselves cost is subtracted.
 */
#pragma once

#define TIMED_RAX 0
#define TIMED_RDI 8
#define TIMED_RSI 16
#define TIMED_RDX 24
#define TIMED_R10 32
#define TIMED_R8 40
#define TIMED_R9 48
#define TIMED_DEADLINE 56
#define TIMED_BEGIN 64
#define TIMED_END 72
#define TIMED_RECEIVE_FROM 80
#define TIMED_REPLY_ID 88

/* From one reading to the next with nothing between: main.c checks it. And the part of it that counts when an
 * interrupt is between, with the write that causes it. */
#define READINGS_COST 8
#define READINGS_COST_WRITE 4
#define READINGS_COST_IN_C 3
/* Between those of fault_for_ever() and of timed_reply_and_wait(), either way. */
#define READINGS_COST_FAULT 6

#ifndef __ASSEMBLER__

#include <stddef.h>
#include <stdint.h>

/* Registers before the call, by the names of abi/syscalls.def and abi/message.h, and after it. */
struct timed {
    uint64_t rax;
    uint64_t rdi, rsi, rdx, r10, r8, r9;
    uint64_t deadline;   /* R12 of an IPC call */
    uint64_t begin, end; /* the readings */
    /* timed_reply_and_wait(): R13, and afterwards what was in R12. */
    uint64_t receive_from;
    uint64_t reply_id;
};
_Static_assert(offsetof(struct timed, reply_id) == TIMED_REPLY_ID, "offsets for assembly");

/* The readings that begin and end a round, for benchmarks in C; the symbols are for trace.py. */
static inline uint64_t reading_begin(void)
{
    uint32_t low, high;

    __asm__ volatile("mark_begin.%=: rdtsc" : "=a"(low), "=d"(high)::"memory");
    return (uint64_t)high << 32 | low;
}

static inline uint64_t reading_end(void)
{
    uint32_t low, high;

    __asm__ volatile("mark_end.%=: rdtsc" : "=a"(low), "=d"(high)::"memory");
    return (uint64_t)high << 32 | low;
}

/* Instructions between two of these readings; `end` may be that of an assembly function. */
static inline uint64_t readings_between(uint64_t begin, uint64_t end)
{
    return end - begin - READINGS_COST_IN_C;
}

/* Each returns the instructions between the readings. */
uint64_t timed_nothing(struct timed *timed);
uint64_t timed_syscall(struct timed *timed);
/* ipc_call. R12 is saved and restored. */
uint64_t timed_call(struct timed *timed);
/* The same with YMM0 to YMM15 alive: `vectors` is loaded before the first reading, saved and loaded
 * again around the call, and written back behind the second reading. */
uint64_t timed_call_vectors(struct timed *timed, void *vectors);
/* ipc_reply. R12 and R13 are saved and restored. */
uint64_t timed_reply_and_wait(struct timed *timed);

/* Server loops; they end only with an error, which is returned. `info` is that of each reply and of the
 * receive behind it. */
uint64_t serve(uint64_t endpoint, uint64_t info, uint64_t deadline);
/* Writes a reading to *stamp as soon as it has a message. */
uint64_t serve_stamping(uint64_t endpoint, uint64_t info, uint64_t deadline, uint64_t *stamp);
/* With live vector registers, saved to and loaded from `vectors`. */
uint64_t serve_vectors(uint64_t endpoint, uint64_t info, uint64_t deadline, void *vectors);
/* Receives without ever replying: for events. */
uint64_t listen_stamping(uint64_t endpoint, uint64_t info, uint64_t deadline, uint64_t *stamp);

/* The same for events of an interrupt, which is acknowledged each time. */
uint64_t handle_interrupts(uint64_t endpoint, uint64_t interrupt, uint64_t deadline,
                           uint64_t *stamp);

/* Waits on the endpoint, and from then on sets an event on `target` and waits again, in one call. */
uint64_t ring_for_ever(uint64_t endpoint, uint64_t target, uint64_t deadline);

/* Calls the endpoint, so that it is known to be there; then reads from `hole`, with a reading before and
 * one behind, and so on for ever. Ends with an error of the call. */
uint64_t fault_for_ever(uint64_t endpoint, uint64_t hole, uint64_t *before, uint64_t *behind);
/* A foreign system call, or reading from `hole`, with a reading before and one in upcall_arrival(), which has
 * to be the thread's upcall. What is between them. */
uint64_t upcall_by_call(uint64_t *state);
uint64_t upcall_by_fault(uint64_t *state, uint64_t hole);
void upcall_arrival(void);

/* Writes 1 where that makes a device interrupt, and waits until *stamp, which the handler writes, is not 0;
 * returns the reading right before the write. */
uint64_t write_and_spin(volatile uint32_t *where, volatile uint64_t *stamp);

void yield_for_ever(void);
void park_for_ever(uint64_t deadline);
/* Where a thread, and a process, begin that only tell when they did. */
void thread_newcomer(uint64_t *stamp);
extern const uint8_t process_newcomer[], process_newcomer_end[];

#endif
