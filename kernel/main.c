// SPDX-License-Identifier: MIT
/*
 * main.c - the order in which the kernel comes up: five phases, each announced on the log once it has
 * done enough to be heard. Details are with those who are called.
 */
#include "arch/x86_64/entry/init.h"
#include "arch/x86_64/mmu/paging.h"
#include "arch/x86_64/report/uart.h"
#include "boot/bootinfo.h"
#include "base/console.h"
#include "provoke.h"
#include "boot/first_process.h"
#include "base/log.h"
#include "mm/frame.h"
#include "mm/kmap.h"
#include "sched/sched.h"
#include "version.h"

void kmain(uint64_t entry_tsc); /* called by start.S, with the TSC as it was at the entry */

static void phase1_deaf_and_blind(void)
{
    char build[ARCH_BUILD_TEXT];

    arch_early_init();
    boot_cmdline_init();
    if (uart_init())
        log_add_device(&(struct log_device){.show = uart_show,
                                            .reset = uart_reset,
                                            .space = LOG_PORTS,
                                            .first = UART_PORT,
                                            .count = UART_PORT_COUNT});
    else
        log_warning("no serial line: nothing answers at I/O port 0x%x (COM1)", UART_PORT);
    log_info("phase 1: Deaf and Blind");
    arch_build_text(build);
    log_info(KERNEL_VERSION ", build %s", build);
    debug_provoke_fault(1);
}

static void phase2_can_see(void)
{
    const struct boot_framebuffer *fb = &boot_info.framebuffer;

    boot_info_init();
    console_init(fb, fb->mapping);
    if (fb->address != 0)
        log_add_device(&(struct log_device){
            .show = console_show,
            .reset = console_reset,
            .space = LOG_FRAMES,
            .first = fb->address / PAGE_BYTES,
            .count =
                (fb->address % PAGE_BYTES + (uint64_t)fb->height * fb->pitch - 1) / PAGE_BYTES + 1,
        });
    log_info("phase 2: Can See");
    debug_provoke_fault(2);
}

static void phase3_can_remember(void)
{
    const struct boot_framebuffer *fb = &boot_info.framebuffer;

    frame_init();
    console_remap(NULL);
    paging_init();
    if (fb->address)
        console_remap(
            kmap_device(fb->address, (size_t)fb->height * fb->pitch, KMAP_WRITE_COMBINING));
    log_info("phase 3: Can Remember");
    log_info("memory: %lu MiB, %lu MiB free", frame_count_total() >> 8, frame_count_free() >> 8);
    paging_prove();
    debug_provoke_fault(3);
}

static void phase4_can_think(void)
{
    arch_machine_init();
    sched_init();
    log_info("phase 4: Can Think");
    debug_provoke_fault(4);
    arch_start_cores();
}

void kmain(uint64_t entry_tsc)
{
    phase1_deaf_and_blind();
    phase2_can_see();
    phase3_can_remember();
    phase4_can_think();
    log_info("phase 5: Alive");
    if (boot_cmdline_has("bench"))
        log_info("bench-mark kernel-entry %lu", entry_tsc);
    debug_provoke_fault(5);
    kernel_start_init();
}
