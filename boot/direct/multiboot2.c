// SPDX-License-Identifier: MIT
/* multiboot2 - reads the information that GRUB leaves. Multiboot2 specification, "Boot information". */
#include "direct.h"

#define BOOT_MAGIC 0x36d76289u

#define TAG_END 0
#define TAG_CMDLINE 1
#define TAG_MODULE 3
#define TAG_MEMORY_MAP 6
#define TAG_FRAMEBUFFER 8
#define FRAMEBUFFER_RGB 1

struct tag {
    uint32_t type, size;
};

struct tag_module {
    struct tag tag;
    uint32_t start, end;
    char name[];
};

struct tag_memory_map {
    struct tag tag;
    uint32_t entry_size, entry_version;
};

struct map_entry {
    uint64_t base, length;
    uint32_t type, reserved;
};

struct tag_framebuffer {
    struct tag tag;
    uint64_t address;
    uint32_t pitch, width, height;
    uint8_t bpp, kind;
    uint16_t reserved;
    uint8_t masks[6]; /* red, green, blue: position, then size */
};

static struct boot_range read_range(const void *entry)
{
    const struct map_entry *range = entry;

    return (struct boot_range){range->base, range->length, direct_memory_type(range->type)};
}

static void read_memory_map(struct direct_machine *machine, struct tag_memory_map *tag)
{
    if (tag->entry_size < sizeof(struct map_entry) || tag->tag.size < sizeof *tag)
        return;
    machine->memory = (struct boot_raw_map){
        .entries = tag + 1,
        .count = (tag->tag.size - sizeof *tag) / tag->entry_size,
        .entry_bytes = tag->entry_size,
        .base_at = offsetof(struct map_entry, base),
        .read = read_range,
    };
}

static void read_framebuffer(struct direct_machine *machine, const struct tag_framebuffer *tag)
{
    struct boot_framebuffer *fb = &machine->framebuffer;

    if (tag->kind != FRAMEBUFFER_RGB)
        return;
    *fb = (struct boot_framebuffer){.physical = tag->address,
                                    .width = tag->width,
                                    .height = tag->height,
                                    .pitch = tag->pitch,
                                    .bpp = tag->bpp};
    for (unsigned i = 0; i < 3; i++) {
        fb->masks[2 * i] = tag->masks[2 * i + 1];
        fb->masks[2 * i + 1] = tag->masks[2 * i];
    }
    machine->has_framebuffer = true;
}

static void read_tag(struct direct_machine *machine, struct tag *tag)
{
    if (tag->type == TAG_CMDLINE)
        direct_set_cmdline(machine, (const char *)(tag + 1));
    if (tag->type == TAG_MEMORY_MAP)
        read_memory_map(machine, (void *)tag);
    if (tag->type == TAG_FRAMEBUFFER)
        read_framebuffer(machine, (const void *)tag);
    if (tag->type == TAG_MODULE && machine->module_count < DIRECT_MAX_MODULES) {
        const struct tag_module *module = (const void *)tag;

        machine->modules[machine->module_count++] = (struct direct_module){
            .start = module->start, .end = module->end, .name = module->name};
    }
}

bool multiboot2_read(struct direct_machine *machine, uint32_t magic, uint64_t info)
{
    const uint32_t *header = (const void *)(uintptr_t)info;
    uint64_t at = info + 8;

    if (magic != BOOT_MAGIC)
        return false;
    machine->info_start = info;
    machine->info_end = info + header[0];
    while (at + sizeof(struct tag) <= machine->info_end) {
        struct tag *tag = (void *)(uintptr_t)at;

        if (tag->type == TAG_END || tag->size < sizeof *tag || tag->size > machine->info_end - at)
            break;
        read_tag(machine, tag);
        at += (tag->size + 7u) & ~7u;
    }
    return true;
}
