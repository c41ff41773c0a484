// SPDX-License-Identifier: MIT
/*
 * main - lx is started in a process of its own, as programs are (docs/programs.md), and makes it the process of a program
 * of Linux.
 *
 * Its words are
 *
 *   mNAME=PATH   the session NAME is what the program sees at PATH
 *   eNAME=VALUE  a variable of its environment
 *   t            a line on the terminal for each call
 *   l            sockets are made that reach nothing, so that what they are for is told (denied.h)
 *   -            the end of these; then the path of the program, and its arguments from the zeroth on
 *
 * and beside the sessions it has "host" and "hostwindow", by which it asks lxhost (host.h), maybe "entropy" and "net", and, when no
 * mount covers the program's file, "program", a session of that.
 */
#include "abi/fault.h"
#include "lib/base/string.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/layout.h"
#include "lib/mnos/status.h"
#include "lib/mnos/syscall.h"
#include "personality/linux/lx/calls.h"
#include "personality/linux/lx/denied.h"
#include "personality/linux/lx/host.h"
#include "personality/linux/lx/load.h"
#include "personality/linux/lx/memory.h"
#include "personality/linux/lx/mounts.h"
#include "personality/linux/lx/path.h"
#include "personality/linux/lx/process.h"
#include "personality/linux/lx/scratch.h"
#include "personality/linux/lx/socket.h"
#include "personality/linux/lx/terminal.h"
#include "personality/linux/lx/threads.h"
#include "personality/linux/lx/vectors.h"
#include "protocols/launcher.h"

BOOTSTRAP_LAUNCHED;

void lx_upcall(void); /* entry.S */
/* lib/mnos/start.c calls it; memcpy() here has no vector registers to look for. */
void memcpy_init(void);

static struct load load LX_SCRATCH;
static char words[LAUNCHER_ARGUMENTS_MAX];

void memcpy_init(void)
{
}

static _Noreturn void refuse(const char *why, const char *what)
{
    lx_say("%s%s%s", why, what[0] != 0 ? ": " : "", what);
    lx_exit(LXHOST_END_OF_LX | LX_EXIT_START);
}

/* The words are copied: where they lie the program's addresses are. The pages of what has loaded lx are taken away, which
 * all begin above LAYOUT_LOADER, and not all of which there are. */
static void take_words(void)
{
    const struct mnos_bootstrap *table = bootstrap_table();
    uint64_t end = LAYOUT_ARGUMENTS;

    if (table != NULL && table->arguments_bytes != 0) {
        if (table->arguments_bytes > sizeof words)
            refuse("the arguments are too long", "");
        memcpy(words, (const void *)table->arguments_address, table->arguments_bytes);
        end += lx_page_up(table->arguments_bytes);
    }
    for (uint64_t at = LAYOUT_LOADER; at < end; at += LX_PAGE)
        (void)!sys_mem_unmap(MNOS_SELF, at, 1);
}

static void add_mount(char *word)
{
    char *path = strchr(word, '=');

    if (path == NULL)
        refuse("no mount", word);
    *path = 0;
    if (!mount_add(word, path + 1))
        refuse("cannot be opened", path + 1);
    *path = '='; /* its length is needed once more */
}

/* What comes before the program's path; returns that. */
static char *take_options(char *word, uint32_t *left)
{
    for (; *left > 0; word += strlen(word) + 1, --*left) {
        if (strcmp(word, "-") == 0)
            break;
        if (word[0] == 'm')
            add_mount(word + 1);
        else if (word[0] == 'e' && load.environment_count < START_WORDS_MAX)
            load.environment[load.environment_count++] = word + 1;
        else if (strcmp(word, "t") == 0)
            calls_trace();
        else if (strcmp(word, "l") == 0)
            denied_learn();
        else
            refuse("an option that is none", word);
    }
    if (*left < 2)
        refuse("no program is named", "");
    --*left;
    return word + strlen(word) + 1;
}

/* 0, 1 and 2 are one open file, as a terminal's are. */
static void open_terminal(void)
{
    struct open_file *file = open_file_make(&terminal_methods, LINUX_O_RDWR, "/dev/tty");

    if (file == NULL)
        refuse("there is no memory", "");
    open_file_hold(file);
    open_file_hold(file);
    for (int32_t fd = 0; fd < 3; fd++)
        (void)descriptor_set(fd, file, false);
}

static struct open_file *open_program(const char *path)
{
    struct open_file *opened;
    mnos_status_t status;

    if (mounts_program() == NULL) {
        if (load_open(path, &opened) != 0)
            refuse("the program's file cannot be opened", path);
        return opened;
    }
    opened = open_file_make(&file_methods, LINUX_O_RDONLY, path);
    if (opened == NULL)
        refuse("there is no memory", "");
    status = file_open(mounts_program(), NULL, "", 0, FILE_READ_RIGHT, &opened->file);
    if (status != MNOS_OK)
        refuse("the program's file cannot be opened", status_text(status));
    return opened;
}

static const char *why_not(int64_t error)
{
    switch (error) {
    case -LX_ENOEXEC: return "the file is no program that can be run";
    case -LX_EACCES: return "the file is no program, or one with pages to write and execute";
    case -LX_ENOENT: return "the file that loads or interprets it is not there";
    case -LX_ENOMEM: return "there is not enough memory for it";
    case -LX_E2BIG: return "its arguments and environment are too long";
    case -LX_ENODEV:
        return "there is no source of random numbers: neither a service nor the processor has one";
    case -LX_ELIBBAD: return "what loads it is not position independent";
    default: return "it cannot be loaded";
    }
}

int main(void)
{
    const struct mnos_bootstrap *table = bootstrap_table();
    uint32_t left = table != NULL ? table->argument_count : 0;
    char *path;

    threads_start();
    if (!host_start() || !vectors_start())
        lx_exit(LXHOST_END_OF_LX | LX_EXIT_START);
    inet_start();
    take_words();
    path = take_options(words, &left);
    load.path = path;
    for (left--, path += strlen(path) + 1; left > 0; left--, path += strlen(path) + 1)
        load.arguments[load.argument_count++] = path;
    memory_start();
    open_terminal();
    load.file = open_program(load.path);
    process_set_name(path_last(load.path));
    if (sys_thread_control(MNOS_SELF, MNOS_THREAD_UPCALL,
                           (uint64_t)lx_upcall | MNOS_UPCALL_FAULTS | MNOS_UPCALL_SYSCALLS) !=
        MNOS_OK)
        refuse("the kernel gives lx no upcalls", "");
    refuse(why_not(load_enter(&load)), load.path);
}
