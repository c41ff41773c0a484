// SPDX-License-Identifier: MIT
/*
 * bootstrap.h - the bootstrap table: the only names a program starts with.
 *
 * One page, mapped read-only. The first thread starts with RDI = its address, RSI = the address of
 * the thread's IPC buffer, RSP = top of stack (16-byte aligned, nothing pushed), FS base = RSI, every
 * other general register 0. The kernel makes the table of init, init makes those of the services, and the
 * service `launcher` those of all other programs.
 */
#pragma once

#include "abi/types.h"

#define MNOS_BOOTSTRAP_MAGIC 0x50415254534E4D31ull
#define MNOS_BOOTSTRAP_ENTRIES 96

struct mnos_bootstrap_entry {
    char name[MNOS_NAME_BYTES]; /* unique in the table */
    mnos_cap_t cap;
};

struct mnos_bootstrap {
    uint64_t magic;
    uint32_t entry_count;
    uint32_t reserved;
    char program[MNOS_NAME_BYTES];
    char arguments[216]; /* NUL-terminated; for init: the kernel command line */
    struct mnos_bootstrap_entry entries[MNOS_BOOTSTRAP_ENTRIES];
    /* A word that the program changes to show that it works, for whoever started it and can see the
     * memory; 0: nobody looks. lib/server/alive.h */
    uint64_t alive_address;
    /* Words, each with the NUL behind it, one behind the other: what the program was called with. They lie in
     * read-only pages of their own. 0: there are none, as for services, whose text is `arguments`. */
    uint64_t arguments_address;
    uint32_t argument_count;
    uint32_t arguments_bytes;
    /* For programs/loader: the session of the file that it loads, which it deletes when it has. */
    mnos_cap_t image;
};
_Static_assert(sizeof(struct mnos_bootstrap) <= MNOS_PAGE_BYTES, "the bootstrap table is one page");

/*
 * What the kernel gives init, by name. All with every right, except where said.
 *
 *   initrd       Memory (Read, Execute, Grant, Revoke): the initial RAM disk, whole pages
 *   device       Memory, device flavour: every physical page that is not RAM; page N is frame N
 *   ports        Memory, port flavour: ports 0 to 65535
 *   interrupts   Interrupt: every line of the I/O APICs and every message line, interrupt.h
 *   log          Memory (Read, Write, Grant, Revoke; maps read-only): the kernel log ring, log.h
 *   statistics   Memory (Read, Grant, Revoke): struct mnos_statistics, statistics.h
 *   trace        Memory (Read, Grant, Revoke): the event trace, trace.h
 *   acpi         Memory (Read, Grant, Revoke): the ACPI tables, when there is one region of them
 *   framebuffer  Memory, device flavour: when there is a framebuffer
 *   process      Process: init itself
 *   thread       Thread: init's first thread
 */
