// SPDX-License-Identifier: MIT
/* captable.c - see captable.h. */
#include "cap/captable.h"

#include "assert.h"
#include "core.h"
#include "lib/base/list.h"
#include "lib/base/string.h"
#include "mm/frame.h"
#include "object/process.h"

#define ROOT_ENTRIES_MIN (PAGE_BYTES / sizeof(struct capability *))
#define ROOT_ENTRIES_MAX ((1u << MNOS_HANDLE_INDEX_BITS) / CAPTABLE_PAGE_SLOTS)
/* Entries of the next root that one more page fills. There are four for each page of the second half, and one page
 * may be tried for in vain. */
#define ROOT_FILL_STEP 8
/* The same when the next root came late, because there was no memory for it at first, or it had not been found yet: each
 * page of the second half looks at a bounded part of RAM. */
#define ROOT_FILL_LATE 128
/* Pages freed between two looks for something more urgent. */
#define DESTROY_STEP 32

static struct capability empty_page[CAPTABLE_PAGE_SLOTS]; /* K1 */
static struct capability *empty_root[1] = {empty_page};   /* of tables without a page */

struct capability cap_nothing = {.key = UINT64_MAX};

static uint64_t root_frames(uint32_t entries)
{
    return (uint64_t)entries * sizeof(struct capability *) / PAGE_BYTES;
}

/* Its entries are undefined. */
static mnos_status_t root_alloc(struct quota *quota, uint32_t entries, struct capability ***root)
{
    uint64_t frames = root_frames(entries);
    mnos_status_t status = quota_charge_bytes(quota, frames * PAGE_BYTES);
    paddr_t memory;

    if (status != MNOS_OK)
        return status;
    memory = frame_alloc_group(frames, 1);
    if (memory == PADDR_NONE) {
        quota_return_bytes(quota, frames * PAGE_BYTES);
        return MNOS_ERR_MEMORY;
    }
    *root = phys_to_virt(memory);
    return MNOS_OK;
}

static void root_free(struct quota *quota, struct capability **root, uint32_t entries)
{
    frame_free_run(virt_to_phys(root), root_frames(entries));
    quota_return_bytes(quota, root_frames(entries) * PAGE_BYTES);
}

void captable_init(struct captable *table)
{
    spin_init(&table->lock, LOCK_CAPTABLE);
    table->root = empty_root;
}

/* Frees one of its roots, the largest; false: there is none. The root of half the size takes its place. */
static bool root_free_one(struct captable *table, struct quota *quota)
{
    uint32_t entries = table->root_mask + 1, half = entries / 2;
    struct capability ***old;

    if (table->root == empty_root)
        return false;
    if (table->next_root != NULL) {
        root_free(quota, table->next_root, entries * 2);
        table->next_root = NULL;
        return true;
    }
    root_free(quota, table->root, entries);
    table->root = empty_root;
    table->root_mask = 0;
    if (half >= ROOT_ENTRIES_MIN) {
        old = &table->old_roots[__builtin_ctz(half / (uint32_t)ROOT_ENTRIES_MIN)];
        table->root = *old;
        table->root_mask = half - 1;
        *old = NULL;
    }
    return true;
}

bool captable_destroy(struct captable *table, struct quota *quota)
{
    assert(table->used == 0);
    for (unsigned i = 0; i < DESTROY_STEP && table->page_count != 0; i++) {
        frame_free(virt_to_phys(table->root[--table->page_count]));
        quota_return_bytes(quota, PAGE_BYTES);
    }
    return table->page_count == 0 && !root_free_one(table, quota);
}

uint64_t captable_bytes(const struct captable *table)
{
    uint64_t frames = table->page_count + root_frames(table->root_mask + 1);

    if (table->next_root != NULL)
        frames += root_frames((table->root_mask + 1) * 2);
    for (unsigned i = 0; i < CAPTABLE_DOUBLINGS && table->old_roots[i] != NULL; i++)
        frames += root_frames((uint32_t)ROOT_ENTRIES_MIN << i);
    return frames * PAGE_BYTES;
}

/* A page for the first capability. */
static mnos_status_t root_make_first_locked(struct captable *table, struct quota *quota)
{
    struct capability **root;
    mnos_status_t status = root_alloc(quota, ROOT_ENTRIES_MIN, &root);

    if (status != MNOS_OK)
        return status;
    root[0] = empty_page;
    for (uint32_t done = 1; done < ROOT_ENTRIES_MIN; done *= 2) /* a power of two */
        memcpy(root + done, root, done * sizeof(*root));
    __atomic_store_n(&table->root, root, __ATOMIC_RELEASE);
    __atomic_store_n(&table->root_mask, ROOT_ENTRIES_MIN - 1, __ATOMIC_RELEASE);
    return MNOS_OK;
}

