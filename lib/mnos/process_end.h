// SPDX-License-Identifier: MIT
/* process_end.h - why a process ended, in words, as services and programs that start others report it. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "abi/inspect.h"

/* Of a process that is dead: "exit code 3", "killed", "fault: page fault, vector 14, error 0x4". */
void process_end_text(const struct mnos_process_info *info, char *out, size_t size);

/* The exception, or what else a fault can be, in words: "page fault". Never NULL. */
const char *process_fault_text(uint32_t vector);
