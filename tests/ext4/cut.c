// SPDX-License-Identifier: MIT
/*
 * cut - the power fails: behind a write or flush of the disk's log, of each step of a commit in turn, also with a part of
 * the writes that no flush followed. What is left is mounted, which replays the journal; then names and sizes are those of the last commit that
 * was durable, or of one that came after it, and a file that nobody wrote since then has its bytes.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/ext4/model.h"

enum { COMMIT_EACH = 16 };

struct cut {
    struct model *model;
    const uint8_t *before; /* the image before the first event */
    uint64_t bytes;
    uint32_t at; /* events that happened */
    uint64_t random;
    bool parts; /* of the writes behind the last flush only some are there */
};

static uint32_t random_below(struct cut *cut, uint32_t below)
{
    cut->random = cut->random * 6364136223846793005ull + 1442695040888963407ull;
    return (uint32_t)(cut->random >> 33) % below;
}

static uint8_t *image_of(struct cut *cut)
{
    const struct host *h = cut->model->host;
    uint8_t *image = malloc(cut->bytes);
    uint32_t flushed = 0;

    memcpy(image, cut->before, cut->bytes);
    for (uint32_t i = 0; i < cut->at; i++)
        if (h->events[i].kind == HOST_FLUSH)
            flushed = i;
    for (uint32_t i = 0; i < cut->at; i++) {
        const struct host_event *event = &h->events[i];
        bool sure = i < flushed || event->kind == HOST_DURABLE || !cut->parts;

        if (event->kind != HOST_FLUSH && (sure || random_below(cut, 2) == 0))
            memcpy(image + event->offset, event->data, event->bytes);
    }
    return image;
}

/* The bytes of a file that was written after the mark are not those of the mark. */
static bool line_is(const struct model *m, const struct host_line *got,
                    const struct host_line *wanted, const struct model_mark *mark)
{
    const char *end = strstr(wanted->text, " file ");
    uint32_t written = UINT32_MAX;

    if (strcmp(got->text, wanted->text) == 0)
        return true;
    if (end == NULL || strncmp(got->text, wanted->text, (size_t)(end - wanted->text) + 6) != 0)
        return false;
    for (uint32_t i = 0; i < MODEL_NODES; i++)
        if (m->nodes[i].type == MODEL_FILE && m->nodes[i].inode == wanted->inode)
            written = m->nodes[i].written;
    return written > mark->operation;
}

static bool tree_is(const struct model *m, const struct host_tree *got,
                    const struct model_mark *mark)
{
    if (got->count != mark->tree.count)
        return false;
    for (uint32_t i = 0; i < got->count; i++)
        if (!line_is(m, &got->lines[i], &mark->tree.lines[i], mark))
            return false;
    return true;
}

/* The last mark that must be there; what comes later may be as well. */
static void compare(const struct cut *cut, struct host *h)
{
    const struct model *m = cut->model;
    struct host_tree got = {0};
    uint32_t least = 0;
    bool found = false;

    if (host_list(h, &got) != MNOS_OK)
        host_fail("cut at %u: the tree cannot be read", cut->at);
    for (uint32_t i = 0; i < m->mark_count; i++)
        if (m->marks[i].events <= cut->at)
            least = i;
    /* With others at work commits end between any two operations: then e2fsck is who judges. */
    found = m->host->has_visitors;
    for (uint32_t i = least; i < m->mark_count && !found; i++)
        found = tree_is(m, &got, &m->marks[i]);
    if (!found) {
        for (uint32_t i = 0; i < got.count || i < m->marks[least].tree.count; i++) {
            const char *a = i < got.count ? got.lines[i].text : "";
            const char *b =
                i < m->marks[least].tree.count ? m->marks[least].tree.lines[i].text : "";

            if (strcmp(a, b) != 0)
                fprintf(stderr, "  %s | %s\n", a, b);
        }
        host_fail("cut at %u of %u%s: not what was durable then, mark %u of %u", cut->at,
                  m->host->event_count, cut->parts ? ", in parts" : "", least, m->mark_count);
    }
    host_tree_free(&got);
}

