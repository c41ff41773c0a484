// SPDX-License-Identifier: MIT
/*
 * names - names that are known, to be there or not to be there: see known.h. An entry holds the whole name, so it is never
 * mistaken for another; what changes a name changes its entry.
 *
 * The table is a linear hash of pages. In its page a name belongs to one of two sets of four, the one with more room, and
 * when both are full it drives out another. When that has happened a few times the table gets one page more, which takes
 * its names from one of the others. When the cache has taken a page away that is wanted again, memory is short, and the
 * table has one page less: its names are forgotten, and looked for in another page from then on.
 */
#include "lib/base/string.h"
#include "services/fs/ext4/service.h"

/* Inodes that no name may have: those of the quotas, which nobody opens. */
#define SHORT_FILE 3u
#define LONG_FILE 4u
#define SHORT_SHIFT 5u /* of the size of an entry */
#define LONG_SHIFT 6u
#define WAYS 4u
/* So many names are driven out for each page more. */
#define CROWDED_MAX 4u

struct entry {
    uint32_t directory; /* 0: this entry is free */
    uint32_t inode;     /* 0: the directory has no such name */
    uint32_t hash;
    uint8_t bytes;
    char text[]; /* up to the next entry */
};
_Static_assert((1u << LONG_SHIFT) - offsetof(struct entry, text) == KNOWN_NAME_BYTES,
               "as known.h says");

/* Up to seven bytes, so that texts of one length that differ do so here. */
static inline uint64_t short_word(const char *text, uint32_t bytes)
{
    uint32_t first, last;

    if (bytes < 4)
        return bytes == 0 ? 0
                          : (uint64_t)(uint8_t)text[0] | (uint64_t)(uint8_t)text[bytes / 2] << 8 |
                                (uint64_t)(uint8_t)text[bytes - 1] << 16;
    memcpy(&first, text, 4);
    memcpy(&last, text + bytes - 4, 4);
    return first | (uint64_t)last << 32;
}

/* In place, as each name is looked at by it. */
static inline bool is_same_text(const char *a, const char *b, uint32_t bytes)
{
    uint64_t of_a, of_b;

    if (bytes < 8)
        return short_word(a, bytes) == short_word(b, bytes);
    for (uint32_t at = 0; at + 8 < bytes; at += 8) {
        memcpy(&of_a, a + at, 8);
        memcpy(&of_b, b + at, 8);
        if (of_a != of_b)
            return false;
    }
    memcpy(&of_a, a + bytes - 8, 8);
    memcpy(&of_b, b + bytes - 8, 8);
    return of_a == of_b;
}

static inline uint32_t hash_of(uint32_t directory, const char *text, uint32_t bytes)
{
    uint64_t hash = directory * 0x9E3779B97F4A7C15ull;
    uint64_t word;

    for (uint32_t at = 0; at + 8 < bytes; at += 8) {
        memcpy(&word, text + at, 8);
        hash = (hash ^ word) * 0xFF51AFD7ED558CCDull;
        hash ^= hash >> 32;
    }
    if (bytes >= 8)
        memcpy(&word, text + bytes - 8, 8);
    else
        word = short_word(text, bytes);
    hash = (hash ^ word ^ (uint64_t)bytes << 56) * 0xFF51AFD7ED558CCDull;
    /* So far the last letters are in the highest bits alone. */
    return (uint32_t)((hash ^ hash >> 32) * 0xC4CEB9FE1A85EC53ull >> 32);
}

static struct name_table *table_for(struct ext4_service *service, uint32_t bytes)
{
    return bytes <= (1u << SHORT_SHIFT) - offsetof(struct entry, text) ? &service->known.short_names
                                                                       : &service->known.long_names;
}

/* Which page of the table a hash belongs to: as many of its low bits as there are pages for. */
static uint32_t page_for(const struct name_table *table, uint32_t hash)
{
    uint32_t page = hash & table->mask;

    return page < table->pages ? page : page & table->mask >> 1;
}

static inline struct entry *entry_at(uint8_t *set, const struct name_table *table, uint32_t way)
{
    return (struct entry *)(set + ((size_t)way << table->entry_shift));
}

/* The two sets of a page that a hash has, by bits of it that say little about the page. */
static inline uint8_t *set_in(const struct ext4_service *service, const struct name_table *table,
                              uint32_t number, uint32_t hash, bool second)
{
    uint32_t at = (second ? hash >> 22 : hash >> 27) * WAYS << table->entry_shift;

    return cache_bytes(&service->cache, number) + at % CACHE_PAGE_BYTES;
}

static void set_pages(struct name_table *table, uint32_t pages)
{
    table->pages = pages;
    table->mask = 0;
    while (table->mask < pages - 1)
        table->mask = table->mask * 2 + 1;
}

void known_begin(struct ext4_service *service)
{
    memset(service->known.used_pages, 0, sizeof service->known.used_pages);
    service->known.short_names =
        (struct name_table){.file = SHORT_FILE, .entry_shift = SHORT_SHIFT, .pages = 1};
    service->known.long_names =
        (struct name_table){.file = LONG_FILE, .entry_shift = LONG_SHIFT, .pages = 1};
}

/* ---- Pages that come and go ---- */

static uint32_t take_page(struct ext4_service *service, const struct name_table *table,
                          uint32_t page)
{
    uint32_t taken, number;

    service->cache.client = service->files->client;
    number = cache_take(&service->cache, table->file, page, 1, &taken);
    if (number != 0)
        memset(cache_bytes(&service->cache, number), 0, CACHE_PAGE_BYTES);
    return number;
}

