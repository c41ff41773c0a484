// SPDX-License-Identifier: MIT
/*
 * slots - how many slots there are, and which pages of the data they are. The first lie at its beginning; later ones come
 * by chunks, from wherever the service has pages to spare, so that the cache of blocks grows with the machine's memory.
 * Slots never become fewer: what a transaction may change (dirty_max) depends on their number.
 */
#include "services/fs/ext4/core/core.h"

enum { DIRTY_SHARE = 2, JOURNAL_SHARE = 4 };

static void map_chunk(struct ext4_fs *fs, uint32_t chunk, uint32_t pages)
{
    fs->chunk_pages[chunk] = (uint16_t)pages;
    fs->chunk_at[pages] = (uint8_t)chunk;
}

void ext4_first_slots(struct ext4_fs *fs)
{
    fs->slot_count = fs->memory.slots;
    for (uint32_t i = 0; i < fs->slot_count / EXT4_CHUNK_SLOTS; i++)
        map_chunk(fs, i, i);
}

bool ext4_add_slots(struct ext4_fs *fs, uint32_t page)
{
    uint32_t chunk = fs->slot_count / EXT4_CHUNK_SLOTS, pages = page / EXT4_CHUNK_SLOTS;

    if (fs->slot_count + EXT4_CHUNK_SLOTS > fs->memory.slots_max ||
        page + EXT4_CHUNK_SLOTS > EXT4_DATA_PAGES_MAX)
        return false;
    /* Nobody looks at them before they are counted. */
    memset(fs->slots + fs->slot_count, 0, EXT4_CHUNK_SLOTS * sizeof *fs->slots);
    map_chunk(fs, chunk, pages);
    EXT4_SET(fs, fs->slot_count, fs->slot_count + EXT4_CHUNK_SLOTS);
    ext4_note(fs, &fs->dirty_max, sizeof fs->dirty_max);
    ext4_limit_dirty(fs);
    return true;
}

uint32_t ext4_slot_page(const struct ext4_fs *fs, uint32_t slot)
{
    return (uint32_t)((size_t)(ext4_data(fs, slot) - fs->memory.data) / EXT4_SLOT_BYTES);
}

uint32_t ext4_chunk_page(const struct ext4_fs *fs, uint32_t chunk)
{
    return chunk < fs->slot_count / EXT4_CHUNK_SLOTS
               ? (uint32_t)fs->chunk_pages[chunk] * EXT4_CHUNK_SLOTS
               : UINT32_MAX;
}

bool ext4_chunks_are_sound(const struct ext4_fs *fs)
{
    if (fs->slot_count < fs->memory.slots || fs->slot_count > fs->memory.slots_max ||
        fs->slot_count > EXT4_SLOTS_MAX || fs->slot_count % EXT4_CHUNK_SLOTS != 0)
        return false;
    for (uint32_t i = 0; i < fs->slot_count / EXT4_CHUNK_SLOTS; i++) {
        if (fs->chunk_pages[i] >= EXT4_DATA_PAGES_MAX / EXT4_CHUNK_SLOTS ||
            fs->chunk_at[fs->chunk_pages[i]] != i)
            return false;
    }
    return true;
}

void ext4_limit_dirty(struct ext4_fs *fs)
{
    uint32_t by_journal = (fs->journal.blocks - fs->journal.first) / JOURNAL_SHARE;

    fs->dirty_max = fs->slot_count / DIRTY_SHARE;
    if (fs->dirty_max > by_journal)
        fs->dirty_max = by_journal;
}
