// SPDX-License-Identifier: MIT
/* font - see font.h. Host tests compile this file. */
#include "services/terminal/font.h"

#include "lib/base/string.h"

#define COLUMNS_WANTED 120u
#define ROWS_WANTED 36u
#define WIDTH_MAX 16u
#define HEIGHT_MAX 64u
#define REPLACEMENT 0xFFFDu

static bool fits(size_t size, uint32_t at, uint64_t bytes)
{
    return at <= size && bytes <= size - at;
}

static bool is_whole(const struct font_entry *entry, const uint8_t *file, size_t size)
{
    const struct font_character *characters;

    if (entry->width == 0 || entry->width > WIDTH_MAX || entry->width % 2 != 0 ||
        entry->height == 0 || entry->height > HEIGHT_MAX || entry->glyph_count == 0 ||
        entry->glyphs % sizeof(uint16_t) != 0 || entry->characters % sizeof(uint32_t) != 0 ||
        !fits(size, entry->glyphs,
              (uint64_t)entry->glyph_count * entry->height * sizeof(uint16_t)) ||
        !fits(size, entry->characters, (uint64_t)entry->character_count * sizeof *characters))
        return false;
    characters = (const void *)(file + entry->characters);
    for (uint32_t i = 0; i < entry->character_count; i++)
        if (characters[i].glyph >= entry->glyph_count ||
            (i != 0 && characters[i].code <= characters[i - 1].code))
            return false;
    return true;
}

static const struct font_character *find(const struct font *font, uint32_t code)
{
    uint32_t low = 0, high = font->character_count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (font->characters[middle].code == code)
            return &font->characters[middle];
        if (font->characters[middle].code < code)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static void open_entry(struct font *font, const struct font_entry *entry, const uint8_t *file)
{
    const struct font_character *found;

    *font = (struct font){.width = entry->width,
                          .height = entry->height,
                          .glyphs = (const void *)(file + entry->glyphs),
                          .characters = (const void *)(file + entry->characters),
                          .character_count = entry->character_count};
    found = find(font, REPLACEMENT);
    if (found == NULL)
        found = find(font, '?');
    font->missing = found != NULL ? (uint16_t)found->glyph : 0;
    for (uint32_t code = 0; code < FONT_ASCII; code++) {
        found = find(font, code >= ' ' ? code : ' ');
        font->ascii[code] = found != NULL ? (uint16_t)found->glyph : font->missing;
    }
}

/* Whether `entry` is to be taken instead of `best`; NULL: nothing has been found yet. */
static bool suits_better(const struct font_entry *entry, const struct font_entry *best,
                         unsigned width, unsigned height)
{
    bool room = width / entry->width >= COLUMNS_WANTED && height / entry->height >= ROWS_WANTED;
    bool best_room;

    if (best == NULL)
        return true;
    best_room = width / best->width >= COLUMNS_WANTED && height / best->height >= ROWS_WANTED;
    if (room != best_room)
        return room;
    return room ? entry->height > best->height : entry->height < best->height;
}

bool font_choose(struct font *font, const void *file, size_t size, unsigned height,
                 unsigned screen_width, unsigned screen_height)
{
    const struct fonts_header *header = file;
    const struct font_entry *entries = (const void *)(header + 1), *best = NULL;

    if (size < sizeof *header || header->magic != FONTS_MAGIC || header->count > FONTS_MAX ||
        !fits(size, sizeof *header, (uint64_t)header->count * sizeof *entries))
        return false;
    for (uint32_t i = 0; i < header->count; i++) {
        const struct font_entry *entry = &entries[i];

        if (!is_whole(entry, file, size))
            return false;
        if (height != 0 ? entry->height == height
                        : suits_better(entry, best, screen_width, screen_height))
            best = entry;
    }
    if (best == NULL)
        return false;
    open_entry(font, best, file);
    return true;
}

const uint16_t *font_glyph(const struct font *font, uint32_t code)
{
    const struct font_character *found;
    uint32_t glyph = font->missing;

    if (code < FONT_ASCII) {
        glyph = font->ascii[code];
    } else {
        found = find(font, code);
        if (found != NULL)
            glyph = found->glyph;
    }
    return font->glyphs + (size_t)glyph * font->height;
}
