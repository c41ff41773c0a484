// SPDX-License-Identifier: MIT
/* store - the block, its pages and tables: see store.h. */
#include "services/fs/tmpfs/store.h"

#include "lib/base/string.h"
#include "lib/server/state.h"

/* Room for the first inodes and names, the root, and a little content. */
#define PAGES_MIN 8u

#define TABLE_HEAD_BYTES offsetof(struct tmpfs_table, pages)

/* In halves, which are noted without a call. */
static void note_inode(const struct tmpfs_inode *inode)
{
    state_note(inode, sizeof *inode / 2);
    state_note((const uint8_t *)inode + sizeof *inode / 2, sizeof *inode / 2);
}

/* What takes and gives pages changes both. */
static void note_free_pages(struct tmpfs *fs)
{
    state_note(&fs->free_page, sizeof fs->free_page + sizeof fs->free_page_count);
}

struct tmpfs *tmpfs_format(void *block, uint64_t bytes, uint32_t page_limit, uint64_t seed)
{
    struct tmpfs *fs = block;

    if (bytes < TMPFS_HEADER_BYTES + (uint64_t)PAGES_MIN * TMPFS_PAGE_BYTES)
        return NULL;
    memset(fs, 0, sizeof *fs);
    fs->magic = TMPFS_MAGIC;
    fs->layout = TMPFS_LAYOUT;
    fs->page_limit = page_limit;
    fs->seed = seed;
    tmpfs_extend(fs, (uint32_t)((bytes - TMPFS_HEADER_BYTES) / TMPFS_PAGE_BYTES));
    if (tmpfs_reserve(fs, 0, 0, 1, 0) != MNOS_OK)
        return NULL;
    tmpfs_inode(fs, tmpfs_inode_take(fs, FILE_TYPE_DIRECTORY, 0))->links = 1;
    return fs;
}

void tmpfs_extend(struct tmpfs *fs, uint32_t page_count)
{
    uint32_t first = fs->page_count + 1;

    if (page_count == 0)
        return;
    /* Chained among themselves first: until they are counted they are no pages of the block. Low pages are used
     * first. */
    for (uint32_t page = first; page < first + page_count; page++)
        *(uint32_t *)tmpfs_page(fs, page) =
            page + 1 < first + page_count ? page + 1 : fs->free_page;
    note_free_pages(fs);
    STATE_SET(fs->page_count, fs->page_count + page_count);
    fs->free_page = first;
    fs->free_page_count += page_count;
    state_step();
}

uint32_t tmpfs_page_take(struct tmpfs *fs, bool zeroed)
{
    uint32_t page = fs->free_page;
    uint32_t *content = tmpfs_page(fs, page);

    note_free_pages(fs);
    state_note(content, sizeof *content);
    fs->free_page = *content;
    fs->free_page_count--;
    if (zeroed)
        memset(content, 0, TMPFS_PAGE_BYTES);
    return page;
}

void tmpfs_page_give(struct tmpfs *fs, uint32_t page)
{
    uint32_t *content = tmpfs_page(fs, page);

    note_free_pages(fs);
    STATE_SET(*content, fs->free_page);
    fs->free_page = page;
    fs->free_page_count++;
}

static uint32_t table_pages(const struct tmpfs_table *table, uint32_t wanted, uint32_t per_page)
{
    return wanted <= table->free_count ? 0 : (wanted - table->free_count + per_page - 1) / per_page;
}

static void grow_inodes(struct tmpfs *fs)
{
    struct tmpfs_table *table = &fs->inodes;
    uint32_t number = table->page_count * TMPFS_INODES_PER_PAGE + TMPFS_INODES_PER_PAGE;

    state_note(table, TABLE_HEAD_BYTES); /* an entry behind the last is none yet */
    table->pages[table->page_count++] = tmpfs_page_take(fs, true);
    for (uint32_t i = 0; i < TMPFS_INODES_PER_PAGE; i++, number--) {
        tmpfs_inode(fs, number)->next_free = table->free_head;
        table->free_head = number;
    }
    table->free_count += TMPFS_INODES_PER_PAGE;
}

