// SPDX-License-Identifier: MIT
/* help - the command help: the list of commands, and what there is to say about one of them beyond its line there. */
#include "lib/base/string.h"
#include "programs/monitor/command.h"
#include "programs/monitor/console.h"

static const struct {
    const char *command, *text;
} details[] = {
    {"ps", "USED and OBJECT B are memory and bytes of kernel objects that the process has used of "
           "its quota,\n"
           "PRIO of a process the highest that its threads may have. kill and caps take the IDs as "
           "well.\n"},
    {"caps", "PROCESS is a name or an ID of ps. NAME is what the process calls the capability "
             "itself, of those\n"
             "that it was started with; OBJECT is the same for all capabilities to one object.\n"},
    {"denials",
     "The last 8 calls of each process that failed for want of a capability, a right or quota, the "
     "oldest first.\n"
     "Of a right that was missing it says who has it, of those from whom the capability came.\n"},
    {"log", "LEVEL is error, warning, info or debug, or its first letter: lines of it and graver "
            "ones. NAME is that\n"
            "of a program: its lines, and what is told of it. With -f lines follow as they come, "
            "until Ctrl-C.\n"},
    {"trace", "MS is 1 to 10000. Nothing is recorded before or after, and recording makes messages "
              "slower. Ctrl-C\n"
              "ends it earlier. Numbers of threads and processes are the IDs of ps, with their "
              "names when they live;\n"
              "endpoints are the OBJECTs of caps. docs/observability.md has all events.\n"},
    {"services", "RESTART is the policy of the manifest. \"waiting\" services are started again by "
                 "themselves, later and\n"
                 "later; \"failed\" ones have ended too often, and wait for restart. With a NAME: "
                 "which build its "
                 "program is, and\n"
                 "where and with which registers it has faulted last. docs/faults.md has more.\n"},
    {"kill", "NAME is a service, a program (NAME#NUMBER, or NAME when it is the only one), or an "
             "ID of ps.\n"},
    {"restart", "Also one that has failed: its restarts are counted anew.\n"},
    {"fetch",
     "Ctrl-C ends it; -c goes on with a file that is there in part. docs/programs.md has more.\n"},
    {"nc", "Ctrl-D ends what is sent, Ctrl-C the program.\n"},
    {"capture",
     "WHICH is host=ADDRESS or port=PORT, of TCP or UDP: frames from or to that and no others; or "
     "count=NUMBER,\n"
     "after which it ends. It sees what all programs send and get, and what others on the wire "
     "do, until Ctrl-C.\n"
     "What comes faster than it is read is lost, and counted. FILE is written over; - is the "
     "terminal.\n"},
    {"mount",
     "Without words: what is mounted. VOLUME is what disks shows, DRIVER/PARTITION or a GUID.\n"},
    {"write", "The file is made when there is none.\n"},
    {"reboot",
     "Without now everything is written first, and the machine goes on when that fails.\n"},
    {"poweroff",
     "Without now everything is written first, and the machine stays on when that fails.\n"},
};

static const char list_end[] =
    "help COMMAND says more about one of them.\n"
    "A & behind run, fetch, nc, resolve, capture or a command about files leaves it in the "
    "background; how "
    "it ended\n"
    "is told at the prompt.\n"
    "Keys: arrows, Home, End; Ctrl-A E start, end; Alt-B F or Ctrl-Left Right: a word;\n"
    "Backspace, Delete, Ctrl-D a character; Ctrl-W, Alt-D a word; Ctrl-U K to start,\n"
    "to end; Tab completes; Up Down and Ctrl-R (Ctrl-G ends it) bring earlier lines;\n"
    "Ctrl-L clears the screen and asks the terminal for its width; Ctrl-C drops the\n"
    "line, ends a program that runs, and leaves a service in the background.\n";

static void print_all(void)
{
    const struct command *command;

    for (unsigned i = 0; (command = command_at(i)) != NULL; i++)
        console_print("  %-10s%-21s %s\n", command->name, command->arguments, command->help);
    console_write(list_end, sizeof list_end - 1);
}

static const struct command *find(const char *name)
{
    const struct command *command;

    for (unsigned i = 0; (command = command_at(i)) != NULL; i++) {
        if (strcmp(command->name, name) == 0)
            return command;
    }
    return NULL;
}

void command_help(const struct words *words)
{
    const char *name = words->word[1];
    const struct command *command = find(name);

    if (words->count == 1) {
        print_all();
        return;
    }
    if (command == NULL) {
        console_print("help: there is no command \"%s\"; help lists them\n", name);
        return;
    }
    console_print("usage: %s%s%s\n%s.\n", name, command->arguments[0] != 0 ? " " : "",
                  command->arguments, command->help);
    if (command->run == command_run_program) /* it explains itself when it is alone */
        command->run(&(struct words){.count = 1, .word = {words->word[1]}});
    for (unsigned i = 0; i < sizeof details / sizeof details[0]; i++) {
        if (strcmp(details[i].command, name) == 0)
            console_print("%s", details[i].text);
    }
}
