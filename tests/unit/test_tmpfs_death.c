// SPDX-License-Identifier: MIT
/*
 * test_tmpfs_death - the process that has the files in memory dies at sampled instructions of an operation: what the
 * next run finds is the file system before it or after it, sound in both cases.
 *
 * As test_state.c does with the log alone: the trap flag stops the processor after each instruction, and at
 * many of them what lies in the memory is opened elsewhere, as the next run would.
 */
#include "tests/unit/unit.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "lib/server/state.h"
#include "services/fs/tmpfs/names.h"

#define FS_PAGES 420u
#define LOG_BYTES (TMPFS_LOG_BYTES + TMPFS_PAGE_BYTES - (uint32_t)sizeof(struct state_header))
#define MEMORY_BYTES (TMPFS_LOG_BYTES + TMPFS_PAGE_BYTES + (uint64_t)FS_PAGES * TMPFS_PAGE_BYTES)
#define MAGIC 0x4845415448ull
#define STRIDE 499u /* a prime: the instructions looked at differ from operation to operation */

static uint8_t *memory, *copy, *seen;
static struct state state;
static uint64_t before, after, instructions, looks, wrong;
static const char *problem;
static uint32_t noted;

static struct tmpfs *fs_at(uint8_t *at)
{
    return (struct tmpfs *)(at + sizeof(struct state_header) + LOG_BYTES);
}

static uint64_t mix(uint64_t sum, uint64_t value)
{
    sum = (sum ^ value) * 0x9E3779B97F4A7C15ull;
    return sum ^ sum >> 29;
}

static uint64_t mix_bytes(uint64_t sum, const void *bytes, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        sum = mix(sum, ((const uint8_t *)bytes)[i]);
    return sum;
}

static uint64_t sum_of_names(struct tmpfs *fs, uint32_t directory, uint64_t sum)
{
    char text[FILE_NAME_BYTES_MAX];

    for (uint64_t slot = 0;; slot++) {
        uint32_t unit = tmpfs_name_at(fs, directory, UINT32_MAX, &slot);

        if (unit == 0)
            return sum;
        sum = mix_bytes(mix(sum, slot), text, tmpfs_name_text(fs, unit, text));
        sum = mix(sum, tmpfs_unit(fs, unit)->inode);
    }
}

/* Ends and beginnings of large files stand for the whole. */
static uint64_t sum_of_bytes(struct tmpfs *fs, uint32_t number, uint64_t size, uint64_t sum)
{
    static uint8_t bytes[600];

    sum = mix_bytes(sum, bytes, tmpfs_read(fs, number, 0, bytes, sizeof bytes));
    if (size > sizeof bytes)
        sum = mix_bytes(sum, bytes, tmpfs_read(fs, number, size - 300, bytes, sizeof bytes));
    return sum;
}

/* All that a client can see. */
static uint64_t sum_of(struct tmpfs *fs)
{
    uint64_t sum = 1;

    for (uint32_t i = 1; i <= fs->inodes.page_count * TMPFS_INODES_PER_PAGE; i++) {
        const struct tmpfs_inode *inode = tmpfs_inode(fs, i);

        if (inode->type == FILE_TYPE_NONE)
            continue;
        sum = mix(mix(mix(sum, i), inode->type), inode->size);
        sum = mix(mix(mix(sum, inode->links), inode->opens), inode->parent);
        sum = inode->type == FILE_TYPE_DIRECTORY ? sum_of_names(fs, i, sum)
                                                 : sum_of_bytes(fs, i, inode->size, sum);
    }
    return sum;
}

