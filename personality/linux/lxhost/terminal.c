// SPDX-License-Identifier: MIT
/*
 * terminal - the terminal of the container (protocols/stream.def), through the line discipline. See host.h.
 *
 * It is the controlling terminal of the first process' session. lxhost never waits for what is typed: the driver sets an
 * event when there is something. It does wait until the line has taken what is printed.
 */
#include "personality/linux/lxhost/host.h"

#include "lib/base/string.h"
#include "lib/client/stream.h"
#include "lib/mnos/bootstrap.h"
#include "personality/linux/lx/abi.h"
#include "personality/linux/lxhost/line_discipline.h"

static struct discipline line;
static mnos_cap_t stream;
static int32_t foreground = 1, session = 1;
static bool failed; /* nothing can be typed any more */
static bool deaf;   /* it has not taken what it is to tell by */
static uint16_t rows, columns;

static void echo(const uint8_t *bytes, size_t count)
{
    (void)!stream_write(stream, bytes, count); /* whoever types sees it */
}

static void listen(void)
{
    static const struct stream_events events = {
        .input = EVENT_TERMINAL, .front = EVENT_TERMINAL, .size = EVENT_TERMINAL};

    deaf = stream_listen(stream, host.endpoint, BADGE_TERMINAL, &events) != MNOS_OK;
}

static void tell_waiters(void)
{
    EACH_PROCESS(process)
    {
        if (process->waits_for_terminal)
            process_tell(process, LXHOST_EVENT_LOOK);
        process->waits_for_terminal = false;
    }
}

static void signal_typed(enum discipline_signal which)
{
    static const uint32_t signals[] = {[LINE_INTERRUPT] = LINUX_SIGINT,
                                       [LINE_QUIT] = LINUX_SIGQUIT,
                                       [LINE_SUSPEND] = LINUX_SIGTSTP};

    if (which != LINE_NONE)
        (void)group_signal(foreground, signals[which]);
}

/* Takes all that has been typed. */
static void take(void)
{
    uint8_t bytes[256];
    size_t count;
    mnos_status_t status;

    do {
        count = 0;
        status = stream_poll(stream, bytes, sizeof bytes, &count);
        /* Bytes are missing here; the next says if the session has ended. */
        if (status == MNOS_ERR_LOST)
            status = stream_poll(stream, bytes, sizeof bytes, &count);
        for (size_t i = 0; i < count; i++)
            signal_typed(discipline_type(&line, bytes[i]));
    } while (status == MNOS_OK && count != 0);
    failed = status != MNOS_OK; /* in the background nothing comes until it is in front again */
}

/* A change of size is the foreground's to know. */
static void look_at_size(void)
{
    struct stream_size size;
    bool is_first = rows == 0;

    if (stream_size(stream, STREAM_NOW, &size) != MNOS_OK ||
        (size.rows == rows && size.columns == columns))
        return;
    rows = (uint16_t)size.rows;
    columns = (uint16_t)size.columns;
    if (!is_first)
        (void)group_signal(foreground, LINUX_SIGWINCH);
}

void terminal_open(void)
{
    stream = bootstrap_lookup(BOOTSTRAP_OPTIONAL("terminal"));
    discipline_start(&line, echo);
    listen();
}

void terminal_look(bool gone)
{
    /* The end of a question that none has taken: asked again, it would have the same answer, and end again. */
    if (gone && deaf)
        return;
    if (gone)
        listen();
    take();
    look_at_size();
    tell_waiters();
}

/* ---- Requests ---- */

/* Whether the process may use the terminal now; else its group is told by a signal. One whose session has another or no
 * terminal is not in the background of this one. */
static bool is_allowed(const struct process *process, uint32_t signal)
{
    if (process->session != session || process->group == foreground)
        return true;
    (void)group_signal(process->group, signal);
    return false;
}

