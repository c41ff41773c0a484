// SPDX-License-Identifier: MIT
/*
 * elf_note.h - for which system a program was made, and which build it is, from the beginning of its file.
 *
 * Programs of this system have a note of their own (lib/mnos/user.ld). The bytes are hostile: what is said of them here
 * chooses who loads the file, in a process of its own, and nothing else.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How much of a file has to be looked at: our linker script puts the note at the beginning of the second page. */
#define ELF_NOTE_BYTES 8192u

enum elf_system {
    ELF_NO_PROGRAM, /* neither ELF nor a script */
    ELF_NATIVE,     /* has the note */
    ELF_FOREIGN,    /* an ELF file without it, or a script, which another program reads */
};

/* Of the first `size` bytes of a file. */
enum elf_system elf_system(const void *bytes, size_t size);

/* What the linker makes of all that it puts into the file (--build-id=sha1): two files that differ have different ones. */
#define ELF_BUILD_ID_BYTES 20u
/* So much of it is shown to people, in hexadecimal, with the NUL. */
#define ELF_BUILD_ID_TEXT 13u

/* The build ID in the first `size` bytes of a file; false: it has none there. */
bool elf_build_id(const void *bytes, size_t size, uint8_t id[ELF_BUILD_ID_BYTES]);

/* The first twelve digits. */
static inline void elf_build_id_text(const uint8_t id[ELF_BUILD_ID_BYTES],
                                     char out[ELF_BUILD_ID_TEXT])
{
    for (unsigned i = 0; i < ELF_BUILD_ID_TEXT - 1; i++)
        out[i] = "0123456789abcdef"[id[i / 2] >> (i % 2 == 0 ? 4 : 0) & 15];
    out[ELF_BUILD_ID_TEXT - 1] = 0;
}
