// SPDX-License-Identifier: MIT
/* event_fd - eventfd(2), a number that is written and read, and signalfd(2), signals that are read: see events.h. */
#include "lib/base/string.h"
#include "personality/linux/lx/abi.h"
#include "personality/linux/lx/calls.h"
#include "personality/linux/lx/events.h"
#include "personality/linux/lx/piece.h"
#include "personality/linux/lx/signals.h"
#include "personality/linux/lx/wait.h"

#define EFD_SEMAPHORE 1u
#define NEW_FLAGS (LINUX_O_NONBLOCK | LINUX_O_CLOEXEC) /* EFD_ and SFD_ have them, too */

struct counter_file {
    uint64_t value;   /* of an eventfd */
    uint64_t changes; /* how often it was written to */
    bool semaphore;
    uint64_t mask; /* of a signalfd: 0 of an eventfd */
};

int64_t events_stat(struct open_file *file, struct linux_stat *stat)
{
    (void)file;
    *stat =
        (struct linux_stat){.inode = 1, .links = 1, .mode = 0600, .block_bytes = (int64_t)LX_PAGE};
    return 0;
}

struct open_file *events_make(const struct open_methods *methods, size_t bytes, uint32_t flags)
{
    void *own = piece_allocate(bytes);
    struct open_file *file =
        own == NULL ? NULL : open_file_make(methods, LINUX_O_RDWR | (flags & LINUX_O_NONBLOCK), "");

    if (file == NULL) {
        piece_free(own);
        return NULL;
    }
    memset(own, 0, bytes);
    file->own = own;
    return file;
}

int64_t events_open(struct open_file *file, uint32_t flags)
{
    return descriptor_add(file, 0, (flags & LINUX_O_CLOEXEC) != 0);
}

int64_t events_of(int32_t fd, const struct open_methods *methods, struct open_file **file)
{
    *file = descriptor_file(fd);
    if (*file == NULL)
        return -LX_EBADF;
    return (*file)->methods == methods ? 0 : -LX_EINVAL;
}

static void close_counter(struct open_file *file)
{
    piece_free(file->own);
}

/* ---- eventfd ---- */

static int64_t read_event(struct open_file *file, uint64_t to, uint64_t count, uint64_t offset)
{
    struct counter_file *event = file->own;
    uint64_t taken;

    (void)offset;
    if (count < sizeof taken)
        return -LX_EINVAL;
    while (event->value == 0) {
        int64_t result = wait_for_change(file);

        if (result != 0)
            return result;
    }
    taken = event->semaphore ? 1 : event->value;
    event->value -= taken;
    event->changes++;
    wait_changed();
    return user_write(to, &taken, sizeof taken) == 0 ? (int64_t)sizeof taken : -LX_EFAULT;
}

static int64_t write_event(struct open_file *file, uint64_t from, uint64_t count, uint64_t offset)
{
    struct counter_file *event = file->own;
    uint64_t more;

    (void)offset;
    if (count < sizeof more)
        return -LX_EINVAL;
    if (user_read(&more, from, sizeof more) != 0)
        return -LX_EFAULT;
    if (more == UINT64_MAX)
        return -LX_EINVAL;
    while (UINT64_MAX - event->value <= more) {
        int64_t result = wait_for_change(file);

        if (result != 0)
            return result;
    }
    event->value += more;
    event->changes++;
    wait_changed();
    return sizeof more;
}

static uint32_t ready_event(struct open_file *file, uint32_t events)
{
    const struct counter_file *event = file->own;

    return events & ((event->value != 0 ? LINUX_POLLIN : 0) |
                     (event->value < UINT64_MAX - 1 ? LINUX_POLLOUT : 0));
}

static uint64_t changes_of_event(struct open_file *file)
{
    return ((const struct counter_file *)file->own)->changes + 1;
}

