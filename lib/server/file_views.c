// SPDX-License-Identifier: MIT
/* file_views - see file_views.h, and the request VIEW. */
#include "lib/server/file_views.h"

#include "lib/base/string.h"
#include "lib/server/file_server.h"
#include "lib/server/lend.h"

static struct file_cell *cells_of(const struct window *window)
{
    return (struct file_cell *)((uint8_t *)window->memory.address + window_bytes(window) -
                                FILE_CELLS_BYTES);
}

static struct file_cell *cell_of(const struct file_server *server, uint32_t view)
{
    return cells_of(&server->windows[server->views.entries[view].session - 1]) +
           server->views.entries[view].cell;
}

void file_server_clear_cells(const struct window *window)
{
    memset(cells_of(window), 0, FILE_CELLS_BYTES);
}

/* The client may write there, and so nothing is read back but the count of changes, which is its own affair. */
static void write_cell(struct file_server *server, uint32_t view, const struct file_attr *attr)
{
    struct file_cell *cell = cell_of(server, view);
    uint64_t changes = cell->changes | 1;

    __atomic_store_n(&cell->changes, changes, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_RELEASE);
    cell->attr = *attr;
    __atomic_store_n(&cell->changes, changes + 1, __ATOMIC_RELEASE);
    __atomic_store_n(&cell->number, server->views.entries[view].number, __ATOMIC_RELEASE);
}

/* V2: the cell first. The last entry takes the place. */
static void end(struct file_server *server, uint32_t view)
{
    struct file_views *views = &server->views;

    __atomic_store_n(&cell_of(server, view)->number, 0, __ATOMIC_RELEASE);
    if (views->entries[view].lent != 0)
        lend_end(views->entries[view].lent);
    views->entries[view] = views->entries[--views->used];
}

void file_server_take_back(struct file_server *server, uint32_t inode)
{
    for (uint32_t i = server->views.used; i-- != 0;)
        if (server->views.entries[i].object == inode && server->views.entries[i].lent != 0)
            end(server, i);
}

void file_server_take_all_back(struct file_server *server)
{
    while (server->views.used != 0)
        end(server, server->views.used - 1);
}

void file_server_end_cells(struct file_server *server, uint32_t inode)
{
    for (uint32_t i = server->views.used; i-- != 0;)
        if (server->views.entries[i].object == inode)
            end(server, i);
}

void file_server_end_views(struct file_server *server, uint32_t inode)
{
    for (uint32_t i = server->views.used; i-- != 0;)
        if (server->views.entries[i].object == inode &&
            !handle_is_open(server->loop.sessions, server->views.entries[i].badge,
                            server->views.entries[i].handle))
            end(server, i);
}

static bool is_viewed(const struct file_views *views, uint32_t inode)
{
    for (uint32_t i = 0; i < views->used; i++)
        if (views->entries[i].object == inode)
            return true;
    return false;
}

/* The attributes first: whoever is asked for them may need memory that is lent, and takes it back. */
void file_server_write_cells(struct file_server *server, uint32_t inode)
{
    struct file_attr attr;
    mnos_status_t status;

    if (!is_viewed(&server->views, inode))
        return;
    status = server->system.methods->attr(server->system.fs, inode, &attr);
    for (uint32_t i = server->views.used; i-- != 0;) {
        if (server->views.entries[i].object != inode)
            continue;
        if (status == MNOS_OK)
            write_cell(server, i, &attr);
        else
            end(server, i);
    }
}

/* ---- The request ---- */

/* The account's oldest, which ends for a new one; `used`: it has not so many. */
static uint32_t oldest_beyond_share(const struct file_views *views, uint32_t account)
{
    uint32_t own = 0, oldest = views->used;

    for (uint32_t i = 0; i < views->used; i++) {
        if (views->entries[i].account != account)
            continue;
        own++;
        if (oldest == views->used || views->entries[i].number < views->entries[oldest].number)
            oldest = i;
    }
    return own < FILE_VIEWS_MAX / FILE_VIEWS_SHARE ? views->used : oldest;
}