/* A death here. */
static void look(int)
{
    struct state successor, *own = state_current;
    uint64_t sum;

    /* Some, and each at which something was noted; of many notes alike not all. */
    if (problem != NULL ||
        (instructions++ % STRIDE != 0 &&
         (state.header->log_used == noted || (state.header->log_used > 2048 && noted % 5 != 0))))
        return;
    noted = state.header->log_used;
    looks++;
    state_current = NULL;
    memcpy(copy, memory, MEMORY_BYTES);
    if (state_open(&successor, copy, MEMORY_BYTES, MAGIC, 1, LOG_BYTES, NULL) != STATE_WHOLE)
        problem = "the log cannot be undone";
    else
        problem = (tmpfs_rebuild(fs_at(copy)), tmpfs_check(fs_at(copy), seen));
    sum = problem == NULL ? sum_of(fs_at(copy)) : before;
    if (sum != before && sum != after)
        wrong++;
    state_current = own;
}

static void trap_flag(bool on)
{
    /* The red zone is not ours to push over. */
    if (on)
        __asm__ volatile("subq $128, %%rsp; pushfq; orq $0x100, (%%rsp); popfq; addq $128, %%rsp" ::
                             : "memory", "cc");
    else
        __asm__ volatile(
            "subq $128, %%rsp; pushfq; andq $~0x100, (%%rsp); popfq; addq $128, %%rsp" ::
                : "memory", "cc");
}

typedef void operation(struct tmpfs *fs);

/* What it ends in is found by doing it once without a death. */
static void die_in(operation *operate)
{
    uint8_t *kept = malloc(MEMORY_BYTES);

    memcpy(kept, memory, MEMORY_BYTES);
    before = sum_of(fs_at(memory));
    operate(fs_at(memory));
    state_step();
    after = sum_of(fs_at(memory));
    memcpy(memory, kept, MEMORY_BYTES);
    free(kept);
    trap_flag(true);
    operate(fs_at(memory));
    state_step();
    trap_flag(false);
    CHECK_STR_EQ(problem == NULL ? "" : problem, "");
    CHECK_EQ(wrong, 0);
    CHECK_EQ(sum_of(fs_at(memory)), after);
}

/* ---- Operations ---- */

static struct file_place place(struct tmpfs *fs, uint32_t directory, const char *text)
{
    uint32_t bytes = (uint32_t)strlen(text), unit = tmpfs_name_find(fs, directory, text, bytes);

    return (struct file_place){.directory = directory,
                               .inode = unit == 0 ? 0 : tmpfs_unit(fs, unit)->inode,
                               .entry = unit,
                               .bytes = bytes,
                               .text = text,
                               .word = text_word(text, bytes < 8 ? bytes : 8)};
}

static uint32_t inode_of(struct tmpfs *fs, const char *text)
{
    return place(fs, TMPFS_ROOT, text).inode;
}

static void create(struct tmpfs *fs, const char *text, enum file_type type)
{
    struct file_place at = place(fs, TMPFS_ROOT, text);
    uint32_t inode;

    CHECK_EQ(tmpfs_create(fs, &at, type, 5, &inode), MNOS_OK);
}

static void make_file(struct tmpfs *fs)
{
    create(fs, "file", FILE_TYPE_FILE);
}

static void make_directory(struct tmpfs *fs)
{
    create(fs, "directory", FILE_TYPE_DIRECTORY);
}

static void make_long_name(struct tmpfs *fs)
{
    static char text[FILE_NAME_BYTES_MAX + 1];

    memset(text, 'x', FILE_NAME_BYTES_MAX);
    create(fs, text, FILE_TYPE_FILE);
}

static void write_at(struct tmpfs *fs, uint64_t offset, uint64_t length)
{
    static uint8_t bytes[FILE_WINDOW_BYTES_MAX] = {0x5A, 0x5B};
    uint64_t written;

    CHECK_EQ(tmpfs_write(fs, inode_of(fs, "file"), offset, bytes, length, &written), MNOS_OK);
    CHECK_EQ(written, length);
}

static void write_first(struct tmpfs *fs)
{
    write_at(fs, 0, 100);
}

static void write_on(struct tmpfs *fs)
{
    write_at(fs, 3900, 1500);
}

