// SPDX-License-Identifier: MIT
/* made_up - the names that lx makes itself: see mounts.h. Device numbers: Documentation/admin-guide/devices.txt of Linux. */
#include "lib/base/printf.h"
#include "lib/base/string.h"
#include "personality/linux/lx/mounts.h"
#include "personality/linux/lx/path.h"
#include "personality/linux/lx/proc.h"
#include "personality/linux/lx/process.h"

char made_up_program[LX_PATH_BYTES];

static const char *program_link(const char *path)
{
    (void)path;
    return made_up_program;
}

static const char *self_link(const char *path)
{
    static char text[12];

    (void)path;
    mnos_snprintf(text, sizeof text, "%d", process_id());
    return text;
}

/* Those of /dev to the descriptors of whoever asks. */
static const char *descriptors_link(const char *path)
{
    (void)path;
    return "/proc/self/fd";
}

static const char *descriptor_link(const char *path)
{
    static char text[32];

    mnos_snprintf(text, sizeof text, "/proc/self/fd/%s", path_last(path));
    return text;
}

static const char *standard_link(const char *path)
{
    const char *name = path_last(path);

    return strcmp(name, "stdin") == 0    ? "/proc/self/fd/0"
           : strcmp(name, "stdout") == 0 ? "/proc/self/fd/1"
                                         : "/proc/self/fd/2";
}

#define DEVICE(major, minor) ((uint64_t)(major) << 8 | (minor))

static const char *const none[] = {NULL};
static const char *const dev_names[] = {"fd",     "full", "null",    "random", "stderr", "stdin",
                                        "stdout", "tty",  "urandom", "zero",   NULL};
static const char *const proc_names[] = {"cpuinfo", "meminfo", "self", "uptime", NULL};
static const char *const own_names[] = {"cmdline", "comm", "exe",    "fd",
                                        "maps",    "stat", "status", NULL};
static const char *const other_names[] = {"cmdline", "comm", "stat", "status", NULL};

#define DIRECTORY .methods = &directory_methods, .names
#define TEXT .methods = &proc_methods, .write
#define DEVICE_OF .methods

/* Of two that match the first is meant. */
static const struct made_up made[] = {
    {"/dev", DIRECTORY = dev_names},
    {"/dev/null", DEVICE_OF = &null_methods, .device = DEVICE(1, 3)},
    {"/dev/zero", DEVICE_OF = &zero_methods, .device = DEVICE(1, 5)},
    {"/dev/full", DEVICE_OF = &full_methods, .device = DEVICE(1, 7)},
    {"/dev/random", DEVICE_OF = &random_methods, .device = DEVICE(1, 8)},
    {"/dev/urandom", DEVICE_OF = &random_methods, .device = DEVICE(1, 9)},
    {"/dev/tty", DEVICE_OF = &terminal_methods, .device = DEVICE(5, 0)},
    {"/dev/fd", .link = descriptors_link},
    {"/dev/fd/*", .link = descriptor_link, .by_descriptor = true},
    {"/dev/stdin", .link = standard_link},
    {"/dev/stdout", .link = standard_link},
    {"/dev/stderr", .link = standard_link},
    {"/proc", DIRECTORY = proc_names, .next = proc_next_process},
    {"/proc/cpuinfo", TEXT = proc_cpuinfo},
    {"/proc/meminfo", TEXT = proc_meminfo},
    {"/proc/uptime", TEXT = proc_uptime},
    {"/proc/self", .link = self_link},
    {"/proc/*", DIRECTORY = own_names, .own = true},
    {"/proc/*", DIRECTORY = other_names},
    {"/proc/*/cmdline", TEXT = proc_cmdline},
    {"/proc/*/comm", TEXT = proc_comm},
    {"/proc/*/stat", TEXT = proc_stat},
    {"/proc/*/status", TEXT = proc_status},
    {"/proc/*/maps", TEXT = proc_maps, .own = true},
    {"/proc/*/exe", .link = program_link, .own = true},
    {"/proc/*/fd", DIRECTORY = none, .next = proc_next_descriptor, .own = true},
    {"/proc/*/fd/*", .link = proc_descriptor, .own = true},
};

/* A number at the beginning of a text, in decimal as it is written; -1: there is none. *behind: what follows it. */
static int32_t number_at(const char *text, const char **behind)
{
    int64_t value = 0;

    *behind = text;
    while (**behind >= '0' && **behind <= '9' && value <= INT32_MAX)
        value = value * 10 + (*(*behind)++ - '0');
    if (*behind == text || value > INT32_MAX || (text[0] == '0' && *behind != text + 1))
        return -1;
    return (int32_t)value;
}

/* The numbers that stand where the pattern has stars; "self" is the number of this process. */
static bool matches(const struct made_up *made_up, const char *path, int32_t numbers[2])
{
    const char *pattern = made_up->path;

    for (unsigned star = 0; *pattern != 0; pattern++) {
        if (*pattern != '*') {
            if (*path++ != *pattern)
                return false;
            continue;
        }
        if (star == 0 && !made_up->by_descriptor && strncmp(path, "self", 4) == 0) {
            numbers[star++] = process_id();
            path += 4;
            continue;
        }
        numbers[star] = number_at(path, &path);
        if (numbers[star++] < 0)
            return false;
    }
    return *path == 0;
}

/* Whether what the numbers name is there. */
static bool is_there(const struct made_up *made_up, const int32_t numbers[2])
{
    if (numbers[0] < 0)
        return true;
    if (made_up->by_descriptor)
        return descriptor_file(numbers[0]) != NULL;
    if (numbers[1] >= 0 && descriptor_file(numbers[1]) == NULL)
        return false;
    return numbers[0] == process_id() || (!made_up->own && proc_has_process(numbers[0]));
}

const struct made_up *made_up_find(const char *path)
{
    if (path_below(path, "/dev") == NULL && path_below(path, "/proc") == NULL)
        return NULL;
    for (size_t i = 0; i < sizeof made / sizeof made[0]; i++) {
        int32_t numbers[2] = {-1, -1};

        if (matches(&made[i], path, numbers) && is_there(&made[i], numbers))
            return &made[i];
    }
    return NULL;
}

struct open_file *made_up_pipe(const char *path)
{
    const struct made_up *made_up = made_up_find(path);
    struct open_file *file = made_up != NULL && made_up->link == proc_descriptor
                                 ? descriptor_file(proc_descriptor_number(path))
                                 : NULL;

    return file != NULL && file->methods == &pipe_methods ? file : NULL;
}

int32_t made_up_process(const char *path)
{
    const char *behind;

    return strncmp(path, "/proc/self", 10) == 0 ? process_id()
                                                : number_at(path + strlen("/proc/"), &behind);
}
