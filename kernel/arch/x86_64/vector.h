// SPDX-License-Identifier: MIT
/* vector.h - x87, SSE, AVX and AVX-512 registers of the thread that leaves or enters this core. */
#pragma once

#include <stdbool.h>

#include "arch_types.h"

/* Keeps everything in arch->vector_area; `voluntary`: only MXCSR and the x87 control word, in *arch. */
void vector_save(struct thread_arch *arch, bool voluntary);
/* Nothing of the thread before remains visible. */
void vector_load(const struct thread_arch *arch);
/* State a thread starts with. */
void vector_reset(struct thread_arch *arch);
