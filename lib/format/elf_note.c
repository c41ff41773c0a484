// SPDX-License-Identifier: MIT
/* elf_note - see elf_note.h. Layout facts: System V ABI, "Object Files", "Note Section". */
#include "elf_note.h"

#include "lib/base/string.h"
#include "lib/format/bytes.h"

#define EHDR_SIZE 64
#define EHDR_PHOFF 32
#define EHDR_PHENTSIZE 54
#define EHDR_PHNUM 56
#define PHDR_SIZE 56
#define PHDR_OFFSET 8
#define PHDR_FILESZ 32
#define PT_NOTE 4

static const char note_name[] = "MinimalOS";
static const char gnu_name[] = "GNU";
#define NOTE_HEAD 12 /* sizes of name and descriptor, and the type */
#define NOTE_TYPE 1
#define NT_GNU_BUILD_ID 3

/* The next note segment that lies in the file, from program header *index on, which moves behind it; false: none is left. */
static bool next_segment(const uint8_t *bytes, size_t size, uint64_t *index, uint64_t *offset,
                         uint64_t *length)
{
    uint64_t headers = bytes_get(bytes + EHDR_PHOFF, 8);
    uint64_t count = bytes_get(bytes + EHDR_PHNUM, 2);

    if (bytes_get(bytes + EHDR_PHENTSIZE, 2) != PHDR_SIZE || headers > size)
        return false;
    for (; *index < count && (*index + 1) * PHDR_SIZE <= size - headers; (*index)++) {
        const uint8_t *header = bytes + headers + *index * PHDR_SIZE;

        if (bytes_get(header, 4) != PT_NOTE)
            continue;
        *offset = bytes_get(header + PHDR_OFFSET, 8);
        *length = bytes_get(header + PHDR_FILESZ, 8);
        if (*offset > size || *length > size - *offset)
            continue;
        (*index)++;
        return true;
    }
    return false;
}

/* Whether the note of `length` bytes at most has this name and type; `name_size` counts the NUL. */
static bool is_note(const uint8_t *note, uint64_t length, const char *name, size_t name_size,
                    uint32_t type)
{
    return length >= NOTE_HEAD + name_size && bytes_get(note, 4) == name_size &&
           bytes_get(note + 8, 4) == type && memcmp(note + NOTE_HEAD, name, name_size) == 0;
}

enum elf_system elf_system(const void *file, size_t size)
{
    const uint8_t *bytes = file;
    uint64_t offset, length, index = 0;

    if (size >= 2 && bytes[0] == '#' && bytes[1] == '!')
        return ELF_FOREIGN;
    if (size < EHDR_SIZE || memcmp(bytes, "\177ELF", 4) != 0)
        return ELF_NO_PROGRAM;
    while (next_segment(bytes, size, &index, &offset, &length)) {
        if (is_note(bytes + offset, length, note_name, sizeof note_name, NOTE_TYPE))
            return ELF_NATIVE; /* the first note of the segment is ours */
    }
    return ELF_FOREIGN;
}

static uint64_t padded(uint64_t bytes)
{
    return (bytes + 3) & ~3ull;
}

/* Among the notes of one segment. */
static bool find_id(const uint8_t *note, uint64_t length, uint8_t id[ELF_BUILD_ID_BYTES])
{
    while (length >= NOTE_HEAD) {
        uint64_t name = padded(bytes_get(note, 4)), descriptor = bytes_get(note + 4, 4);
        uint64_t whole = NOTE_HEAD + name + padded(descriptor);

        if (whole > length)
            return false;
        if (descriptor == ELF_BUILD_ID_BYTES &&
            is_note(note, length, gnu_name, sizeof gnu_name, NT_GNU_BUILD_ID)) {
            memcpy(id, note + NOTE_HEAD + name, ELF_BUILD_ID_BYTES);
            return true;
        }
        note += whole;
        length -= whole;
    }
    return false;
}

bool elf_build_id(const void *file, size_t size, uint8_t id[ELF_BUILD_ID_BYTES])
{
    const uint8_t *bytes = file;
    uint64_t offset, length, index = 0;

    if (size < EHDR_SIZE || memcmp(bytes, "\177ELF", 4) != 0)
        return false;
    while (next_segment(bytes, size, &index, &offset, &length)) {
        if (find_id(bytes + offset, length, id))
            return true;
    }
    return false;
}
