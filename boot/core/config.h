// SPDX-License-Identifier: MIT
/*
 * config - reads boot/limine.conf, in the syntax of Limine 8.x.
 *
 * Responsible for: the first menu entry: kernel, command line, modules. Keys that only steer a
 * menu or a screen are accepted and have no effect; keys we do not know are reported.
 * Left to the caller: reading files, and all output.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define BOOT_CONFIG_MODULES 16
#define BOOT_CONFIG_TEXT 512 /* longest path or command line, with its NUL */

struct boot_config_file {
    char path[BOOT_CONFIG_TEXT];    /* from the root of the boot volume: "/boot/kernel.elf" */
    char cmdline[BOOT_CONFIG_TEXT]; /* empty if none is given */
    unsigned line;                  /* where the path was named */
};

struct boot_config {
    struct boot_config_file kernel;
    struct boot_config_file modules[BOOT_CONFIG_MODULES];
    unsigned module_count;
};

/* Called for each line that is ignored although it may matter; `text` need not be terminated. */
typedef void boot_config_report(unsigned line, const char *reason, const char *text, size_t length);

/* NULL if all is well, otherwise the reason, with *line the line to blame (0: the whole file). */
const char *boot_config_parse(struct boot_config *config, const char *text, size_t length,
                              boot_config_report *report, unsigned *line);
