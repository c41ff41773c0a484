// SPDX-License-Identifier: MIT
/* memory - see memory.h. */
#include "personality/linux/lx/memory.h"

#include "lib/base/string.h"
#include "lib/mnos/memory.h"
#include "lib/mnos/syscall.h"
#include "personality/linux/lx/chunks.h"
#include "personality/linux/lx/host.h"
#include "personality/linux/lx/open_file.h"
#include "personality/linux/lx/page_table.h"
#include "personality/linux/lx/piece.h"

/* How many pages a fault makes present, and how many at most when the program goes on from page to page: few at first, as
 * each is memory that is zeroed and that a fork copies. Of a file more: each run is a request to its file system. */
#define RUN_FIRST 4u
#define RUN_MAX 64u
#define RUN_FILE 16u

/* The processor's error code of a page fault (Intel SDM vol 3A, "Page-Fault Exception"). */
#define FAULT_WRITE 2u
#define FAULT_FETCH 16u

/* The word of a present page: its chunk's index and one, its page in the chunk, and the rights it is mapped with. */
#define WORD_CHUNK_BITS 24u
#define WORD_PAGE_SHIFT WORD_CHUNK_BITS
#define WORD_MAPPED_SHIFT 60u

struct vma_set memory_areas;
static struct page_table table;
static uint64_t present;

static uint64_t word_make(uint32_t chunk, uint64_t page, uint32_t mapped)
{
    return (chunk + 1ull) | page << WORD_PAGE_SHIFT | (uint64_t)mapped << WORD_MAPPED_SHIFT;
}

static struct chunk *word_chunk(uint64_t word)
{
    return &chunks[(word & ((1u << WORD_CHUNK_BITS) - 1)) - 1];
}

static uint64_t word_page(uint64_t word)
{
    return word >> WORD_PAGE_SHIFT & 0xFFFFFFFFF;
}

static uint32_t word_mapped(uint64_t word)
{
    return (uint32_t)(word >> WORD_MAPPED_SHIFT);
}

static uint64_t word_set_mapped(uint64_t word, uint32_t mapped)
{
    return (word & ((1ull << WORD_MAPPED_SHIFT) - 1)) | (uint64_t)mapped << WORD_MAPPED_SHIFT;
}

void memory_start(void)
{
    memory_areas.limit = MEMORY_AREAS_MAX;
    memory_areas.hold = open_file_hold;
    memory_areas.release = open_file_release;
}

uint64_t memory_present(void)
{
    return present;
}

/* ---- The kernel's table ---- */

static uint64_t map_flags(uint32_t protection)
{
    return MNOS_MAP_READ | ((protection & VMA_WRITE) != 0 ? MNOS_MAP_WRITE : 0) |
           ((protection & VMA_EXECUTE) != 0 ? MNOS_MAP_EXECUTE : 0);
}

/* Pages from `page` on, and before `end`, that lie one behind the other in one chunk and are mapped in the same way. */
static uint64_t run_of(uint64_t page, uint64_t end)
{
    uint64_t *word = page_table_word(&table, page, false), first = *word, count = 1;

    while (page + count < end) {
        word = page_table_word(&table, page + count, false);
        if (word == NULL || *word != first + (count << WORD_PAGE_SHIFT))
            break;
        count++;
    }
    return count;
}

static void set_mapped(uint64_t page, uint64_t count, uint32_t mapped)
{
    for (uint64_t i = 0; i < count; i++) {
        uint64_t *word = page_table_word(&table, page + i, false);

        *word = word_set_mapped(*word, mapped);
    }
}

/* Takes what is mapped of a range out of the kernel's table: as few calls as there are pieces without a gap. It fails
 * only where a large page would be split, and there is none. */
static void unmap(uint64_t start, uint64_t end)
{
    uint64_t page = start / LX_PAGE, last = end / LX_PAGE, *word, first, count;

    while ((page = page_table_next(&table, page, last, &word)) < last) {
        if (word_mapped(*word) == 0) {
            page++;
            continue;
        }
        first = page;
        count = 0;
        do {
            *word = word_set_mapped(*word, 0);
            count++;
            page++;
            word = page < last ? page_table_word(&table, page, false) : NULL;
        } while (word != NULL && *word != 0 && word_mapped(*word) != 0);
        (void)!sys_mem_unmap(MNOS_SELF, first * LX_PAGE, count);
    }
}