static void grow_units(struct tmpfs *fs)
{
    struct tmpfs_table *table = &fs->units;
    uint32_t number = table->page_count * TMPFS_UNITS_PER_PAGE + TMPFS_UNITS_PER_PAGE;

    state_note(table, TABLE_HEAD_BYTES); /* an entry behind the last is none yet */
    table->pages[table->page_count++] = tmpfs_page_take(fs, true);
    for (uint32_t i = 0; i < TMPFS_UNITS_PER_PAGE; i++, number--) {
        tmpfs_unit(fs, number)->more = table->free_head;
        table->free_head = number;
    }
    table->free_count += TMPFS_UNITS_PER_PAGE;
}

/* Account 0 is the file system itself, which has no share. */
static bool within_share(const struct tmpfs *fs, uint32_t account, uint32_t pages, uint32_t inodes,
                         uint32_t units)
{
    const struct tmpfs_account *used = &fs->accounts[account];
    uint32_t table_share = TMPFS_TABLE_PAGES_MAX / TMPFS_SHARE;

    return account == 0 ||
           ((uint64_t)used->pages + pages <= fs->page_limit / TMPFS_SHARE &&
            (uint64_t)used->inodes + inodes <= table_share * TMPFS_INODES_PER_PAGE &&
            (uint64_t)used->units + units <= table_share * TMPFS_UNITS_PER_PAGE);
}

mnos_status_t tmpfs_reserve(struct tmpfs *fs, uint32_t account, uint32_t pages, uint32_t inodes,
                            uint32_t units)
{
    uint32_t inode_pages = table_pages(&fs->inodes, inodes, TMPFS_INODES_PER_PAGE);
    uint32_t unit_pages = table_pages(&fs->units, units, TMPFS_UNITS_PER_PAGE);

    if (!within_share(fs, account, pages, inodes, units))
        return MNOS_ERR_QUOTA;
    if ((uint64_t)pages + inode_pages + unit_pages > fs->free_page_count ||
        fs->inodes.page_count + inode_pages > TMPFS_TABLE_PAGES_MAX ||
        fs->units.page_count + unit_pages > TMPFS_TABLE_PAGES_MAX)
        return MNOS_ERR_FULL;
    while (inode_pages-- != 0)
        grow_inodes(fs);
    while (unit_pages-- != 0)
        grow_units(fs);
    return MNOS_OK;
}

/* What tells that it is free or doomed, and chains it. */
static void note_free(const struct tmpfs_inode *inode)
{
    state_note(&inode->type, sizeof inode->type + sizeof inode->next_free + sizeof inode->root);
}

uint32_t tmpfs_inode_take(struct tmpfs *fs, enum file_type type, uint32_t account)
{
    uint32_t number = fs->inodes.free_head;
    struct tmpfs_inode *inode = tmpfs_inode(fs, number);

    state_note(&fs->inodes, TABLE_HEAD_BYTES);
    fs->inodes.free_head = inode->next_free;
    fs->inodes.free_count--;
    fs->accounts[account].inodes++;
    note_free(inode);
    *inode = (struct tmpfs_inode){.generation = ++fs->generation,
                                  .created_ns = fs->now_ns,
                                  .modified_ns = fs->now_ns,
                                  .changed_ns = fs->now_ns,
                                  .type = type,
                                  .account = account};
    return number;
}

uint32_t tmpfs_unit_take(struct tmpfs *fs, uint32_t account)
{
    uint32_t unit = fs->units.free_head, *more = &tmpfs_unit(fs, unit)->more;

    state_note(&fs->units, TABLE_HEAD_BYTES);
    state_note(more, sizeof *more); /* all that means something in a free one */
    fs->units.free_head = *more;
    fs->units.free_count--;
    fs->accounts[account].units++;
    return unit;
}

void tmpfs_unit_give(struct tmpfs *fs, uint32_t unit, uint32_t account)
{
    state_note(&fs->units, TABLE_HEAD_BYTES);
    STATE_SET(tmpfs_unit(fs, unit)->more, fs->units.free_head);
    fs->units.free_head = unit;
    fs->units.free_count++;
    fs->accounts[account].units--;
}

void tmpfs_hold(struct tmpfs *fs, uint32_t inode)
{
    tmpfs_inode(fs, inode)->opens++;
}

static void free_inode(struct tmpfs *fs, uint32_t number)
{
    struct tmpfs_inode *inode = tmpfs_inode(fs, number);

    state_note(&fs->inodes, TABLE_HEAD_BYTES);
    note_free(inode);
    inode->type = FILE_TYPE_NONE;
    inode->root = 0;
    inode->next_free = fs->inodes.free_head;
    fs->inodes.free_head = number;
    fs->inodes.free_count++;
}

