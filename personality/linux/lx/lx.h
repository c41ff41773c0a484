// SPDX-License-Identifier: MIT
/*
 * lx.h - what all files of lx share: records of the way in (entry.S), results of calls, the program's memory.
 *
 * A handler of a call returns what Linux returns: a result, or the negative number of an error.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/types.h"
#include "personality/linux/lx/errno.h"
#include "personality/linux/lx/layout.h"

#define LX_PAGE ((uint64_t)MNOS_PAGE_BYTES)
#define LX_PAGE_MASK (LX_PAGE - 1)
#define LX_PATH_BYTES 4096u /* with the NUL: PATH_MAX */

static inline uint64_t lx_page_up(uint64_t value)
{
    return (value + LX_PAGE_MASK) & ~LX_PAGE_MASK;
}

/* All registers of an interrupted program, as entry.S pushes them. */
struct lx_frame {
    uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rbp, rdi, rsi, rdx, rcx, rbx, rax;
    uint64_t rflags, rip, rsp;
};
_Static_assert(offsetof(struct lx_frame, rflags) == LX_FRAME_RFLAGS, "entry.S knows it");

/* The arguments of a call, as they lie on the lx stack. */
struct lx_call_frame {
    uint64_t r10, r9, r8, rdi, rsi, rdx;
    uint64_t rip, rsp;
};

/* Of the call that runs: it is at the top of the lx stack. */
struct lx_call_frame *lx_call_record(void);
/* Goes on in the program. */
_Noreturn void lx_resume(const struct lx_frame *frame);

/* ---- user.c: the program's memory. An address is a number that the program claims. ---- */

/* 0, or -EFAULT: all of it was copied, or some of it cannot be reached. */
int64_t user_read(void *to, uint64_t from, size_t bytes);
int64_t user_write(uint64_t to, const void *from, size_t bytes);
int64_t user_zero(uint64_t to, size_t bytes);
/* A word, of which the address is a multiple of 4, becomes the wanted one if it is the expected one, in one step: what it was, or
 * -EFAULT. */
int64_t user_compare(uint64_t address, uint32_t expected, uint32_t wanted);
/* How many bytes were copied before something could not be reached. */
size_t user_write_some(uint64_t to, const void *from, size_t bytes);
size_t user_read_some(void *to, uint64_t from, size_t bytes);
/* A text with its NUL: its length, -EFAULT, or -ENAMETOOLONG when it does not fit. */
int64_t user_text(char *to, uint64_t from, size_t size);
/* A path: -ENOENT when it is empty. */
int64_t user_path(char to[LX_PATH_BYTES], uint64_t from);

/* ---- end.c ---- */

/* The process ends, with what wait4(2) tells of it; or with LXHOST_END_OF_LX and one of layout.h. */
_Noreturn void lx_exit(uint64_t code);
/* A line on the terminal, which begins with the program's name. */
__attribute__((format(printf, 1, 2))) void lx_say(const char *format, ...);
/* The program ends as by that signal, which nobody handles; `why` is told. */
_Noreturn void lx_killed(uint32_t signal, const struct lx_frame *frame, uint64_t address);
/* The name of a signal, as SIGSEGV. */
const char *lx_signal_name(uint32_t signal);