static bool map_run(uint64_t page, uint64_t count, uint32_t protection)
{
    uint64_t word = *page_table_word(&table, page, false);

    if (host_map(word_chunk(word)->memory, page * LX_PAGE, word_page(word), count,
                 map_flags(protection)) != MNOS_OK)
        return false;
    set_mapped(page, count, protection);
    return true;
}

/* ---- Making pages present ---- */

/* The bytes of the area's file that belong to a run of new pages. */
static enum memory_answer fill(const struct vma *area, uint64_t page, uint32_t count,
                               mnos_cap_t memory)
{
    uint64_t start = page * LX_PAGE, end = start + count * LX_PAGE, read;
    void *window;
    int64_t result;

    if (area->data_end < end)
        end = area->data_end;
    if (start >= end)
        return MEMORY_READY;
    if (host_map_somewhere(memory, 0, count, MNOS_MAP_READ | MNOS_MAP_WRITE, &window) != MNOS_OK)
        return MEMORY_NONE_LEFT;
    result =
        open_file_read_at(area->file, area->offset + (start - area->start), window, end - start);
    memory_unmap(window, count);
    if (result < 0)
        return MEMORY_NO_FILE;
    read = (uint64_t)result;
    return area->data_end == VMA_NO_END && read == 0 ? MEMORY_NO_FILE : MEMORY_READY;
}

/* How many pages are made present from `page` on, if as many are absent there. */
static uint32_t run_wanted(const struct vma *area, uint64_t page)
{
    if (area->next_page == page && area->run != 0)
        return area->run * 2 < RUN_MAX ? area->run * 2 : RUN_MAX;
    return area->file != NULL ? RUN_FILE : RUN_FIRST;
}

/* How many of them are in the area, and not present. */
static uint32_t run_possible(const struct vma *area, uint64_t page, uint32_t wanted)
{
    uint64_t last = area->end / LX_PAGE, *word;

    if (last > page + wanted)
        last = page + wanted;
    return (uint32_t)(page_table_next(&table, page, last, &word) - page);
}

static bool make_words(uint64_t page, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (page_table_word(&table, page + i, true) == NULL)
            return false;
    }
    return true;
}

/* The next pages of a chunk that nobody has yet become present. */
static enum memory_answer give_pages(struct vma *area, uint64_t page, uint32_t slot, uint32_t count)
{
    struct chunk *chunk = &chunks[slot];

    for (uint32_t i = 0; i < count; i++)
        *page_table_word(&table, page + i, false) = word_make(slot, chunk->given + i, 0);
    chunk->given += count;
    chunk->used += count;
    present += count;
    area->next_page = page + count;
    return map_run(page, count, area->protection) ? MEMORY_READY : MEMORY_NONE_LEFT;
}

static enum memory_answer make_present(struct vma *area, uint64_t page)
{
    uint32_t wanted = run_wanted(area, page), count = run_possible(area, page, wanted), slot, made;
    enum memory_answer answer = MEMORY_READY;

    if (!make_words(page, count))
        return MEMORY_NONE_LEFT;
    /* A heap is likely to go on where it ends now. */
    made = chunk_make((area->flags & VMA_HEAP) != 0 ? wanted : count, &slot);
    if (made == 0)
        return MEMORY_NONE_LEFT;
    count = count < made ? count : made;
    if (area->file != NULL)
        answer = fill(area, page, count, chunks[slot].memory);
    if (answer != MEMORY_READY) {
        chunk_drop(slot);
        return answer;
    }
    area->run = made;
    return give_pages(area, page, slot, count);
}

