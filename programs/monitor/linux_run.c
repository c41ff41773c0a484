// SPDX-License-Identifier: MIT
/*
 * linux_run - see linux_run.h.
 *
 * Each line is a container of its own: lxhost, which gets one session for each grant, and of the program's file when no
 * grant covers that, and makes processes with lx in them. What the line says is linux_line.h's to read.
 */
#include "programs/monitor/linux_run.h"

#include "lib/base/printf.h"
#include "lib/base/string.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/syscall.h"
#include "programs/monitor/console.h"
#include "programs/monitor/container.h"
#include "programs/monitor/launch.h"
#include "programs/monitor/linux_line.h"
#include "programs/monitor/network.h"
#include "programs/monitor/path.h"
#include "protocols/launcher.h"

#define LXHOST "lxhost"
#define ROOT "/disk/linux"
#define OBJECT_BYTES 524288u /* of kernel objects: each run of pages that is touched is one */

static struct linux_line line; /* too large for the stack */

static const char *const program_folders[] = {ROOT "/bin", ROOT "/usr/bin", ROOT "/sbin",
                                              ROOT "/usr/sbin"};

static bool exists(const char *path, uint32_t type)
{
    struct file_session *files = files_session("run");
    struct file_attr attr;

    return files != NULL && file_stat(files, path, 0, &attr) == MNOS_OK && attr.type == type;
}

bool linux_look(const char *path, enum elf_system *system)
{
    static uint8_t head[ELF_NOTE_BYTES];
    struct file_session *files = files_session("run");
    uint64_t count = 0;
    struct file file;
    bool read;

    if (files == NULL || file_open(files, NULL, path, 0, FILE_READ_RIGHT, &file) != MNOS_OK)
        return false;
    read = file.type == FILE_TYPE_FILE && file_read(&file, 0, head, sizeof head, &count) == MNOS_OK;
    (void)!file_close(&file);
    *system = elf_system(head, count);
    return read;
}

bool linux_find(const char *name, char path[FILES_PATH_BYTES])
{
    for (unsigned i = 0; i < sizeof program_folders / sizeof program_folders[0]; i++) {
        mnos_snprintf(path, FILES_PATH_BYTES, "%s/%s", program_folders[i], name);
        if (exists(path, FILE_TYPE_FILE))
            return true;
    }
    return false;
}

/* ---- Running ---- */

static bool find_program(const char *word, char path[FILES_PATH_BYTES])
{
    if (strchr(word, '/') != NULL)
        return files_path("run", word, path);
    if (linux_find(word, path))
        return true;
    console_print("run: there is no program %s in " ROOT "\n", word);
    return false;
}

/* It tells this monitor when its first process has ended, and then waits to be asked what it was refused. */
static bool give_learner(void)
{
    mnos_cap_t learner;
    mnos_status_t status =
        sys_cap_create(MNOS_CREATE_MINT, console_endpoint(), MNOS_RIGHT_WRITE | MNOS_RIGHT_GRANT,
                       CONSOLE_BADGE_PROGRAMS, CONSOLE_EVENT_PROGRAMS, &learner);
    bool given;

    _Static_assert(CONSOLE_EVENT_PROGRAMS == CONTAINER_EVENT_ENDED, "it sets this event");
    if (status != MNOS_OK) {
        console_error(status, "run");
        launch_drop();
        return false;
    }
    given = launch_give("learner", learner, MNOS_RIGHT_WRITE);
    (void)!sys_cap_delete(learner);
    return given;
}

/* What lxhost has for all its processes: lx, and the page that says what day it is, if this monitor may read it. */
static bool give_shared(void)
{
    mnos_cap_t clock = bootstrap_find("clock");

    return launch_give("lx", bootstrap_find("lx"),
                       MNOS_RIGHT_READ | MNOS_RIGHT_EXECUTE | MNOS_RIGHT_GRANT) &&
           (clock == 0 || launch_give("clock", clock, MNOS_RIGHT_READ | MNOS_RIGHT_GRANT));
}

static void launch(const struct words *words, const char *path, bool sees_program)
{
    struct launch_plan plan = {
        .command = "run",
        .file = LXHOST,
        .name = path,
        .frames = line.frames,
        .bytes = OBJECT_BYTES,
        .flags = LAUNCHER_CONTROLLED,
        .look = line.learns ? container_learn : NULL,
        .terminal = line.terminal,
        .raw = true, /* Ctrl-C is a signal for the group in the foreground */
    };

    plan.arguments = linux_line_words(&line, sees_program ? NULL : path, &plan.argument_bytes);
    if (plan.arguments == NULL) {
        console_print("run: the arguments are longer than %u bytes\n", LAUNCHER_ARGUMENTS_MAX);
        return;
    }
    if (line.learns && (words->background || line.terminal != 0)) {
        console_print("run: what a program needs is told when it has ended: without & or "
                      "--terminal\n");
        return;
    }

    for (const char *at = path; *at != 0; at++) {
        if (at[0] == '/' && at[1] != 0)
            plan.name = at + 1;
    }
    if (!launch_begin(&plan) || !give_shared())
        return;
    if (!sees_program && !launch_give_path("program", path, FILE_READ_RIGHT, false))
        return;
    for (unsigned i = 0; i < line.grant_count; i++) {
        const struct linux_grant *grant = &line.grants[i];

        if (!launch_give_path(grant->name, grant->path, grant->rights, grant->delegate))
            return;
    }
    if (line.net[0] != 0 && !network_give("run", &line.limits, MNOS_RIGHT_WRITE | MNOS_RIGHT_GRANT))
        return;
    if (line.learns && !give_learner())
        return;
    launch_go(words->background ? LAUNCH_BACKGROUND : LAUNCH_FRONT);
}

void linux_run(const struct words *words, char *path)
{
    static char found[FILES_PATH_BYTES];
    enum elf_system system = ELF_FOREIGN;
    bool sees_program;
    unsigned next = 1;

    linux_line_begin(&line);
    if (path == NULL) {
        if (!linux_line_options(&line, words, &next) || !find_program(words->word[next], found))
            return;
        path = found;
        if (linux_look(path, &system) && system == ELF_NATIVE) {
            console_print("run: %s is a program of this system: what it is given follows `with`\n",
                          path);
            return;
        }
    }
    path_make_plain(path); /* as grants are, with which it is compared */
    if (!line.has_root && exists(ROOT, FILE_TYPE_DIRECTORY) &&
        !linux_line_grant(&line, ROOT, "/", FILE_LOOKUP | FILE_READ_RIGHT, false))
        return;
    linux_line_word(&line, "ePATH=/bin:/usr/bin:/sbin:/usr/sbin");
    linux_line_word(&line, "eTERM=vt100");
    linux_line_word(&line, "eHOME=/");
    linux_line_word(&line, "-");
    sees_program = linux_line_program(&line, path);
    for (; next < words->count; next++)
        linux_line_word(&line, "%s", words->word[next]);
    launch(words, path, sees_program);
}
