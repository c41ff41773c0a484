// SPDX-License-Identifier: MIT
/*
 * boot - the order of events between firmware and kernel.
 *
 * Until leave() memory comes from the front end, afterwards from the memory map. Whatever is
 * wrong ends in boot_fatal() with the file and the reason.
 */
#include "arena.h"
#include "console.h"
#include "context.h"
#include "handoff.h"
#include "hardware.h"

/* Firmware keeps up to 2 MiB of the 32 MiB that we ask for. */
#define REQUIRED_MIB 32
#define REQUIRED_RAM (UINT64_C(30) << 20)

#define LOW_MEMORY UINT64_C(0xa0000)
#define MAX_STACK (UINT64_C(1) << 30)
#define EFER_LONG_MODE UINT64_C(0x100)
#define EFER_NX UINT64_C(0x800)
#define CR4_LA57 UINT64_C(0x1000)

static struct boot_context context;

static void report_config(unsigned line, const char *reason, const char *text, size_t length)
{
    char quoted[64];
    size_t i;

    for (i = 0; i < length && i < sizeof quoted - 1; i++)
        quoted[i] = text[i];
    quoted[i] = 0;
    boot_print(BOOT_CONFIG_PATH ": line %u: %s: %s", line, reason, quoted);
}

static void read_config(struct boot_context *c)
{
    struct boot_file file;
    unsigned line;
    const char *reason = c->platform->read_file("/" BOOT_CONFIG_PATH, false, &file);

    if (reason != NULL)
        boot_fatal(BOOT_CONFIG_PATH ": configuration %s", reason);
    reason = boot_config_parse(&c->config, (const char *)file.data, (size_t)file.size,
                               report_config, &line);
    if (reason != NULL && line != 0)
        boot_fatal(BOOT_CONFIG_PATH ": line %u: %s", line, reason);
    if (reason != NULL)
        boot_fatal(BOOT_CONFIG_PATH ": %s", reason);
}

static void check_paging_mode(const struct boot_context *c)
{
    const struct limine_request *request = boot_asked(c, BOOT_REQUEST_PAGING_MODE);

    /* Revision 0 has no minimum: asking for 5 levels gets 4. */
    if (request != NULL && request->revision >= 1 &&
        (request->argument[2] != 0 || request->argument[1] < request->argument[2]))
        boot_fatal("%s: kernel needs a paging mode that is not supported",
                   c->config.kernel.path + 1);
}

static void load_kernel(struct boot_context *c)
{
    static const struct elf_limits limits = {
        .lowest_vaddr = BOOT_KERNEL_LOWEST,
        .highest_vaddr = BOOT_KERNEL_HIGHEST,
        .allow_dynamic = true,
    };
    const char *name = c->config.kernel.path + 1, *reason;
    enum elf_error error;

    reason = c->platform->read_file(c->config.kernel.path, true, &c->kernel_file);
    if (reason != NULL)
        boot_fatal("%s: kernel %s (named in " BOOT_CONFIG_PATH " line %u)", name, reason,
                   c->config.kernel.line);
    error = elf_open(&c->image.elf, c->kernel_file.data, (size_t)c->kernel_file.size, &limits);
    if (error != ELF_OK)
        boot_fatal("%s: %s", name, elf_error_text(error));
    c->image.physical = c->platform->allocate(c->image.elf.span / BOOT_PAGE_SIZE, BOOT_BELOW_4G);
    if (c->image.physical == 0)
        boot_fatal("%s: kernel does not fit into memory", name);
    c->image.memory = (uint8_t *)(uintptr_t)c->image.physical;
    reason = boot_image_load(&c->image);
    if (reason == NULL)
        reason = boot_requests_scan(&c->requests, &c->image);
    if (reason != NULL)
        boot_fatal("%s: %s", name, reason);
    check_paging_mode(c);
}

static uint64_t entry_point(const struct boot_context *c)
{
    const struct limine_request *request = boot_asked(c, BOOT_REQUEST_ENTRY_POINT);

    if (request == NULL || request->argument[0] == 0)
        return c->image.elf.entry + c->image.elf.slide;
    if (!boot_image_is_code(&c->image, request->argument[0]))
        boot_fatal("%s: requested entry point is not in executable code",
                   c->config.kernel.path + 1);
    return request->argument[0];
}

