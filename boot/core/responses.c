// SPDX-License-Identifier: MIT
/*
 * responses - answers the kernel's requests. Every answer lies in bootloader-reclaimable memory,
 * and every pointer in it is an address in the direct map.
 *
 * Left to mp.c: the MP request. Read elsewhere: stack size and entry point (boot.c).
 */
#include <string.h>

#include "arena.h"
#include "console.h"
#include "context.h"

#define LOADER_NAME "MinimalOS loader"
#define LOADER_VERSION "1.0"
#define SPLITS_EXPECTED 32

static uint64_t copy_string(const char *text)
{
    uint64_t size = 1;
    char *copy;

    while (text[size - 1] != 0)
        size++;
    copy = boot_arena_allocate(size);
    memcpy(copy, text, (size_t)size);
    return boot_hhdm(copy);
}

struct limine_response *boot_respond(struct boot_context *c, enum boot_request kind,
                                     uint64_t revision, uint64_t size)
{
    struct limine_response *response = boot_arena_allocate(size);

    response->revision = revision;
    boot_asked(c, kind)->response = boot_hhdm(response);
    return response;
}

/* Answers with up to two numbers, if asked. */
static void answer(struct boot_context *c, enum boot_request kind, uint64_t first, uint64_t second)
{
    struct limine_response *response;

    if (boot_asked(c, kind) == NULL)
        return;
    response = boot_respond(c, kind, 0, sizeof *response);
    response->field[0] = first;
    response->field[1] = second;
}

static uint64_t make_file(const struct boot_context *c, const struct boot_file *file,
                          const char *path, const char *cmdline)
{
    struct limine_file *answer = boot_arena_allocate(sizeof *answer);

    *answer = (struct limine_file){
        .address = boot_hhdm(file->data),
        .size = file->size,
        .path = copy_string(path),
        .cmdline = copy_string(cmdline),
        .media_type = c->platform->media.type,
        .partition_index = c->platform->media.partition_index,
        .mbr_disk_id = c->platform->media.mbr_disk_id,
        .gpt_partition = c->platform->media.gpt_partition,
    };
    return boot_hhdm(answer);
}

static const char *kernel_cmdline(const struct boot_context *c)
{
    const char *own = c->platform->cmdline;

    return own != NULL && own[0] != 0 ? own : c->config.kernel.cmdline;
}

static void answer_files(struct boot_context *c)
{
    uint64_t *files;

    if (boot_asked(c, BOOT_REQUEST_EXECUTABLE_FILE) != NULL)
        answer(c, BOOT_REQUEST_EXECUTABLE_FILE,
               make_file(c, &c->kernel_file, c->config.kernel.path, kernel_cmdline(c)), 0);
    if (boot_asked(c, BOOT_REQUEST_EXECUTABLE_CMDLINE) != NULL)
        answer(c, BOOT_REQUEST_EXECUTABLE_CMDLINE, copy_string(kernel_cmdline(c)), 0);

    if (boot_asked(c, BOOT_REQUEST_MODULE) == NULL || c->module_count == 0)
        return;
    files = boot_arena_allocate(c->module_count * sizeof *files);
    for (unsigned i = 0; i < c->module_count; i++) {
        const struct boot_module *module = &c->modules[i];

        files[i] = make_file(c, &module->file, module->path, module->cmdline);
    }
    answer(c, BOOT_REQUEST_MODULE, c->module_count, boot_hhdm(files));
    ((struct limine_response *)(uintptr_t)(boot_asked(c, BOOT_REQUEST_MODULE)->response -
                                           BOOT_HHDM))
        ->revision = 1;
}

/* One framebuffer with one mode: the one that is set. */
static void answer_framebuffer(struct boot_context *c)
{
    const struct boot_framebuffer *fb = &c->framebuffer;
    struct limine_framebuffer *answer;
    struct limine_video_mode *mode;
    struct limine_response *response;
    uint64_t *modes, *list;

    if (!c->has_framebuffer)
        return;
    mode = boot_arena_allocate(sizeof *mode);
    *mode = (struct limine_video_mode){.pitch = fb->pitch,
                                       .width = fb->width,
                                       .height = fb->height,
                                       .bpp = fb->bpp,
                                       .memory_model = LIMINE_MEMORY_MODEL_RGB};
    memcpy(mode->masks, fb->masks, sizeof mode->masks);
    modes = boot_arena_allocate(sizeof *modes);
    modes[0] = boot_hhdm(mode);

    answer = boot_arena_allocate(sizeof *answer);
    *answer = (struct limine_framebuffer){.address = BOOT_HHDM + fb->physical,
                                          .width = fb->width,
                                          .height = fb->height,
                                          .pitch = fb->pitch,
                                          .bpp = fb->bpp,
                                          .memory_model = LIMINE_MEMORY_MODEL_RGB,
                                          .mode_count = 1,
                                          .modes = boot_hhdm(modes)};
    memcpy(answer->masks, fb->masks, sizeof answer->masks);
    list = boot_arena_allocate(sizeof *list);
    list[0] = boot_hhdm(answer);

    response = boot_respond(c, BOOT_REQUEST_FRAMEBUFFER, 1, sizeof *response);
    response->field[0] = 1;
    response->field[1] = boot_hhdm(list);
}

