// SPDX-License-Identifier: MIT
/*
 * fault_report.h - what a fault was and where, in words: the function that faulted and those that had called it, and for
 * faults that have a usual cause, the cause and what to do.
 *
 * For whoever tells faults (abi/fault.h): init, of services; and who has started a program, of that. Registers and stack are the
 * program's, which may be hostile, and so may be its file: what is read is within the words given here, and the lines are few
 * whatever they hold. Programs have no frame pointers; callers are what return addresses lie on the stack, words that point
 * behind a CALL instruction of the program. A call that has returned can be among them, where a function has not used all of
 * its stack.
 *
 * Pure: reads what it is given, and calls `line`.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "abi/fault.h"
#include "lib/format/symbols.h"

/* Return addresses are looked for in so many bytes above the stack pointer, and so many are told. */
#define FAULT_STACK_BYTES_MAX 32768u
#define FAULT_PLACES_MAX 8u
#define FAULT_LINE_BYTES 160u
#define FAULT_PROGRAM_BYTES 48u /* of NAME@BUILD */

/* What is known of a program, asked by addresses that may be any. */
struct fault_program {
    void *context;
    /* The function, which is to be used before the next is asked for, and how far into it; NULL: not known. */
    const char *(*name)(void *context, uint64_t address, uint64_t *offset);
    /* Bytes of its code as its file has them; false: not all of them are code that is known. */
    bool (*code)(void *context, uint64_t address, uint8_t *out, unsigned bytes);
};

/* One whose code lies in memory. */
struct fault_image {
    const struct symbols_program *symbols; /* NULL: none are known of this program */
    const uint8_t *code;
    uint64_t code_address, code_bytes; /* code_bytes 0: it is not known */
};
/* `image` has to stay. */
struct fault_program fault_image_program(struct fault_image *image);

struct fault_scene {
    const struct mnos_fault *fault;
    struct fault_program program;
    /* What lies on the stack from its pointer on, as far as it is known; what cannot be an address of code may be missing. */
    const uint8_t *words;
    uint64_t word_count;
    /* The stack of its first thread, below which nothing is mapped; stack_bytes 0: not known. */
    uint64_t stack_address, stack_bytes;
    bool launched;            /* not a service: no manifest speaks of it */
    const char *program_name; /* NAME@BUILD for `make where`, or NULL: it is not known */
};

/* Which part of the stack of a first thread is looked at: so many bytes, whole words, from *offset on. 0: none, the stack pointer
 * is elsewhere. */
uint64_t fault_stack_part(uint64_t stack_pointer, uint64_t stack_address, uint64_t stack_bytes,
                          uint64_t *offset);

/* Takes one line, without a newline, of fewer than FAULT_LINE_BYTES characters. */
typedef void fault_line(void *context, const char *text);

/* First what it was, then at most FAULT_PLACES_MAX places: "  #0 0x401a3c disk_read+0x1c", without the name when the function is
 * not known. When the program is known the last line is what to type where it was built, to have file and line of each place. */
void fault_report(const struct fault_scene *scene, fault_line *line, void *context);

/* NAME@BUILD: the last part of a path, as far as it is one plain word, and the first digits of a build ID. */
void fault_program_text(const char *path, const char *build, char out[FAULT_PROGRAM_BYTES]);

/* "disk_read+0x1c", or the address when the function is not known. */
void fault_place(const struct fault_program *program, uint64_t address, char *out, size_t size);
