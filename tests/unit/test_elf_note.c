// SPDX-License-Identifier: MIT
/* test_elf_note - for which system a file was made. */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "lib/format/elf_note.h"

static uint8_t file[ELF_NOTE_BYTES];

static void put(unsigned offset, unsigned bytes, uint64_t value)
{
    memcpy(file + offset, &value, bytes);
}

/* One program header, of a note at 0x80. */
static void make_file(void)
{
    static const uint32_t head[3] = {10, 4, 1};

    memset(file, 0, sizeof file);
    memcpy(file, "\177ELF\2\1\1", 7);
    put(32, 8, 64);
    put(54, 2, 56);
    put(56, 2, 1);
    put(64, 4, 4);
    put(64 + 8, 8, 0x80);
    put(64 + 32, 8, 28);
    memcpy(file + 0x80, head, sizeof head);
    memcpy(file + 0x8C, "MinimalOS", 10);
}

TEST(elf_note, a_program_with_our_note_is_native)
{
    make_file();
    CHECK_EQ(elf_system(file, sizeof file), ELF_NATIVE);
    file[0x8C] = 'm';
    CHECK_EQ(elf_system(file, sizeof file), ELF_FOREIGN);
    make_file();
    put(0x88, 4, 2); /* another type */
    CHECK_EQ(elf_system(file, sizeof file), ELF_FOREIGN);
    make_file();
    put(64, 4, 1); /* no note */
    CHECK_EQ(elf_system(file, sizeof file), ELF_FOREIGN);
}

TEST(elf_note, scripts_are_for_others_and_the_rest_is_no_program)
{
    CHECK_EQ(elf_system("#!/bin/sh\n", 10), ELF_FOREIGN);
    CHECK_EQ(elf_system("#", 1), ELF_NO_PROGRAM);
    CHECK_EQ(elf_system("", 0), ELF_NO_PROGRAM);
    CHECK_EQ(elf_system("some text that is longer than the header of an ELF file would be, x", 67),
             ELF_NO_PROGRAM);
}

TEST(elf_note, no_byte_of_the_file_leads_out_of_it)
{
    make_file();
    for (size_t size = 0; size < 0x100; size++) {
        uint8_t *exact =
            malloc(size + 1); /* of another size each time: the sanitizer sees the end */

        memcpy(exact, file, size);
        CHECK_EQ(elf_system(exact, size) == ELF_NATIVE, size >= 0x80 + 28);
        free(exact);
    }
    for (unsigned i = 0; i < 200000; i++) {
        make_file();
        for (unsigned k = 0; k < 3; k++)
            file[(unsigned)rand() % 0xA0] = (uint8_t)rand();
        put(32 + ((unsigned)rand() % 2) * 40, 8,
            rand() % 2 == 0 ? UINT64_MAX - (unsigned)rand() % 64 : (uint64_t)rand() % 8192);
        (void)elf_system(file, sizeof file);
    }
}
