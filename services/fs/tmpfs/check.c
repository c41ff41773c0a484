// SPDX-License-Identifier: MIT
/* check - whether the invariants of store.h hold. For tests, and for a run that finds the block of
 * another. */
#include "lib/base/string.h"
#include "services/fs/tmpfs/names.h"

struct checker {
    struct tmpfs *fs;
    uint8_t *seen; /* by page */
    struct tmpfs_account sums[TMPFS_ACCOUNTS];
    const char *wrong;
    uint32_t doomed;
};

static bool claim(struct checker *check, uint32_t page)
{
    if (page == 0 || page > check->fs->page_count || check->seen[page])
        check->wrong = "T1: a page has no owner or several";
    else
        check->seen[page] = 1;
    return check->wrong == NULL;
}

/* Returns how many pages a tree has. */
static uint32_t check_tree(struct checker *check, uint32_t page, uint32_t height)
{
    uint32_t count = 1;

    if (page == 0 || !claim(check, page))
        return 0;
    for (uint32_t i = 0; height != 0 && i < TMPFS_PAGE_ENTRIES && check->wrong == NULL; i++)
        count += check_tree(check, ((uint32_t *)tmpfs_page(check->fs, page))[i], height - 1);
    return count;
}

static void check_end(struct checker *check, const struct tmpfs_inode *inode)
{
    uint64_t at = inode->size % TMPFS_PAGE_BYTES;
    uint32_t last = inode->type == FILE_TYPE_FILE && at != 0
                        ? tmpfs_tree_find(check->fs, inode, inode->size / TMPFS_PAGE_BYTES)
                        : 0;

    for (; last != 0 && at < TMPFS_PAGE_BYTES; at++) {
        if (((uint8_t *)tmpfs_page(check->fs, last))[at] != 0)
            check->wrong = "T2: bytes behind the end of a file";
    }
}

/* The names of a directory, and that its slots are names or chained. */
static void check_slots(struct checker *check, uint32_t number, const struct tmpfs_inode *inode)
{
    uint32_t names = 0, free_slots = 0;

    for (uint64_t slot = 0; slot < inode->slots && check->wrong == NULL; slot++) {
        uint32_t unit = tmpfs_name_at(check->fs, number, inode->slots, &slot);
        const struct tmpfs_name *name = unit == 0 ? NULL : tmpfs_unit(check->fs, unit);
        char text[FILE_NAME_BYTES_MAX];

        if (name == NULL)
            break;
        names++;
        if (name->directory != number || name->slot != slot ||
            name->type != tmpfs_inode(check->fs, name->inode)->type ||
            tmpfs_name_find(check->fs, number, text, tmpfs_name_text(check->fs, unit, text)) !=
                unit)
            check->wrong = "a name is not found where it is";
    }
    for (uint32_t slot = inode->free_slot; slot != 0 && free_slots <= inode->slots; free_slots++) {
        uint32_t page = tmpfs_tree_find(check->fs, inode, (slot - 1) / TMPFS_PAGE_ENTRIES);

        slot = ((uint32_t *)tmpfs_page(check->fs, page))[(slot - 1) % TMPFS_PAGE_ENTRIES] &
               ~(1u << 31);
    }
    if (names != inode->names || names + free_slots != inode->slots)
        check->wrong = "the slots of a directory do not add up";
}

/* Counts the names of each inode and the units of each account, by all buckets. */
static void count_names(struct checker *check)
{
    struct tmpfs *fs = check->fs;

    for (uint32_t i = 1; i <= fs->inodes.page_count * TMPFS_INODES_PER_PAGE; i++)
        tmpfs_inode(fs, i)->counted = 0;
    for (uint32_t i = 0; i < TMPFS_BUCKETS; i++) {
        for (uint32_t unit = fs->buckets[i]; unit != 0; unit = tmpfs_unit(fs, unit)->next) {
            const struct tmpfs_name *name = tmpfs_unit(fs, unit);

            tmpfs_inode(fs, name->inode)->counted++;
            for (uint32_t more = unit; more != 0; more = tmpfs_unit(fs, more)->more)
                check->sums[name->account].units++;
        }
    }
}

/* That it is chained is found by counting. */
static void check_doomed(struct checker *check, const struct tmpfs_inode *inode)
{
    check->doomed++;
    check->sums[inode->account].pages += inode->pages;
    if (check_tree(check, inode->root, inode->height) != inode->pages && check->wrong == NULL)
        check->wrong = "the pages of what is doomed do not add up";
}

