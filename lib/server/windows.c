// SPDX-License-Identifier: MIT
/* windows - see windows.h. A place is the number of the first unit, from 1, and in the upper half how many. */
#include "lib/server/windows.h"

#include "lib/base/string.h"
#include "lib/mnos/syscall.h"

#define UNIT_PAGES 16u
#define UNIT_BYTES (UNIT_PAGES * MNOS_PAGE_BYTES)
#define UNITS_MAX (WINDOWS_PIECES_MAX * REGION_PIECE_PAGES / UNIT_PAGES)

static uint32_t first_unit(uint32_t place)
{
    return (place & 0xFFFF) - 1;
}

static uint32_t unit_count(uint32_t place)
{
    return place >> 16;
}

/* The piece that a unit is in; piece_count: none. */
static uint32_t piece_of(const struct windows *windows, uint32_t unit)
{
    uint32_t i = 0;

    while (i < windows->region.piece_count &&
           unit * UNIT_PAGES >= windows->pieces[i].first_page + windows->pieces[i].page_count)
        i++;
    return i;
}

/* Bounded, as the place comes from memory that is as old as the session. */
static void mark_place(uint32_t place, bool used[UNITS_MAX])
{
    for (uint32_t unit = 0; place != 0 && unit < unit_count(place) && unit < UNITS_MAX; unit++)
        if (first_unit(place) < UNITS_MAX - unit)
            used[first_unit(place) + unit] = true;
}

static void mark_used(const struct windows *windows, const struct sessions *sessions,
                      bool used[UNITS_MAX])
{
    memset(used, 0, UNITS_MAX * sizeof *used);
    for (uint32_t i = 1; i <= sessions->session_count; i++)
        mark_place(session_at(sessions, i)->window, used);
    for (uint32_t i = 0; i < windows->held_count; i++)
        mark_place(windows->held[i], used);
}

/* A run of free units inside one piece, as a place; 0: there is none. */
static uint32_t find_free(const struct windows *windows, const struct sessions *sessions,
                          uint32_t units)
{
    static bool used[UNITS_MAX];
    uint32_t total = (uint32_t)(windows->region.bytes / UNIT_BYTES), run = 0;

    mark_used(windows, sessions, used);
    for (uint32_t unit = 0; unit < total; unit++) {
        bool goes_on = run != 0 && piece_of(windows, unit) == piece_of(windows, unit - 1);

        run = used[unit] ? 0 : goes_on ? run + 1 : 1;
        if (run == units)
            return units << 16 | (unit + 1 - units + 1);
    }
    return 0;
}

static mnos_status_t find(void *context, uint32_t place, struct window *window)
{
    const struct windows *windows = context;
    uint32_t first = first_unit(place) * UNIT_PAGES, piece = piece_of(windows, first_unit(place));
    mnos_cap_t part;
    mnos_status_t status;

    if (piece == windows->region.piece_count)
        return MNOS_ERR_ARGUMENT;
    status = region_part(&windows->region, piece, first - windows->pieces[piece].first_page,
                         unit_count(place) * UNIT_PAGES, &part);
    if (status != MNOS_OK)
        return status;
    window->place = place;
    window->memory =
        (struct memory_block){part, windows->region.address + (uint64_t)first * MNOS_PAGE_BYTES,
                              (uint64_t)unit_count(place) * UNIT_PAGES};
    return MNOS_OK;
}

static mnos_status_t open_window(void *context, const struct sessions *sessions, uint64_t bytes,
                                 struct window *window)
{
    struct windows *windows = context;
    uint32_t units = (uint32_t)((bytes + UNIT_BYTES - 1) / UNIT_BYTES);
    uint32_t place = find_free(windows, sessions, units);
    mnos_status_t status;

    if (place == 0) {
        status = region_grow(&windows->region);
        if (status != MNOS_OK)
            return status;
        place = find_free(windows, sessions, units);
    }
    if (place == 0)
        return MNOS_ERR_QUOTA;
    status = find(windows, place, window);
    if (status == MNOS_OK)
        memset(window->memory.address, 0, window_bytes(window));
    return status;
}

static void close_window(void *context, struct window *window)
{
    const struct windows *windows = context;
    uint32_t place = window->place, piece = piece_of(windows, first_unit(place));

    if (window->memory.memory != 0)
        (void)!sys_cap_delete(window->memory.memory);
    if (piece != windows->region.piece_count)
        (void)!region_release(&windows->region, piece,
                              first_unit(place) * UNIT_PAGES - windows->pieces[piece].first_page,
                              unit_count(place) * UNIT_PAGES);
}

mnos_status_t windows_open(struct windows *windows, const char *region)
{
    windows->memory = (struct window_memory){windows, open_window, find, close_window};
    return region_open(&windows->region, region, windows->pieces, WINDOWS_PIECES_MAX);
}