/* What is left of an inode that is nobody's: its pages. */
static void doom(struct tmpfs *fs, uint32_t number, const struct tmpfs_inode *with)
{
    struct tmpfs_inode *inode = tmpfs_inode(fs, number);
    struct tmpfs_inode left = {.root = with->root,
                               .height = with->height,
                               .pages = with->pages,
                               .account = with->account,
                               .next_free = fs->doomed};

    note_inode(inode);
    *inode = left;
    STATE_SET(fs->doomed, number);
}

void tmpfs_tree_drop(struct tmpfs *fs, struct tmpfs_inode *inode)
{
    uint32_t number = fs->inodes.free_head;

    /* Without an inode to keep them they stay, to be used again. */
    if (inode->root == 0 || number == 0)
        return;
    state_note(&fs->inodes, TABLE_HEAD_BYTES);
    fs->inodes.free_head = tmpfs_inode(fs, number)->next_free;
    fs->inodes.free_count--;
    doom(fs, number, inode);
    note_inode(inode);
    inode->root = inode->height = inode->pages = 0;
}

bool tmpfs_reap(struct tmpfs *fs)
{
    uint32_t number = fs->doomed;
    uint64_t reached;

    if (number == 0)
        return false;
    if (tmpfs_tree_cut(fs, tmpfs_inode(fs, number), 0, &reached)) {
        STATE_SET(fs->doomed, tmpfs_inode(fs, number)->next_free);
        free_inode(fs, number);
    }
    state_step();
    return true;
}

void tmpfs_release(struct tmpfs *fs, uint32_t number)
{
    struct tmpfs_inode *inode = tmpfs_inode(fs, number);

    if (inode->links != 0 || inode->opens != 0)
        return;
    fs->accounts[inode->account].inodes--;
    if (inode->root != 0)
        doom(fs, number, inode);
    else
        free_inode(fs, number);
}

void tmpfs_drop(struct tmpfs *fs, uint32_t number)
{
    struct tmpfs_inode *inode = tmpfs_inode(fs, number);

    inode->opens--;
    if (inode->links == 0)
        tmpfs_release(fs, number);
}

void tmpfs_attr(struct tmpfs *fs, uint32_t number, struct file_attr *attr)
{
    const struct tmpfs_inode *inode = tmpfs_inode(fs, number);

    attr->inode = number;
    attr->generation = inode->generation;
    attr->size = inode->size;
    attr->allocated_bytes = (uint64_t)inode->pages * TMPFS_PAGE_BYTES;
    attr->created_ns = inode->created_ns;
    attr->modified_ns = inode->modified_ns;
    attr->changed_ns = inode->changed_ns;
    attr->type = inode->type;
    attr->links = inode->links;
}

void tmpfs_set_modified(struct tmpfs *fs, uint32_t number, int64_t modified_ns)
{
    struct tmpfs_inode *inode = tmpfs_inode(fs, number);

    STATE_SET(inode->modified_ns, modified_ns);
    STATE_SET(inode->changed_ns, fs->now_ns);
}

void tmpfs_space(struct tmpfs *fs, uint32_t account, struct file_space *space)
{
    uint64_t table_room = TMPFS_TABLE_PAGES_MAX - fs->inodes.page_count;
    uint64_t free_pages = (uint64_t)fs->page_limit - fs->page_count + fs->free_page_count;
    uint64_t more = table_room < free_pages ? table_room : free_pages;
    uint64_t free_inodes = fs->inodes.free_count + more * TMPFS_INODES_PER_PAGE;

    *space = (struct file_space){
        .total_bytes = (uint64_t)fs->page_limit * TMPFS_PAGE_BYTES,
        .free_bytes = free_pages * TMPFS_PAGE_BYTES,
        .own_bytes = (uint64_t)fs->accounts[account].pages * TMPFS_PAGE_BYTES,
        .own_limit = (uint64_t)(fs->page_limit / TMPFS_SHARE) * TMPFS_PAGE_BYTES,
        .total_inodes =
            (uint64_t)fs->inodes.page_count * TMPFS_INODES_PER_PAGE + more * TMPFS_INODES_PER_PAGE,
        .free_inodes = free_inodes,
        .type = "tmpfs",
    };
}