/* The image is kept as the power cut left it, for others to replay, and as the core left it. */
static void try(struct cut *cut, const char *path)
{
    static struct host h;

    host_open(&h, image_of(cut), cut->bytes, HOST_SLOTS);
    h.quiet = true;
    if (path != NULL) {
        char raw[600];

        snprintf(raw, sizeof raw, "%s.raw", path);
        host_save(&h, raw);
    }
    if (host_mount(&h, false) != MNOS_OK || ext4_is_read_only(h.fs))
        host_fail("cut at %u: %s", cut->at, ext4_reason(h.fs));
    compare(cut, &h);
    if (host_unmount(&h) != MNOS_OK)
        host_fail("cut at %u: it cannot be unmounted", cut->at);
    if (path != NULL)
        host_save(&h, path);
    host_close(&h);
}

/* Each step of the commit in turn: behind one of its events. */
static unsigned choose(struct cut *cut, uint32_t number)
{
    const struct host *h = cut->model->host;
    unsigned step = HOST_STEP_DATA + number % HOST_STEP_AFTER;
    uint32_t count = 0, chosen;

    for (uint32_t i = 0; i < h->event_count; i++)
        count += h->events[i].step == step;
    if (count == 0)
        host_fail("no event belongs to step %u", step);
    chosen = random_below(cut, count);
    for (cut->at = 0; h->events[cut->at].step != step || chosen-- != 0;)
        cut->at++;
    cut->at++;
    return step;
}

/* Each transaction has a mark, so that after a cut the tree is that of one of them. */
static void commit_each(struct model *m)
{
    uint32_t before = ext4_transaction(m->host->fs);

    model_step(m);
    /* Before the transaction is so large that it has to be committed in the middle of an operation of the model. */
    if (m->operation % COMMIT_EACH == 0) {
        model_expect(m, "sync", host_sync(m->host), MNOS_OK);
        model_mark(m);
    }
    if (m->mark_count != 0 && !m->host->has_visitors && ext4_transaction(m->host->fs) != before &&
        m->marks[m->mark_count - 1].operation != m->operation)
        host_fail("operation %u: a commit that nobody asked for", m->operation);
}

void model_cut(struct host *h, uint64_t seed, uint32_t operations, uint32_t cuts, uint32_t keep,
               const char *folder)
{
    static struct model m;
    struct cut cut = {&m, NULL, h->image_bytes, 0, seed, false};
    uint8_t *before = malloc(h->image_bytes);
    uint32_t steps[HOST_STEP_AFTER + 1] = {0};

    memcpy(before, h->image, h->image_bytes);
    cut.before = before;
    h->logs = true;
    h->random += seed * 0xD1342543DE82EF95ull + 1;
    model_begin(&m, h);
    m.marks_wanted = true;
    m.marks = calloc(1, sizeof *m.marks);
    m.mark_count = 1; /* nothing has happened */
    model_list(&m, &m.marks[0].tree);
    for (uint32_t i = 0; i < operations; i++)
        commit_each(&m);
    for (uint32_t i = 0; i < cuts; i++) {
        char path[512];

        steps[choose(&cut, i)]++;
        cut.parts = i / HOST_STEP_AFTER % 2 == 1;
        snprintf(path, sizeof path, "%s/cut-%u.img", folder, i);
        try(&cut, i % (cuts / keep) == 0 ? path : NULL);
    }
    printf("%u events, %u marks, %u cuts\n", h->event_count, m.mark_count, cuts);
    for (unsigned i = HOST_STEP_DATA; i <= HOST_STEP_AFTER; i++)
        printf("step %u: %u\n", i, steps[i]);
    free(before);
    model_end(&m);
}