static void grow(struct ext4_service *service, struct name_table *table)
{
    uint32_t page = table->pages, from, number, old;

    number = take_page(service, table, page);
    if (number == 0)
        return;
    set_pages(table, page + 1);
    from = page & table->mask >> 1;
    old = cache_find(&service->cache, table->file, from); /* behind take_page(): that may take it */
    for (uint32_t at = 0; old != 0 && at < CACHE_PAGE_BYTES; at += 1u << table->entry_shift) {
        struct entry *entry = (struct entry *)(cache_bytes(&service->cache, old) + at);

        if (entry->directory == 0 || page_for(table, entry->hash) != page)
            continue;
        memcpy(cache_bytes(&service->cache, number) + at, entry, (size_t)1 << table->entry_shift);
        entry->directory = 0;
    }
}

static void shrink(struct ext4_service *service, struct name_table *table)
{
    uint32_t number = cache_find(&service->cache, table->file, table->pages - 1);

    if (table->pages == 1)
        return;
    if (number != 0)
        cache_drop(&service->cache, number);
    set_pages(table, table->pages - 1);
}

/* ---- Names ---- */

/* A name that is looked for. */
struct wanted {
    uint32_t directory, hash, bytes;
    const char *text;
};

static inline struct entry *find_in(uint8_t *set, const struct name_table *table,
                                    const struct wanted *wanted)
{
    for (uint32_t way = 0; way < WAYS; way++) {
        struct entry *entry = entry_at(set, table, way);

        if (entry->hash == wanted->hash && entry->directory == wanted->directory &&
            entry->bytes == wanted->bytes && is_same_text(entry->text, wanted->text, wanted->bytes))
            return entry;
    }
    return NULL;
}

static inline struct entry *find(const struct ext4_service *service, const struct name_table *table,
                                 uint32_t number, const struct wanted *wanted)
{
    struct entry *entry =
        find_in(set_in(service, table, number, wanted->hash, false), table, wanted);

    return entry != NULL
               ? entry
               : find_in(set_in(service, table, number, wanted->hash, true), table, wanted);
}

/* How many entries of a set hold nothing; *entry: the first of them, as those are looked at first. */
static uint32_t count_free(uint8_t *set, const struct name_table *table, struct entry **entry)
{
    uint32_t count = 0;

    for (uint32_t way = WAYS; way-- > 0;) {
        if (entry_at(set, table, way)->directory != 0)
            continue;
        *entry = entry_at(set, table, way);
        count++;
    }
    return count;
}

/* An entry that holds nothing; where there is none somebody has to go. */
static struct entry *make_room(struct ext4_service *service, struct name_table *table,
                               uint32_t number, uint32_t hash)
{
    uint8_t *first = set_in(service, table, number, hash, false);
    uint8_t *second = set_in(service, table, number, hash, true);
    struct entry *in_first = NULL, *in_second = NULL;
    uint32_t turn;

    if (count_free(first, table, &in_first) >= count_free(second, table, &in_second) &&
        in_first != NULL)
        return in_first;
    if (in_second != NULL)
        return in_second;
    table->crowded++;
    turn = service->known.turn++ % (2 * WAYS);
    return entry_at(turn < WAYS ? first : second, table, turn % WAYS);
}

/* The page a hash belongs to, or 0: there is none to be had. */
static uint32_t want_page(struct ext4_service *service, struct name_table *table, uint32_t hash)
{
    uint32_t number;

    if (table->crowded > CROWDED_MAX) {
        table->crowded = 0;
        grow(service, table);
    }
    number = cache_find(&service->cache, table->file, page_for(table, hash));
    if (number != 0)
        return number;
    shrink(service, table);
    number = cache_find(&service->cache, table->file, page_for(table, hash));
    return number != 0 ? number : take_page(service, table, page_for(table, hash));
}

void names_set(struct ext4_service *service, uint32_t directory, const char *text, uint32_t bytes,
               uint32_t inode)
{
    struct wanted wanted = {directory, hash_of(directory, text, bytes), bytes, text};
    struct name_table *table = table_for(service, bytes);
    struct entry *entry;
    uint32_t number;

    if (bytes > KNOWN_NAME_BYTES)
        return;
    number = want_page(service, table, wanted.hash);
    if (number == 0)
        return; /* nor is there a page with what was known of it before */
    entry = find(service, table, number, &wanted);
    if (entry == NULL)
        entry = make_room(service, table, number, wanted.hash);
    entry->directory = directory;
    entry->inode = inode;
    entry->hash = wanted.hash;
    entry->bytes = (uint8_t)bytes;
    memcpy(entry->text, text, bytes);
}

static bool is_known(struct ext4_service *service, uint32_t directory, const char *text,
                     uint32_t bytes, uint32_t *inode)
{
    struct wanted wanted = {directory, hash_of(directory, text, bytes), bytes, text};
    const struct name_table *table = table_for(service, bytes);
    uint32_t number = cache_find(&service->cache, table->file, page_for(table, wanted.hash));
    const struct entry *entry;

    if (number == 0)
        return false;
    entry = find(service, table, number, &wanted);
    if (entry == NULL)
        return false;
    cache_use(&service->cache, number);
    *inode = entry->inode;
    return true;
}

mnos_status_t names_find(struct ext4_service *service, uint32_t directory, const char *text,
                         uint32_t bytes, uint32_t *inode)
{
    mnos_status_t status;

    if (bytes <= KNOWN_NAME_BYTES && is_known(service, directory, text, bytes, inode))
        return MNOS_OK;
    status = ext4_lookup(service_begin(service), directory, text, bytes, inode);
    if (status == MNOS_ERR_NOT_FOUND) {
        *inode = 0;
        status = MNOS_OK;
    }
    status = service_end(service, status);
    if (status == MNOS_OK)
        names_set(service, directory, text, bytes, *inode);
    return status;
}
