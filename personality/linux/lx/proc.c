// SPDX-License-Identifier: MIT
/* proc - see proc.h. */
#include "personality/linux/lx/proc.h"

#include <stdarg.h>

#include "lib/base/printf.h"
#include "lib/base/string.h"
#include "lib/mnos/time.h"
#include "personality/linux/lx/cpuid.h"
#include "personality/linux/lx/host.h"
#include "personality/linux/lx/memory.h"
#include "personality/linux/lx/mounts.h"
#include "personality/linux/lx/path.h"
#include "personality/linux/lx/piece.h"
#include "personality/linux/lx/process.h"
#include "personality/linux/lx/signals.h"
#include "personality/linux/lx/stat.h"
#include "personality/linux/lx/threads.h"

#define TEXT_BYTES_FIRST 4096u
#define TEXT_BYTES_MAX 0x400000u
#define KIB_OF_PAGES(pages) ((pages)*LX_PAGE / 1024)
#define SECOND_NS 1000000000ul
#define TICK_NS 10000000ul /* AT_CLKTCK is 100 */

/* ---- Texts as open files ---- */

/* The text of an open file, as it was when it was read from its beginning. */
struct kept_text {
    size_t length;
    char bytes[];
};

__attribute__((format(printf, 2, 3))) static void put(struct proc_text *text, const char *format,
                                                      ...)
{
    size_t room = text->length < text->size ? text->size - text->length : 0;
    va_list arguments;

    va_start(arguments, format);
    text->length += (size_t)mnos_vsnprintf(room != 0 ? text->bytes + text->length : NULL, room,
                                           format, arguments);
    va_end(arguments);
}

/* In as much memory as it needs. */
static int64_t make_text(struct open_file *file)
{
    const struct made_up *made_up = file->made_up;

    for (size_t size = TEXT_BYTES_FIRST; size <= TEXT_BYTES_MAX; size *= 2) {
        struct kept_text *kept = piece_allocate(sizeof *kept + size);
        struct proc_text text;

        if (kept == NULL)
            return -LX_ENOMEM;
        text = (struct proc_text){kept->bytes, size, 0};
        made_up->write(&text, made_up_process(file->path));
        kept->length = text.length;
        if (text.length < size) {
            piece_free(file->own);
            file->own = kept;
            return 0;
        }
        piece_free(kept);
    }
    return -LX_EFBIG;
}

static int64_t read_text(struct open_file *file, uint64_t to, uint64_t count, uint64_t offset)
{
    const struct kept_text *kept;
    int64_t result = file->own == NULL || offset == 0 ? make_text(file) : 0;
    uint64_t part;

    if (result != 0)
        return result;
    kept = file->own;
    if (offset >= kept->length)
        return 0;
    part = kept->length - offset < count ? kept->length - offset : count;
    return user_write(to, kept->bytes + offset, part) == 0 ? (int64_t)part : -LX_EFAULT;
}

static int64_t stat_text(struct open_file *file, struct linux_stat *stat)
{
    stat_of_made_up(file->made_up, file->path, stat);
    return 0;
}

static void close_text(struct open_file *file)
{
    piece_free(file->own);
}

const struct open_methods proc_methods = {
    .read = read_text,
    .stat = stat_text,
    .close = close_text,
    .seekable = true,
};

/* ---- The machine and the container ---- */

/* Intel SDM vol 2A, "CPUID": leaf 0 has the vendor in EBX, EDX, ECX; 0x80000002 to 4 the name. */
static void processor_names(char vendor[13], char name[49])
{
    uint32_t out[4];

    memset(vendor, 0, 13);
    memset(name, 0, 49);
    cpuid(0, out);
    memcpy(vendor, &out[1], 4);
    memcpy(vendor + 4, &out[3], 4);
    memcpy(vendor + 8, &out[2], 4);
    cpuid(0x80000000, out);
    if (out[0] < 0x80000004)
        return;
    for (uint32_t i = 0; i < 3; i++) {
        cpuid(0x80000002 + i, out);
        memcpy(name + i * sizeof out, out, sizeof out);
    }
}

