// SPDX-License-Identifier: MIT
/* scrollback - see scrollback.h. Host tests compile this file. */
#include "services/terminal/scrollback.h"

#include "lib/base/string.h"
#include "lib/mnos/heap.h"

static unsigned capacity(const struct scrollback *scrollback)
{
    return scrollback->block_count * SCROLLBACK_BLOCK_LINES;
}

unsigned scrollback_count(const struct scrollback *scrollback)
{
    return scrollback->pushed < capacity(scrollback) ? (unsigned)scrollback->pushed
                                                     : capacity(scrollback);
}

static cell_t *line_at(const struct scrollback *scrollback, uint64_t number)
{
    unsigned line = (unsigned)(number % capacity(scrollback));

    return scrollback->blocks[line / SCROLLBACK_BLOCK_LINES] +
           (size_t)(line % SCROLLBACK_BLOCK_LINES) * scrollback->columns;
}

/* All lines so far are where they were pushed, none has made room yet: one more block goes on behind them. */
static void grow(struct scrollback *scrollback)
{
    cell_t *block =
        heap_allocate((size_t)SCROLLBACK_BLOCK_LINES * scrollback->columns * sizeof *block);

    if (block == NULL)
        scrollback->blocks_wanted = scrollback->block_count;
    else
        scrollback->blocks[scrollback->block_count++] = block;
}

void scrollback_push(struct scrollback *scrollback, const cell_t *cells)
{
    if (scrollback->pushed == capacity(scrollback) &&
        scrollback->block_count < scrollback->blocks_wanted)
        grow(scrollback);
    if (scrollback->block_count == 0)
        return;
    memcpy(line_at(scrollback, scrollback->pushed++), cells, scrollback->columns * sizeof *cells);
}

const cell_t *scrollback_line(const struct scrollback *scrollback, unsigned back)
{
    return line_at(scrollback, scrollback->pushed - back);
}
