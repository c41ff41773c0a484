// SPDX-License-Identifier: MIT
/*
 * elf - see elf.h. Layout facts are from the System V ABI (generic part, "Object Files") and its
 * AMD64 supplement. Fields are read byte by byte, because a file in an archive may lie anywhere.
 */
#include "elf.h"

#include "lib/format/bytes.h"

#define PAGE_SIZE UINT64_C(4096)
#define PAGE_MASK (PAGE_SIZE - 1)

/* Sizes fixed by the format, and the offsets of the fields we use. */
#define EHDR_SIZE 64
#define EHDR_TYPE 16
#define EHDR_MACHINE 18
#define EHDR_VERSION 20
#define EHDR_ENTRY 24
#define EHDR_PHOFF 32
#define EHDR_EHSIZE 52
#define EHDR_PHENTSIZE 54
#define EHDR_PHNUM 56

#define PHDR_SIZE 56
#define PHDR_TYPE 0
#define PHDR_FLAGS 4
#define PHDR_OFFSET 8
#define PHDR_VADDR 16
#define PHDR_FILESZ 32
#define PHDR_MEMSZ 40
#define PHDR_ALIGN 48

#define ET_EXEC 2
#define ET_DYN 3
#define EM_X86_64 62
#define PT_LOAD 1
#define PT_DYNAMIC 2
#define PT_INTERP 3
#define PF_X 1
#define PF_W 2
#define PF_R 4

/* Far above what any of our programs has; keeps hostile files from costing time. */
#define MAX_PROGRAM_HEADERS 64

struct program_header {
    uint32_t type, flags;
    uint64_t offset, vaddr, file_size, memory_size, align;
};

/* The caller has checked that all program headers are inside the file. */
static struct program_header read_header(const struct elf_image *image, unsigned index)
{
    const uint8_t *raw = image->bytes + image->header_offset + (size_t)index * PHDR_SIZE;

    return (struct program_header){
        .type = (uint32_t)bytes_get(raw + PHDR_TYPE, 4),
        .flags = (uint32_t)bytes_get(raw + PHDR_FLAGS, 4),
        .offset = bytes_get(raw + PHDR_OFFSET, 8),
        .vaddr = bytes_get(raw + PHDR_VADDR, 8),
        .file_size = bytes_get(raw + PHDR_FILESZ, 8),
        .memory_size = bytes_get(raw + PHDR_MEMSZ, 8),
        .align = bytes_get(raw + PHDR_ALIGN, 8),
    };
}

static bool is_loaded(const struct program_header *ph)
{
    return ph->type == PT_LOAD && ph->memory_size != 0;
}

static enum elf_error check_identity(const uint8_t *bytes, size_t size)
{
    static const uint8_t magic[4] = {0x7f, 'E', 'L', 'F'};

    for (size_t i = 0; i < sizeof magic && i < size; i++) {
        if (bytes[i] != magic[i])
            return ELF_MAGIC;
    }
    if (size < EHDR_SIZE)
        return ELF_TRUNCATED;
    if (bytes[4] != 2 || bytes[5] != 1) /* ELFCLASS64, ELFDATA2LSB */
        return ELF_CLASS;
    if (bytes[6] != 1 || bytes_get(bytes + EHDR_VERSION, 4) != 1)
        return ELF_VERSION;
    if (bytes_get(bytes + EHDR_EHSIZE, 2) != EHDR_SIZE)
        return ELF_VERSION;
    if (bytes_get(bytes + EHDR_MACHINE, 2) != EM_X86_64)
        return ELF_MACHINE;
    return ELF_OK;
}

static enum elf_error find_headers(struct elf_image *image)
{
    const uint8_t *bytes = image->bytes;
    uint64_t count = bytes_get(bytes + EHDR_PHNUM, 2);
    uint64_t offset = bytes_get(bytes + EHDR_PHOFF, 8);

    if (count == 0 || count > MAX_PROGRAM_HEADERS)
        return ELF_SEGMENT_COUNT;
    if (bytes_get(bytes + EHDR_PHENTSIZE, 2) != PHDR_SIZE)
        return ELF_VERSION;
    if (offset > image->size || image->size - offset < count * PHDR_SIZE)
        return ELF_TRUNCATED;
    image->header_offset = offset;
    image->header_count = (uint16_t)count;
    return ELF_OK;
}

