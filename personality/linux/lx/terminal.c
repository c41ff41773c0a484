// SPDX-License-Identifier: MIT
/* terminal - the terminal of the container, of which lxhost has the line discipline; and what lx itself says there. */
#include "personality/linux/lx/terminal.h"

#include "lib/base/string.h"
#include "personality/linux/lx/calls.h"
#include "personality/linux/lx/host.h"
#include "personality/linux/lx/mounts.h"
#include "personality/linux/lx/process.h"
#include "personality/linux/lx/signals.h"
#include "personality/linux/lx/stat.h"
#include "personality/linux/lx/wait.h"

static mnos_status_t move(enum lxhost_request label, uint64_t count, uint64_t flags, uint64_t *done)
{
    struct lxhost_tty_io record = {count, flags};
    struct lxhost_count moved = {0};
    mnos_status_t status = host_ask(label, &record, sizeof record, &moved, sizeof moved);

    *done = moved.count;
    return status;
}

void terminal_say(const char *text, size_t count)
{
    uint64_t done;

    count = lxhost_window_part(count);
    memcpy(host_window(), text, count);
    (void)!move(LXHOST_TTY_WRITE, count, LXHOST_TTY_RAW, &done);
}

static int64_t read_terminal(struct open_file *file, uint64_t to, uint64_t count, uint64_t offset)
{
    uint64_t done;
    mnos_status_t status;
    int64_t result;

    (void)offset;
    for (;;) {
        status = move(LXHOST_TTY_READ, lxhost_window_part(count), 0, &done);
        host_take_signals();
        if (status == MNOS_OK)
            return user_write(to, host_window(), done) == 0 ? (int64_t)done : -LX_EFAULT;
        if (status == MNOS_ERR_DENIED) /* SIGTTIN has come, or is blocked or ignored */
            return signals_due() ? -LX_ERESTART : -LX_EIO;
        if (status != MNOS_ERR_AGAIN)
            return -LX_EIO;
        result = wait_for_change(file);
        if (result != 0)
            return result;
    }
}

static int64_t write_terminal(struct open_file *file, uint64_t from, uint64_t count,
                              uint64_t offset)
{
    uint64_t done = 0, moved;

    (void)file, (void)offset;
    while (done < count) {
        size_t copied =
            user_read_some(host_window(), from + done, lxhost_window_part(count - done));
        mnos_status_t status;

        if (copied == 0)
            return done != 0 ? (int64_t)done : -LX_EFAULT;
        status = move(LXHOST_TTY_WRITE, copied, 0, &moved);
        host_take_signals();
        if (status == MNOS_ERR_DENIED && signals_due())
            return done != 0 ? (int64_t)done : -LX_ERESTART;
        if (status != MNOS_OK)
            return done != 0 ? (int64_t)done : -LX_EIO;
        done += moved;
    }
    return (int64_t)done;
}

static bool look(struct lxhost_tty *state)
{
    return host_ask(LXHOST_TTY_STATE, NULL, 0, state, sizeof *state) == MNOS_OK;
}

static int64_t set_termios(uint64_t from, uint32_t flags)
{
    struct lxhost_tty_set record = {.flags = flags};

    if (user_read(record.termios, from, sizeof record.termios) != 0)
        return -LX_EFAULT;
    return host_ask(LXHOST_TTY_SET, &record, sizeof record, NULL, 0) == MNOS_OK ? 0 : -LX_EIO;
}

static int64_t flush(const struct lxhost_tty *state)
{
    struct lxhost_tty_set record = {.flags = LXHOST_TTY_FLUSH};

    memcpy(record.termios, state->termios, sizeof record.termios);
    return host_ask(LXHOST_TTY_SET, &record, sizeof record, NULL, 0) == MNOS_OK ? 0 : -LX_EIO;
}

static int64_t set_group(uint64_t from)
{
    struct lxhost_process record = {0};
    mnos_status_t status;

    if (user_read(&record.pid, from, sizeof record.pid) != 0)
        return -LX_EFAULT;
    status = host_ask(LXHOST_TTY_GROUP, &record, sizeof record, NULL, 0);
    return status == MNOS_OK ? 0 : status == MNOS_ERR_DENIED ? -LX_ENOTTY : -LX_EPERM;
}

static int64_t give_number(uint64_t to, int32_t number)
{
    return user_write(to, &number, sizeof number);
}

static int64_t ioctl_terminal(struct open_file *file, uint32_t request, uint64_t argument)
{
    struct lxhost_tty state;
    struct linux_winsize window;

    (void)file;
    if (!look(&state))
        return -LX_EIO;
    switch (request) {
    case LINUX_TCGETS: return user_write(argument, state.termios, sizeof state.termios);
    case LINUX_TCSETS:
    case LINUX_TCSETSW: return set_termios(argument, 0);
    case LINUX_TCSETSF: return set_termios(argument, LXHOST_TTY_FLUSH);
    case LINUX_TCFLSH: return flush(&state);
    case LINUX_TIOCGWINSZ:
        window = (struct linux_winsize){state.rows, state.columns, 0, 0};
        return user_write(argument, &window, sizeof window);
    case LINUX_TIOCGPGRP: return give_number(argument, state.group);
    case LINUX_TIOCSPGRP: return set_group(argument);
    case LINUX_TIOCGSID: return give_number(argument, state.session);
    case LINUX_FIONREAD: return give_number(argument, (int32_t)state.bytes);
    default: return -LX_ENOTTY; /* which it does not know, as Linux */
    }
}

static int64_t stat_terminal(struct open_file *file, struct linux_stat *stat)
{
    (void)file;
    stat_of_made_up(made_up_find("/dev/tty"), "/dev/tty", stat);
    return 0;
}

static uint32_t ready_terminal(struct open_file *file, uint32_t events)
{
    struct lxhost_tty state;

    (void)file;
    host_listen();
    if (!look(&state) || (state.ready & LXHOST_READY_END) != 0)
        return events & (LINUX_POLLIN | LINUX_POLLOUT); /* a read says what is wrong */
    return ((state.ready & LXHOST_READY_READ) != 0 ? events & LINUX_POLLIN : 0) |
           (events & LINUX_POLLOUT);
}

const struct open_methods terminal_methods = {
    .read = read_terminal,
    .write = write_terminal,
    .ioctl = ioctl_terminal,
    .stat = stat_terminal,
    .ready = ready_terminal,
};
