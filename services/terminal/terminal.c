// SPDX-License-Identifier: MIT
/* terminal - see terminal.h. Host tests compile this file. */
#include "services/terminal/terminal.h"

#include "lib/mnos/utf8.h"

#define NO_CURSOR UINT32_MAX
#define ESCAPE 0x1B
/* That answers leave for keys: a program that asks and does not read must not keep Ctrl-C from whoever can end it. */
#define KEYS_ROOM (BYTE_QUEUE_ITEMS / 2)

/* ---- What the emulator tells ---- */

/* A queue that is full loses what comes, and says so in its place. */
static void receive(void *context, const char *bytes, size_t count)
{
    struct terminal *terminal = context;
    size_t left = terminal->answers ? KEYS_ROOM : 0;

    for (size_t i = 0; i < count; i++) {
        if (byte_queue_room(&terminal->received) > 1 + left)
            byte_queue_put(&terminal->received, (uint8_t)bytes[i]);
        else if (byte_queue_room(&terminal->received) >= 1)
            byte_queue_mark(&terminal->received);
    }
}

/* Who reads what has scrolled away goes on seeing the same lines. */
static void keep_line(void *context, const cell_t *cells)
{
    struct terminal *terminal = context;

    scrollback_push(&terminal->scrollback, cells);
    if (terminal->back != 0 && terminal->back < scrollback_count(&terminal->scrollback))
        terminal->back++;
}

/* ---- Opening ---- */

bool terminal_open(struct terminal *terminal, unsigned columns, unsigned rows,
                   unsigned scrollback_blocks)
{
    *terminal = (struct terminal){
        .hooks = {terminal, receive, keep_line},
        .scrollback = {.columns = columns, .blocks_wanted = scrollback_blocks},
        .columns = columns,
        .rows = rows,
        .changed = true,
        .all_changed = true,
    };
    terminal->emulator = emulator_make(columns, rows, &terminal->hooks);
    return terminal->emulator != NULL;
}

/* ---- In and out ---- */

void terminal_write(struct terminal *terminal, const char *bytes, size_t count)
{
    terminal->answers = true;
    emulator_write(terminal->emulator, bytes, count);
    terminal->answers = false;
    terminal->changed = true;
}

void terminal_undo(struct terminal *terminal)
{
    emulator_undo(terminal->emulator);
    terminal->changed = true;
}

static void look_at(struct terminal *terminal, unsigned back)
{
    if (terminal->back == back)
        return;
    terminal->back = back;
    terminal->changed = terminal->all_changed = true;
}

static void scroll(struct terminal *terminal, uint32_t where)
{
    unsigned page = terminal->rows / 2 > 0 ? terminal->rows / 2 : 1;
    unsigned count = scrollback_count(&terminal->scrollback);
    unsigned back = terminal->back;

    if (where == KEYS_DOWN)
        look_at(terminal, back > page ? back - page : 0);
    else
        look_at(terminal, back + page < count ? back + page : count);
}

static void type_character(struct terminal *terminal, const struct keys_event *event)
{
    char bytes[1 + UTF8_BYTES_MAX] = {ESCAPE};
    bool alt = (event->modifiers & EMULATOR_ALT) != 0;
    unsigned length = utf8_encode(event->code, bytes + 1);

    receive(terminal, bytes + !alt, length + alt);
}

void terminal_key(struct terminal *terminal, const struct keys_event *event)
{
    if (event->kind == KEYS_SCROLL) {
        scroll(terminal, event->code);
        return;
    }
    look_at(terminal, 0);
    if (event->kind == KEYS_CHARACTER)
        type_character(terminal, event);
    else if (event->kind == KEYS_NAMED)
        emulator_press(terminal->emulator, (enum emulator_key)event->code, event->modifiers);
}

/* ---- Drawing ---- */

void terminal_come(struct terminal *terminal)
{
    terminal->changed = terminal->all_changed = true;
}

static const cell_t *row_of(const struct terminal *terminal, unsigned row)
{
    return row < terminal->back ? scrollback_line(&terminal->scrollback, terminal->back - row)
                                : emulator_row(terminal->emulator, row - terminal->back);
}

void terminal_draw(struct terminal *terminal, struct screen *screen)
{
    unsigned cursor_row, cursor_column;
    bool cursor = emulator_cursor(terminal->emulator, &cursor_row, &cursor_column);
    bool all = terminal->all_changed || terminal->back != 0;

    for (unsigned row = 0; terminal->changed && row < terminal->rows; row++) {
        bool changed = emulator_take_changed(terminal->emulator, row);
        bool here = cursor && row == cursor_row + terminal->back;

        if (changed || all)
            screen_put_row(screen, row, row_of(terminal, row), here ? cursor_column : NO_CURSOR);
    }
    terminal->changed = terminal->all_changed = false;
}
