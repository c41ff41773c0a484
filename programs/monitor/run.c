// SPDX-License-Identifier: MIT
/*
 * run - the command that starts a service, or a program with exactly the capabilities that the line names:
 *
 *   run PATH [ARGUMENT...] [with [NAME=PATH[:RIGHTS]...] [net=LIMIT,...] [memory:SIZE] [terminal:NUMBER] [events] [raw]]
 *       [&]
 */
#include "lib/base/printf.h"
#include "lib/base/string.h"
#include "programs/monitor/command.h"
#include "programs/monitor/console.h"
#include "programs/monitor/files.h"
#include "programs/monitor/launch.h"
#include "programs/monitor/linux_line.h"
#include "programs/monitor/linux_run.h"
#include "programs/monitor/network.h"
#include "programs/monitor/rights.h"
#include "programs/monitor/services.h"
#include "programs/monitor/tasks.h"
#include "protocols/launcher.h"

/* The words of a line: PATH, then arguments up to `with`, then what it is given. */
struct run {
    const struct words *words;
    unsigned with, end; /* indexes; `with` is `end` when there is none */
    uint64_t frames;
    uint32_t flags;
    bool raw;
    unsigned terminal;     /* 0: this one */
    struct net_limits net; /* of `net=` */
};

static const char net_word[] = "net=";

static bool is_net(const char *word)
{
    return strncmp(word, net_word, sizeof net_word - 1) == 0;
}

static const char explanation[] =
    "run NAME [&]: a service that is started on demand.\n"
    "run PATH [ARGUMENT...] [with GIVEN...] [&]: a program; NAME is /boot/NAME if no service has "
    "it.\n"
    "It has the terminal (\"terminal\"), what is given, and nothing else:\n"
    "  NAME=PATH[:RIGHTS]  a file or directory and what is below; rights r, w, c, g: read, write,\n"
    "                      make and remove names, hand it on; r unless they are said\n"
    "  net=LIMIT,...       the network, as far as the limits say: listen=ADDRESS:PORT,\n"
    "                      connect=ADDRESS:PORT[/udp], resolve=NAME, sockets=NUMBER, ping, "
    "observe, capture;\n"
    "                      as net=connect=10.0.0.0/8:443,connect=*:53/udp,resolve=example.org\n"
    "  memory:SIZE         what it may use, as 64K or 16M, instead of 8M\n"
    "  terminal:NUMBER     another terminal of the screen, 3 or 4 (Alt-F3, Alt-F4), and not this "
    "one\n"
    "  events              an endpoint of its own, where restarts of services are told\n"
    "  raw                 Ctrl-C as a key like others\n"
    "run [OPTION...] PROGRAM [ARGUMENT...]: a program of Linux; NAME is also "
    "/disk/linux/bin/NAME.\n"
    "It sees /disk/linux, to read, the terminal, what options grant, and nothing else:\n"
    "  --root DIR               that directory instead of /disk/linux\n"
    "  --grant PATH:RIGHTS[:AT] a file or directory, with rights as above, at AT\n"
    "  --listen ADDRESS:PORT    it may take connections there; 0.0.0.0: of all addresses\n"
    "  --connect ADDRESS:PORT   it may connect there, as with net=connect=\n"
    "  --resolve NAME           it may ask for that name and all below it; *: for all\n"
    "  --memory SIZE            what it may use, instead of 64M\n"
    "  --terminal NUMBER        another terminal of the screen, as terminal:NUMBER\n"
    "  --env NAME=VALUE         a variable of its environment\n"
    "  --trace                  a line for each call\n"
    "  --learn                  says at its end which options it would have needed\n"
    "Ctrl-C ends it, Ctrl-] twice leaves it in the background. With & the prompt comes back at "
    "once,\n"
    "and it can only write; kill ends it.\n";

static void explain_command(void)
{
    console_write(explanation, sizeof explanation - 1);
}

/* ---- What is given ---- */

/* The rights behind the last colon, which is taken off. One that has none behind it is part of the path. */
static uint32_t take_rights(char *path, bool *delegate)
{
    uint32_t rights;
    size_t at = strlen(path);

    while (at > 0 && path[at] != ':')
        at--;
    if (path[at] != ':' || path[at + 1] == 0 || !rights_parse(path + at + 1, &rights, delegate)) {
        *delegate = false;
        return FILE_LOOKUP | FILE_READ_RIGHT;
    }
    path[at] = 0;
    return rights;
}