void proc_cpuinfo(struct proc_text *text, int32_t pid)
{
    char vendor[13], name[49];
    uint32_t out[4], family;

    (void)pid;
    processor_names(vendor, name);
    cpuid(1, out);
    family = out[0] >> 8 & 15;
    for (uint32_t i = 0; i < kinfo()->core_count; i++)
        put(text,
            "processor\t: %u\nvendor_id\t: %s\ncpu family\t: %u\nmodel\t\t: %u\nmodel name\t: %s\n"
            "stepping\t: %u\ncpu cores\t: %u\n\n",
            i, vendor, family == 15 ? family + (out[0] >> 20 & 255) : family,
            (out[0] >> 4 & 15) | (family == 6 || family == 15 ? out[0] >> 12 & 0xF0 : 0), name,
            out[0] & 15, kinfo()->core_count);
}

void proc_meminfo(struct proc_text *text, int32_t pid)
{
    struct lxhost_container container = {0};
    uint64_t free;

    (void)pid;
    (void)!host_ask(LXHOST_CONTAINER, NULL, 0, &container, sizeof container);
    free = KIB_OF_PAGES(container.frames_quota - container.frames_used);
    put(text,
        "MemTotal:       %8lu kB\nMemFree:        %8lu kB\nMemAvailable:   %8lu kB\n"
        "Buffers:               0 kB\nCached:                0 kB\nSwapTotal:             0 kB\n"
        "SwapFree:              0 kB\nSReclaimable:          0 kB\n",
        KIB_OF_PAGES(container.frames_quota), free, free);
}

/* How long the processors were idle is not known here: none of it. */
void proc_uptime(struct proc_text *text, int32_t pid)
{
    uint64_t now = kinfo_time_ns();

    (void)pid;
    put(text, "%lu.%02lu 0.00\n", now / SECOND_NS, now % SECOND_NS / TICK_NS);
}

/* ---- Processes ---- */

static bool next_process(int32_t pid, struct lxhost_about *about)
{
    struct lxhost_process record = {.pid = pid};

    return host_ask(LXHOST_ABOUT, &record, sizeof record, about, sizeof *about) == MNOS_OK;
}

bool proc_next_process(int32_t *number)
{
    struct lxhost_about about;

    if (!next_process(*number, &about))
        return false;
    *number = about.pid;
    return true;
}

/* One that has ended meanwhile is nobody. */
static bool about_of(int32_t pid, struct lxhost_about *about)
{
    if (!next_process(pid, about) || about->pid != pid)
        return false;
    if (pid == process_id())
        about->state = 'R';
    about->title.name[sizeof about->title.name - 1] = 0;
    return true;
}

bool proc_has_process(int32_t pid)
{
    struct lxhost_about about;

    return about_of(pid, &about);
}

void proc_cmdline(struct proc_text *text, int32_t pid)
{
    struct lxhost_about about;

    if (!about_of(pid, &about) || about.title.words_bytes > sizeof about.title.words)
        return;
    memcpy(text->bytes, about.title.words, about.title.words_bytes); /* which the first size has */
    text->length = about.title.words_bytes;
}

void proc_comm(struct proc_text *text, int32_t pid)
{
    struct lxhost_about about;

    if (about_of(pid, &about))
        put(text, "%s\n", about.title.name);
}

static uint64_t mapped_bytes(void)
{
    uint64_t bytes = 0;

    for (uint32_t i = 0; i < memory_areas.count; i++)
        bytes += memory_areas.areas[i].end - memory_areas.areas[i].start;
    return bytes;
}

/* What is mapped is known of this process alone; of others, what they use. */
static uint64_t size_of(const struct lxhost_about *about)
{
    return about->pid == process_id() ? mapped_bytes() : about->frames * LX_PAGE;
}

