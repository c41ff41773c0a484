// SPDX-License-Identifier: MIT
/* command - finds and runs commands: see command.h. */
#include "programs/monitor/command.h"

#include "lib/libmnos/string.h"
#include "programs/monitor/console.h"
#include "programs/monitor/manager_client.h"

static void command_help(const char *argument);

static const struct command commands[] = {
    {"help", "", "this list", command_help, false},
    {"ps", "", "processes and threads: state, core, CPU time, memory", command_ps, false},
    {"caps", "[PROCESS]", "capability table of a process, or of this monitor", command_caps, true},
    {"mem", "", "memory of the machine and of each process", command_mem, false},
    {"irq", "", "interrupt lines: how often, and who holds them", command_irq, false},
    {"cpu", "", "processor features, and what each core did", command_cpu, false},
    {"log", "", "the kernel log", command_log, false},
    {"services", "", "services: state, starts, last end", command_services, false},
    {"restart", "NAME", "end a service and start it at once", command_restart, true},
    {"kill", "NAME", "end a service; its restart policy decides what follows", command_kill, true},
    {"run", "NAME", "start a service that is not running", command_run_service, true},
    {"uptime", "", "time since boot", command_uptime, false},
    {"reboot", "", "reset the machine", command_reboot, false},
};
#define COMMAND_COUNT (sizeof commands / sizeof commands[0])

static void command_help(const char *argument)
{
    (void)argument;
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        console_print("  %-9s%-10s %s\n", commands[i].name, commands[i].arguments,
                      commands[i].help);
    console_print("Keys: arrows, Home, End, Tab completes; Ctrl-A E start, end; Ctrl-U K W delete\n"
                  "to start, to end, a word; Ctrl-L clears the screen; Ctrl-C drops the line.\n");
}

static const struct command *find(const char *name, size_t length)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strlen(commands[i].name) == length && strncmp(commands[i].name, name, length) == 0)
            return &commands[i];
    }
    return NULL;
}

/* The next word; terminates it and moves *line behind it. */
static char *next_word(char **line)
{
    char *word = *line, *end;

    while (*word == ' ')
        word++;
    end = word;
    while (*end != 0 && *end != ' ')
        end++;
    *line = *end == 0 ? end : end + 1;
    *end = 0;
    return word;
}

void command_run(char *line)
{
    char *name = next_word(&line), *argument = next_word(&line), *rest = next_word(&line);
    const struct command *command = find(name, strlen(name));

    if (name[0] == 0)
        return;
    if (command == NULL) {
        console_print("%s: there is no such command; help lists them\n", name);
        return;
    }
    if ((argument[0] != 0 && command->arguments[0] == 0) || rest[0] != 0 ||
        (argument[0] == 0 && command->arguments[0] == 'N')) {
        console_print("usage: %s %s\n", command->name, command->arguments);
        return;
    }
    command->run(argument);
}

bool command_candidate(const char *line, size_t word_start, unsigned index, char word[32])
{
    const struct command *command;
    struct manager_service service;
    size_t start = 0, end;

    while (line[start] == ' ')
        start++;
    if (word_start <= start) {
        if (index >= COMMAND_COUNT)
            return false;
        string_copy(word, commands[index].name, 32);
        return true;
    }
    end = start;
    while (line[end] != 0 && line[end] != ' ')
        end++;
    command = find(line + start, end - start);
    if (command == NULL || !command->takes_service || manager_entry(index, &service) != MNOS_OK)
        return false;
    string_copy(word, service.name, 32);
    return true;
}
