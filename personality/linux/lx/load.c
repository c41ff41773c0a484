// SPDX-License-Identifier: MIT
/*
 * load - ELF files, their interpreters and scripts: see load.h. What is wrong with a file goes wrong in the process that
 * is to run it.
 */
#include "personality/linux/lx/load.h"

#include "lib/base/string.h"
#include "lib/mnos/memory.h"
#include "personality/linux/lx/auxiliary.h"
#include "personality/linux/lx/host.h"
#include "personality/linux/lx/image.h"
#include "personality/linux/lx/memory.h"
#include "personality/linux/lx/mounts.h"
#include "personality/linux/lx/process.h"
#include "personality/linux/lx/random.h"
#include "personality/linux/lx/scratch.h"
#include "personality/linux/lx/vectors.h"

#define SCRIPTS_MAX 4u /* as Linux: interpreters that are scripts themselves */
#define MOVABLE_BASE 0x555500000000ull
#define RANDOM_PAGES (1ull << 24) /* how far a program and its stack are moved: 64 GiB */
#define STACK_ROOM 0x60000u       /* of what the program finds on its stack */
#define START_FLAGS 0x202u        /* interrupts; and a bit that is always 1 */

static uint8_t head[4096];

/* Up to `count` bytes of the file: how many there are, or an error. */
static int64_t read_at(const struct open_file *file, uint64_t offset, void *to, size_t count)
{
    return file->methods == &file_methods ? open_file_read_at(file, offset, to, count) : -LX_EACCES;
}

int64_t load_open(const char *path, struct open_file **file)
{
    static struct place place LX_SCRATCH;
    int64_t result = place_find_text(PLACE_AT_WORKING_DIRECTORY, path, true, &place);

    return result != 0 ? result : files_open(&place, LINUX_O_RDONLY, file);
}

/* ---- Scripts ---- */

/* The interpreter's arguments come before the script's own, whose first is the script's path. */
static int64_t put_interpreter(struct load *load, const char *interpreter, const char *argument)
{
    uint32_t more = argument != NULL ? 2 : 1;

    if (load->argument_count == 0)
        load->argument_count = 1; /* in the place of the missing one comes the path */
    if (load->argument_count + more > START_WORDS_MAX)
        return -LX_E2BIG;
    memmove(&load->arguments[1 + more], &load->arguments[1],
            (load->argument_count - 1) * sizeof load->arguments[0]);
    load->arguments[0] = interpreter;
    if (argument != NULL)
        load->arguments[1] = argument;
    load->arguments[more] = load->path;
    load->argument_count += more;
    return 0;
}

/* Until the file is no script. `head` has its beginning then, and *bytes says how much. */
static int64_t follow_scripts(struct load *load, size_t *bytes)
{
    static char lines[SCRIPTS_MAX][256];

    for (unsigned i = 0;; i++) {
        int64_t count = read_at(load->file, 0, head, sizeof head), result;
        char *interpreter, *argument;

        if (count < 0)
            return count;
        *bytes = (size_t)count;
        if (count < 2 || head[0] != '#' || head[1] != '!')
            return 0;
        if (i == SCRIPTS_MAX)
            return -LX_ELOOP;
        memcpy(lines[i], head, sizeof lines[i]);
        if (count < (int64_t)sizeof lines[i])
            lines[i][count++] = 0;
        if (!image_script(lines[i],
                          (size_t)count < sizeof lines[i] ? (size_t)count : sizeof lines[i],
                          &interpreter, &argument))
            return -LX_ENOEXEC;
        result = put_interpreter(load, interpreter, argument);
        open_file_release(load->file);
        load->file = NULL;
        if (result == 0)
            result = load_open(interpreter, &load->file);
        if (result != 0)
            return result;
        load->path = interpreter;
    }
}

/* ---- ELF ---- */

static int64_t error_of(enum image_error error)
{
    return error == IMAGE_OK ? 0 : error == IMAGE_WRITE_EXECUTE ? -LX_EACCES : -LX_ENOEXEC;
}

static int64_t read_image(const struct open_file *file, struct image *image)
{
    static uint8_t headers[IMAGE_PROGRAM_HEADERS_MAX * IMAGE_PROGRAM_HEADER_BYTES];
    uint64_t offset, size;
    int64_t count = read_at(file, 0, head, IMAGE_HEADER_BYTES);
    enum image_error error;

    if (count < 0)
        return count;
    error = image_read_header(image, head, (size_t)count, &offset, &size);
    if (error != IMAGE_OK)
        return error_of(error);
    count = read_at(file, offset, headers, size);
    if (count != (int64_t)size)
        return count < 0 ? count : -LX_ENOEXEC;
    return error_of(image_read_parts(image, headers, MEMORY_TOP));
}

/* Maps all parts, moved by `distance`. */
static int64_t map_parts(struct open_file *file, const struct image *image, uint64_t distance)
{
    int64_t result = 0;

    for (uint32_t i = 0; i < image->part_count && result == 0; i++) {
        const struct image_part *part = &image->parts[i];
        struct vma area = {.start = part->start + distance,
                           .end = part->end + distance,
                           .protection = part->protection,
                           .file = file,
                           .offset = part->offset,
                           .data_end = part->data_end + distance};

        result =
            area.start < MEMORY_LOWEST || area.end > MEMORY_TOP ? -LX_ENOMEM : memory_place(&area);
    }
    return result;
}

static uint64_t random_page(void)
{
    uint64_t value = 0;

    (void)random_bytes(&value, sizeof value);
    return value % RANDOM_PAGES * LX_PAGE;
}

static uint64_t align_down(uint64_t value, uint64_t alignment)
{
    return value & ~(alignment - 1);
}

