// SPDX-License-Identifier: MIT
/*
 * types.h - handles, status, rights, capability types and limits that kernel and programs share.
 *
 * Leaves messages to message.h, records of sys_cap_inspect to inspect.h, memory flags to memory.h.
 */
#pragma once

#include <stdint.h>

/* A capability handle: bits 0-23 index the process's table, bits 24-63 are the slot's generation.
 * Meaningful only inside the process that holds it. No valid handle is 0. */
typedef uint64_t mnos_cap_t;

/* The badge that sys_cap_create minted into an endpoint capability; 0 is "not minted". */
typedef uint64_t mnos_badge_t;

/* In calls that say so: the calling process or thread itself. */
#define MNOS_SELF ((mnos_cap_t)0)

#define MNOS_HANDLE_INDEX_BITS 24
#define MNOS_HANDLE_INDEX(handle) ((uint32_t)((handle)&0xFFFFFFu))

typedef enum [[nodiscard]]{
#define STATUS(code, name, text) MNOS_##name = (code),
#include "abi/status.def"
#undef STATUS
} mnos_status_t;

/*
 * RAX after a system call: status in bits 0-31; for an error, bits 32-39 the number of the argument
 * at fault (1 is the first, 0 none in particular), bits 40-47 the rights that are missing
 * (MNOS_ERR_RIGHTS), the type that was found (MNOS_ERR_TYPE), or the quota that is spent (MNOS_ERR_QUOTA;
 * 0: another limit).
 */
#define MNOS_DETAIL_ARGUMENT(rax) ((unsigned)(((rax) >> 32) & 0xFF))
#define MNOS_DETAIL_RIGHTS(rax) ((unsigned)(((rax) >> 40) & 0xFF))
#define MNOS_DETAIL_TYPE(rax) ((unsigned)(((rax) >> 40) & 0xFF))
#define MNOS_DETAIL_QUOTA(rax) ((unsigned)(((rax) >> 40) & 0xFF)) /* enum mnos_quota_kind */

enum mnos_quota_kind {
    MNOS_QUOTA_FRAMES = 1,
    MNOS_QUOTA_BYTES = 2, /* of kernel objects and capability slots */
};

typedef uint32_t mnos_rights_t;
enum {
#define RIGHT(bit, name, letter, memory, endpoint, interrupt, process, thread)                     \
    MNOS_RIGHT_##name = 1u << (bit),
#include "abi/rights.def"
#undef RIGHT
    MNOS_RIGHTS_ALL = 0x1F,
};

enum mnos_cap_type {
    MNOS_TYPE_NONE = 0,
    MNOS_TYPE_MEMORY = 1,
    MNOS_TYPE_ENDPOINT = 2,
    MNOS_TYPE_INTERRUPT = 3,
    MNOS_TYPE_PROCESS = 4,
    MNOS_TYPE_THREAD = 5,
};

/* What sys_cap_create makes; `rights` may only shrink what the source has. */
enum mnos_create_kind {
    /* A new endpoint, all rights; a = number of lasting mints to set aside (0 to MNOS_LASTING_MAX);
     * source, b are 0. */
    MNOS_CREATE_ENDPOINT = 1,
    /* A child of any capability with at most its rights; a, b are 0. */
    MNOS_CREATE_COPY = 2,
    /* A child of an endpoint capability without a badge: a = badge (not 0), b = event mask (the
     * events that sys_ipc_notify and sys_irq_bind may set through it). The badge ends with the process
     * that minted it. */
    MNOS_CREATE_MINT = 3,
    /* A child of a Memory capability: a = first page (port, for I/O ports), b = number of pages
     * (ports); or of an Interrupt capability: a = first line, b = number of lines, relative to it. */
    MNOS_CREATE_RANGE = 4,
    /* Added to MNOS_CREATE_MINT: the badge lives as long as somebody has it, whatever becomes of who
     * minted it, and at most as long as the endpoint's first capability. One of those that were set
     * aside is in use until the badge has gone and a receiver has been told. */
    MNOS_MINT_LASTING = 0x100,
};

#define MNOS_LASTING_MAX 4096

/* Time is nanoseconds since boot. As a deadline, 0 never waits and this one waits for ever. */
#define MNOS_DEADLINE_NEVER UINT64_MAX
#define MNOS_DEADLINE_POLL ((uint64_t)0)

#define MNOS_PRIORITY_COUNT 64 /* 0 is the lowest */
#define MNOS_CORES_MAX 32
#define MNOS_NAME_BYTES 24 /* with the terminating 0 */
#define MNOS_AFFINITY_ANY UINT32_MAX

#define MNOS_PAGE_BYTES 4096
/* User addresses end here: the last page of the lower half cannot be mapped, so that the address
 * after a SYSCALL instruction is always canonical. */
#define MNOS_USER_END 0x00007FFFFFFFF000ull
/* Where every process finds the kernel information page (kinfo.h), read-only. */
#define MNOS_KINFO_ADDRESS 0x00007FFFFFFFE000ull

#define MNOS_SYSCALL_BASE 0x4D4E0000u