static void choose_stack_size(struct boot_context *c)
{
    const struct limine_request *request = boot_asked(c, BOOT_REQUEST_STACK_SIZE);
    uint64_t size = request != NULL ? request->argument[0] : 0;

    if (size < BOOT_MINIMUM_STACK)
        size = BOOT_MINIMUM_STACK;
    if (size > MAX_STACK)
        boot_fatal("%s: requested stack is too large", c->config.kernel.path + 1);
    c->stack_size = (size + BOOT_PAGE_MASK) & ~BOOT_PAGE_MASK;
}

void boot_check_memory(const struct boot_memmap *map)
{
    uint64_t ram = boot_memmap_ram(map);

    if (ram < REQUIRED_RAM)
        boot_fatal("memory: only %u MiB, %u MiB are needed",
                   (unsigned)((ram + (UINT64_C(1) << 20) - 1) >> 20), (unsigned)REQUIRED_MIB);
}

/* What the map has no room for is not lost without a word. */
static void report_memory(const struct boot_memmap *map)
{
    if (map->is_lost)
        boot_fatal("memory: more than %u ranges are in use", (unsigned)BOOT_MEMMAP_CAPACITY);
    if (map->dropped_count != 0)
        boot_print("memory: more than %u ranges: the smallest free ones, %u of %u KiB in all, are "
                   "not used",
                   map->capacity, map->dropped_count, (unsigned)(map->dropped_bytes >> 10));
}

static void mark_file(struct boot_context *c, const struct boot_file *file)
{
    /* An empty file has a page, too. */
    boot_memmap_set(&c->map, (uint64_t)(uintptr_t)file->data, file->size != 0 ? file->size : 1,
                    BOOT_MEMORY_KERNEL);
}

/* A screen in RAM, or one that cannot be, would be drawn over what is there. */
static void take_screen(struct boot_context *c)
{
    struct boot_framebuffer *fb = &c->framebuffer;
    uint64_t bytes;

    if (boot_asked(c, BOOT_REQUEST_FRAMEBUFFER) == NULL || !c->platform->framebuffer(fb))
        return;
    bytes = fb->pitch * fb->height;
    if (!boot_framebuffer_valid(fb, cpu_physical_end()) ||
        boot_memmap_has_ram(&c->map, fb->physical, bytes)) {
        boot_print("firmware: the screen that it describes cannot be, and is not used");
        return;
    }
    c->has_framebuffer = true;
    boot_memmap_set(&c->map, fb->physical, bytes, BOOT_MEMORY_FRAMEBUFFER);
}

static void leave(struct boot_context *c)
{
    const char *reason = c->platform->leave_firmware(&c->map);

    if (reason != NULL)
        boot_fatal("firmware: %s", reason);
    boot_check_memory(&c->map);
    boot_memmap_set(&c->map, c->image.physical, c->image.elf.span, BOOT_MEMORY_KERNEL);
    mark_file(c, &c->kernel_file);
    for (unsigned i = 0; i < c->module_count; i++)
        mark_file(c, &c->modules[i].file);

    take_screen(c);
    report_memory(&c->map);
    boot_arena_init(&c->map);
}

/* Neighbouring ranges are mapped as one, so that large pages can cross their border. */
static void map_memory(struct boot_context *c)
{
    const uint64_t rights = BOOT_MAP_WRITE | BOOT_MAP_EXECUTE | BOOT_MAP_LARGE;
    static struct boot_memmap map; /* large for a stack; entered once */

    /* A copy: page tables are allocated from the map while it is walked, which moves its ranges. */
    boot_memmap_copy(&map, &c->map);
    for (unsigned i = 0; i < map.count;) {
        const struct boot_range *range = &map.ranges[i++];
        bool is_screen = range->type == BOOT_MEMORY_FRAMEBUFFER;
        uint64_t base = range->base, length = range->length;

        if (!boot_memory_is_mapped(range->type))
            continue;
        for (; i < map.count && map.ranges[i].base == base + length; i++) {
            uint64_t type = map.ranges[i].type;

            if (!boot_memory_is_mapped(type) || (type == BOOT_MEMORY_FRAMEBUFFER) != is_screen)
                break;
            length += map.ranges[i].length;
        }
        boot_map(&c->tables, BOOT_HHDM + base, base, length,
                 rights | (is_screen ? BOOT_MAP_WRITE_COMBINING : 0));
    }
}

