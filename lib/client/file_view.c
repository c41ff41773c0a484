// SPDX-License-Identifier: MIT
/*
 * file_view - see file_view.h. A page may be taken back at any moment, also by the end of the service; the cell is told first,
 * and who was reading just then is told by a fault.
 */
#include "lib/client/file_view.h"

#include "lib/client/file_internal.h"
#include "lib/mnos/lent.h"
#include "lib/mnos/memory.h"
#include "lib/mnos/syscall.h"

#define PAUSE_MAX 64u
#define CELL_TRIES 4u /* while somebody on another core is changing the file */

void file_view_open(struct file_view *view, const struct file *file)
{
    *view = (struct file_view){.file = file};
    if (lent_begin() != MNOS_OK)
        view->pause = view->wait = UINT32_MAX;
    else if (address_reserve(FILE_VIEW_PART_PAGES, &view->address) != MNOS_OK)
        view->address = 0;
}

/* Whether what the service gave is still so: its pages, and what the cell says. The file's run is that of its session, in whose
 * window the cell is. */
static inline bool is_valid(const struct file_view *view)
{
    return view->number != 0 && view->file->run == view->file->session->runs &&
           lent_word(&view->cell->number) == view->number;
}

/* What was taken back is mapped no more; what was not, the service takes back when it is told. */
static void unmap(struct file_view *view)
{
    if (view->memory != 0)
        (void)!sys_cap_delete(view->memory);
    view->memory = 0;
    view->bytes = 0;
}

void file_view_close(struct file_view *view)
{
    unmap(view);
    if (view->address != 0)
        address_release(view->address, FILE_VIEW_PART_PAGES);
    *view = (struct file_view){0};
}

static mnos_status_t map(struct file_view *view, const struct file_view_given *given,
                         mnos_cap_t memory)
{
    mnos_status_t status = MNOS_OK;

    if ((memory == 0) != (given->pages == 0) || given->pages > FILE_VIEW_PART_PAGES ||
        given->cell >= FILE_CELLS || view->file->session->window == NULL)
        status = MNOS_ERR_FORMAT;
    if (status == MNOS_OK && memory != 0)
        status = sys_mem_map(MNOS_SELF, memory, view->address, 0, given->pages, MNOS_MAP_READ);
    if (status != MNOS_OK) {
        if (memory != 0)
            (void)!sys_cap_delete(memory);
        return status;
    }
    view->memory = memory;
    view->number = given->number;
    view->offset = given->offset;
    view->bytes = (uint64_t)given->pages * MNOS_PAGE_BYTES;
    view->cell = (struct file_cell *)(view->file->session->window +
                                      view->file->session->window_bytes - FILE_CELLS_BYTES) +
                 given->cell;
    return MNOS_OK;
}

/* Asks for the pages around an offset, or for a cell alone; what it had it has no more. */
static mnos_status_t ask(struct file_view *view, uint64_t offset, uint64_t pages)
{
    struct file_view_request record = {view->file->handle, offset, view->number, pages};
    struct file_view_given given = {0};
    struct file_call call;
    mnos_status_t status;

    unmap(view);
    view->number = 0;
    if (view->file->run != view->file->session->runs)
        return MNOS_ERR_LOST;
    file_call_begin(&call, FILE_VIEW, &record, sizeof record);
    call.message.accept = 1;
    status = file_call_send(view->file->session, &call);
    if (status != MNOS_OK)
        return status;
    (void)message_get(&call.message, &given, sizeof given);
    return map(view, &given, message_cap(&call.message, 0));
}

/* Each time that it asks in vain it waits twice as long before it asks again. */
static bool may_ask(struct file_view *view)
{
    if (view->wait == 0)
        return true;
    if (view->wait != UINT32_MAX)
        view->wait--;
    return false;
}

