// SPDX-License-Identifier: MIT
/* emulator - see emulator.h. The one file that includes libvterm's header. Host tests compile it. */
#include "services/terminal/emulator.h"

#include "lib/base/string.h"
#include "lib/mnos/heap.h"
#include "vterm.h"

#define BUFFER_BYTES 4096u
/* What libvterm keeps beside its two grids, rounded up as the heap rounds it. */
#define VTERM_BYTES 65536u
#define VTERM_COLUMN_BYTES 64u
#define VTERM_ROW_BYTES 32u
static const VTermColor ink_colour = {.rgb = {VTERM_COLOR_RGB, CELL_BLANK_INK}};
static const VTermColor paper_colour = {.rgb = {VTERM_COLOR_RGB, CELL_BLANK_PAPER}};

struct row {
    bool changed; /* since it was asked last */
    /* These columns are other ones in libvterm, and are read when the row is: of what scrolls away at once, never. */
    int stale_from, stale_to;
};

struct emulator {
    VTerm *terminal;
    VTermScreen *screen;
    const struct emulator_hooks *hooks;
    unsigned columns, rows;
    bool cursor_visible, alternate; /* a program has a screen of its own */
    cell_t *cells;                  /* columns * rows */
    cell_t *line;                   /* one that scrolls off */
    struct row *row;
};

/* ---- What libvterm asks for ---- */

static void *allocate(size_t size, void *)
{
    void *piece = heap_allocate(size);

    return piece != NULL ? memset(piece, 0, size) : NULL;
}

static void release(void *piece, void *)
{
    heap_free(piece);
}

static VTermAllocatorFunctions allocator = {allocate, release};

static uint32_t colour(const struct emulator *emulator, VTermColor from)
{
    vterm_screen_convert_color_to_rgb(emulator->screen, &from);
    return cell_colour(from.rgb.red, from.rgb.green, from.rgb.blue);
}

static cell_t make_cell(const struct emulator *emulator, const VTermScreenCell *from)
{
    uint32_t ink = colour(emulator, from->fg), paper = colour(emulator, from->bg);
    uint32_t code = from->chars[0];

    if (code > CELL_CODE) /* -1: the right half of the character before it */
        code = 0;
    if (code == 0 || from->attrs.conceal)
        code = ' ';
    return cell_make(code, from->attrs.reverse ? paper : ink, from->attrs.reverse ? ink : paper,
                     from->attrs.underline != 0 ? CELL_UNDERLINE : 0);
}

static cell_t *cell_at(const struct emulator *emulator, int row, int column)
{
    return &emulator->cells[(size_t)row * emulator->columns + (size_t)column];
}

static int damaged(VTermRect rect, void *context)
{
    struct emulator *emulator = context;

    for (int i = rect.start_row; i < rect.end_row; i++) {
        struct row *row = &emulator->row[i];
        bool whole = row->stale_from == row->stale_to;

        row->changed = true;
        row->stale_from =
            whole || rect.start_col < row->stale_from ? rect.start_col : row->stale_from;
        row->stale_to = whole || rect.end_col > row->stale_to ? rect.end_col : row->stale_to;
    }
    return 1;
}

/* Whole rows; of others libvterm then says that they were damaged. */
static int moved(VTermRect to, VTermRect from, void *context)
{
    struct emulator *emulator = context;
    size_t rows = (size_t)(to.end_row - to.start_row);

    if (to.start_col != 0 || to.end_col != (int)emulator->columns)
        return 0;
    memmove(cell_at(emulator, to.start_row, 0), cell_at(emulator, from.start_row, 0),
            rows * emulator->columns * sizeof(cell_t));
    memmove(&emulator->row[to.start_row], &emulator->row[from.start_row],
            rows * sizeof(struct row));
    for (int i = to.start_row; i < to.end_row; i++)
        emulator->row[i].changed = true;
    return 1;
}