static void check_inode(struct checker *check, uint32_t number)
{
    const struct tmpfs_inode *inode = tmpfs_inode(check->fs, number);
    bool directory = inode->type == FILE_TYPE_DIRECTORY;

    if (inode->type == FILE_TYPE_NONE && inode->opens != 0)
        check->wrong = "T6: what is open is no inode";
    if (inode->type == FILE_TYPE_NONE && inode->root == 0)
        return;
    if (inode->type == FILE_TYPE_NONE) {
        check_doomed(check, inode);
        return;
    }
    check->sums[inode->account].inodes++;
    check->sums[inode->account].pages += inode->pages;
    if (check_tree(check, inode->root, inode->height) != inode->pages && check->wrong == NULL)
        check->wrong = "the pages of an inode do not add up";
    if (inode->links == 0 && inode->opens == 0)
        check->wrong = "T4: an inode that nothing refers to";
    if (inode->links != inode->counted + (number == TMPFS_ROOT) || (directory && inode->links > 1))
        check->wrong = "T3: the names of an inode do not add up";
    if (directory && (inode->parent != 0) != (inode->links != 0 && number != TMPFS_ROOT))
        check->wrong = "T3: a directory has a name and no parent, or no name and one";
    if (directory && check->wrong == NULL)
        check_slots(check, number, inode);
    check_end(check, inode);
}

static void check_free_pages(struct checker *check)
{
    uint32_t count = 0;

    for (uint32_t page = check->fs->free_page; page != 0 && claim(check, page);
         page = *(uint32_t *)tmpfs_page(check->fs, page))
        count++;
    if (check->wrong == NULL && count != check->fs->free_page_count)
        check->wrong = "T1: the free pages do not add up";
}

static void check_tables(struct checker *check)
{
    struct tmpfs *fs = check->fs;

    for (uint32_t i = 0; i < fs->inodes.page_count; i++)
        (void)claim(check, fs->inodes.pages[i]);
    for (uint32_t i = 0; i < fs->units.page_count; i++)
        (void)claim(check, fs->units.pages[i]);
    for (uint32_t i = 1; i <= fs->inodes.page_count * TMPFS_INODES_PER_PAGE && check->wrong == NULL;
         i++)
        check_inode(check, i);
}

const char *tmpfs_check(struct tmpfs *fs, uint8_t *seen)
{
    struct checker check = {.fs = fs, .seen = seen};

    if (fs->inodes.page_count > TMPFS_TABLE_PAGES_MAX ||
        fs->units.page_count > TMPFS_TABLE_PAGES_MAX)
        return "there are more tables than can be";
    memset(seen, 0, fs->page_count + 1u);
    if (fs->magic != TMPFS_MAGIC || fs->layout != TMPFS_LAYOUT)
        return "this is no file system in memory of this layout";
    count_names(&check);
    check_free_pages(&check);
    check_tables(&check);
    for (uint32_t page = 1; page <= fs->page_count && check.wrong == NULL; page++) {
        if (!seen[page])
            check.wrong = "T1: a page is lost";
    }
    for (uint32_t at = fs->doomed; at != 0 && check.doomed != 0;
         at = tmpfs_inode(fs, at)->next_free)
        check.doomed--;
    if (check.wrong == NULL && check.doomed != 0)
        check.wrong = "T4: an inode that is doomed and not chained";
    for (uint32_t i = 0; i < TMPFS_ACCOUNTS && check.wrong == NULL; i++) {
        if (check.sums[i].pages != fs->accounts[i].pages ||
            check.sums[i].inodes != fs->accounts[i].inodes ||
            check.sums[i].units != fs->accounts[i].units)
            check.wrong = "T5: an account is charged what it does not have";
    }
    return check.wrong;
}

/* The units of a name; numbers and lengths of chains are bounded, since the block may be damaged. */
static void count_units(struct tmpfs *fs, uint32_t bucket, uint32_t *left)
{
    uint32_t count = fs->units.page_count * TMPFS_UNITS_PER_PAGE;

    for (uint32_t unit = bucket; unit != 0 && unit <= count && *left != 0;) {
        const struct tmpfs_name *name = tmpfs_unit(fs, unit);

        for (uint32_t more = unit; more != 0 && more <= count && *left != 0;
             more = tmpfs_unit(fs, more)->more, --*left) {
            if (name->account < TMPFS_ACCOUNTS)
                fs->accounts[name->account].units++;
        }
        unit = name->next;
    }
}

void tmpfs_rebuild(struct tmpfs *fs)
{
    uint32_t left;

    if (fs->inodes.page_count > TMPFS_TABLE_PAGES_MAX ||
        fs->units.page_count > TMPFS_TABLE_PAGES_MAX)
        return; /* tmpfs_check() says so */
    memset(fs->accounts, 0, sizeof fs->accounts);
    for (uint32_t i = 1; i <= fs->inodes.page_count * TMPFS_INODES_PER_PAGE; i++) {
        const struct tmpfs_inode *inode = tmpfs_inode(fs, i);
        struct tmpfs_account *account = &fs->accounts[inode->account % TMPFS_ACCOUNTS];

        tmpfs_inode(fs, i)->opens = 0;
        account->inodes += inode->type != FILE_TYPE_NONE;
        account->pages += inode->type != FILE_TYPE_NONE || inode->root != 0 ? inode->pages : 0;
    }
    left = fs->units.page_count * TMPFS_UNITS_PER_PAGE;
    for (uint32_t i = 0; i < TMPFS_BUCKETS; i++)
        count_units(fs, fs->buckets[i], &left);
}