static const struct open_methods event_methods = {
    .read = read_event,
    .write = write_event,
    .stat = events_stat,
    .ready = ready_event,
    .changes = changes_of_event,
    .close = close_counter,
};

int64_t lx_eventfd2(uint32_t value, uint32_t flags)
{
    struct counter_file *event;
    struct open_file *file;

    if ((flags & ~(EFD_SEMAPHORE | NEW_FLAGS)) != 0)
        return -LX_EINVAL;
    file = events_make(&event_methods, sizeof *event, flags);
    if (file == NULL)
        return -LX_ENOMEM;
    event = file->own;
    event->value = value;
    event->semaphore = (flags & EFD_SEMAPHORE) != 0;
    return events_open(file, flags);
}

int64_t lx_eventfd(uint32_t value)
{
    return lx_eventfd2(value, 0);
}

/* ---- signalfd ---- */

/* linux/signalfd.h */
struct signalfd_siginfo {
    uint32_t signal;
    int32_t error, code;
    uint32_t process, user;
    int32_t fd;
    uint32_t thread, band, overrun, trap;
    int32_t status, value;
    uint64_t pointer, user_time, system_time, address;
    uint8_t pad[48];
};
_Static_assert(sizeof(struct signalfd_siginfo) == 128, "struct signalfd_siginfo");

static struct signalfd_siginfo described(const struct linux_siginfo *info)
{
    return (struct signalfd_siginfo){
        .signal = (uint32_t)info->signal,
        .error = info->error,
        .code = info->code,
        .process = (uint32_t)info->process,
        .user = info->user,
        .value = (int32_t)info->value,
        .pointer = info->value,
    };
}

static int64_t read_signals(struct open_file *file, uint64_t to, uint64_t count, uint64_t offset)
{
    const struct counter_file *signals = file->own;
    struct signalfd_siginfo record;
    struct linux_siginfo info;
    uint64_t done = 0;

    (void)offset;
    if (count < sizeof record)
        return -LX_EINVAL;
    while (count - done >= sizeof record) {
        int64_t result = 0;

        if (signals_take(signals->mask, &info) == 0) {
            if (done == 0)
                result = wait_for_change(file);
            if (done != 0 || result != 0)
                return done != 0 ? (int64_t)done : result;
            continue;
        }
        record = described(&info);
        if (user_write(to + done, &record, sizeof record) != 0)
            return done != 0 ? (int64_t)done : -LX_EFAULT;
        done += sizeof record;
    }
    return (int64_t)done;
}

static uint32_t ready_signals(struct open_file *file, uint32_t events)
{
    const struct counter_file *signals = file->own;

    return signals_pending(signals->mask) != 0 ? events & LINUX_POLLIN : 0;
}

static const struct open_methods signals_methods = {
    .read = read_signals,
    .stat = events_stat,
    .ready = ready_signals,
    .close = close_counter,
};

int64_t lx_signalfd4(int32_t fd, uint64_t set, uint64_t size, uint32_t flags)
{
    struct open_file *file;
    uint64_t mask;
    int64_t result;

    if (size != sizeof mask || (flags & ~NEW_FLAGS) != 0)
        return -LX_EINVAL;
    if (user_read(&mask, set, sizeof mask) != 0)
        return -LX_EFAULT;
    mask &= ~(SIGNAL_BIT(LINUX_SIGKILL) | SIGNAL_BIT(LINUX_SIGSTOP));
    if (fd == -1) {
        file = events_make(&signals_methods, sizeof(struct counter_file), flags);
        if (file == NULL)
            return -LX_ENOMEM;
        ((struct counter_file *)file->own)->mask = mask;
        return events_open(file, flags);
    }
    result = events_of(fd, &signals_methods, &file);
    if (result != 0)
        return result;
    ((struct counter_file *)file->own)->mask = mask;
    return fd;
}

int64_t lx_signalfd(int32_t fd, uint64_t set, uint64_t size)
{
    return lx_signalfd4(fd, set, size, 0);
}