static void write_far_behind(struct tmpfs *fs)
{
    write_at(fs, 5u << 20, 300);
}

static void write_more(struct tmpfs *fs)
{
    write_at(fs, 2u << 20, 1000);
}

static void make_smaller(struct tmpfs *fs)
{
    CHECK_EQ(tmpfs_truncate(fs, inode_of(fs, "file"), 50), MNOS_OK);
}

static void make_larger(struct tmpfs *fs)
{
    CHECK_EQ(tmpfs_truncate(fs, inode_of(fs, "file"), 5000), MNOS_OK);
}

static void make_links(struct tmpfs *fs)
{
    struct file_place at = place(fs, TMPFS_ROOT, "symbolic");

    CHECK_EQ(tmpfs_symlink(fs, &at, "file", 4, 5), MNOS_OK);
}

static void make_link(struct tmpfs *fs)
{
    struct file_place at = place(fs, inode_of(fs, "directory"), "other");

    CHECK_EQ(tmpfs_link(fs, inode_of(fs, "file"), &at, 5), MNOS_OK);
}

static void move_over(struct tmpfs *fs)
{
    struct file_place from = place(fs, TMPFS_ROOT, "file");
    struct file_place to = place(fs, TMPFS_ROOT, "symbolic");

    CHECK_EQ(tmpfs_rename(fs, &from, &to, 5), MNOS_OK);
}

static void move_back(struct tmpfs *fs)
{
    struct file_place from = place(fs, TMPFS_ROOT, "symbolic");
    struct file_place to = place(fs, TMPFS_ROOT, "file");

    CHECK_EQ(tmpfs_rename(fs, &from, &to, 5), MNOS_OK);
}

static void unlink_in_directory(struct tmpfs *fs)
{
    struct file_place at = place(fs, inode_of(fs, "directory"), "other");

    CHECK_EQ(tmpfs_unlink(fs, &at), MNOS_OK);
}

static void unlink_file(struct tmpfs *fs)
{
    struct file_place at = place(fs, TMPFS_ROOT, "file");

    CHECK_EQ(tmpfs_unlink(fs, &at), MNOS_OK);
}

static void remove_directory(struct tmpfs *fs)
{
    struct file_place at = place(fs, TMPFS_ROOT, "directory");

    CHECK_EQ(tmpfs_rmdir(fs, &at), MNOS_OK);
}

static void reap_all(struct tmpfs *fs)
{
    while (tmpfs_reap(fs))
        continue;
}

TEST(tmpfs_death, at_any_instruction_an_operation_is_done_or_not)
{
    struct sigaction action = {.sa_handler = look}, restored;

    memory = calloc(1, MEMORY_BYTES);
    copy = malloc(MEMORY_BYTES);
    seen = malloc(FS_PAGES + 1);
    CHECK_EQ(state_open(&state, memory, MEMORY_BYTES, MAGIC, 1, LOG_BYTES, NULL), STATE_NONE);
    CHECK(tmpfs_format(fs_at(memory), (uint64_t)FS_PAGES * TMPFS_PAGE_BYTES, FS_PAGES * TMPFS_SHARE,
                       7) != NULL);
    state_ready(&state);
    state_current = &state;
    sigaction(SIGTRAP, &action, &restored);
    die_in(make_file);
    die_in(make_directory);
    die_in(make_long_name);
    die_in(write_first);
    die_in(write_on);
    die_in(make_links);
    die_in(make_link);
    die_in(move_over);
    die_in(move_back);
    die_in(write_far_behind);
    die_in(write_more);
    die_in(make_smaller);
    die_in(make_larger);
    die_in(unlink_in_directory);
    die_in(write_more);
    die_in(unlink_file);
    die_in(reap_all);
    die_in(remove_directory);
    sigaction(SIGTRAP, &restored, NULL);
    state_current = NULL;
    CHECK(looks > 500);
    free(memory);
    free(copy);
    free(seen);
}