/* The pages of a chunk that end at `page`, and were mapped one by one, become one mapping: each costs the kernel a record. */
static void join_mappings(uint64_t page, uint32_t protection)
{
    uint64_t first = page, *word = page_table_word(&table, page, false), *before;

    while (word_page(*word) != 0) {
        before = page_table_word(&table, first - 1, false);
        if (before == NULL || *before != *word - (1ull << WORD_PAGE_SHIFT))
            break;
        word = before;
        first--;
    }
    /* If it cannot be, they stay as they are. */
    (void)!sys_mem_map(MNOS_SELF, word_chunk(*word)->memory, first * LX_PAGE, word_page(*word),
                       page + 1 - first, map_flags(protection) | MNOS_MAP_REPLACE);
}

/* A heap that grows by a page or two goes on in the chunk of the page before, if that has pages left. */
static bool go_on(struct vma *area, uint64_t page, enum memory_answer *answer)
{
    uint64_t *before = page_table_word(&table, page - 1, false);
    struct chunk *chunk;
    uint32_t count;

    if ((area->flags & VMA_HEAP) == 0 || area->start == page * LX_PAGE || before == NULL ||
        *before == 0)
        return false;
    chunk = word_chunk(*before);
    if (word_page(*before) + 1 != chunk->given || chunk->given == chunk->pages)
        return false;
    count = run_possible(area, page, chunk->pages - chunk->given);
    if (!make_words(page, count))
        return false;
    *answer = give_pages(area, page, (uint32_t)(chunk - chunks), count);
    if (*answer == MEMORY_READY && chunk->given == chunk->pages)
        join_mappings(page + count - 1, area->protection);
    return true;
}

static bool allows(uint32_t protection, uint64_t error)
{
    if ((error & FAULT_WRITE) != 0)
        return (protection & VMA_WRITE) != 0;
    if ((error & FAULT_FETCH) != 0)
        return (protection & VMA_EXECUTE) != 0;
    return protection != 0;
}

enum memory_answer memory_fault(uint64_t address, uint64_t error)
{
    uint64_t page = address / LX_PAGE, *word;
    enum memory_answer answer;
    struct vma *area;

    if (address >= MEMORY_TOP)
        return MEMORY_UNMAPPED;
    area = vma_find(&memory_areas, address);
    if (area == NULL)
        return MEMORY_UNMAPPED;
    if (!allows(area->protection, error))
        return MEMORY_FORBIDDEN;
    word = page_table_word(&table, page, false);
    if (word == NULL || *word == 0)
        return go_on(area, page, &answer) ? answer : make_present(area, page);
    if (word_mapped(*word) != 0)
        return word_mapped(*word) == area->protection ? MEMORY_READY : MEMORY_FORBIDDEN;
    return map_run(page, run_of(page, area->end / LX_PAGE), area->protection) ? MEMORY_READY
                                                                              : MEMORY_NONE_LEFT;
}

/* ---- Changing areas ---- */

void memory_drop(uint64_t start, uint64_t end)
{
    uint64_t page = start / LX_PAGE, last = end / LX_PAGE, *word;

    unmap(start, end);
    while ((page = page_table_next(&table, page, last, &word)) < last) {
        struct chunk *chunk = word_chunk(*word);

        *word = 0;
        present--;
        if (--chunk->used == 0)
            chunk_drop((uint32_t)(chunk - chunks));
        page++;
    }
}

int64_t memory_remove(uint64_t start, uint64_t end)
{
    if (!vma_remove(&memory_areas, start, end))
        return -LX_ENOMEM;
    memory_drop(start, end);
    return 0;
}

int64_t memory_place(const struct vma *area)
{
    int64_t result = memory_remove(area->start, area->end);

    if (result != 0)
        return result;
    return vma_insert(&memory_areas, area) ? 0 : -LX_ENOMEM;
}

/* Below what memory_find() finds; 0: not known yet. */
static uint64_t top;

uint64_t memory_find(uint64_t bytes)
{
    const struct vma *stack = &memory_areas.areas[memory_areas.count - 1];

    /* Below the stack's limit, as long as that is the highest area: 1 MiB of it is left free. */
    if (top == 0 && memory_areas.count != 0 && (stack->flags & VMA_STACK) != 0)
        top = stack->start - (1ull << 20);
    return vma_gap(&memory_areas, MEMORY_LOWEST, top != 0 ? top : MEMORY_TOP, bytes);
}