static int cursor_moved(VTermPos to, VTermPos from, int, void *context)
{
    struct emulator *emulator = context;

    emulator->row[to.row].changed = emulator->row[from.row].changed = true;
    return 1;
}

static int property_set(VTermProp property, VTermValue *value, void *context)
{
    struct emulator *emulator = context;
    VTermPos at;

    if (property == VTERM_PROP_ALTSCREEN) {
        emulator->alternate = value->boolean != 0;
        return 1; /* else libvterm shows there what the last program has left */
    }
    if (property != VTERM_PROP_CURSORVISIBLE)
        return 0;
    vterm_state_get_cursorpos(vterm_obtain_state(emulator->terminal), &at);
    emulator->cursor_visible = value->boolean != 0;
    emulator->row[at.row].changed = true;
    return 1;
}

static int line_pushed(int columns, const VTermScreenCell *cells, void *context)
{
    struct emulator *emulator = context;

    for (int i = 0; i < columns; i++)
        emulator->line[i] = make_cell(emulator, &cells[i]);
    emulator->hooks->scrolled(emulator->hooks->context, emulator->line);
    return 1;
}

static void answered(const char *bytes, size_t count, void *context)
{
    const struct emulator *emulator = context;

    emulator->hooks->answer(emulator->hooks->context, bytes, count);
}

/* ---- Ours ---- */

static bool get_memory(struct emulator *emulator)
{
    size_t cells = (size_t)emulator->columns * emulator->rows;

    emulator->cells = allocate(cells * sizeof(cell_t), NULL);
    emulator->line = allocate(emulator->columns * sizeof(cell_t), NULL);
    emulator->row = allocate(emulator->rows * sizeof(struct row), NULL);
    return emulator->cells != NULL && emulator->line != NULL && emulator->row != NULL;
}

/* libvterm takes for granted that it gets the memory which it asks for while it is made; later it asks for none. Its cells are
 * no larger than those that it shows, and it has two grids of them. */
static bool has_room_for_vterm(unsigned columns, unsigned rows)
{
    size_t bytes = 2 * (size_t)columns * rows * sizeof(VTermScreenCell) + VTERM_BYTES +
                   columns * VTERM_COLUMN_BYTES + rows * VTERM_ROW_BYTES;
    void *piece = heap_allocate(bytes);

    heap_free(piece);
    return piece != NULL;
}

struct emulator *emulator_make(unsigned columns, unsigned rows, const struct emulator_hooks *hooks)
{
    static const VTermScreenCallbacks callbacks = {.damage = damaged,
                                                   .moverect = moved,
                                                   .movecursor = cursor_moved,
                                                   .settermprop = property_set,
                                                   .sb_pushline = line_pushed};
    const struct VTermBuilder builder = {.rows = (int)rows,
                                         .cols = (int)columns,
                                         .allocator = &allocator,
                                         .outbuffer_len = BUFFER_BYTES,
                                         .tmpbuffer_len = BUFFER_BYTES};
    struct emulator *emulator = allocate(sizeof *emulator, NULL);

    if (emulator == NULL)
        return NULL;
    *emulator = (struct emulator){.hooks = hooks, .columns = columns, .rows = rows};
    if (!get_memory(emulator) || !has_room_for_vterm(columns, rows))
        return NULL;
    emulator->terminal = vterm_build(&builder);
    vterm_set_utf8(emulator->terminal, 1);
    vterm_output_set_callback(emulator->terminal, answered, emulator);
    emulator->screen = vterm_obtain_screen(emulator->terminal);
    vterm_screen_set_callbacks(emulator->screen, &callbacks, emulator);
    vterm_screen_enable_altscreen(emulator->screen, 1);
    vterm_screen_set_damage_merge(emulator->screen, VTERM_DAMAGE_SCROLL);
    vterm_screen_set_default_colors(emulator->screen, &ink_colour, &paper_colour);
    vterm_screen_reset(emulator->screen, 1);
    vterm_screen_flush_damage(emulator->screen);
    return emulator;
}