/* Everything about one PT_LOAD that does not depend on the others. */
static enum elf_error check_segment(const struct elf_image *image, const struct program_header *ph)
{
    if (ph->offset > image->size || image->size - ph->offset < ph->file_size)
        return ELF_SEGMENT_FILE;
    if (ph->file_size > ph->memory_size)
        return ELF_SEGMENT_SIZE;
    if ((ph->align & (ph->align - 1)) != 0 && ph->align != 0)
        return ELF_SEGMENT_ALIGNMENT;
    if (ph->align > 1 && ((ph->vaddr - ph->offset) & (ph->align - 1)) != 0)
        return ELF_SEGMENT_ALIGNMENT;
    if (ph->vaddr > UINT64_MAX - PAGE_MASK || ph->memory_size > UINT64_MAX - PAGE_MASK - ph->vaddr)
        return ELF_SEGMENT_ADDRESS; /* not even its rounded end may wrap */
    if ((ph->flags & (PF_R | PF_W | PF_X)) == 0)
        return ELF_SEGMENT_RIGHTS;
    if ((ph->flags & PF_W) != 0 && (ph->flags & PF_X) != 0)
        return ELF_SEGMENT_RIGHTS;
    return ELF_OK;
}

/*
 * Checks all PT_LOAD segments, and finds the range they cover. The ABI wants them in ascending
 * order of address, which makes the overlap check one comparison of neighbours.
 */
static enum elf_error check_loads(struct elf_image *image, uint64_t *max_align)
{
    bool entry_found = false;
    uint64_t previous_end = 0;

    for (unsigned i = 0; i < image->header_count; i++) {
        struct program_header ph = read_header(image, i);
        enum elf_error error;

        if (!is_loaded(&ph))
            continue;
        error = check_segment(image, &ph);
        if (error != ELF_OK)
            return error;
        if (image->load_count == 0)
            image->base = ph.vaddr & ~PAGE_MASK;
        else if ((ph.vaddr & ~PAGE_MASK) < previous_end)
            return ELF_SEGMENT_OVERLAP;
        previous_end = (ph.vaddr + ph.memory_size + PAGE_MASK) & ~PAGE_MASK;
        image->load_count++;
        if (ph.align > *max_align)
            *max_align = ph.align;
        /* Code must come from the file: an entry into the zeroed tail would run zeros. */
        if ((ph.flags & PF_X) != 0 && image->entry >= ph.vaddr &&
            image->entry - ph.vaddr < ph.file_size)
            entry_found = true;
    }
    if (image->load_count == 0)
        return ELF_SEGMENT_COUNT;
    image->span = previous_end - image->base;
    return entry_found ? ELF_OK : ELF_ENTRY;
}

static bool inside_one_load(const struct elf_image *image, uint64_t vaddr, uint64_t size)
{
    for (unsigned i = 0; i < image->header_count; i++) {
        struct program_header ph = read_header(image, i);

        if (is_loaded(&ph) && vaddr >= ph.vaddr && vaddr - ph.vaddr <= ph.memory_size &&
            ph.memory_size - (vaddr - ph.vaddr) >= size)
            return true;
    }
    return false;
}

static enum elf_error check_dynamic(struct elf_image *image)
{
    for (unsigned i = 0; i < image->header_count; i++) {
        struct program_header ph = read_header(image, i);

        if (ph.type == PT_INTERP)
            return ELF_INTERPRETER;
        if (ph.type != PT_DYNAMIC || ph.memory_size == 0)
            continue;
        if (image->dynamic_size != 0 || !inside_one_load(image, ph.vaddr, ph.memory_size))
            return ELF_DYNAMIC;
        image->dynamic = ph.vaddr;
        image->dynamic_size = ph.memory_size;
    }
    return ELF_OK;
}

