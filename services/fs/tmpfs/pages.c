// SPDX-License-Identifier: MIT
/*
 * pages - the tree of an inode's pages: see store.h. With height 0 the root is the only page of
 * data; each height more makes it a page of 1,024 numbers of pages that are one lower. 0 is a hole.
 */
#include "lib/server/state.h"
#include "services/fs/tmpfs/store.h"

/* How many pages of data a tree of this height covers. */
static uint64_t span(uint32_t height)
{
    return 1ull << (10 * height);
}

static uint32_t height_for(uint64_t index)
{
    uint32_t height = 0;

    while (index >= span(height))
        height++;
    return height;
}

static uint32_t entry_of(uint64_t index, uint32_t height)
{
    return (uint32_t)(index >> (10 * (height - 1))) % TMPFS_PAGE_ENTRIES;
}

uint32_t tmpfs_tree_descend(struct tmpfs *fs, const struct tmpfs_inode *inode, uint64_t index)
{
    uint32_t page = inode->root;

    if (index >= span(inode->height))
        return 0;
    for (uint32_t height = inode->height; page != 0 && height != 0; height--)
        page = ((uint32_t *)tmpfs_page(fs, page))[entry_of(index, height)];
    return page;
}

/* How high the tree has to become for the index; one without pages has no height of its own. */
static uint32_t height_after(const struct tmpfs_inode *inode, uint64_t index)
{
    uint32_t wanted = height_for(index);

    return inode->root == 0 || wanted > inode->height ? wanted : inode->height;
}

uint32_t tmpfs_tree_cost(struct tmpfs *fs, const struct tmpfs_inode *inode, uint64_t index)
{
    uint32_t height = height_after(inode, index), page = inode->root, cost;

    if (page == 0)
        return height + 1;
    if (height > inode->height) /* new pages above the root, and a way down beside it */
        return height - inode->height + height;
    for (cost = height; cost != 0 && page != 0; cost--)
        page = ((uint32_t *)tmpfs_page(fs, page))[entry_of(index, cost)];
    return page != 0 ? 0 : cost + 1;
}

uint32_t tmpfs_tree_make(struct tmpfs *fs, struct tmpfs_inode *inode, uint64_t index, bool zeroed)
{
    uint32_t height = height_after(inode, index), before = fs->free_page_count;
    uint32_t *entry = &inode->root;

    state_note(&inode->root, sizeof inode->root + sizeof inode->height + sizeof inode->pages);
    for (; inode->root != 0 && inode->height < height; inode->height++) {
        uint32_t above = tmpfs_page_take(fs, true);

        *(uint32_t *)tmpfs_page(fs, above) = inode->root;
        inode->root = above;
    }
    inode->height = height;
    for (; height != 0; height--) {
        if (*entry == 0)
            STATE_SET(*entry, tmpfs_page_take(fs, true));
        entry = (uint32_t *)tmpfs_page(fs, *entry) + entry_of(index, height);
    }
    if (*entry == 0)
        STATE_SET(*entry, tmpfs_page_take(fs, zeroed));
    inode->pages += before - fs->free_page_count;
    fs->accounts[inode->account].pages += before - fs->free_page_count;
    return *entry;
}

struct cut {
    struct tmpfs *fs;
    uint64_t first;   /* pages of data below this index stay */
    uint64_t reached; /* from here on none is left */
    uint32_t budget;
};

/* Frees what is below *entry, a page that covers the indexes from `base` on, and it itself, from the end. False:
 * the budget is used. Depth is at most TMPFS_HEIGHT_MAX. */
static bool cut(struct cut *cut_, uint32_t *entry, uint32_t height, uint64_t base)
{
    uint64_t below = height == 0 ? 0 : span(height - 1), first = cut_->first;
    uint32_t *entries = tmpfs_page(cut_->fs, *entry);

    for (uint32_t i = height == 0 ? 0 : TMPFS_PAGE_ENTRIES; i-- > 0;) {
        if (base + (i + 1) * below <= first)
            return true; /* the rest stays, and so does this page */
        if (entries[i] != 0 && !cut(cut_, &entries[i], height - 1, base + i * below))
            return false;
    }
    if (base < first)
        return true;
    if (cut_->budget == 0)
        return false;
    cut_->budget--;
    cut_->reached = base;
    tmpfs_page_give(cut_->fs, *entry);
    STATE_SET(*entry, 0);
    return true;
}