/* Sets more entries of the next root, which others do not see yet. */
static void next_root_fill_locked(struct captable *table)
{
    uint32_t entries = table->root_mask + 1, end = table->next_filled + ROOT_FILL_STEP;

    if (entries * 2 - table->next_filled > (entries - table->page_count) * ROOT_FILL_STEP)
        end = table->next_filled + ROOT_FILL_LATE;
    if (end > entries * 2)
        end = entries * 2;
    for (; table->next_filled < end; table->next_filled++)
        table->next_root[table->next_filled] =
            table->next_filled < table->page_count ? table->root[table->next_filled] : empty_page;
}

/* The next root takes over. The old one may still be read by other cores: it is kept (K2). */
static void root_exchange_locked(struct captable *table)
{
    uint32_t entries = table->root_mask + 1;

    assert(table->next_filled == entries * 2); /* K4 */
    table->old_roots[__builtin_ctz(entries / (uint32_t)ROOT_ENTRIES_MIN)] = table->root;
    __atomic_store_n(&table->root, table->next_root, __ATOMIC_RELEASE);
    __atomic_store_n(&table->root_mask, entries * 2 - 1, __ATOMIC_RELEASE);
    table->next_root = NULL;
    table->next_filled = 0;
}

/* Makes sure that the root has an entry for one more page, and that the next one will be there in time. */
static mnos_status_t root_prepare_locked(struct captable *table, struct quota *quota)
{
    uint32_t entries = table->root_mask + 1;
    mnos_status_t status = MNOS_OK;

    if (table->root == empty_root)
        return root_make_first_locked(table, quota);
    if (table->page_count < entries / 2)
        return MNOS_OK;
    if (table->page_count == ROOT_ENTRIES_MAX)
        return MNOS_ERR_QUOTA;
    if (table->next_root == NULL && entries < ROOT_ENTRIES_MAX)
        status = root_alloc(quota, entries * 2, &table->next_root);
    if (table->next_root != NULL)
        next_root_fill_locked(table);
    if (table->page_count < entries)
        return MNOS_OK; /* without a next root, too: there may be memory for it later */
    if (status == MNOS_OK && table->next_filled < entries * 2)
        return MNOS_ERR_MEMORY; /* it came too late, and is not filled yet: the next call comes further */
    if (status == MNOS_OK)
        root_exchange_locked(table);
    return status;
}

static mnos_status_t grow_locked(struct captable *table)
{
    struct process *process = container_of(table, struct process, captable);
    uint32_t first = table->page_count * CAPTABLE_PAGE_SLOTS;
    struct capability *page;
    mnos_status_t status = root_prepare_locked(table, &process->quota);
    paddr_t frame;

    if (status == MNOS_OK)
        status = quota_charge_bytes(&process->quota, PAGE_BYTES);
    if (status != MNOS_OK)
        return status;
    frame = frame_alloc_zeroed();
    if (frame == PADDR_NONE) {
        quota_return_bytes(&process->quota, PAGE_BYTES);
        return MNOS_ERR_MEMORY;
    }
    page = phys_to_virt(frame);
    for (uint32_t i = CAPTABLE_PAGE_SLOTS; i-- > 0;) {
        page[i].key = GENERATION_ONE | (first + i);
        page[i].owner = cap_ref(process);
        if (first + i != 0) {
            page[i].next_free = table->free;
            table->free = &page[i];
        }
    }
    __atomic_store_n(&table->root[table->page_count], page, __ATOMIC_RELEASE);
    if (table->page_count < table->next_filled)
        table->next_root[table->page_count] = page;
    table->page_count++;
    return MNOS_OK;
}

mnos_status_t captable_alloc(struct captable *table, struct capability **slot)
{
    mnos_status_t status = MNOS_OK;

    while (status == MNOS_OK) {
        *slot = captable_take(table);
        if (*slot != NULL)
            break;
        spin_lock(&table->lock);
        if (table->free == NULL) /* else another core has been here */
            status = grow_locked(table);
        spin_unlock(&table->lock);
    }
    return status;
}

result_t cap_lookup(const struct captable *table, mnos_cap_t handle, enum mnos_cap_type type,
                    mnos_rights_t rights, struct cap_view *view)
{
    if (!cap_read(captable_slot(table, handle), view) || view->key != handle)
        return result_of(MNOS_ERR_HANDLE);
    if (type != MNOS_TYPE_NONE && view->object->type != type)
        return error_type(0, view->object->type);
    if ((rights & ~view->rights) != 0)
        return error_rights(0, rights, view->rights);
    return RESULT_OK;
}
