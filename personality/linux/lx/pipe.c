// SPDX-License-Identifier: MIT
/* pipe - pipe2(2): an end is an object of lxhost's (host.h), which keeps the bytes; whoever inherits it has it too. */
#include "personality/linux/lx/calls.h"
#include "personality/linux/lx/host.h"
#include "personality/linux/lx/open_file.h"
#include "personality/linux/lx/signals.h"
#include "personality/linux/lx/process.h"
#include "personality/linux/lx/stat.h"
#include "personality/linux/lx/wait.h"

#define PIPE_FLAGS (LINUX_O_CLOEXEC | LINUX_O_NONBLOCK)

/* One request; count is at most what the window holds. */
static mnos_status_t move(enum lxhost_request label, const struct open_file *file, uint64_t count,
                          uint64_t *done)
{
    struct lxhost_io record = {file->object, count};
    struct lxhost_count moved = {0};
    mnos_status_t status = host_ask(label, &record, sizeof record, &moved, sizeof moved);

    *done = moved.count;
    host_take_signals();
    return status;
}

static int64_t read_pipe(struct open_file *file, uint64_t to, uint64_t count, uint64_t offset)
{
    int64_t result = 0;
    uint64_t done;

    (void)offset;
    while (result == 0) {
        mnos_status_t status = move(LXHOST_PIPE_READ, file, lxhost_window_part(count), &done);

        if (status == MNOS_OK)
            return user_write(to, host_window(), done) == 0 ? (int64_t)done : -LX_EFAULT;
        result = status == MNOS_ERR_AGAIN ? wait_for_change(file) : -LX_EIO;
    }
    return result;
}

/* Up to PIPE_BUF in one piece: then no other part of the same write comes behind it. */
static int64_t write_pipe(struct open_file *file, uint64_t from, uint64_t count, uint64_t offset)
{
    uint64_t done = 0, moved;
    int64_t result = 0;

    (void)offset;
    while (done < count && result == 0) {
        size_t copied =
            user_read_some(host_window(), from + done, lxhost_window_part(count - done));
        mnos_status_t status;

        if (copied == 0)
            return done != 0 ? (int64_t)done : -LX_EFAULT;
        status = move(LXHOST_PIPE_WRITE, file, copied, &moved);
        if (status == MNOS_OK)
            done += moved;
        else if (status == MNOS_ERR_AGAIN)
            result = wait_for_change(file);
        else
            result = status == MNOS_ERR_PEER ? -LX_EPIPE : -LX_EIO;
    }
    if (result == -LX_EPIPE)
        process_signal(LINUX_SIGPIPE);
    return done != 0 ? (int64_t)done : result;
}

static bool look(const struct open_file *file, struct lxhost_state *state)
{
    struct lxhost_object record = {file->object};

    return host_ask(LXHOST_PIPE_STATE, &record, sizeof record, state, sizeof *state) == MNOS_OK;
}

static int64_t ioctl_pipe(struct open_file *file, uint32_t request, uint64_t argument)
{
    struct lxhost_state state;
    int32_t count;

    if (request != LINUX_FIONREAD)
        return -LX_ENOTTY;
    if (!look(file, &state))
        return -LX_EIO;
    count = (int32_t)state.bytes;
    return user_write(argument, &count, sizeof count);
}

static int64_t stat_pipe(struct open_file *file, struct linux_stat *stat)
{
    *stat = (struct linux_stat){.inode = file->object + 1,
                                .links = 1,
                                .mode = LINUX_S_IFIFO | 0600,
                                .block_bytes = LX_PAGE};
    return 0;
}

static uint32_t ready_pipe(struct open_file *file, uint32_t events)
{
    struct lxhost_state state;
    bool reads = (file->flags & LINUX_O_ACCMODE) == LINUX_O_RDONLY;
    uint32_t ready;

    host_listen();
    if (!look(file, &state))
        return LINUX_POLLERR;
    ready = ((state.ready & LXHOST_READY_READ) != 0 ? LINUX_POLLIN : 0) |
            ((state.ready & LXHOST_READY_WRITE) != 0 ? LINUX_POLLOUT : 0);
    if ((state.ready & LXHOST_READY_END) != 0)
        return (ready & events) | (reads ? LINUX_POLLHUP : LINUX_POLLERR | LINUX_POLLOUT);
    return ready & events;
}

const struct open_methods pipe_methods = {
    .read = read_pipe,
    .write = write_pipe,
    .ioctl = ioctl_pipe,
    .stat = stat_pipe,
    .ready = ready_pipe,
};

/* A descriptor of one end, or an error; the object is dropped then. */
static int64_t open_end(uint64_t object, uint32_t access, uint32_t flags)
{
    struct open_file *file =
        open_file_make(&pipe_methods, access | (flags & LINUX_O_NONBLOCK), "pipe:");

    if (file == NULL) {
        (void)!host_ask(LXHOST_DROP, &object, sizeof object, NULL, 0);
        return -LX_ENFILE;
    }
    file->object = object;
    file->has_object = true;
    return descriptor_add(file, 0, (flags & LINUX_O_CLOEXEC) != 0);
}

int64_t lx_pipe2(uint64_t to, uint32_t flags)
{
    struct lxhost_pipe made;
    int64_t ends[2];
    int32_t numbers[2];

    if ((flags & ~PIPE_FLAGS) != 0)
        return -LX_EINVAL;
    if (host_ask(LXHOST_PIPE, NULL, 0, &made, sizeof made) != MNOS_OK)
        return -LX_ENFILE;
    ends[0] = open_end(made.read, LINUX_O_RDONLY, flags);
    ends[1] = open_end(made.write, LINUX_O_WRONLY, flags);
    numbers[0] = (int32_t)ends[0];
    numbers[1] = (int32_t)ends[1];
    if (ends[0] >= 0 && ends[1] >= 0 && user_write(to, numbers, sizeof numbers) == 0)
        return 0;
    for (unsigned i = 0; i < 2; i++) {
        if (ends[i] >= 0)
            (void)descriptor_close((int32_t)ends[i]);
    }
    return ends[0] < 0 ? ends[0] : ends[1] < 0 ? ends[1] : -LX_EFAULT;
}

int64_t lx_pipe(uint64_t to)
{
    return lx_pipe2(to, 0);
}
