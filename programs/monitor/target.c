// SPDX-License-Identifier: MIT
/* target - see target.h. */
#include "programs/monitor/target.h"

#include "lib/base/printf.h"
#include "lib/base/string.h"
#include "programs/monitor/console.h"
#include "protocols/launcher.h"

#define PROGRAM_FRAMES 512u /* that a program of the launcher may use */

/* ---- What a path names ---- */

void target_itself(struct target *target, const char *cap, uint32_t rights)
{
    target->cap = cap;
    target->rights = rights;
    target->name[0] = 0;
}

void target_name(struct target *target, const char *cap, uint32_t rights)
{
    char *path = target->path;
    size_t end = strlen(path), start;

    while (end > 1 && path[end - 1] == '/')
        end--;
    for (start = end; start > 0 && path[start - 1] != '/';)
        start--;
    target->cap = cap;
    target->rights = rights;
    memcpy(target->name, path + start, end - start);
    target->name[end - start] = 0;
    path[start > 1 ? start - 1 : 1] = 0; /* the directory's path, or "/" */
}

mnos_status_t target_look(const struct target *target, uint32_t flags, struct file_attr *attr)
{
    return file_stat(&files_mounts()->root, target->path, flags, attr);
}

void target_to_write(struct target *target, const char *cap)
{
    struct file_attr attr;

    if (target_look(target, 0, &attr) == MNOS_OK)
        target_itself(target, cap, FILE_WRITE_RIGHT);
    else
        target_name(target, cap, FILE_WRITE_RIGHT | FILE_CREATE_RIGHT);
}

bool target_enter(const char *command, struct target *target, const char *name)
{
    struct file_attr attr;
    size_t bytes = strlen(target->path);

    if (target_look(target, 0, &attr) != MNOS_OK || attr.type != FILE_TYPE_DIRECTORY)
        return true;
    if ((size_t)mnos_snprintf(target->path + bytes, FILES_PATH_BYTES - bytes, "/%s", name) <
        FILES_PATH_BYTES - bytes)
        return true;
    console_print("%s: the path is longer than %u bytes\n", command, FILE_PATH_BYTES_MAX);
    return false;
}

/* Where nothing may be changed the program gets what there is, and the file system tells it so. */
static uint32_t rights_there(const struct target *target)
{
    uint32_t plain = target->rights & FILE_READ_RIGHT;
    struct file opened;
    mnos_status_t status = file_open(&files_mounts()->root, NULL, target->path, FILE_ONLY_DIRECTORY,
                                     FILE_LOOKUP | target->rights, &opened);

    if (status == MNOS_OK)
        (void)!file_close(&opened);
    return status == MNOS_ERR_DENIED ? plain : target->rights;
}

bool target_give(const struct target *target)
{
    return launch_give_path(target->cap, target->path, rights_there(target), false);
}

/* ---- Words ---- */

static char arguments[LAUNCHER_ARGUMENTS_MAX];
static size_t argument_bytes;

bool argument_begin(const char *command)
{
    argument_bytes = 0;
    return argument_add(command);
}

bool argument_add(const char *word)
{
    size_t bytes = strlen(word) + 1;

    if (bytes > sizeof arguments - argument_bytes) {
        console_print("%s: the arguments are longer than %u bytes\n", arguments,
                      LAUNCHER_ARGUMENTS_MAX);
        return false;
    }
    memcpy(arguments + argument_bytes, word, bytes);
    argument_bytes += bytes;
    return true;
}

bool argument_add_path(const char *typed, const struct target *target)
{
    return argument_add(typed) && argument_add(target->name);
}

bool argument_launch(const char *program)
{
    struct launch_plan plan = {
        .command = arguments,
        .file = program,
        .name = arguments,
        .frames = PROGRAM_FRAMES,
        .arguments = arguments,
        .argument_bytes = argument_bytes,
        .quiet = true,
    };

    return launch_begin(&plan);
}
