// SPDX-License-Identifier: MIT
/* windows - see windows.h. A place is the number of the first unit, from 1, and in the upper half how many. */
#include "lib/server/windows.h"

#include "lib/base/string.h"
#include "lib/mnos/syscall.h"

#define UNIT_PAGES WINDOWS_UNIT_PAGES
#define UNIT_BYTES (UNIT_PAGES * MNOS_PAGE_BYTES)

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
static void set_units(struct windows *windows, uint32_t place, enum window_unit use)
{
    for (uint32_t unit = 0; unit < unit_count(place) && unit < WINDOWS_UNITS_MAX; unit++)
        if (first_unit(place) < WINDOWS_UNITS_MAX - unit)
            windows->units[first_unit(place) + unit] = (uint8_t)use;
}

static bool is_used(const struct windows *windows, uint32_t place)
{
    for (uint32_t unit = 0; unit < unit_count(place) && unit < WINDOWS_UNITS_MAX; unit++)
        if (first_unit(place) < WINDOWS_UNITS_MAX - unit &&
            windows->units[first_unit(place) + unit] == WINDOW_UNIT_USED)
            return true;
    return false;
}

static uint32_t total_units(const struct windows *windows)
{
    uint64_t total = windows->region.bytes / UNIT_BYTES;

    return total < WINDOWS_UNITS_MAX ? (uint32_t)total : WINDOWS_UNITS_MAX;
}

/* The unit belongs to the piece of the one before. */
static bool goes_on(const struct windows *windows, uint32_t unit)
{
    return unit != 0 && piece_of(windows, unit) == piece_of(windows, unit - 1);
}

/* A run of free units inside one piece, as a place; 0: there is none. */
static uint32_t find_free(const struct windows *windows, uint32_t units)
{
    uint32_t run = 0;

    for (uint32_t unit = 0; unit < total_units(windows); unit++) {
        if (!goes_on(windows, unit))
            run = 0;
        run = windows->units[unit] == WINDOW_UNIT_FREE ? run + 1 : 0;
        if (run == units)
            return units << 16 | (unit + 1 - units + 1);
    }
    return 0;
}

typedef mnos_status_t part_request(const struct region *region, uint32_t piece, uint32_t first_page,
                                   uint32_t page_count, mnos_cap_t *part);

static mnos_status_t get(struct windows *windows, uint32_t place, part_request *request,
                         struct window *window)
{
    uint32_t first = first_unit(place) * UNIT_PAGES, piece = piece_of(windows, first_unit(place));
    mnos_cap_t part;
    mnos_status_t status;

    if (piece == windows->region.piece_count)
        return MNOS_ERR_ARGUMENT;
    status = request(&windows->region, piece, first - windows->pieces[piece].first_page,
                     unit_count(place) * UNIT_PAGES, &part);
    if (status != MNOS_OK)
        return status;
    set_units(windows, place, WINDOW_UNIT_USED);
    window->place = place;
    window->memory =
        (struct memory_block){part, windows->region.address + (uint64_t)first * MNOS_PAGE_BYTES,
                              (uint64_t)unit_count(place) * UNIT_PAGES};
    return MNOS_OK;
}

/* No two windows have a page in common, whatever the places say (W1). */
static mnos_status_t find(void *context, uint32_t place, struct window *window)
{
    struct windows *windows = context;

    return is_used(windows, place) ? MNOS_ERR_EXISTS : get(windows, place, region_part, window);
}

/* What rests is found by asking: each round sets units aside, or is the last. */
static mnos_status_t open_in_free(struct windows *windows, uint32_t units, struct window *window)
{
    mnos_status_t status = MNOS_ERR_EXISTS;

    while (status == MNOS_ERR_EXISTS) {
        uint32_t place = find_free(windows, units);

        if (place == 0)
            return MNOS_ERR_QUOTA;
        status = get(windows, place, region_new_part, window);
        if (status == MNOS_ERR_EXISTS)
            set_units(windows, place, WINDOW_UNIT_RESTING);
    }
    return status;
}

/* All that rests among units that are not used, from one of them on; returns where they end. What has been set aside
 * need not be whole parts, but all these units are: a part has nothing in common with a window. */
static uint32_t take_back_run(struct windows *windows, uint32_t unit, bool *any)
{
    uint32_t piece = piece_of(windows, unit), end = unit;
    bool rests = false;

    do {
        rests |= windows->units[end] == WINDOW_UNIT_RESTING;
        end++;
    } while (end < total_units(windows) && goes_on(windows, end) &&
             windows->units[end] != WINDOW_UNIT_USED);
    if (rests && region_release(&windows->region, piece,
                                unit * UNIT_PAGES - windows->pieces[piece].first_page,
                                (end - unit) * UNIT_PAGES) == MNOS_OK) {
        memset(&windows->units[unit], WINDOW_UNIT_FREE, end - unit);
        *any = true;
    }
    return end;
}

/* W3. A client that still touches it ends with a fault. False: there was nothing. */
static bool take_back(struct windows *windows)
{
    bool any = false;

    for (uint32_t unit = 0; unit < total_units(windows);)
        unit = windows->units[unit] == WINDOW_UNIT_USED ? unit + 1
                                                        : take_back_run(windows, unit, &any);
    return any;
}

static mnos_status_t open_window(void *context, uint64_t bytes, struct window *window)
{
    struct windows *windows = context;
    uint32_t units = (uint32_t)((bytes + UNIT_BYTES - 1) / UNIT_BYTES);
    mnos_status_t status = open_in_free(windows, units, window), grown = MNOS_OK;

    if (status == MNOS_ERR_QUOTA) {
        grown = region_grow(&windows->region);
        if (grown == MNOS_OK)
            status = open_in_free(windows, units, window);
    }
    if (status == MNOS_ERR_QUOTA && take_back(windows)) {
        grown = MNOS_OK;
        status = open_in_free(windows, units, window);
    }
    if (status == MNOS_OK)
        memset(window->memory.address, 0, window_bytes(window));
    return grown != MNOS_OK ? grown : status;
}

static void close_window(void *context, struct window *window)
{
    struct windows *windows = context;
    uint32_t place = window->place, piece = piece_of(windows, first_unit(place));

    (void)!sys_cap_delete(window->memory.memory);
    /* If it fails the part rests, as the next that is asked for there is told. */
    (void)!region_release(&windows->region, piece,
                          first_unit(place) * UNIT_PAGES - windows->pieces[piece].first_page,
                          unit_count(place) * UNIT_PAGES);
    set_units(windows, place, WINDOW_UNIT_FREE);
}

mnos_status_t windows_open(struct windows *windows, struct bootstrap_name region)
{
    windows->memory = (struct window_memory){windows, open_window, find, close_window};
    return region_open(&windows->region, region, windows->pieces, WINDOWS_PIECES_MAX);
}
