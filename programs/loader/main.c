// SPDX-License-Identifier: MIT
/*
 * main - loads the program of this process from its file, and becomes it: see README.md.
 *
 * It runs in the process of the program, with what that was given and for its quota. Whatever the file does to it, it
 * does to nobody else.
 */
#include "abi/inspect.h"
#include "lib/base/string.h"
#include "lib/client/file.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/ipc.h"
#include "lib/mnos/layout.h"
#include "lib/mnos/memory.h"
#include "lib/mnos/syscall.h"
#include "programs/loader/plan.h"
#include "protocols/launcher.h"

BOOTSTRAP_LAUNCHED;

#define WINDOW_BYTES 65536u
/* Larger is no program: all of it lies between two addresses that are no further from one another. */
#define FILE_BYTES_MAX (LAYOUT_PROGRAM_END - LAYOUT_PROGRAM_LOWEST)

/* enter.S */
_Noreturn void loader_enter(uint64_t entry, uint64_t table, uint64_t buffer, uint64_t stack);

struct file_copy {
    struct memory_block pages;
    uint64_t size;
};

/* Pages of the initial RAM disk: they are mapped where they are. What lies behind the file in the last of them no segment
 * reaches, or it is that program's own affair. */
static mnos_status_t map_file(mnos_cap_t image, uint64_t page_count, struct file_copy *copy)
{
    void *address;
    mnos_status_t status = memory_map(image, 0, page_count, MNOS_MAP_READ, &address);

    if (status != MNOS_OK)
        return status;
    *copy = (struct file_copy){{image, address, page_count}, page_count * MNOS_PAGE_BYTES};
    return MNOS_OK;
}

static _Noreturn void fail(enum launcher_step step, uint32_t why)
{
    for (;;)
        (void)!sys_proc_destroy(MNOS_SELF,
                                LAUNCHER_NOT_LOADED | (uint64_t)step << 16 | (why & 0xFFFF));
}

static mnos_status_t read_all(const struct file *file, struct file_copy *copy)
{
    uint64_t count;
    mnos_status_t status;

    if (file->type != FILE_TYPE_FILE)
        return MNOS_ERR_DIRECTORY;
    if (file->size == 0 || file->size > FILE_BYTES_MAX)
        return MNOS_ERR_SIZE;
    copy->size = file->size;
    status = memory_allocate((file->size + MNOS_PAGE_BYTES - 1) / MNOS_PAGE_BYTES, &copy->pages);
    if (status != MNOS_OK)
        return status;
    status = file_read(file, 0, copy->pages.address, copy->size, &count);
    return status == MNOS_OK && count != copy->size ? MNOS_ERR_SIZE : status;
}

/* The file is read whole, and its session given back: the program has no way to it. */
static mnos_status_t take_file(mnos_cap_t image, struct file_copy *copy)
{
    static struct file_session session;
    const struct mnos_cap_info *info = (const void *)ipc_buffer()->data;
    struct file file;
    uint64_t size;
    mnos_status_t status = sys_cap_inspect(image, MNOS_VIEW_CAPABILITY, 0, &size);

    if (status == MNOS_OK && info->type == MNOS_TYPE_MEMORY)
        return map_file(image, info->count, copy);
    if (status == MNOS_OK)
        status = file_session_open(&session, image, WINDOW_BYTES);
    if (status != MNOS_OK)
        return status;
    status = file_open(&session, NULL, "", 0, FILE_READ_RIGHT, &file);
    if (status == MNOS_OK) {
        status = read_all(&file, copy);
        (void)!file_close(&file); /* the end of the session closes it, too */
    }
    file_session_close(&session);
    (void)!sys_cap_delete(image);
    return status;
}

/* ---- Mapping ---- */

static mnos_rights_t rights_of(const struct plan_piece *piece)
{
    return MNOS_RIGHT_READ | (piece->write ? MNOS_RIGHT_WRITE : 0) |
           (piece->execute ? MNOS_RIGHT_EXECUTE : 0);
}

static uint64_t flags_of(const struct plan_piece *piece)
{
    return MNOS_MAP_READ | (piece->write ? MNOS_MAP_WRITE : 0) |
           (piece->execute ? MNOS_MAP_EXECUTE : 0);
}

/* Maps pages of `memory` by a capability that has no more rights than the piece: with another the program could write
 * what it executes. */
static mnos_status_t map_exactly(const struct plan_piece *piece, mnos_cap_t memory, uint64_t first)
{
    mnos_cap_t exact;
    mnos_status_t status = sys_cap_create(MNOS_CREATE_RANGE, memory, rights_of(piece), first,
                                          piece->page_count, &exact);

    return status != MNOS_OK ? status
                             : sys_mem_map(MNOS_SELF, exact, piece->address, 0, piece->page_count,
                                           flags_of(piece));
}

static mnos_status_t map_new(const struct plan_piece *piece)
{
    struct memory_block pages;
    mnos_status_t status = memory_allocate(piece->page_count, &pages);

    if (status != MNOS_OK)
        return status;
    if (piece->data_bytes != 0)
        memcpy((uint8_t *)pages.address + piece->data_offset, piece->data, piece->data_bytes);
    memory_unmap(pages.address, pages.page_count);
    status = map_exactly(piece, pages.memory, 0);
    (void)!sys_cap_delete(pages.memory);
    return status;
}

static mnos_status_t map_all(const struct elf_image *image, const struct file_copy *copy)
{
    mnos_status_t status = MNOS_OK;
    struct plan_piece piece;
    unsigned cursor = 0;

    while (status == MNOS_OK && plan_next(image, &cursor, &piece))
        status = piece.is_in_file ? map_exactly(&piece, copy->pages.memory, piece.file_page)
                                  : map_new(&piece);
    return status;
}

int main(void)
{
    const struct mnos_bootstrap *table = bootstrap_table();
    struct file_copy copy;
    struct elf_image image;
    enum elf_error error;
    uint64_t entry;
    mnos_status_t status;

    if (table == NULL)
        fail(LAUNCHER_STEP_READ, MNOS_ERR_FORMAT);
    status = take_file(table->image, &copy);
    if (status != MNOS_OK)
        fail(LAUNCHER_STEP_READ, status);
    error = plan_open(&image, copy.pages.address, copy.size);
    if (error != ELF_OK)
        fail(LAUNCHER_STEP_FORMAT, error);
    entry = image.entry;
    status = map_all(&image, &copy);
    if (status != MNOS_OK)
        fail(LAUNCHER_STEP_MEMORY, status);
    /* What is mapped stays: its capabilities become those of nobody's. */
    memory_unmap(copy.pages.address, copy.pages.page_count);
    (void)!sys_cap_delete(copy.pages.memory);
    loader_enter(entry, (uint64_t)table, (uint64_t)ipc_buffer(),
                 LAYOUT_STACK_TOP - LAYOUT_STACK_RESERVED);
}