/* What is known before it is started. False: *wrong is nothing that can be given. */
static bool read_given(struct run *run, char *word, const char **wrong)
{
    static const char memory[] = "memory:", terminal[] = "terminal:";

    *wrong = word;
    if (is_net(word))
        return net_limits_read(&run->net, word + sizeof net_word - 1, wrong);

    if (strcmp(word, "events") == 0) {
        run->flags |= LAUNCHER_EVENTS;
        return true;
    }
    if (strcmp(word, "raw") == 0) {
        run->raw = true;
        return true;
    }
    if (strncmp(word, memory, sizeof memory - 1) == 0) {
        run->frames = rights_parse_frames(word + sizeof memory - 1);
        return run->frames != 0;
    }
    if (strncmp(word, terminal, sizeof terminal - 1) == 0)
        return rights_parse_terminal(word + sizeof terminal - 1, &run->terminal);
    return strchr(word, '=') != NULL && word[0] != '=';
}

/* NAME=PATH[:RIGHTS] */
static bool give(const struct run *run, char *word)
{
    static char path[FILES_PATH_BYTES];
    char *equals = strchr(word, '=');
    uint32_t rights;
    bool delegate;

    if (is_net(word))
        return network_give("run", &run->net, MNOS_RIGHT_WRITE);
    if (equals == NULL)
        return true; /* it is not given by a path */
    rights = take_rights(equals + 1, &delegate);
    *equals = 0;
    if (!files_path("run", equals + 1, path)) {
        launch_drop();
        return false;
    }
    return launch_give_path(word, path, rights, delegate);
}

/* ---- The line ---- */

static bool read_line(struct run *run)
{
    const struct words *words = run->words;
    const char *wrong;

    run->end = words->count;
    run->with = 2;
    while (run->with < run->end && strcmp(words->word[run->with], "with") != 0)
        run->with++;
    for (unsigned i = run->with + 1; i < run->end; i++) {
        if (read_given(run, words->word[i], &wrong))
            continue;
        console_print("run: %s is nothing that can be given; run alone says what can\n", wrong);
        return false;
    }
    return true;
}

/* The words from PATH on, as the program is called; each with its NUL. */
static size_t join_arguments(const struct run *run, char *out)
{
    size_t bytes = 0;

    for (unsigned i = 1; i < run->with; i++) {
        size_t length = strlen(run->words->word[i]) + 1;

        memcpy(out + bytes, run->words->word[i], length);
        bytes += length;
    }
    return bytes;
}

static void run_program(struct run *run, const char *path)
{
    char arguments[LINE_BYTES + COMMAND_WORDS_MAX];
    struct launch_plan plan = {
        .command = "run",
        .path = path,
        .frames = run->frames,
        .flags = run->flags,
        .raw = run->raw,
        .terminal = run->terminal,
        .arguments = arguments,
        .argument_bytes = join_arguments(run, arguments),
    };

    if (!launch_begin(&plan))
        return;
    for (unsigned i = run->with + 1; i < run->end; i++) {
        if (!give(run, run->words->word[i]))
            return;
    }
    launch_go(run->words->background ? LAUNCH_BACKGROUND : LAUNCH_FRONT);
}

static bool is_service(const char *name)
{
    struct manager_service service;
    uint64_t index;

    return manager_find(name, &index, &service) == MNOS_OK;
}

/* A name without a slash: /boot/NAME, or a program of Linux of that name. */
static bool find_path(const char *name, char path[FILES_PATH_BYTES])
{
    enum elf_system system;

    if (strchr(name, '/') != NULL)
        return files_path("run", name, path);
    mnos_snprintf(path, FILES_PATH_BYTES, "/boot/%s", name);
    if (!linux_look(path, &system) && !linux_find(name, path))
        mnos_snprintf(path, FILES_PATH_BYTES, "/boot/%s", name); /* which is told to be not there */
    return true;
}

static void run_path(const struct words *words, char *path)
{
    struct run run = {.words = words, .frames = LAUNCH_FRAMES};
    enum elf_system system;

    if (linux_look(path, &system) && system == ELF_FOREIGN)
        linux_run(words, path);
    else if (read_line(&run))
        run_program(&run, path);
}

static void run_service(const struct words *words)
{
    if (words->count != 2)
        console_print("run: %s is a service, which has what the manifest gives it; "
                      "/boot/%s is the program\n",
                      words->word[1], words->word[1]);
    else
        services_run(words->word[1], words->background);
}

void command_run_program(const struct words *words)
{
    static char path[FILES_PATH_BYTES];

    if (words->count < 2 || strcmp(words->word[1], "with") == 0)
        explain_command();
    else if (linux_is_option(words->word[1]))
        linux_run(words, NULL);
    else if (strchr(words->word[1], '/') == NULL && is_service(words->word[1]))
        run_service(words);
    else if (find_path(words->word[1], path))
        run_path(words, path);
}
