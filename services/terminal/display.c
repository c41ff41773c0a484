// SPDX-License-Identifier: MIT
/* display - see display.h. */
#include "services/terminal/display.h"

#include "abi/memory.h"
#include "lib/mnos/heap.h"
#include "lib/mnos/memory.h"
#include "lib/mnos/time.h"

#define BITS_PER_BYTE 8u

static struct screen_format format_of(const struct mnos_kinfo *info, uint8_t *pixels)
{
    return (struct screen_format){
        .pixels = pixels,
        .width = info->framebuffer_width,
        .height = info->framebuffer_height,
        .pitch = info->framebuffer_pitch,
        .pixel_bytes = info->framebuffer_bpp / BITS_PER_BYTE,
        .red_shift = info->framebuffer_red_shift,
        .red_size = info->framebuffer_red_size,
        .green_shift = info->framebuffer_green_shift,
        .green_size = info->framebuffer_green_size,
        .blue_shift = info->framebuffer_blue_shift,
        .blue_size = info->framebuffer_blue_size,
    };
}

/* A height that no font has is as none that was asked for. */
static bool choose_font(struct font *font, const void *file, uint64_t bytes, unsigned height)
{
    unsigned width = kinfo()->framebuffer_width, rows = kinfo()->framebuffer_height;

    return (height != 0 && font_choose(font, file, bytes, height, width, rows)) ||
           font_choose(font, file, bytes, 0, width, rows);
}

mnos_status_t display_open(struct screen *screen, mnos_cap_t framebuffer, mnos_cap_t fonts,
                           unsigned font_height)
{
    const struct mnos_kinfo *info = kinfo();
    struct screen_format format;
    struct font font;
    void *file, *pixels;
    cell_t *shown;
    uint64_t pages, cells;
    mnos_status_t status;

    if (framebuffer == 0 || info->framebuffer_address == 0)
        return MNOS_ERR_NOT_FOUND;
    status = memory_map_all(fonts, MNOS_MAP_READ, &file, &pages);
    if (status != MNOS_OK)
        return status;
    format = format_of(info, NULL);
    if (!choose_font(&font, file, pages * MNOS_PAGE_BYTES, font_height))
        return MNOS_ERR_FORMAT;
    cells = screen_cells(&format, &font);
    if (cells == 0)
        return MNOS_ERR_FORMAT;
    shown = heap_allocate(cells * sizeof *shown);
    if (shown == NULL)
        return MNOS_ERR_QUOTA;
    status = memory_map_all(framebuffer, MNOS_MAP_READ | MNOS_MAP_WRITE | MNOS_MAP_WRITE_COMBINING,
                            &pixels, &pages);
    if (status != MNOS_OK)
        return status;
    format.pixels = (uint8_t *)pixels + info->framebuffer_address % MNOS_PAGE_BYTES;
    screen_open(screen, &format, &font, shown);
    return MNOS_OK;
}
