// SPDX-License-Identifier: MIT
/*
 * fault_report.h - what a fault was and where, in words: the function that faulted and those that had called it, and for
 * faults that have a usual cause, the cause and what to do.
 *
 * For whoever starts programs and gets their faults (abi/fault.h): init. Registers and stack are the program's, which may be
 * hostile: what is read is within the bytes given here, and the lines are few whatever they hold. Programs have no frame
 * pointers; callers are what return addresses lie on the stack, words that point behind a CALL instruction of the program.
 * A call that has returned can be among them, where a function has not used all of its stack.
 *
 * Pure: reads what it is given, and calls `line`.
 */
#pragma once

#include <stdint.h>

#include "abi/fault.h"
#include "lib/format/symbols.h"

/* Return addresses are looked for in so many bytes above the stack pointer, and so many are told. */
#define FAULT_STACK_BYTES_MAX 32768u
#define FAULT_PLACES_MAX 8u
#define FAULT_LINE_BYTES 160u

struct fault_scene {
    const struct mnos_fault *fault;
    const struct symbols_program *symbols; /* NULL: none are known of this program */
    /* Its code as its file has it; code_bytes 0: it is not known. */
    const uint8_t *code;
    uint64_t code_address, code_bytes;
    /* The stack of its first thread, below which nothing is mapped; stack_bytes 0: it cannot be read. The address is a
     * whole number of words. */
    const uint8_t *stack;
    uint64_t stack_address, stack_bytes;
};

/* Takes one line, without a newline, of fewer than FAULT_LINE_BYTES characters. */
typedef void fault_line(void *context, const char *text);

/* First what it was, then at most FAULT_PLACES_MAX places: "  #0 0x401a3c disk_read+0x1c", without the name when the function is
 * not known. */
void fault_report(const struct fault_scene *scene, fault_line *line, void *context);

/* "disk_read+0x1c", or the address when the function is not known. */
void fault_place(const struct symbols_program *symbols, uint64_t address, char *out, size_t size);
