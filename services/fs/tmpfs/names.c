// SPDX-License-Identifier: MIT
/* names - see names.h. */
#include "services/fs/tmpfs/names.h"

#include "lib/base/string.h"
#include "lib/server/state.h"

/* A free slot holds this and the number plus 1 of the next free one. */
#define SLOT_FREE 0x80000000u
#define HASH_FACTOR 0x9E3779B97F4A7C15ull

/* The halves of the product: what comes out cannot be steered by who does not know both factors. */
static inline uint64_t mix(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)a * b;

    return (uint64_t)(product >> 64) ^ (uint64_t)product;
}

/* Of up to eight bytes, as text_word() has them. With a number that clients do not know, or one could make names that
 * all have the same hash. */
static inline uint32_t short_hash(const struct tmpfs *fs, uint32_t directory, uint64_t word,
                                  uint32_t bytes)
{
    return (uint32_t)mix(fs->seed ^ ((uint64_t)bytes << 32 | directory),
                         fs->seed ^ HASH_FACTOR ^ word);
}

static uint32_t hash_of(const struct tmpfs *fs, uint32_t directory, const char *text,
                        uint32_t bytes)
{
    uint64_t hash = fs->seed ^ ((uint64_t)bytes << 32 | directory), word,
             key = fs->seed ^ HASH_FACTOR;

    if (bytes <= sizeof word)
        return short_hash(fs, directory, text_word(text, bytes), bytes);
    for (; bytes > sizeof word; bytes -= sizeof word, text += sizeof word) {
        __builtin_memcpy(&word, text, sizeof word);
        hash = mix(hash ^ word, key);
    }
    return (uint32_t)mix(hash, key ^ text_word(text, bytes));
}

/* By eights, and what is left as text_word() has it. */
static bool same_bytes(const char *a, const char *b, uint32_t bytes)
{
    uint64_t left, right;

    for (; bytes > sizeof left; bytes -= sizeof left, a += sizeof left, b += sizeof left) {
        __builtin_memcpy(&left, a, sizeof left);
        __builtin_memcpy(&right, b, sizeof right);
        if (left != right)
            return false;
    }
    return text_word(a, bytes) == text_word(b, bytes);
}

/* What of a name is in other units. */
static bool same_rest(struct tmpfs *fs, const struct tmpfs_name *name, const char *text)
{
    uint32_t more = name->more, part;

    for (uint32_t left = name->bytes - TMPFS_UNIT_TEXT; left != 0; left -= part, text += part) {
        const struct tmpfs_more *unit = (const void *)tmpfs_unit(fs, more);

        part = left < TMPFS_MORE_TEXT ? left : TMPFS_MORE_TEXT;
        if (!same_bytes(unit->text, text, part))
            return false;
        more = unit->more;
    }
    return true;
}

static bool same_text(struct tmpfs *fs, const struct tmpfs_name *name, const char *text)
{
    if (name->bytes <= TMPFS_UNIT_TEXT)
        return same_bytes(name->text, text, name->bytes);
    return same_bytes(name->text, text, TMPFS_UNIT_TEXT) &&
           same_rest(fs, name, text + TMPFS_UNIT_TEXT);
}

static inline mnos_status_t found_nothing(struct file_place *place)
{
    place->entry = 0;
    place->inode = 0;
    place->type = FILE_TYPE_NONE;
    return MNOS_OK;
}

static inline mnos_status_t found(struct file_place *place, const struct tmpfs_name *name,
                                  uint32_t unit)
{
    place->entry = unit;
    place->inode = name->inode;
    place->type = (enum file_type)name->type;
    return MNOS_OK;
}

static __attribute__((noinline)) mnos_status_t look_long(struct tmpfs *fs, struct file_place *place)
{
    uint32_t hash = hash_of(fs, place->directory, place->text, place->bytes);
    const struct tmpfs_name *name;

    for (uint32_t unit = fs->buckets[hash % TMPFS_BUCKETS]; unit != 0; unit = name->next) {
        name = tmpfs_unit(fs, unit);
        if (name->hash == hash && name->directory == place->directory &&
            name->bytes == place->bytes && same_text(fs, name, place->text))
            return found(place, name, unit);
    }
    return found_nothing(place);
}

