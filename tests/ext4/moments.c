// SPDX-License-Identifier: MIT
/*
 * moments - the process dies: at a store of an operation, of a commit or of a checkpoint, or at a request to the disk. At
 * every moment that is chosen the memory is copied, and another run takes the copy over (ext4_resume()), goes on, and
 * unmounts; the run that "died" goes on as well, so one run of the model has as many deaths as it has moments.
 *
 * What the other run has must be what was there before the operation or is there after it. A part of what takes many
 * operations of the core (bytes, truncation) may be there.
 */
#include <stdlib.h>
#include <string.h>

#include "services/fs/ext4/core/core.h"
#include "tests/ext4/model.h"

enum { TREES_MAX = 4096, AGAIN_EACH = 4, CHECKPOINT_EACH = 30, STEPS = COMMIT_BLOCK + 1 };

void __real_state_put_any(struct state *state, const void *address, size_t bytes);
void __wrap_state_put_any(struct state *state, const void *address, size_t bytes);

static struct {
    struct host *watched;
    uint64_t passed, every, next, deaths, deaths_again, seed;
    uint32_t by_step[STEPS]; /* deaths during each step of a commit */
    uint32_t by_checkpoint;
    uint32_t keep, kept;
    const char *folder;
    struct host_tree
        trees[TREES_MAX]; /* what those have who took over during the present operation */
    uint32_t tree_count;
    uint32_t step_deaths; /* of a run that took over itself */
} all;

/* ---- Taking over ---- */

static void end(struct host *h)
{
    const char *wrong = ext4_check(h->fs);
    mnos_status_t status = wrong == NULL ? host_sync(h) : MNOS_ERR_FORMAT;
    char path[512];

    if (status == MNOS_OK)
        wrong = ext4_check(h->fs);
    if (status == MNOS_OK && wrong == NULL)
        status = host_unmount(h);
    if (status != MNOS_OK || wrong != NULL)
        host_fail("moment %llu: it does not come to an end: %d, %s, %s",
                  (unsigned long long)all.passed, (int)status, wrong == NULL ? "" : wrong,
                  ext4_reason(h->fs));
    h->moment = NULL; /* who dies while mounting is followed by one who mounts */
    /* What was being removed is finished by the next mount. */
    if (host_mount(h, false) != MNOS_OK || ext4_is_read_only(h->fs) || host_unmount(h) != MNOS_OK)
        host_fail("moment %llu: what is left is no file system: %s", (unsigned long long)all.passed,
                  ext4_reason(h->fs));
    if (all.kept >= all.keep)
        return;
    snprintf(path, sizeof path, "%s/death-%u.img", all.folder, all.kept++);
    host_save(h, path);
}

/* A death during what the other run does: it is taken over, too. */
static void die_again(struct host *h)
{
    static struct host third;

    if (++all.step_deaths % 97 != 0)
        return;
    h->moment = NULL;
    all.deaths_again++;
    host_take_over(&third, h, all.seed + all.deaths_again);
    third.quiet = true;
    end(&third);
    host_close(&third);
    h->moment = die_again;
}

/* Steps of commits and checkpoints have few moments beside operations: they are looked at more closely. */
static uint32_t weight_of(const struct ext4_fs *fs)
{
    static const uint32_t by_step[STEPS] = {1, 300, 20, 50, 50, 20};

    return fs->checkpoint_step != CHECK_IDLE ? 8 : by_step[fs->commit_step];
}

static void die(struct host *h)
{
    static struct host other;
    struct host_tree *tree = &all.trees[all.tree_count];

    all.passed += weight_of(h->fs);
    if (all.passed < all.next || all.tree_count == TREES_MAX)
        return;
    all.next = all.passed + all.every;
    h->moment = NULL;
    all.deaths++;
    all.by_step[h->fs->commit_step]++;
    all.by_checkpoint += h->fs->checkpoint_step != CHECK_IDLE;
    host_take_over(&other, h, all.seed + all.passed);
    other.quiet = true;
    if (host_list(&other, tree) != MNOS_OK)
        host_fail("moment %llu: the tree cannot be read", (unsigned long long)all.passed);
    all.tree_count++;
    if (all.deaths % AGAIN_EACH == 0)
        other.moment = die_again;
    all.watched = &other;
    end(&other);
    host_close(&other);
    all.watched = h;
    h->moment = die;
}