void emulator_write(struct emulator *emulator, const char *bytes, size_t count)
{
    (void)vterm_input_write(emulator->terminal, bytes, count);
    vterm_screen_flush_damage(emulator->screen);
}

void emulator_undo(struct emulator *emulator)
{
    /* CAN, as it may have begun a sequence. A screen with its colours exchanged is not among what is reset. */
    static const char cancel[] = "\030", leave[] = "\033[?1049l", reset[] = "\033[?5l\033[!p";

    emulator_write(emulator, cancel, sizeof cancel - 1);
    if (emulator->alternate) /* else it would have the cursor go where it was saved last */
        emulator_write(emulator, leave, sizeof leave - 1);
    emulator_write(emulator, reset, sizeof reset - 1);
}

void emulator_press(struct emulator *emulator, enum emulator_key key, unsigned modifiers)
{
    static const VTermKey keys[EMULATOR_F1] = {
        [EMULATOR_ENTER] = VTERM_KEY_ENTER,
        [EMULATOR_TAB] = VTERM_KEY_TAB,
        [EMULATOR_BACKSPACE] = VTERM_KEY_BACKSPACE,
        [EMULATOR_ESCAPE] = VTERM_KEY_ESCAPE,
        [EMULATOR_UP] = VTERM_KEY_UP,
        [EMULATOR_DOWN] = VTERM_KEY_DOWN,
        [EMULATOR_LEFT] = VTERM_KEY_LEFT,
        [EMULATOR_RIGHT] = VTERM_KEY_RIGHT,
        [EMULATOR_INSERT] = VTERM_KEY_INS,
        [EMULATOR_DELETE] = VTERM_KEY_DEL,
        [EMULATOR_HOME] = VTERM_KEY_HOME,
        [EMULATOR_END] = VTERM_KEY_END,
        [EMULATOR_PAGE_UP] = VTERM_KEY_PAGEUP,
        [EMULATOR_PAGE_DOWN] = VTERM_KEY_PAGEDOWN,
    };
    VTermKey what =
        key < EMULATOR_F1 ? keys[key] : (VTermKey)VTERM_KEY_FUNCTION(1 + (int)(key - EMULATOR_F1));
    VTermModifier held = VTERM_MOD_NONE;

    if ((modifiers & EMULATOR_SHIFT) != 0)
        held |= VTERM_MOD_SHIFT;
    if ((modifiers & EMULATOR_ALT) != 0)
        held |= VTERM_MOD_ALT;
    if ((modifiers & EMULATOR_CTRL) != 0)
        held |= VTERM_MOD_CTRL;
    vterm_keyboard_key(emulator->terminal, what, held);
}

const cell_t *emulator_row(struct emulator *emulator, unsigned row)
{
    struct row *stale = &emulator->row[row];
    VTermPos at = {(int)row, stale->stale_from};
    VTermScreenCell cell;

    for (; at.col < stale->stale_to; at.col++)
        if (vterm_screen_get_cell(emulator->screen, at, &cell) != 0)
            *cell_at(emulator, at.row, at.col) = make_cell(emulator, &cell);
    stale->stale_from = stale->stale_to = 0;
    return cell_at(emulator, at.row, 0);
}

bool emulator_take_changed(struct emulator *emulator, unsigned row)
{
    bool changed = emulator->row[row].changed;

    emulator->row[row].changed = false;
    return changed;
}

bool emulator_cursor(const struct emulator *emulator, unsigned *row, unsigned *column)
{
    VTermPos at;

    vterm_state_get_cursorpos(vterm_obtain_state(emulator->terminal), &at);
    *row = (unsigned)at.row;
    *column = (unsigned)at.col < emulator->columns ? (unsigned)at.col : emulator->columns - 1;
    return emulator->cursor_visible;
}