/* Chooses the slide, and holds the range against the limits. */
static enum elf_error place(struct elf_image *image, const struct elf_limits *limits,
                            uint64_t max_align)
{
    uint64_t room, start;

    if (limits->highest_vaddr < limits->lowest_vaddr)
        return ELF_SEGMENT_ADDRESS;
    if (image->base >= limits->lowest_vaddr && image->base <= limits->highest_vaddr &&
        image->span - 1 <= limits->highest_vaddr - image->base)
        return ELF_OK;
    if (!image->is_dynamic)
        return ELF_SEGMENT_ADDRESS;

    /* The slide must keep every segment as aligned as it was linked. */
    if (max_align < PAGE_SIZE)
        max_align = PAGE_SIZE;
    start = limits->lowest_vaddr + ((image->base - limits->lowest_vaddr) & (max_align - 1));
    if (start < limits->lowest_vaddr || start > limits->highest_vaddr)
        return ELF_SEGMENT_ADDRESS;
    room = limits->highest_vaddr - start;
    if (image->span - 1 > room)
        return ELF_SEGMENT_ADDRESS;
    image->slide = start - image->base;
    return ELF_OK;
}

enum elf_error elf_open(struct elf_image *image, const void *bytes, size_t size,
                        const struct elf_limits *limits)
{
    uint64_t type, max_align = PAGE_SIZE;
    enum elf_error error;

    *image = (struct elf_image){.bytes = bytes, .size = size};
    error = check_identity(image->bytes, size);
    if (error != ELF_OK)
        return error;
    type = bytes_get(image->bytes + EHDR_TYPE, 2);
    if (type != ET_EXEC && !(type == ET_DYN && limits->allow_dynamic))
        return ELF_TYPE;
    image->is_dynamic = type == ET_DYN;
    image->entry = bytes_get(image->bytes + EHDR_ENTRY, 8);
    error = find_headers(image);
    if (error == ELF_OK)
        error = check_loads(image, &max_align);
    if (error == ELF_OK)
        error = check_dynamic(image);
    if (error == ELF_OK)
        error = place(image, limits, max_align);
    return error;
}

bool elf_next_load(const struct elf_image *image, unsigned *cursor, struct elf_segment *segment)
{
    while (*cursor < image->header_count) {
        struct program_header ph = read_header(image, (*cursor)++);

        if (!is_loaded(&ph))
            continue;
        *segment = (struct elf_segment){
            .data = ph.file_size != 0 ? image->bytes + ph.offset : NULL,
            .vaddr = ph.vaddr,
            .file_size = ph.file_size,
            .memory_size = ph.memory_size,
            .read = (ph.flags & PF_R) != 0,
            .write = (ph.flags & PF_W) != 0,
            .execute = (ph.flags & PF_X) != 0,
        };
        return true;
    }
    return false;
}

const char *elf_error_text(enum elf_error error)
{
    switch (error) {
    case ELF_OK: return "no error";
    case ELF_TRUNCATED: return "ELF file is cut short";
    case ELF_MAGIC: return "not an ELF file";
    case ELF_CLASS: return "not a 64-bit little-endian ELF file";
    case ELF_VERSION: return "ELF version or header size is unknown";
    case ELF_MACHINE: return "ELF file is not for x86-64";
    case ELF_TYPE: return "ELF file is not an executable of the wanted type";
    case ELF_SEGMENT_COUNT: return "ELF file has no or too many segments";
    case ELF_SEGMENT_FILE: return "ELF segment lies outside the file";
    case ELF_SEGMENT_SIZE: return "ELF segment is larger in the file than in memory";
    case ELF_SEGMENT_ALIGNMENT: return "ELF segment is misaligned";
    case ELF_SEGMENT_ADDRESS: return "ELF segment is outside the permitted addresses";
    case ELF_SEGMENT_OVERLAP: return "ELF segments overlap, share a page or are out of order";
    case ELF_SEGMENT_RIGHTS: return "ELF segment is writable and executable, or has no rights";
    case ELF_ENTRY: return "ELF entry point is not in executable code";
    case ELF_INTERPRETER: return "ELF file asks for a dynamic linker";
    case ELF_DYNAMIC: return "ELF dynamic section is broken";
    case ELF_ERROR_COUNT: break;
    }
    return "unknown ELF error";
}
