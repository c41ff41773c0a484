// SPDX-License-Identifier: MIT
/* vectors.h - the program's vector registers, and what the processor says of itself. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "personality/linux/lx/lx.h"

/* Makes room for the first thread's, before the first message; false: there is none. */
bool vectors_start(void);
/* How many bytes of room another thread's need, and where in that room they lie. */
uint64_t vectors_room(void);
void *vectors_in(void *room);
/* The registers as they are. */
void vectors_save(void *area);
uint64_t vectors_bytes(void);    /* of an XSAVE area */
uint64_t vectors_features(void); /* CPUID leaf 1, EDX: AT_HWCAP */
/* What a handler's record has of them: an XSAVE area, as Linux marks it, and what is behind. */
uint64_t vectors_signal_bytes(void);
/* The registers as they are, to an address of the program; false: it cannot be written to. */
bool vectors_to_program(uint64_t to);
/* The registers become those that are there; at address 0 the initial ones. False: there are none. */
bool vectors_from_program(uint64_t from);
/* Begins the program: with the registers that the frame says, and initial vector registers. */
_Noreturn void vectors_enter(const struct lx_frame *frame);
