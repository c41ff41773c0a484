// SPDX-License-Identifier: MIT
/* image.h - the parts of the kernel image, as kernel.ld lays them out; all bounds are page aligned. */
#pragma once

extern char __image_start[], __image_end[];
/* What only the boot needs: read-only data, then code. arch_leave_boot() gives it back. */
extern char __boot_start[], __boot_text_start[], __boot_end[];
/* The entries from user mode in two variants, of which arch_leave_boot() gives back the one not used. */
extern char __entry_plain_start[], __entry_isolating_start[];
extern char __text_start[], __text_end[];     /* read, execute */
extern char __build_id_note[];                /* within the next */
extern char __rodata_start[], __rodata_end[]; /* read */
extern char __data_start[], __data_end[];     /* read, write; .bss and the boot stack included */

/* What stays mapped while user code runs when page tables are isolated, besides the isolating entries. */
extern char __entry_data_start[], __entry_data_end[];

/* The stack that kmain() runs on; the page at the guard is not mapped. */
extern char __boot_stack_guard[], __boot_stack_start[], __boot_stack_end[];
