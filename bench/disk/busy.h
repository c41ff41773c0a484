// SPDX-License-Identifier: MIT
/*
 * busy.h - what operations on files of a disk cost: instructions, without the time in which the only core had
 * nothing to do but wait for the device.
 *
 * The machine has one core and its time stamp counter goes on by one with each instruction, and while the core is
 * idle with the host's time, which the kernel's statistics tell (abi/statistics.h). The instructions between the
 * account's last line and the halt, and from the interrupt to its next line, are left out with it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "abi/types.h"
#include "lib/client/file.h"

#define CHUNK 65536u
#define PAGE 4096u
#define KIB 1024u

/* One batch of a metric: returns how many instructions its operations took in all. */
typedef uint64_t batch_function(void *context);

/* Needs the capability "statistics". */
bool busy_begin(void);
/* Instructions since boot. */
uint64_t busy_now(void);

/* The value of a word of the command line that begins with `key`, up to the next blank; `otherwise` when there is none. The
 * next call uses the same memory. */
const char *argument(const char *key, const char *otherwise);
/* Whether the command line's `only=` has the metric: it is part of the name, or there is none. */
bool is_wanted(const char *name);
/* Prints the median over `batches` (an odd number, at most 9), divided by `operations`. */
void measure(const char *name, unsigned batches, uint64_t operations, batch_function *batch,
             void *context);
/* An operation failed: it is told once, and no metric that comes after it is printed. */
bool worked(mnos_status_t status, const char *what);
bool has_failed(void);

/* The file system, the buffer of CHUNK bytes in its window. */
struct place {
    struct file_session *session;
    uint8_t *buffer;
};

void measure_files(struct place *place);  /* files.c */
void measure_growth(struct place *place); /* growth.c */
/* Cold reading goes by the name that the command line's `cold=` gives it: by which disk it is. */
void measure_bytes(struct place *place); /* bytes.c */