static void map_kernel(struct boot_context *c)
{
    struct elf_segment segment;
    unsigned cursor = 0;

    while (elf_next_load(&c->image.elf, &cursor, &segment)) {
        uint64_t start = segment.vaddr & ~BOOT_PAGE_MASK;
        uint64_t end = (segment.vaddr + segment.memory_size + BOOT_PAGE_MASK) & ~BOOT_PAGE_MASK;

        boot_map(&c->tables, start + c->image.elf.slide,
                 c->image.physical + (start - c->image.elf.base), end - start,
                 (segment.write ? BOOT_MAP_WRITE : 0) | (segment.execute ? BOOT_MAP_EXECUTE : 0));
    }
}

static void build_tables(struct boot_context *c)
{
    uint32_t features = 0;

    if (cpu_id(0x80000000).eax >= 0x80000001)
        features = cpu_id(0x80000001).edx;
    c->tables = (struct boot_tables){
        .root = boot_arena_table(),
        .new_table = boot_arena_table,
        .has_nx = (features & 1u << 20) != 0,
        .has_1g = (features & 1u << 26) != 0,
    };
    c->efer = EFER_LONG_MODE | (c->tables.has_nx ? EFER_NX : 0);
    map_memory(c);
    map_kernel(c);

    c->bridge_root = boot_arena_pages(1);
    for (unsigned i = 0; i < 512; i++)
        c->bridge_root[i] = c->tables.root[i < 256 ? 256 + i : i];
}

/* The seven descriptors that the protocol promises. */
static void build_gdt(struct boot_context *c)
{
    static const uint64_t descriptors[7] = {
        0,
        UINT64_C(0x00009b000000ffff), /* 16-bit code and data */
        UINT64_C(0x000093000000ffff),
        UINT64_C(0x00cf9b000000ffff), /* 32-bit code and data */
        UINT64_C(0x00cf93000000ffff),
        UINT64_C(0x00209b0000000000), /* 64-bit code and data */
        UINT64_C(0x0000930000000000),
    };

    c->gdt = boot_arena_allocate(sizeof descriptors);
    for (unsigned i = 0; i < 7; i++)
        c->gdt[i] = descriptors[i];
}

static _Noreturn void enter(struct boot_context *c, uint64_t entry)
{
    uint8_t *stack = boot_arena_pages(c->stack_size / BOOT_PAGE_SIZE);
    struct boot_handoff *handoff = boot_arena_allocate(sizeof *handoff);

    *handoff = (struct boot_handoff){
        .bridge_tables = (uint64_t)(uintptr_t)c->bridge_root,
        .kernel_tables = (uint64_t)(uintptr_t)c->tables.root,
        .hhdm = BOOT_HHDM,
        .efer = c->efer,
        .stack_top = boot_hhdm(stack + c->stack_size),
        .entry = entry,
        .gdtr = {.limit = 7 * 8 - 1, .base = boot_hhdm(c->gdt)},
    };
    boot_responses_finish(c);
    boot_handoff(handoff);
}

void boot_main(struct boot_platform *platform)
{
    struct boot_context *c = &context;
    uint64_t entry;

    c->platform = platform;
    if ((cpu_read_cr4() & CR4_LA57) != 0)
        boot_fatal("firmware: runs with 5-level paging, which is not supported");
    read_config(c);
    load_kernel(c);
    entry = entry_point(c);
    choose_stack_size(c);
    boot_modules_load(c);
    if (boot_asked(c, BOOT_REQUEST_MP) != NULL)
        c->trampoline = platform->allocate(1, LOW_MEMORY);

    leave(c);
    boot_firmware_read(c);
    build_gdt(c);
    boot_responses_fill(c);
    build_tables(c);
    boot_mask_interrupts(&c->madt);
    boot_load_pat();
    boot_mp_start(c);
    enter(c, entry);
}
