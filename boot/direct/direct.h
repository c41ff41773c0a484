// SPDX-License-Identifier: MIT
/*
 * direct - what the parts of the direct boot front end share: a description of the machine in the
 * same form, whoever has loaded us.
 */
#pragma once

#include "boot/core/platform.h"

#define DIRECT_MAX_MODULES 32
#define DIRECT_CMDLINE 2048

struct direct_module {
    uint64_t start, end; /* physical */
    const char *name;    /* the path that it was loaded from; "" if unknown */
};

struct direct_machine {
    struct boot_raw_map memory; /* in the memory of whoever has loaded us */
    struct direct_module modules[DIRECT_MAX_MODULES];
    unsigned module_count;
    char cmdline[DIRECT_CMDLINE];
    uint64_t rsdp;
    struct boot_framebuffer framebuffer;
    bool has_framebuffer, may_set_mode;
    uint64_t info_start, info_end; /* memory that must not be reused before it has been read */
};

/* Each reads what its loader has left at `info`. False: it was not this loader. */
bool pvh_read(struct direct_machine *machine, uint64_t info);
bool multiboot2_read(struct direct_machine *machine, uint32_t magic, uint64_t info);

/* The memory type that an E820 type stands for. */
uint64_t direct_memory_type(uint32_t e820_type);
void direct_set_cmdline(struct direct_machine *machine, const char *text);

/* Finds the tables that a BIOS leaves in low memory; 0 if they are not there. The RSDP is where
 * `told` says if there is one. */
uint64_t bios_find_rsdp(uint64_t told);
uint64_t bios_find_smbios32(void);
uint64_t bios_find_smbios64(void);

/* Sets 1024x768x32 on the display adapter of Bochs and QEMU, if the machine has one. */
bool dispi_set_mode(struct boot_framebuffer *fb);

/* Ticks of the time stamp counter in a microsecond, measured with the 8254 timer. */
uint64_t pit_tsc_per_us(void);