mnos_status_t tmpfs_name_look(struct tmpfs *fs, struct file_place *place)
{
    uint64_t word = place->word, text;
    const struct tmpfs_name *name;
    uint32_t hash;

    if (place->bytes > sizeof word)
        return look_long(fs, place);
    hash = short_hash(fs, place->directory, word, place->bytes);
    for (uint32_t unit = fs->buckets[hash % TMPFS_BUCKETS]; unit != 0; unit = name->next) {
        name = tmpfs_unit(fs, unit);
        __builtin_memcpy(&text, name->text, sizeof text); /* zeros behind the last */
        if (text == word && name->directory == place->directory && name->bytes == place->bytes)
            return found(place, name, unit);
    }
    return found_nothing(place);
}

uint32_t tmpfs_name_find(struct tmpfs *fs, uint32_t directory, const char *text, uint32_t bytes)
{
    struct file_place place = {.directory = directory,
                               .bytes = bytes,
                               .text = text,
                               .word = text_word(text, bytes < 8 ? bytes : 8)};

    (void)!tmpfs_name_look(fs, &place);
    return (uint32_t)place.entry;
}

static uint32_t units_for(uint32_t bytes)
{
    return bytes <= TMPFS_UNIT_TEXT
               ? 1
               : 1 + (bytes - TMPFS_UNIT_TEXT + TMPFS_MORE_TEXT - 1) / TMPFS_MORE_TEXT;
}

static uint32_t *slot_entry(struct tmpfs *fs, const struct tmpfs_inode *directory, uint64_t slot)
{
    uint32_t page = tmpfs_tree_find(fs, directory, slot / TMPFS_PAGE_ENTRIES);

    return (uint32_t *)tmpfs_page(fs, page) + slot % TMPFS_PAGE_ENTRIES;
}

/* The pages of a directory's slots are charged to the directory's account. */
mnos_status_t tmpfs_name_reserve(struct tmpfs *fs, uint32_t directory, uint32_t bytes,
                                 uint32_t account, uint32_t pages, uint32_t inodes)
{
    const struct tmpfs_inode *inode = tmpfs_inode(fs, directory);
    uint32_t cost = 0;

    if (inode->free_slot == 0 && inode->slots % TMPFS_PAGE_ENTRIES == 0)
        cost = tmpfs_tree_cost(fs, inode, inode->slots / TMPFS_PAGE_ENTRIES);
    if (cost != 0) {
        mnos_status_t status = tmpfs_reserve(fs, inode->account, cost, 0, 0);

        if (status != MNOS_OK)
            return status;
    }
    return tmpfs_reserve(fs, account, pages + cost, inodes, units_for(bytes));
}

/* The times; number of names, slots, the chain of free ones. */
static void note_names(struct tmpfs_inode *inode)
{
    state_note(&inode->modified_ns,
               offsetof(struct tmpfs_inode, type) - offsetof(struct tmpfs_inode, modified_ns));
}

static uint32_t take_slot(struct tmpfs *fs, struct tmpfs_inode *inode, uint32_t unit)
{
    uint32_t slot = inode->free_slot;

    note_names(inode);
    if (slot != 0) {
        uint32_t *entry = slot_entry(fs, inode, --slot);

        inode->free_slot = *entry & ~SLOT_FREE;
        STATE_SET(*entry, unit);
        return slot;
    }
    slot = inode->slots++; /* what is behind them means nothing */
    if (slot % TMPFS_PAGE_ENTRIES == 0)
        (void)tmpfs_tree_make(fs, inode, slot / TMPFS_PAGE_ENTRIES, true);
    *slot_entry(fs, inode, slot) = unit;
    return slot;
}