void proc_stat(struct proc_text *text, int32_t pid)
{
    struct lxhost_about about;

    if (!about_of(pid, &about))
        return;
    put(text, "%d (%s) %c %d %d %d 0 -1 0 0 0 0 0 %lu 0 0 0 20 0 %u 0 %lu %lu %lu", about.pid,
        about.title.name, (char)about.state, about.parent, about.group, about.session,
        about.cpu_time_ns / TICK_NS, about.threads, about.started_ns / TICK_NS, size_of(&about),
        about.frames);
    /* From rsslim on: addresses, signals, and what else nobody is told. */
    put(text, " 18446744073709551615 0 0 0 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n");
}

static const char *state_name(uint32_t state)
{
    switch (state) {
    case 'R': return "R (running)";
    case 'T': return "T (stopped)";
    case 'Z': return "Z (zombie)";
    default: return "S (sleeping)";
    }
}

/* In one line, whatever a process calls itself: as Linux, which leaves all other characters. */
static void put_name(struct proc_text *text, const char *name)
{
    put(text, "Name:\t");
    for (; *name != 0; name++) {
        if (*name == '\n' || *name == '\\')
            put(text, "\\%c", *name == '\n' ? 'n' : '\\');
        else
            put(text, "%c", *name);
    }
}

void proc_status(struct proc_text *text, int32_t pid)
{
    struct lxhost_about about;

    if (!about_of(pid, &about))
        return;
    put_name(text, about.title.name);
    put(text,
        "\nState:\t%s\nTgid:\t%d\nPid:\t%d\nPPid:\t%d\nUid:\t0\t0\t0\t0\n"
        "Gid:\t0\t0\t0\t0\nVmSize:\t%8lu kB\nVmRSS:\t%8lu kB\nThreads:\t%u\n",
        state_name(about.state), about.pid, about.pid, about.parent, size_of(&about) / 1024,
        KIB_OF_PAGES(about.frames), about.threads);
    if (pid == process_id())
        put(text, "SigPnd:\t%016lx\nSigBlk:\t%016lx\n", signals_pending(UINT64_MAX),
            thread_self()->blocked);
}

void proc_maps(struct proc_text *text, int32_t pid)
{
    (void)pid;
    for (uint32_t i = 0; i < memory_areas.count; i++) {
        const struct vma *area = &memory_areas.areas[i];
        const char *name = area->file != NULL               ? area->file->path
                           : (area->flags & VMA_STACK) != 0 ? "[stack]"
                           : (area->flags & VMA_HEAP) != 0  ? "[heap]"
                                                            : "";

        put(text, "%08lx-%08lx %c%c%c%c %08lx 00:00 0%s%s\n", area->start, area->end,
            (area->protection & VMA_READ) != 0 ? 'r' : '-',
            (area->protection & VMA_WRITE) != 0 ? 'w' : '-',
            (area->protection & VMA_EXECUTE) != 0 ? 'x' : '-',
            (area->flags & VMA_SHARED) != 0 ? 's' : 'p', area->file != NULL ? area->offset : 0ul,
            name[0] != 0 ? "                          " : "", name);
    }
}

/* ---- Descriptors ---- */

bool proc_next_descriptor(int32_t *number)
{
    while (*number < (int32_t)DESCRIPTORS_MAX && descriptor_file(*number) == NULL)
        ++*number;
    return *number < (int32_t)DESCRIPTORS_MAX;
}

int32_t proc_descriptor_number(const char *path)
{
    int32_t number = 0;

    for (const char *digit = path_last(path); *digit != 0; digit++)
        number = number * 10 + (*digit - '0');
    return number;
}

const char *proc_descriptor(const char *path)
{
    const struct open_file *file = descriptor_file(proc_descriptor_number(path));

    /* made_up_find() has seen that it is there. */
    return file == NULL || file->path[0] == 0 ? "anon_inode:" : file->path;
}
