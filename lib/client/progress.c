// SPDX-License-Identifier: MIT
/* progress - see progress.h. */
#include "lib/client/progress.h"

#include "lib/client/out.h"
#include "lib/mnos/size_text.h"
#include "lib/mnos/time.h"

/* What takes longer shows how far it is, and how often that is drawn. */
#define AFTER_NS 1000000000ull
#define EACH_NS 200000000ull
#define CELLS 30u

void progress_begin(struct progress *progress, uint64_t total)
{
    *progress = (struct progress){.began_ns = kinfo_time_ns(), .total = total};
}

static void draw_bar(uint64_t done, uint64_t total)
{
    char bar[CELLS + 1], at[SIZE_TEXT_BYTES], of[SIZE_TEXT_BYTES];
    unsigned cells;

    /* In 1/1024: a file may be so large that a product with its size does not fit. */
    cells = (unsigned)(total < 1024 ? done * CELLS / total : done / (total / 1024) * CELLS / 1024);
    for (unsigned i = 0; i < CELLS; i++)
        bar[i] = i < cells ? '#' : '.';
    bar[CELLS] = 0;
    out_print("\r[%s] %s of %s\x1b[K", bar, size_text(at, done), size_text(of, total));
}

void progress_show(struct progress *progress, uint64_t done)
{
    char at[SIZE_TEXT_BYTES];
    uint64_t now = kinfo_time_ns();

    if (now - progress->began_ns < AFTER_NS || now - progress->drawn_ns < EACH_NS)
        return;
    progress->drawn_ns = now;
    progress->shown = true;
    if (progress->total != 0)
        draw_bar(done, progress->total > done ? progress->total : done);
    else
        out_print("\r%s\x1b[K", size_text(at, done));
    out_flush();
}

void progress_end(const struct progress *progress)
{
    if (progress->shown)
        out_print("\r\x1b[K");
}
