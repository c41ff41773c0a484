// SPDX-License-Identifier: MIT
/* graphics - chooses a screen mode through the graphics output protocol, and clears the screen. */
#include <string.h>

#include "boot/core/cpu.h"
#include "uefi.h"

/* The log is to be read, and to be drawn quickly: no more than this. */
#define WIDTH_MAX 1920
#define HEIGHT_MAX 1080

static const struct efi_guid graphics_guid = {
    0x9042a9de, 0x23dc, 0x4a38, {0x96, 0xfb, 0x7a, 0xde, 0xd0, 0x80, 0x51, 0x6a}};

static struct efi_graphics *find_graphics(void)
{
    struct efi_graphics *graphics;

    if (uefi_system->boot->locate_protocol(&graphics_guid, NULL, (void **)&graphics) != EFI_SUCCESS)
        return NULL;
    return graphics;
}

bool uefi_has_graphics(void)
{
    return find_graphics() != NULL;
}

static void describe_mask(uint8_t *size_and_shift, uint32_t mask)
{
    uint8_t size = 0, shift = 0;

    while (mask != 0 && (mask & 1) == 0) {
        mask >>= 1;
        shift++;
    }
    while ((mask & 1) != 0) {
        mask >>= 1;
        size++;
    }
    size_and_shift[0] = size;
    size_and_shift[1] = shift;
}

static unsigned bits(uint32_t value)
{
    unsigned count = 0;

    for (; value != 0; value &= value - 1)
        count++;
    return count;
}

/* Bits in a pixel, 0 if pixels cannot be reached in memory; and the masks. */
static uint16_t describe_pixels(const struct efi_graphics_info *info, struct efi_pixel_masks *masks)
{
    unsigned depth;

    switch (info->format) {
    case EFI_PIXELS_RGB:
        *masks = (struct efi_pixel_masks){0xff, 0xff00, 0xff0000, 0xff000000};
        return 32;
    case EFI_PIXELS_BGR:
        *masks = (struct efi_pixel_masks){0xff0000, 0xff00, 0xff, 0xff000000};
        return 32;
    case EFI_PIXELS_MASKS:
        *masks = info->masks;
        depth = bits(masks->red | masks->green | masks->blue | masks->reserved);
        return (uint16_t)((depth + 7) & ~7u);
    default: return 0;
    }
}

/* Pixels of a mode that can be used and is not too large; 0: it is none. */
static uint64_t mode_size(struct efi_graphics *graphics, uint32_t mode)
{
    struct efi_graphics_info *info;
    struct efi_pixel_masks masks;
    uint64_t size;

    if (graphics->query_mode(graphics, mode, &size, &info) != EFI_SUCCESS ||
        info->width > WIDTH_MAX || info->height > HEIGHT_MAX || describe_pixels(info, &masks) != 32)
        return 0;
    return (uint64_t)info->width * info->height;
}

/* The one with most pixels; the one that is set, if none has more. */
static void prefer_mode(struct efi_graphics *graphics)
{
    uint32_t best = graphics->mode->mode;
    uint64_t best_size = mode_size(graphics, best);

    for (uint32_t mode = 0; mode < graphics->mode->mode_count; mode++) {
        uint64_t size = mode_size(graphics, mode);

        if (size > best_size) {
            best_size = size;
            best = mode;
        }
    }
    if (best != graphics->mode->mode)
        graphics->set_mode(graphics, best); /* if it fails, the old mode stays */
}

/* What the firmware has drawn must not stay between our lines. */
static void clear_screen(struct efi_graphics *graphics, const struct boot_framebuffer *fb)
{
    static const struct efi_pixel black = {0, 0, 0, 0};
    const struct efi_graphics_info *info = graphics->mode->info;

    if (graphics->blt(graphics, &black, EFI_BLT_FILL, 0, 0, 0, 0, info->width, info->height, 0) ==
            EFI_SUCCESS ||
        fb == NULL)
        return;
    for (uint64_t row = 0; row < fb->height; row++)
        memset((void *)(uintptr_t)(fb->physical + row * fb->pitch), 0, fb->width * fb->bpp / 8);
}

bool uefi_set_mode(struct boot_framebuffer *fb)
{
    struct efi_graphics *graphics = find_graphics();
    const struct efi_graphics_info *info;
    struct efi_pixel_masks masks;
    uint16_t depth;

    if (graphics == NULL)
        return false;
    prefer_mode(graphics);
    info = graphics->mode->info;
    depth = describe_pixels(info, &masks);
    if (depth == 0 || graphics->mode->base == 0) {
        clear_screen(graphics, NULL);
        return false;
    }
    *fb = (struct boot_framebuffer){.physical = graphics->mode->base,
                                    .width = info->width,
                                    .height = info->height,
                                    .pitch = (uint64_t)info->pixels_per_line * depth / 8,
                                    .bpp = depth};
    describe_mask(&fb->masks[0], masks.red);
    describe_mask(&fb->masks[2], masks.green);
    describe_mask(&fb->masks[4], masks.blue);
    if (!boot_framebuffer_valid(fb, cpu_physical_end())) {
        clear_screen(graphics, NULL);
        return false;
    }
    clear_screen(graphics, fb);
    return true;
}
