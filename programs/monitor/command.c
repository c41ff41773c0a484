// SPDX-License-Identifier: MIT
/* command - finds and runs commands: see command.h. */
#include "programs/monitor/command.h"

#include "lib/base/string.h"
#include "programs/monitor/console.h"
#include "programs/monitor/files.h"
#include "programs/monitor/tasks.h"

static const struct command commands[] = {
    {"help", "[COMMAND]", "this list, or more about one of it", command_help, 0, 1,
     COMPLETES_COMMANDS},
    {"ps", "", "processes and threads: state, core, CPU time, memory", command_ps, 0, 0,
     COMPLETES_NOTHING},
    {"caps", "[PROCESS]", "capability table of a process, or of this monitor", command_caps, 0, 1,
     COMPLETES_TASKS},
    {"denials", "[PROCESS]", "what a process was refused last, and what would have given it",
     command_denials, 0, 1, COMPLETES_TASKS},
    {"authority", "NAME", "what a program of Linux can reach, in words", command_authority, 1, 1,
     COMPLETES_TASKS},
    {"revoke", "NAME PATH|network", "take something away from a program of Linux that runs",
     command_revoke, 2, 2, COMPLETES_TASKS},
    {"mem", "", "memory of the machine and of each process", command_mem, 0, 0, COMPLETES_NOTHING},
    {"irq", "", "interrupt lines: how often, and who holds them", command_irq, 0, 0,
     COMPLETES_NOTHING},
    {"cpu", "", "processor features, and what each core did", command_cpu, 0, 0, COMPLETES_NOTHING},
    {"log", "[-f] [LEVEL] [NAME]", "the kernel log, or lines of it; -f: and what comes",
     command_log, 0, 3, COMPLETES_TASKS},
    {"trace", "[MS]", "what the cores do: the last events of 100 or MS milliseconds", command_trace,
     0, 1, COMPLETES_NOTHING},
    {"services", "[NAME]",
     "services, or one: state, restarts, last end, registers at its last fault", command_services,
     0, 1, COMPLETES_SERVICES},
    {"regions", "", "memory that outlives services, and who uses it", command_regions, 0, 0,
     COMPLETES_NOTHING},
    {"disks", "", "disks and partitions: driver, size, content, name", command_disks, 0, 0,
     COMPLETES_NOTHING},
    {"devices", "", "devices of PCI: state, driver, message interrupts, name", command_devices, 0,
     0, COMPLETES_NOTHING},
    {"ip", "", "network interfaces: link, address, gateway, frames", command_ip, 0, 0,
     COMPLETES_NOTHING},
    {"ping", "ADDRESS [COUNT]", "whether a machine answers, and how fast", command_ping, 1, 2,
     COMPLETES_NOTHING},
    {"resolve", "NAME", "the addresses of a host", command_resolve, 1, 1, COMPLETES_NOTHING},
    {"fetch", "[-c] URL [FILE]", "what a web server has, into a file; -c: go on with it",
     command_fetch, 1, 3, COMPLETES_PATHS},
    {"netstat", "", "sockets of all programs: where to, state, bytes on their way", command_netstat,
     0, 0, COMPLETES_NOTHING},
    {"nc", "HOST|-l|-l6 PORT", "lines to a host and back; -l: to whoever comes first, -l6 by IPv6",
     command_nc, 2, 2, COMPLETES_NOTHING},
    {"capture", "FILE|- [WHICH]...",
     "frames of the network cards, into a file for Wireshark, or as lines", command_capture, 1, 4,
     COMPLETES_PATHS},
    {"restart", "NAME", "end a service and start it at once", command_restart, 1, 1,
     COMPLETES_SERVICES},
    {"kill", "NAME", "end a program or a service, whose restart policy decides what follows",
     command_kill, 1, 1, COMPLETES_TASKS},
    {"fault", "NAME", "end a service as a fault of its own would: five in a row stop it",
     command_fault, 1, 1, COMPLETES_SERVICES},
    {"run", "NAME|PATH ...", "run a service or a program until it ends; alone it explains itself",
     command_run_program, 0, COMMAND_WORDS_MAX - 1, COMPLETES_PROGRAMS},
    {"cd", "[PATH]", "go to a directory; without one to /", command_cd, 0, 1, COMPLETES_PATHS},
    {"pwd", "", "where that is", command_pwd, 0, 0, COMPLETES_NOTHING},
    {"ls", "[PATH]", "names in a directory", command_ls, 0, 1, COMPLETES_PATHS},
    {"cat", "PATH", "what a file holds", command_read, 1, 1, COMPLETES_PATHS},
    {"cp", "[-p] FROM TO", "copy a file; -p: with its date", command_cp, 2, 3, COMPLETES_PATHS},
    {"mv", "FROM TO", "rename, over what is there", command_mv, 2, 2, COMPLETES_PATHS},
    {"rm", "PATH", "remove a file", command_name, 1, 1, COMPLETES_PATHS},
    {"mkdir", "PATH", "make a directory", command_name, 1, 1, COMPLETES_PATHS},
    {"rmdir", "PATH", "remove an empty directory", command_name, 1, 1, COMPLETES_PATHS},
    {"ln", "[-s] TO PATH", "another name of a file; -s: a symbolic link", command_ln, 2, 3,
     COMPLETES_PATHS},
    {"write", "PATH TEXT", "put a line of text at the end of a file", command_write, 2,
     COMMAND_WORDS_MAX - 1, COMPLETES_PATHS},
    {"stat", "PATH", "type, size, names and dates (UTC) of a file", command_stat, 1, 1,
     COMPLETES_PATHS},
    {"find", "[PATH [TEXT]]", "what lies below a directory, with TEXT in its name", command_read, 0,
     2, COMPLETES_PATHS},
    {"hexdump", "PATH [OFFSET [BYTES]]", "bytes of a file", command_read, 1, 3, COMPLETES_PATHS},
    {"mount", "[[VOLUME] AT]", "what is mounted; or mount DRIVER/PARTITION or a GUID",
     command_mount, 0, 2, COMPLETES_NOTHING},
    {"umount", "AT", "write everything, and let a volume go", command_umount, 1, 1,
     COMPLETES_PATHS},
    {"sync", "", "wait until all that was written is safe", command_sync, 0, 0, COMPLETES_NOTHING},
    {"df", "", "how much room there is for files", command_df, 0, 0, COMPLETES_NOTHING},
    {"uptime", "", "time since boot", command_uptime, 0, 0, COMPLETES_NOTHING},
    {"date", "", "day and time, in UTC", command_date, 0, 0, COMPLETES_NOTHING},
    {"reboot", "[now]", "write everything and reset the machine; now: do not write", command_reboot,
     0, 1, COMPLETES_NOTHING},
    {"poweroff", "[now]", "the same, and switch it off", command_poweroff, 0, 1, COMPLETES_NOTHING},
};
#define COMMAND_COUNT (sizeof commands / sizeof commands[0])