static void answer_firmware_tables(struct boot_context *c)
{
    const struct boot_platform *p = c->platform;

    answer(c, BOOT_REQUEST_FIRMWARE_TYPE, p->firmware_type, 0);
    if (p->rsdp != 0)
        answer(c, BOOT_REQUEST_RSDP, p->rsdp, 0);
    if (p->smbios32 != 0 || p->smbios64 != 0)
        answer(c, BOOT_REQUEST_SMBIOS, p->smbios32, p->smbios64);
    if (p->efi_system_table != 0)
        answer(c, BOOT_REQUEST_EFI_SYSTEM_TABLE, p->efi_system_table, 0);
    if (p->efi_map != 0 && boot_asked(c, BOOT_REQUEST_EFI_MEMORY_MAP) != NULL) {
        struct limine_response *response =
            boot_respond(c, BOOT_REQUEST_EFI_MEMORY_MAP, 0, sizeof *response);

        response->field[0] = BOOT_HHDM + p->efi_map;
        response->field[1] = p->efi_map_size;
        response->field[2] = p->efi_descriptor_size;
        response->field[3] = p->efi_descriptor_version;
    }
}

/* Room for more ranges than there are now: allocations to come may split some. Where even that is not
 * enough the map keeps the most useful ones. */
static void reserve_memory_map(struct boot_context *c)
{
    struct limine_response *response;
    struct boot_range *entries;
    uint64_t *list;

    if (boot_asked(c, BOOT_REQUEST_MEMORY_MAP) == NULL)
        return;
    if (c->map.capacity > c->map.count + SPLITS_EXPECTED)
        c->map.capacity = c->map.count + SPLITS_EXPECTED;
    entries = boot_arena_allocate(c->map.capacity * sizeof *entries);
    list = boot_arena_allocate(c->map.capacity * sizeof *list);
    for (unsigned i = 0; i < c->map.capacity; i++)
        list[i] = boot_hhdm(&entries[i]);
    response = boot_respond(c, BOOT_REQUEST_MEMORY_MAP, 0, sizeof *response);
    response->field[1] = boot_hhdm(list);
}

void boot_responses_fill(struct boot_context *c)
{
    reserve_memory_map(c);
    if (boot_asked(c, BOOT_REQUEST_BOOTLOADER_INFO) != NULL)
        answer(c, BOOT_REQUEST_BOOTLOADER_INFO, copy_string(LOADER_NAME),
               copy_string(LOADER_VERSION));
    answer(c, BOOT_REQUEST_STACK_SIZE, 0, 0);
    answer(c, BOOT_REQUEST_ENTRY_POINT, 0, 0);
    answer(c, BOOT_REQUEST_HHDM, BOOT_HHDM, 0);
    answer(c, BOOT_REQUEST_PAGING_MODE, 0, 0); /* 4 levels */
    answer(c, BOOT_REQUEST_EXECUTABLE_ADDRESS, c->image.physical, boot_image_base(&c->image));
    if (boot_asked(c, BOOT_REQUEST_DATE_AT_BOOT) != NULL)
        answer(c, BOOT_REQUEST_DATE_AT_BOOT, (uint64_t)c->platform->boot_time(), 0);
    answer_files(c);
    answer_framebuffer(c);
    answer_firmware_tables(c);
}

void boot_responses_finish(struct boot_context *c)
{
    const struct limine_request *request = boot_asked(c, BOOT_REQUEST_MEMORY_MAP);
    struct limine_response *response;
    const uint64_t *list;

    if (request == NULL)
        return;
    response = (struct limine_response *)(uintptr_t)(request->response - BOOT_HHDM);
    response->field[0] = c->map.count;
    list = (const uint64_t *)(uintptr_t)(response->field[1] - BOOT_HHDM);
    memcpy((void *)(uintptr_t)(list[0] - BOOT_HHDM), c->map.ranges,
           c->map.count * sizeof c->map.ranges[0]);
}