static int64_t map_program(struct open_file *file, struct image *image, uint64_t *distance)
{
    uint64_t end;
    int64_t result = read_image(file, image);

    if (result != 0)
        return result;
    *distance = image->movable
                    ? align_down(MOVABLE_BASE + random_page(), image->alignment) - image->start
                    : 0;
    result = map_parts(file, image, *distance);
    end = lx_page_up(image->end + *distance);
    memory_set_break(end + random_page() % (1ull << 25));
    return result;
}

/* The program that loads the rest: found by its name in the program's file. */
static int64_t map_interpreter(const struct open_file *file, const struct image *program,
                               uint64_t *entry, uint64_t *base)
{
    char name[IMAGE_INTERPRETER_BYTES];
    struct open_file *interpreter;
    struct image image;
    uint64_t bytes, start;
    int64_t result = read_at(file, program->interpreter_offset, name, program->interpreter_bytes);

    if (result < 0)
        return result;
    if (result != (int64_t)program->interpreter_bytes || name[result - 1] != 0)
        return -LX_ENOEXEC;
    result = load_open(name, &interpreter);
    if (result != 0)
        return result;
    result = read_image(interpreter, &image);
    if (result == 0 && !image.movable)
        result = -LX_ELIBBAD;
    bytes = image.end - align_down(image.start, image.alignment);
    start = result == 0 ? memory_find(bytes + image.alignment) : 0;
    if (result == 0 && start == 0)
        result = -LX_ENOMEM;
    if (result == 0) {
        *base = align_down(start + image.alignment - 1, image.alignment) -
                align_down(image.start, image.alignment);
        *entry = image.entry + *base;
        result = map_parts(interpreter, &image, *base);
    }
    open_file_release(interpreter);
    return result;
}

/* ---- The stack ---- */

static void describe(struct start_stack *stack, const struct image *image, uint64_t distance,
                     uint64_t base)
{
    const uint64_t pairs[][2] = {
        {LX_AT_HWCAP, vectors_features()},
        {LX_AT_PAGESZ, LX_PAGE},
        {LX_AT_CLKTCK, 100},
        {LX_AT_PHDR, image->headers == 0 ? 0 : image->headers + distance},
        {LX_AT_PHENT, IMAGE_PROGRAM_HEADER_BYTES},
        {LX_AT_PHNUM, image->header_count},
        {LX_AT_BASE, base},
        {LX_AT_FLAGS, 0},
        {LX_AT_ENTRY, image->entry + distance},
        {LX_AT_UID, 0},
        {LX_AT_EUID, 0},
        {LX_AT_GID, 0},
        {LX_AT_EGID, 0},
        {LX_AT_SECURE, 0},
        {LX_AT_HWCAP2, 0}, /* no FSGSBASE: GS is lx's */
        {LX_AT_MINSIGSTKSZ, vectors_bytes() + 1024},
    };

    memcpy(stack->auxiliary, pairs, sizeof pairs);
    stack->auxiliary_count = sizeof pairs / sizeof pairs[0];
}

static int64_t build_stack(const struct load *load, struct start_stack *stack, uint64_t top,
                           uint64_t *rsp)
{
    struct memory_block room;
    int64_t result;
    size_t bytes;

    stack->arguments = load->arguments;
    stack->environment = load->environment;
    stack->argument_count = load->argument_count;
    stack->environment_count = load->environment_count;
    stack->path = load->path;
    if (!random_bytes(stack->random, sizeof stack->random))
        return -LX_ENODEV;
    if (host_block(STACK_ROOM / LX_PAGE, &room) != MNOS_OK)
        return -LX_ENOMEM;
    bytes = start_stack_build(stack, room.address, STACK_ROOM, top);
    *rsp = top - bytes;
    result = bytes == 0 ? -LX_E2BIG
                        : user_write(*rsp, (uint8_t *)room.address + STACK_ROOM - bytes, bytes);
    memory_free(&room);
    return result;
}

static int64_t map_stack(uint64_t *top)
{
    struct vma area = {.protection = VMA_READ | VMA_WRITE, .flags = VMA_STACK};

    *top = MEMORY_TOP - LX_PAGE - random_page() % (1ull << 34);
    area.end = *top;
    area.start = area.end - LX_PROGRAM_STACK;
    return memory_place(&area);
}

int64_t load_check(struct load *load)
{
    struct image image;
    size_t bytes;
    int64_t result = follow_scripts(load, &bytes);

    if (result == 0)
        result = read_image(load->file, &image);
    if (result != 0 && load->file != NULL)
        open_file_release(load->file);
    return result;
}

int64_t load_enter(struct load *load)
{
    static struct start_stack stack;
    static struct image image;
    struct lx_frame frame = {.rflags = START_FLAGS};
    uint64_t top = 0, distance = 0, base = 0;
    size_t bytes;
    int64_t result = follow_scripts(load, &bytes);

    if (result == 0) {
        string_copy(made_up_program, load->file->path, sizeof made_up_program);
        result = map_stack(&top);
    }
    if (result == 0)
        result = map_program(load->file, &image, &distance);
    if (result == 0) {
        frame.rip = image.entry + distance;
        if (image.interpreter_bytes != 0)
            result = map_interpreter(load->file, &image, &frame.rip, &base);
        if (result == 0 && frame.rip >= MEMORY_TOP) /* lx would seem to have failed there */
            result = -LX_ENOEXEC;
    }
    describe(&stack, &image, distance, base);
    if (result == 0)
        result = build_stack(load, &stack, top, &frame.rsp);
    if (load->file != NULL)
        open_file_release(load->file);
    if (result == 0)
        process_set_words(load->arguments, load->argument_count);
    if (load->words.page_count != 0)
        memory_free(&load->words);
    if (result != 0) {
        memory_clear();
        return result;
    }
    vectors_enter(&frame);
}