bool tmpfs_tree_cut(struct tmpfs *fs, struct tmpfs_inode *inode, uint64_t first, uint64_t *reached)
{
    struct cut state = {fs, first, UINT64_MAX, TMPFS_CUT_PAGES};
    uint32_t before = fs->free_page_count, freed;
    bool done;

    if (inode->root == 0 || first >= span(inode->height))
        return true;
    state_note(&inode->root, sizeof inode->root + sizeof inode->height + sizeof inode->pages);
    done = cut(&state, &inode->root, inode->height, 0);
    if (inode->root == 0)
        inode->height = 0;
    freed = fs->free_page_count - before;
    inode->pages -= freed;
    fs->accounts[inode->account].pages -= freed;
    *reached = state.reached;
    return done;
}

uint32_t tmpfs_tree_run(struct tmpfs *fs, const struct tmpfs_inode *inode, uint64_t index,
                        uint32_t most, uint64_t *first, uint32_t *count)
{
    uint32_t page = tmpfs_tree_find(fs, inode, index);
    uint64_t row = index - index % most, end = index + 1;

    if (page == 0)
        return 0;
    while (end < row + most && tmpfs_tree_find(fs, inode, end) == page + (uint32_t)(end - index))
        end++;
    for (; index > row && tmpfs_tree_find(fs, inode, index - 1) == page - 1 && page != 1; page--)
        index--;
    *first = index;
    *count = (uint32_t)(end - index);
    return page;
}

/* ---- Holes ---- */

struct search {
    struct tmpfs *fs;
    uint64_t index; /* from here on */
    bool hole;
};

/* Below a page that covers the indexes from `base` on. UINT64_MAX: nothing. Every page has data below it, so only the
 * pages on the way to the index are looked through in vain. Depth is at most TMPFS_HEIGHT_MAX. */
static uint64_t search_below(const struct search *search, uint32_t page, uint32_t height,
                             uint64_t base)
{
    uint64_t below = height == 0 ? 0 : span(height - 1), found = UINT64_MAX;
    const uint32_t *entries = page == 0 ? NULL : tmpfs_page(search->fs, page);
    uint32_t i = 0;

    if ((page == 0) == search->hole && (page == 0 || height == 0))
        return base > search->index ? base : search->index;
    if (page == 0 || height == 0)
        return UINT64_MAX;
    if (search->index > base)
        i = (uint32_t)((search->index - base) / below);
    for (; i < TMPFS_PAGE_ENTRIES && found == UINT64_MAX; i++)
        found = search_below(search, entries[i], height - 1, base + i * below);
    return found;
}

uint64_t tmpfs_tree_next(struct tmpfs *fs, const struct tmpfs_inode *inode, uint64_t index,
                         bool hole)
{
    struct search search = {fs, index, hole};
    uint64_t found = UINT64_MAX, end = inode->root == 0 ? 0 : span(inode->height);

    if (index < end)
        found = search_below(&search, inode->root, inode->height, 0);
    if (found != UINT64_MAX || !hole)
        return found;
    return index > end ? index : end;
}

static bool is_empty(struct tmpfs *fs, uint32_t page)
{
    const uint32_t *entries = tmpfs_page(fs, page);

    for (uint32_t i = 0; i < TMPFS_PAGE_ENTRIES; i++)
        if (entries[i] != 0)
            return false;
    return true;
}

void tmpfs_tree_punch(struct tmpfs *fs, struct tmpfs_inode *inode, uint64_t index)
{
    uint32_t *way[TMPFS_HEIGHT_MAX + 1], before = fs->free_page_count, height = inode->height;

    if (tmpfs_tree_find(fs, inode, index) == 0)
        return;
    state_note(&inode->root, sizeof inode->root + sizeof inode->height + sizeof inode->pages);
    way[height] = &inode->root;
    for (; height != 0; height--)
        way[height - 1] = (uint32_t *)tmpfs_page(fs, *way[height]) + entry_of(index, height);
    do {
        tmpfs_page_give(fs, *way[height]);
        STATE_SET(*way[height], 0);
    } while (height++ != inode->height && is_empty(fs, *way[height]));
    if (inode->root == 0)
        inode->height = 0;
    before = fs->free_page_count - before;
    inode->pages -= before;
    fs->accounts[inode->account].pages -= before;
}