/* A cell that no view of the session has. There is one: an account has fewer views than a page has cells. */
static uint32_t free_cell(const struct file_views *views, uint32_t session)
{
    uint32_t taken = 0;

    _Static_assert(FILE_CELLS <= 32 && FILE_VIEWS_MAX / FILE_VIEWS_SHARE < FILE_CELLS,
                   "a bit for each cell, and a cell for each view of an account");
    for (uint32_t i = 0; i < views->used; i++)
        if (views->entries[i].session == session)
            taken |= 1u << views->entries[i].cell;
    return (uint32_t)__builtin_ctz(~taken);
}

/* Room for one more, in place of the one that it replaces or of the account's oldest. */
static mnos_status_t make_room(struct file_server *server, const struct server_session *session,
                               uint64_t replaces)
{
    struct file_views *views = &server->views;
    uint32_t oldest;

    for (uint32_t i = 0; replaces != 0 && i < views->used; i++)
        if (views->entries[i].number == replaces && views->entries[i].badge == session->badge) {
            end(server, i);
            break;
        }
    oldest = oldest_beyond_share(views, session->account);
    if (oldest != views->used)
        end(server, oldest);
    return views->used < FILE_VIEWS_MAX ? MNOS_OK : MNOS_ERR_QUOTA;
}

/* Pages around the offset within a row of so many, as far as they lie one after the other. */
static mnos_status_t find_pages(struct file_server *server, uint32_t inode,
                                const struct file_view_request *wanted, struct file_pages *pages)
{
    const struct file_methods *methods = server->system.methods;
    uint64_t most = wanted->pages < FILE_VIEW_PAGES_MAX ? wanted->pages : FILE_VIEW_PAGES_MAX;

    *pages = (struct file_pages){0};
    if (most == 0)
        return MNOS_OK;
    return methods->pages(server->system.fs, inode, wanted->offset / MNOS_PAGE_BYTES,
                          (uint32_t)most, pages);
}

static mnos_status_t give(struct file_server *server, struct server_request *request,
                          const struct file_view_request *wanted, const struct file_attr *attr,
                          const struct file_pages *pages)
{
    struct file_views *views = &server->views;
    uint32_t session = request->session->number, view = views->used;
    struct file_view_given given = {.number = lend_number(),
                                    .offset = pages->index * MNOS_PAGE_BYTES,
                                    .pages = pages->count,
                                    .cell = free_cell(views, session)};
    mnos_cap_t lent = 0;
    mnos_status_t status = MNOS_OK;

    if (pages->count != 0)
        status = lend_begin(pages->memory, pages->first_page, pages->count, &lent);
    if (status != MNOS_OK)
        return status;
    views->entries[view].number = given.number;
    views->entries[view].badge = request->session->badge;
    views->entries[view].handle = wanted->handle;
    views->entries[view].object = (uint32_t)attr->inode;
    views->entries[view].account = request->session->account;
    views->entries[view].session = session;
    views->entries[view].cell = given.cell;
    views->entries[view].lent = lent;
    views->used++;
    write_cell(server, view, attr);
    server->loop.done = file_server_done;
    (void)file_server_answer(request, &given, sizeof given);
    if (lent != 0)
        message_add_cap(request->message, lent, MNOS_RIGHT_READ);
    return MNOS_OK;
}

mnos_status_t file_server_VIEW(void *context, struct server_request *request)
{
    struct file_server *server = context;
    struct server_handle *handle;
    struct file_view_request wanted;
    struct file_pages pages;
    struct file_attr attr;
    mnos_status_t status = file_server_record(request, &wanted, sizeof wanted);

    if (server->system.methods->pages == NULL)
        return MNOS_ERR_LABEL;
    if (status == MNOS_OK)
        status = file_server_handle(server, request, wanted.handle, FILE_READ_RIGHT, &handle);
    if (status == MNOS_OK && handle->type != FILE_TYPE_FILE)
        status = MNOS_ERR_DIRECTORY;
    if (status == MNOS_OK && window_bytes(&server->windows[request->session->number - 1]) == 0)
        status = MNOS_ERR_STATE;
    /* Before the pages are looked for, as file_server_write_cells() says. */
    if (status == MNOS_OK)
        status = server->system.methods->attr(server->system.fs, handle->object, &attr);
    if (status == MNOS_OK)
        status = find_pages(server, handle->object, &wanted, &pages);
    if (status == MNOS_OK)
        status = make_room(server, request->session, wanted.replaces);
    return status != MNOS_OK ? status : give(server, request, &wanted, &attr, &pages);
}
