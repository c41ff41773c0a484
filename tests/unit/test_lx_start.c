// SPDX-License-Identifier: MIT
/* test_lx_start - what lx makes of files that are programs of Linux or are meant to look so, and what a program finds on its
 * stack. */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "personality/linux/lx/image.c"
#include "personality/linux/lx/start_stack.c"

#define LIMIT 0x7FF000000000ull

struct file {
    uint8_t header[IMAGE_HEADER_BYTES];
    struct program_header headers[4];
};
static struct file file;

static void put_at(unsigned offset, unsigned bytes, uint64_t value)
{
    memcpy(file.header + offset, &value, bytes);
}

static void make_file(void)
{
    memset(&file, 0, sizeof file);
    memcpy(file.header, "\177ELF\2\1\1", 7);
    put_at(16, 2, ET_DYN);
    put_at(18, 2, EM_X86_64);
    put_at(24, 8, 0x1040);
    put_at(32, 8, 64);
    put_at(54, 2, 56);
    put_at(56, 2, 4);
    file.headers[0] = (struct program_header){PT_LOAD, PF_R, 0, 0, 0, 0x400, 0x400, 0x1000};
    file.headers[1] =
        (struct program_header){PT_LOAD, PF_R | PF_X, 0x1000, 0x1000, 0, 0x234, 0x234, 0x1000};
    file.headers[2] =
        (struct program_header){PT_LOAD, PF_R | PF_W, 0x2df8, 0x3df8, 0, 0x248, 0x1250, 0x1000};
    file.headers[3] = (struct program_header){PT_INTERP, PF_R, 0x318, 0x318, 0, 28, 28, 1};
}

static enum image_error read_file(struct image *image)
{
    uint64_t offset, size;
    enum image_error error =
        image_read_header(image, file.header, sizeof file.header, &offset, &size);

    if (error != IMAGE_OK)
        return error;
    if (offset != 64 || size > sizeof file.headers)
        return IMAGE_BROKEN;
    return image_read_parts(image, (const uint8_t *)file.headers, LIMIT);
}

TEST(lx_start, parts_are_whole_pages_of_the_file_with_zeros_behind_its_bytes)
{
    struct image image;

    make_file();
    CHECK_EQ(read_file(&image), IMAGE_OK);
    CHECK(image.movable && image.part_count == 3);
    CHECK_EQ(image.headers, 64);
    CHECK_EQ(image.parts[2].start, 0x3000);
    CHECK_EQ(image.parts[2].offset, 0x2000);
    CHECK_EQ(image.parts[2].data_end, 0x4040);
    CHECK_EQ(image.parts[2].end, 0x6000);
    CHECK_EQ(image.parts[1].protection, VMA_READ | VMA_EXECUTE);
    CHECK_EQ(image.interpreter_bytes, 28);
    CHECK_EQ(image.end, 0x6000);
}

TEST(lx_start, a_file_that_is_none_is_refused)
{
    struct image image;

    make_file();
    file.header[4] = 1; /* 32 bits */
    CHECK_EQ(read_file(&image), IMAGE_FOREIGN);
    make_file();
    file.headers[1].flags |= PF_W;
    CHECK_EQ(read_file(&image), IMAGE_WRITE_EXECUTE);
    make_file();
    file.headers[1].address = 0; /* on the page of another */
    CHECK_EQ(read_file(&image), IMAGE_BROKEN);
    make_file();
    file.headers[2].memory_bytes = LIMIT;
    CHECK_EQ(read_file(&image), IMAGE_BROKEN);
    make_file();
    file.headers[0].type = file.headers[1].type = file.headers[2].type = 6;
    CHECK_EQ(read_file(&image), IMAGE_BROKEN);
    make_file();
    file.headers[3].file_bytes = 5000;
    CHECK_EQ(read_file(&image), IMAGE_BROKEN);
}