mnos_status_t terminal_read(struct process *process, const struct lxhost_tty_io *wanted,
                            struct lxhost_count *done)
{
    uint8_t minimum = line.termios.characters[LINUX_VMIN];
    bool at_once = (line.termios.local & LINUX_ICANON) == 0 && minimum == 0;
    uint64_t count = lxhost_window_part(wanted->count);

    if (!is_allowed(process, LINUX_SIGTTIN))
        return MNOS_ERR_DENIED;
    if (!discipline_can_read(&line))
        take();
    if (deaf && !failed) /* it is there again */
        listen();
    if (discipline_can_read(&line)) {
        done->count = discipline_read(&line, process->native.window.address, count);
        return MNOS_OK;
    }
    done->count = 0;
    if (at_once)
        return MNOS_OK;
    if (failed)
        return MNOS_ERR_PEER;
    process->waits_for_terminal = true;
    return MNOS_ERR_AGAIN;
}

mnos_status_t terminal_write(struct process *process, const struct lxhost_tty_io *wanted,
                             struct lxhost_count *done)
{
    static uint8_t bytes[1024], printed[2 * sizeof bytes];
    const uint8_t *window = process->native.window.address;
    uint64_t count = lxhost_window_part(wanted->count);
    bool raw = (wanted->flags & LXHOST_TTY_RAW) != 0;

    if (!raw && (line.termios.local & LINUX_TOSTOP) != 0 && !is_allowed(process, LINUX_SIGTTOU))
        return MNOS_ERR_DENIED;
    for (done->count = 0; done->count < count;) {
        size_t part = count - done->count < sizeof bytes ? count - done->count : sizeof bytes;
        size_t length = part;

        memcpy(bytes, window + done->count, part);
        if (!raw)
            length = discipline_print(&line, bytes, part, printed);
        if (stream_write(stream, raw ? bytes : printed, length) != MNOS_OK)
            return done->count != 0 ? MNOS_OK : MNOS_ERR_PEER;
        done->count += part;
    }
    return MNOS_OK;
}

mnos_status_t terminal_state(struct process *process, struct lxhost_tty *state)
{
    struct stream_size size = {.columns = STREAM_COLUMNS, .rows = STREAM_ROWS};

    _Static_assert(sizeof line.termios == LXHOST_TERMIOS_BYTES, "as the record has it");
    if (!discipline_can_read(&line))
        take();
    /* Waits for the terminal's answer, 200 ms at most, once. */
    if (rows == 0)
        (void)!stream_size(stream, 0, &size);
    rows = rows == 0 ? (uint16_t)size.rows : rows;
    columns = columns == 0 ? (uint16_t)size.columns : columns;
    *state = (struct lxhost_tty){.group = foreground,
                                 .session = session,
                                 .rows = rows,
                                 .columns = columns,
                                 .bytes = line.ready_count,
                                 .ready = LXHOST_READY_WRITE | (failed ? LXHOST_READY_END : 0)};
    memcpy(state->termios, &line.termios, sizeof state->termios);
    if (discipline_can_read(&line))
        state->ready |= LXHOST_READY_READ;
    else
        process->waits_for_terminal = true;
    return MNOS_OK;
}

mnos_status_t terminal_set(struct process *process, const struct lxhost_tty_set *wanted)
{
    struct linux_termios termios;

    if (!is_allowed(process, LINUX_SIGTTOU))
        return MNOS_ERR_DENIED;
    memcpy(&termios, wanted->termios, sizeof termios);
    discipline_set(&line, &termios, (wanted->flags & LXHOST_TTY_FLUSH) != 0);
    return MNOS_OK;
}

mnos_status_t terminal_group(struct process *process, int32_t group)
{
    if (process->session != session)
        return MNOS_ERR_DENIED;
    EACH_PROCESS(at)
    {
        if (process_lives(at) && at->group == group && at->session == session) {
            foreground = group;
            return MNOS_OK;
        }
    }
    return MNOS_ERR_NOT_FOUND;
}