const struct command *command_at(unsigned index)
{
    return index < COMMAND_COUNT ? &commands[index] : NULL;
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

/* False when the line has more words than any command takes. */
static bool split(char *line, struct words *words)
{
    *words = (struct words){0};
    for (unsigned i = 0; i < COMMAND_WORDS_MAX; i++) {
        words->word[i] = next_word(&line);
        if (words->word[i][0] != 0)
            words->count++;
    }
    return next_word(&line)[0] == 0;
}

static bool is_file_command(const struct command *command)
{
    return command->run == command_ls || command->run == command_read ||
           command->run == command_name || command->run == command_stat ||
           command->run == command_write || command->run == command_cp ||
           command->run == command_mv || command->run == command_ln;
}

/* A & behind the words, or behind the last of them. */
static void take_ampersand(struct words *words)
{
    char *last = words->count == 0 ? NULL : words->word[words->count - 1];
    size_t length = last == NULL ? 0 : strlen(last);

    words->background = words->count > 1 && last[length - 1] == '&';
    if (!words->background)
        return;
    last[length - 1] = 0;
    words->count -= length == 1;
}

/* Only programs go on by themselves. */
static bool knows_background(const struct command *command)
{
    return command->run == command_run_program || is_file_command(command) ||
           command->run == command_resolve || command->run == command_fetch ||
           command->run == command_nc || command->run == command_capture;
}

void command_run(char *line)
{
    struct words words;
    bool fits = split(line, &words);
    const struct command *command = find(words.word[0], strlen(words.word[0]));

    if (words.count == 0)
        return;
    if (command != NULL && knows_background(command))
        take_ampersand(&words);
    if (command == NULL)
        console_print("%s: there is no such command; help lists them\n", words.word[0]);
    else if (!fits || words.count - 1 < command->arguments_min ||
             words.count - 1 > command->arguments_max)
        console_print("usage: %s%s%s\n", command->name, command->arguments[0] != 0 ? " " : "",
                      command->arguments);
    else
        command->run(&words);
}

static bool is_path(const char *word, size_t typed)
{
    const char *slash = strchr(word, '/');

    return slash != NULL && (size_t)(slash - word) < typed;
}

static bool command_name_at(unsigned index, char word[EDITOR_WORD_BYTES])
{
    if (index >= COMMAND_COUNT)
        return false;
    string_copy(word, commands[index].name, EDITOR_WORD_BYTES);
    return true;
}

bool command_candidate(const char *line, size_t word_start, size_t typed, unsigned index,
                       char word[EDITOR_WORD_BYTES])
{
    const struct command *command;
    struct manager_service service;
    size_t start = 0, end;

    while (line[start] == ' ')
        start++;
    if (word_start <= start)
        return command_name_at(index, word);
    end = start;
    while (line[end] != 0 && line[end] != ' ')
        end++;
    command = find(line + start, end - start);
    if (command != NULL && command->completes == COMPLETES_COMMANDS)
        return command_name_at(index, word);
    if (command == NULL || command->completes == COMPLETES_NOTHING)
        return false;
    if (command->completes == COMPLETES_PATHS ||
        (command->completes == COMPLETES_PROGRAMS && is_path(line + word_start, typed)))
        return files_candidate(line + word_start, typed, index, word, EDITOR_WORD_BYTES);
    if ((command->completes == COMPLETES_TASKS ? task_entry(index, &service)
                                               : manager_entry(index, &service)) != MNOS_OK)
        return false;
    string_copy(word, service.name, EDITOR_WORD_BYTES);
    return true;
}