int64_t memory_protect(uint64_t start, uint64_t end, uint32_t protection)
{
    if (!vma_covers(&memory_areas, start, end))
        return -LX_ENOMEM;
    if (!vma_protect(&memory_areas, start, end, protection))
        return -LX_ENOMEM;
    unmap(start, end); /* what is touched again is mapped with the new rights */
    return 0;
}

bool memory_make_room(uint64_t from, uint64_t to, uint64_t bytes)
{
    uint64_t page = from / LX_PAGE, last = (from + bytes) / LX_PAGE, *word;
    int64_t pages = (int64_t)(to / LX_PAGE) - (int64_t)page;

    for (; (page = page_table_next(&table, page, last, &word)) < last; page++) {
        if (page_table_word(&table, page + (uint64_t)pages, true) == NULL)
            return false;
    }
    return true;
}

void memory_move(uint64_t from, uint64_t to, uint64_t bytes)
{
    uint64_t page = from / LX_PAGE, last = (from + bytes) / LX_PAGE, *word, *target;
    int64_t pages = (int64_t)(to / LX_PAGE) - (int64_t)page;

    unmap(from, from + bytes);
    for (; (page = page_table_next(&table, page, last, &word)) < last; page++) {
        target = page_table_word(&table, page + (uint64_t)pages, false);
        *target = *word;
        *word = 0;
    }
}

/* Area by area: between them nothing is present, and much is not looked through. */
void memory_clear(void)
{
    for (uint32_t i = 0; i < memory_areas.count; i++)
        memory_drop(memory_areas.areas[i].start, memory_areas.areas[i].end);
    (void)vma_remove(&memory_areas, 0, MEMORY_TOP); /* splits nothing, so it does not fail */
    top = 0;
}

/* ---- A copy of the process ---- */

#define LAST_PAGE (MEMORY_TOP / LX_PAGE)

/* The first page from `page` on that is present, as all are in areas; LAST_PAGE: there is none. */
static uint64_t next_present(uint64_t page, uint64_t **word)
{
    for (uint32_t i = vma_index(&memory_areas, page * LX_PAGE); i < memory_areas.count; i++) {
        uint64_t start = memory_areas.areas[i].start / LX_PAGE,
                 end = memory_areas.areas[i].end / LX_PAGE,
                 found = page_table_next(&table, page > start ? page : start, end, word);

        if (found < end)
            return found;
    }
    return LAST_PAGE;
}

bool memory_next_run(uint64_t address, struct memory_run *run)
{
    uint64_t *word, page = next_present(address / LX_PAGE, &word);

    if (page >= LAST_PAGE)
        return false;
    *run = (struct memory_run){page * LX_PAGE, 0, word_mapped(*word)};
    do {
        run->pages++;
        word = page_table_word(&table, page + run->pages, false);
    } while (page + run->pages < LAST_PAGE && word != NULL && *word != 0 &&
             word_mapped(*word) == run->rights);
    return true;
}

bool memory_copy_page(uint64_t address, void *to)
{
    uint64_t word = *page_table_word(&table, address / LX_PAGE, false);
    void *from = (void *)address;

    if (word_mapped(word) == 0 && host_map_somewhere(word_chunk(word)->memory, word_page(word), 1,
                                                     MNOS_MAP_READ, &from) != MNOS_OK)
        return false;
    memcpy(to, from, LX_PAGE);
    if (word_mapped(word) == 0)
        memory_unmap(from, 1);
    return true;
}

void memory_forked(mnos_cap_t memory, uint64_t pages, uint64_t first)
{
    uint64_t page = 0, *word;

    chunks_forked(memory, (uint32_t)pages,
                  (uint32_t)present + 1); /* lx's own pages lie there, too */
    while ((page = next_present(page, &word)) < LAST_PAGE) {
        *word = word_make(0, first++, word_mapped(*word));
        page++;
    }
}