static void put_text(struct tmpfs *fs, struct tmpfs_name *name, const char *text, uint32_t account)
{
    uint32_t left = name->bytes, part = left < TMPFS_UNIT_TEXT ? left : TMPFS_UNIT_TEXT;
    uint32_t *link = &name->more;

    memcpy(name->text, text, part);
    for (left -= part, text += part; left != 0; left -= part, text += part) {
        uint32_t number = tmpfs_unit_take(fs, account);
        struct tmpfs_more *unit = (void *)tmpfs_unit(fs, number);

        part = left < TMPFS_MORE_TEXT ? left : TMPFS_MORE_TEXT;
        memcpy(unit->text, text, part);
        *link = number;
        link = &unit->more;
    }
    *link = 0;
}

void tmpfs_name_add(struct tmpfs *fs, uint32_t directory, const char *text, uint32_t bytes,
                    uint32_t inode, uint32_t account)
{
    struct tmpfs_inode *into = tmpfs_inode(fs, directory);
    uint32_t hash = hash_of(fs, directory, text, bytes),
             *bucket = &fs->buckets[hash % TMPFS_BUCKETS];
    uint32_t unit = tmpfs_unit_take(fs, account);
    struct tmpfs_name *name = tmpfs_unit(fs, unit);

    *name = (struct tmpfs_name){.next = *bucket,
                                .hash = hash,
                                .directory = directory,
                                .inode = inode,
                                .bytes = (uint8_t)bytes,
                                .type = (uint8_t)tmpfs_inode(fs, inode)->type,
                                .account = (uint16_t)account};
    put_text(fs, name, text, account);
    name->slot = take_slot(fs, into, unit);
    STATE_SET(*bucket, unit);
    into->names++;
    into->modified_ns = into->changed_ns = fs->now_ns;
}

static void give_slot(struct tmpfs *fs, struct tmpfs_inode *inode, uint32_t slot)
{
    note_names(inode);
    if (--inode->names == 0) {
        tmpfs_tree_drop(fs, inode);
        inode->slots = 0;
        inode->free_slot = 0;
        return;
    }
    STATE_SET(*slot_entry(fs, inode, slot), SLOT_FREE | inode->free_slot);
    inode->free_slot = slot + 1;
}

void tmpfs_name_remove(struct tmpfs *fs, uint32_t unit)
{
    struct tmpfs_name *name = tmpfs_unit(fs, unit);
    struct tmpfs_inode *directory = tmpfs_inode(fs, name->directory);
    uint32_t *link = &fs->buckets[name->hash % TMPFS_BUCKETS], account = name->account;

    while (*link != unit)
        link = &tmpfs_unit(fs, *link)->next;
    STATE_SET(*link, name->next);
    give_slot(fs, directory, name->slot);
    directory->modified_ns = directory->changed_ns = fs->now_ns;
    for (uint32_t left = units_for(name->bytes); left != 0; left--) {
        uint32_t more = tmpfs_unit(fs, unit)->more;

        tmpfs_unit_give(fs, unit, account);
        unit = more;
    }
}

uint32_t tmpfs_name_text(struct tmpfs *fs, uint32_t unit, char text[FILE_NAME_BYTES_MAX])
{
    const struct tmpfs_name *name = tmpfs_unit(fs, unit);
    uint32_t bytes = name->bytes, done = bytes < TMPFS_UNIT_TEXT ? bytes : TMPFS_UNIT_TEXT,
             more = name->more;

    memcpy(text, name->text, done);
    while (done < bytes) {
        const struct tmpfs_more *next = (const void *)tmpfs_unit(fs, more);
        uint32_t part = bytes - done < TMPFS_MORE_TEXT ? bytes - done : TMPFS_MORE_TEXT;

        memcpy(text + done, next->text, part);
        done += part;
        more = next->more;
    }
    return bytes;
}

uint32_t tmpfs_name_at(struct tmpfs *fs, uint32_t directory, uint32_t limit, uint64_t *slot)
{
    const struct tmpfs_inode *inode = tmpfs_inode(fs, directory);

    for (; *slot < inode->slots && limit != 0; ++*slot, limit--) {
        uint32_t entry = *slot_entry(fs, inode, *slot);

        if ((entry & SLOT_FREE) == 0)
            return entry;
    }
    return 0;
}
