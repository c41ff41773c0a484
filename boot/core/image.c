// SPDX-License-Identifier: MIT
/* image - see image.h. Relocations: System V ABI, AMD64 supplement, "Relocation". */
#include "image.h"

#include <string.h>

#define PAGE_MASK UINT64_C(4095)

#define DT_NULL 0
#define DT_PLTRELSZ 2
#define DT_RELA 7
#define DT_RELASZ 8
#define DT_RELAENT 9
#define DT_REL 17
#define DT_RELR 36
#define R_X86_64_NONE 0
#define R_X86_64_RELATIVE 8

struct dynamic_entry {
    uint64_t tag, value;
};

struct relocation {
    uint64_t offset, info, addend;
};

uint64_t boot_image_base(const struct boot_image *image)
{
    return image->elf.base + image->elf.slide;
}

void *boot_image_at(const struct boot_image *image, uint64_t vaddr, uint64_t size)
{
    struct elf_segment segment;
    unsigned cursor = 0;

    vaddr -= image->elf.slide;
    while (elf_next_load(&image->elf, &cursor, &segment)) {
        if (vaddr >= segment.vaddr && vaddr - segment.vaddr < segment.memory_size &&
            size <= segment.memory_size - (vaddr - segment.vaddr))
            return image->memory + (vaddr - image->elf.base);
    }
    return NULL;
}

const char *boot_image_string(const struct boot_image *image, uint64_t vaddr, uint64_t limit)
{
    for (uint64_t length = 0; length < limit; length++) {
        const char *last = boot_image_at(image, vaddr + length, 1);

        if (last == NULL)
            return NULL;
        if (*last == 0)
            return boot_image_at(image, vaddr, length + 1);
    }
    return NULL;
}

bool boot_image_is_code(const struct boot_image *image, uint64_t vaddr)
{
    struct elf_segment segment;
    unsigned cursor = 0;

    vaddr -= image->elf.slide;
    while (elf_next_load(&image->elf, &cursor, &segment)) {
        if (segment.execute && vaddr >= segment.vaddr && vaddr - segment.vaddr < segment.file_size)
            return true;
    }
    return false;
}

/* Tables in the image need not be aligned, hence the copies. */
static bool read_at(const struct boot_image *image, uint64_t vaddr, void *to, uint64_t size)
{
    const void *from = boot_image_at(image, vaddr, size);

    if (from == NULL)
        return false;
    memcpy(to, from, (size_t)size);
    return true;
}

static const char *apply_table(struct boot_image *image, uint64_t table, uint64_t size)
{
    struct relocation rela;

    for (uint64_t done = 0; done < size; done += sizeof rela) {
        void *target;
        uint64_t value;

        if (!read_at(image, table + done + image->elf.slide, &rela, sizeof rela))
            return "relocation table lies outside the kernel";
        if (rela.info == R_X86_64_NONE)
            continue;
        if (rela.info != R_X86_64_RELATIVE)
            return "relocation type is not supported";
        target = boot_image_at(image, rela.offset + image->elf.slide, sizeof value);
        if (target == NULL)
            return "relocation lies outside the kernel";
        value = rela.addend + image->elf.slide;
        memcpy(target, &value, sizeof value);
    }
    return NULL;
}

static const char *relocate(struct boot_image *image)
{
    uint64_t table = 0, size = 0, entry_size = sizeof(struct relocation);
    struct dynamic_entry entry;

    for (uint64_t at = 0; at + sizeof entry <= image->elf.dynamic_size; at += sizeof entry) {
        if (!read_at(image, image->elf.dynamic + at + image->elf.slide, &entry, sizeof entry))
            return "dynamic section lies outside the kernel";
        if (entry.tag == DT_NULL)
            break;
        if (entry.tag == DT_REL || entry.tag == DT_RELR ||
            (entry.tag == DT_PLTRELSZ && entry.value != 0))
            return "relocation format is not supported";
        if (entry.tag == DT_RELA)
            table = entry.value;
        if (entry.tag == DT_RELASZ)
            size = entry.value;
        if (entry.tag == DT_RELAENT)
            entry_size = entry.value;
    }
    if (entry_size != sizeof(struct relocation) || size % sizeof(struct relocation) != 0)
        return "relocation table has a wrong size";
    return apply_table(image, table, size);
}

const char *boot_image_load(struct boot_image *image)
{
    struct elf_segment segment;
    unsigned cursor = 0;

    while (elf_next_load(&image->elf, &cursor, &segment)) {
        uint64_t start = segment.vaddr - image->elf.base;
        uint64_t file_end = start + segment.file_size;
        uint64_t page_end = (start + segment.memory_size + PAGE_MASK) & ~PAGE_MASK;

        memset(image->memory + (start & ~PAGE_MASK), 0, (size_t)(start & PAGE_MASK));
        if (segment.file_size != 0)
            memcpy(image->memory + start, segment.data, (size_t)segment.file_size);
        memset(image->memory + file_end, 0, (size_t)(page_end - file_end));
    }
    return image->elf.is_dynamic ? relocate(image) : NULL;
}