/* The undo log of whichever run is watched has one record more: open_log() in disk.c has all of them made here. */
void __wrap_state_put_any(struct state *state, const void *address, size_t bytes)
{
    __real_state_put_any(state, address, bytes);
    if (all.watched != NULL && all.watched->moment != NULL && state == &all.watched->log)
        all.watched->moment(all.watched);
}

/* ---- Comparing ---- */

static const struct host_line *line_for(const struct host_tree *tree, const char *text)
{
    size_t path = strcspn(text, " ");

    for (uint32_t i = 0; i < tree->count; i++)
        if (strncmp(tree->lines[i].text, text, path + 1) == 0)
            return &tree->lines[i];
    return NULL;
}

static bool is_file(const struct host_line *line)
{
    return line != NULL && strstr(line->text, " file ") != NULL;
}

/* Bytes may be those of the middle of the operation when it is one that changes bytes. */
static bool may_be(const char *text, const struct host_tree *before, const struct host_tree *after)
{
    const struct host_line *old = line_for(before, text), *new = line_for(after, text);

    if ((old != NULL && strcmp(old->text, text) == 0) ||
        (new != NULL &&strcmp(new->text, text) == 0))
        return true;
    return is_file(old) && is_file(new) && strcmp(old->text, new->text) != 0 &&
           strstr(text, " file ") != NULL;
}

/* Each line is of before or after, and what is in both is there. */
static void compare(const struct host_tree *tree, const struct host_tree *before,
                    const struct host_tree *after, uint32_t operation)
{
    for (uint32_t i = 0; i < tree->count; i++)
        if (!may_be(tree->lines[i].text, before, after))
            host_fail("operation %u: a run that took over has '%s'", operation,
                      tree->lines[i].text);
    for (uint32_t i = 0; i < before->count; i++)
        if (line_for(after, before->lines[i].text) != NULL &&
            line_for(tree, before->lines[i].text) == NULL)
            host_fail("operation %u: a run that took over has no '%s'", operation,
                      before->lines[i].text);
}

static void one_operation(struct model *m)
{
    struct host_tree before = {0}, after = {0};

    model_list(m, &before);
    model_step(m);
    model_list(m, &after);
    for (uint32_t i = 0; i < all.tree_count; i++) {
        compare(&all.trees[i], &before, &after, m->operation);
        host_tree_free(&all.trees[i]);
    }
    all.tree_count = 0;
    host_tree_free(&before);
    host_tree_free(&after);
}

void model_die(struct host *h, uint64_t seed, uint32_t operations, uint32_t every, uint32_t keep,
               const char *folder)
{
    static struct model m;

    all.every = every;
    all.keep = keep;
    all.folder = folder;
    all.seed = seed;
    h->random += seed * 0xD1342543DE82EF95ull + 1;
    model_begin(&m, h);
    all.watched = h;
    h->moment = die;
    for (uint32_t i = 0; i < operations; i++) {
        h->fs->checkpoint_wanted |= i % CHECKPOINT_EACH == 0;
        if (i == operations / 2)
            host_grow(h);
        one_operation(&m);
    }
    h->moment = NULL;
    all.watched = NULL;
    model_check(&m);
    printf("%llu moments, %llu deaths, %llu of those who took over\n",
           (unsigned long long)all.passed, (unsigned long long)all.deaths,
           (unsigned long long)all.deaths_again);
    printf("in a checkpoint %u, by steps of a commit", all.by_checkpoint);
    for (uint32_t i = 0; i < STEPS; i++)
        printf(" %u", all.by_step[i]);
    putchar('\n');
    model_end(&m);
}