TEST(lx_start, whatever_a_file_says_parts_stay_below_the_limit_and_apart)
{
    static const uint64_t odd[] = {
        0, 1, 0xFFF, 0x1000, LIMIT, LIMIT - 1, INT64_MAX, UINT64_MAX, UINT64_MAX - 0xFFF};
    unsigned read = 0;

    for (unsigned i = 0; i < 300000; i++) {
        struct image image;
        uint64_t end = 0, *word;

        make_file();
        for (unsigned k = 0; k < 3; k++) {
            word = (uint64_t *)&file.headers[rand() % 4] + rand() % 7;
            *word = rand() % 2 == 0 ? odd[(unsigned)rand() % (sizeof odd / sizeof odd[0])]
                                    : (uint64_t)rand() % 0x8000;
        }
        if (read_file(&image) != IMAGE_OK)
            continue;
        read++;
        for (unsigned k = 0; k < image.part_count; k++) {
            const struct image_part *part = &image.parts[k];

            CHECK(part->start >= end && part->start % PAGE == 0 && part->end % PAGE == 0);
            CHECK(part->data_end <= part->memory_end && part->memory_end <= part->end &&
                  part->end <= LIMIT);
            CHECK(part->offset % PAGE == 0);
            end = part->end;
        }
    }
    CHECK(read > 100);
}

TEST(lx_start, the_first_line_of_a_script_names_its_interpreter)
{
    char line[64], *interpreter, *argument;

    strcpy(line, "#!/bin/sh\necho");
    CHECK(image_script(line, sizeof line, &interpreter, &argument));
    CHECK_STR_EQ(interpreter, "/bin/sh");
    CHECK(argument == NULL);
    strcpy(line, "#! \t/bin/awk  -f x \n");
    CHECK(image_script(line, sizeof line, &interpreter, &argument));
    CHECK_STR_EQ(interpreter, "/bin/awk");
    CHECK_STR_EQ(argument, "-f x");
    strcpy(line, "#!  \n");
    CHECK(!image_script(line, sizeof line, &interpreter, &argument));
    memset(line, 'x', sizeof line);
    memcpy(line, "#!", 2);
    CHECK(!image_script(line, sizeof line, &interpreter, &argument));
}

/* ---- The stack ---- */

static uint8_t room[4096];

static uint64_t word_at(uint64_t rsp, uint64_t top, unsigned index)
{
    uint64_t word;

    memcpy(&word, room + sizeof room - (top - rsp) + index * 8, 8);
    return word;
}

static const char *text_at(uint64_t address, uint64_t top)
{
    return (const char *)room + sizeof room - (top - address);
}

TEST(lx_start, a_program_finds_its_arguments_environment_and_vector)
{
    static const char *const arguments[] = {"echo", "hello", ""};
    static const char *const environment[] = {"PATH=/bin"};
    struct start_stack start = {.arguments = arguments,
                                .argument_count = 3,
                                .environment = environment,
                                .environment_count = 1,
                                .path = "/bin/busybox",
                                .auxiliary = {{LX_AT_PAGESZ, 4096}},
                                .auxiliary_count = 1};
    uint64_t top = 0x7FE000000000, rsp = top - start_stack_build(&start, room, sizeof room, top);

    CHECK_EQ(rsp % 16, 0);
    CHECK_EQ(word_at(rsp, top, 0), 3);
    CHECK_STR_EQ(text_at(word_at(rsp, top, 1), top), "echo");
    CHECK_STR_EQ(text_at(word_at(rsp, top, 2), top), "hello");
    CHECK_STR_EQ(text_at(word_at(rsp, top, 3), top), "");
    CHECK_EQ(word_at(rsp, top, 4), 0);
    CHECK_STR_EQ(text_at(word_at(rsp, top, 5), top), "PATH=/bin");
    CHECK_EQ(word_at(rsp, top, 6), 0);
    CHECK_EQ(word_at(rsp, top, 7), LX_AT_PAGESZ);
    CHECK_EQ(word_at(rsp, top, 9), LX_AT_RANDOM);
    CHECK_EQ(word_at(rsp, top, 11), LX_AT_EXECFN);
    CHECK_STR_EQ(text_at(word_at(rsp, top, 12), top), "/bin/busybox");
    CHECK_EQ(word_at(rsp, top, 13), LX_AT_PLATFORM);
    CHECK_EQ(word_at(rsp, top, 15), LX_AT_NULL);
}

TEST(lx_start, what_does_not_fit_on_the_stack_is_refused)
{
    static char text[5000];
    const char *arguments[] = {text};
    struct start_stack start = {.arguments = arguments, .argument_count = 1, .path = ""};

    for (unsigned length = 3700; length < 5000; length++) {
        memset(text, 'x', length);
        CHECK(length < 3900 || length >= sizeof room - 192 ||
              start_stack_build(&start, room, sizeof room, 0x1000000) <= sizeof room);
    }
    CHECK_EQ(start_stack_build(&start, room, sizeof room, 0x1000000), 0);
}
