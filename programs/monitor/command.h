// SPDX-License-Identifier: MIT
/* command.h - the commands of the monitor, one table for running, help and completion. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "programs/monitor/editor.h"

/* A line of input, in words; the first is the name of the command. */
#define COMMAND_WORDS_MAX 64
struct words {
    unsigned count;
    char *word[COMMAND_WORDS_MAX]; /* "" beyond count */
    bool background;               /* there was a & behind them, which is not among them */
};

struct command {
    const char *name;
    const char *arguments; /* for help */
    const char *help;
    void (*run)(const struct words *words);
    unsigned arguments_min, arguments_max;
    enum command_completes {
        COMPLETES_NOTHING,
        COMPLETES_COMMANDS,
        COMPLETES_SERVICES,
        COMPLETES_TASKS,
        COMPLETES_PROGRAMS,
        COMPLETES_PATHS
    } completes;
};

/* Runs one line of input. */
void command_run(char *line);

/* The commands in the order of the list; NULL past the last. */
const struct command *command_at(unsigned index);

/* For the editor: candidates of the word at line[word_start], of which `typed` bytes are there. */
bool command_candidate(const char *line, size_t word_start, size_t typed, unsigned index,
                       char word[EDITOR_WORD_BYTES]);

/* help.c */
void command_help(const struct words *words);
/* process.c */
void command_ps(const struct words *words);
void command_caps(const struct words *words);
/* denials.c */
void command_denials(const struct words *words);
/* authority.c */
void command_authority(const struct words *words);
void command_revoke(const struct words *words);
/* machine.c */
void command_mem(const struct words *words);
void command_irq(const struct words *words);
void command_cpu(const struct words *words);
void command_uptime(const struct words *words);
void command_date(const struct words *words);
/* kernel_log.c */
void command_log(const struct words *words);
/* trace.c */
void command_trace(const struct words *words);
/* devices.c */
void command_devices(const struct words *words);
/* disks.c */
void command_disks(const struct words *words);
/* network.c */
void command_ip(const struct words *words);
void command_ping(const struct words *words);
void command_resolve(const struct words *words);
void command_fetch(const struct words *words);
void command_netstat(const struct words *words);
void command_capture(const struct words *words);
void command_nc(const struct words *words);
/* files.c */
void command_cd(const struct words *words);
void command_pwd(const struct words *words);
/* files_run.c */
void command_ls(const struct words *words);
void command_stat(const struct words *words);
void command_read(const struct words *words);
void command_name(const struct words *words);
void command_write(const struct words *words);
void command_cp(const struct words *words);
void command_mv(const struct words *words);
void command_ln(const struct words *words);
/* mounts.c */
void command_mount(const struct words *words);
void command_umount(const struct words *words);
void command_sync(const struct words *words);
void command_df(const struct words *words);
/* service_fault.c: of the service at this index of the manager's list. */
void service_print_fault(uint64_t index);
/* The fault by which a program has ended, if it was one: its index of tasks.h. */
void program_print_registers(uint64_t index);
/* services.c */
void command_services(const struct words *words);
void command_regions(const struct words *words);
void command_restart(const struct words *words);
void command_kill(const struct words *words);
void command_fault(const struct words *words);
/* run.c */
void command_run_program(const struct words *words);
/* power.c */
void command_reboot(const struct words *words);
void command_poweroff(const struct words *words);