static void asked(struct file_view *view, bool in_vain)
{
    view->pause = !in_vain ? 0 : view->pause == 0 ? 1 : view->pause * 2;
    if (view->pause > PAUSE_MAX)
        view->pause = PAUSE_MAX;
    view->wait = view->pause;
}

/* ---- Bytes ---- */

static inline bool covers(const struct file_view *view, uint64_t offset, uint64_t length)
{
    return offset >= view->offset && offset - view->offset < view->bytes &&
           length <= view->bytes - (offset - view->offset);
}

/* Copies what the view covers. The size is read before the number: it is that of the file, or of nothing. */
static inline bool copy(const struct file_view *view, uint64_t offset, void *bytes, uint64_t length,
                        uint64_t *count)
{
    uint64_t size;

    if (view->number == 0 || view->file->run != view->file->session->runs)
        return false;
    size = lent_word(&view->cell->attr.size);
    if (lent_word(&view->cell->number) != view->number)
        return false;
    if (offset >= size)
        length = 0;
    else if (length > size - offset)
        length = size - offset;
    *count = length;
    return lent_copy(bytes, (const void *)(view->address + (offset - view->offset)), length) !=
           NULL;
}

static bool is_ready(struct file_view *view, uint64_t offset)
{
    if (covers(view, offset, 1) && is_valid(view))
        return true;
    if (view->address == 0 || !may_ask(view))
        return false;
    asked(view, ask(view, offset, FILE_VIEW_PART_PAGES) != MNOS_OK || !covers(view, offset, 1));
    return covers(view, offset, 1);
}

/* One part after the other; what the service does not lend by a message. */
static __attribute__((noinline)) mnos_status_t read_parts(struct file_view *view, uint64_t offset,
                                                          uint8_t *bytes, uint64_t length,
                                                          uint64_t *count)
{
    mnos_status_t status = MNOS_OK;
    uint64_t moved = 1;

    for (*count = 0; *count < length && moved != 0 && status == MNOS_OK; *count += moved) {
        uint64_t at = offset + *count, left = length - *count, part = left;
        bool ready = is_ready(view, at);

        if (ready && part > view->bytes - (at - view->offset))
            part = view->bytes - (at - view->offset);
        if (!ready || !copy(view, at, bytes + *count, part, &moved))
            status = file_read(view->file, at, bytes + *count, left, &moved);
    }
    return *count != 0 && status != MNOS_ERR_LOST ? MNOS_OK : status;
}

bool file_view_read_now(const struct file_view *view, uint64_t offset, void *bytes, uint64_t length,
                        uint64_t *count)
{
    return length <= UINT64_MAX - offset && covers(view, offset, length) &&
           copy(view, offset, bytes, length, count);
}

mnos_status_t file_view_read(struct file_view *view, uint64_t offset, void *bytes, uint64_t length,
                             uint64_t *count)
{
    if (file_view_read_now(view, offset, bytes, length, count))
        return MNOS_OK;
    if (length > UINT64_MAX - offset)
        length = UINT64_MAX - offset;
    return read_parts(view, offset, bytes, length, count);
}

/* ---- Attributes ---- */

/* False: the cell is not this view's any more, or changes all the time. Whatever is written there later counts as a change. */
static bool read_cell(const struct file_view *view, struct file_attr *attr)
{
    for (unsigned i = 0; i < CELL_TRIES && is_valid(view); i++) {
        uint64_t changes = lent_word(&view->cell->changes);

        if ((changes & 1) == 0 && lent_copy(attr, &view->cell->attr, sizeof *attr) != NULL &&
            lent_word(&view->cell->changes) == changes)
            return true;
    }
    return false;
}

mnos_status_t file_view_attributes(struct file_view *view, struct file_attr *attr)
{
    if (read_cell(view, attr))
        return MNOS_OK;
    if (!is_valid(view) && may_ask(view))
        asked(view, ask(view, 0, 0) != MNOS_OK);
    return read_cell(view, attr) ? MNOS_OK : file_attributes(view->file, attr);
}
