// SPDX-License-Identifier: MIT
/*
 * status.h - what a status means, and what the last failed system call of this thread was about.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "abi/types.h"

/* The sentence of abi/status.def. */
const char *status_text(mnos_status_t status);

/* "rwxgv" with "-" for what is missing; `out` holds 6 bytes. Returns `out`. */
char *rights_text(mnos_rights_t rights, char *out);

const char *cap_type_text(uint32_t type);

/* "frames" or "bytes", as the manifest calls that quota (enum mnos_quota_kind); NULL: it is none of them. */
const char *quota_text(unsigned kind);

/*
 * Writes one line: `what` failed, why, and when the failure is the last system call's of this
 * thread, at which argument, and which right is missing or which type was found. Example:
 *
 *   open the ports: the capability lacks a right that this call needs (mem_map, argument memory:
 *   missing WRITE; memory 0x1000001 "ports")
 *
 * The handle is named as the bootstrap table names it. Of a quota that is spent it says whose and what is used now, which may
 * have changed since, as far as this program may ask. Asks the kernel, what is in the IPC buffer stays. Returns `out`.
 */
char *error_explain(char *out, size_t size, mnos_status_t status, const char *what);

/* The same without a thread's state: `rax` as abi/types.h describes it, `number` of the call, or 0
 * when it is not known. */
char *error_describe(char *out, size_t size, const char *what, uint32_t number, uint64_t rax);
