// SPDX-License-Identifier: MIT
/* command.h - the commands of the monitor, one table for running, help and completion. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct command {
    const char *name;
    const char *arguments; /* for help */
    const char *help;
    void (*run)(const char *argument); /* "" when there is none */
    bool takes_service;                /* the argument is the name of a service */
};

/* Runs one line of input. */
void command_run(char *line);

/* For the editor: candidates of the word at line[word_start]. */
bool command_candidate(const char *line, size_t word_start, unsigned index, char word[32]);

/* process.c */
void command_ps(const char *argument);
void command_caps(const char *argument);
/* machine.c */
void command_mem(const char *argument);
void command_irq(const char *argument);
void command_cpu(const char *argument);
void command_uptime(const char *argument);
/* kernel_log.c */
void command_log(const char *argument);
/* services.c */
void command_services(const char *argument);
void command_restart(const char *argument);
void command_kill(const char *argument);
void command_run_service(const char *argument);
void command_reboot(const char *argument);
