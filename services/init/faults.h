// SPDX-License-Identifier: MIT
/*
 * faults.h - the last faults of services: taken as their fault handler, told in the log in words, and kept for who asks.
 *
 * Init resumes nothing: the answer to a fault ends the process, as if it had no handler, and the kernel logs its line. What
 * the registers were is kept until then, and when the process is dead, and nothing of it runs any more, its stack is looked
 * at, which lies in memory of init's.
 *
 * The names of functions are those of the file `symbols` in the initial RAM disk; without it, addresses are told.
 */
#pragma once

#include <stdbool.h>

#include "abi/fault.h"
#include "lib/format/symbols.h"
#include "lib/mnos/ipc.h"
#include "services/init/archive.h"
#include "services/init/manifest.h"
#include "services/init/program.h"

/* Of so many services the last fault is kept. A service that faults again and again takes the place of its own fault before,
 * and so makes nobody's be forgotten. */
#define FAULTS_KEPT 8u

struct fault_kept {
    uint32_t service; /* its number in the manifest, from 1; 0: nothing is kept here */
    uint32_t start;   /* which of its runs */
    uint64_t time_ns;
    struct mnos_fault fault;
};

struct faults {
    struct symbols symbols;
    bool has_symbols;
    struct fault_kept kept[FAULTS_KEPT];
};

/* Finds the file; what is wrong with it is in the log. */
void faults_init(struct faults *faults, const struct archive *archive);

/* A thread of this run of the service has faulted, by a message of kind MNOS_KIND_FAULT. The first one of a run is kept:
 * others fault before they notice. Each is answered, since only its end may end the process, and the last one answered can end
 * first: then the kernel's line, and how the service ended, are of another thread than what is kept. */
void faults_take(struct faults *faults, uint32_t service, uint32_t start,
                 const struct message *msg);

/* The process has ended by a fault, and is still there: logs what it was. `file` is its program. */
void faults_report(const struct faults *faults, uint32_t service, uint32_t start,
                   const struct manifest_service *config, const struct program *program,
                   const struct archive_member *file);

/* The latest one of the service; NULL: none is kept. */
const struct fault_kept *faults_last(const struct faults *faults, uint32_t service);

/* Which build of the program it is: the first digits, or "" when the file does not say. */
void faults_build(const struct archive_member *file, char out[ELF_BUILD_ID_TEXT]);
/* Where the fault was: "disk_read+0x1c", or the address. */
void faults_place(const struct faults *faults, const struct fault_kept *kept,
                  const struct archive_member *file, char *out, size_t size);
