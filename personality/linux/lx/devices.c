// SPDX-License-Identifier: MIT
/* devices - /dev/null, zero, full, random and urandom, and random numbers. */
#include "lib/base/string.h"
#include "personality/linux/lx/calls.h"
#include "personality/linux/lx/mounts.h"
#include "personality/linux/lx/open_file.h"
#include "personality/linux/lx/random.h"
#include "personality/linux/lx/stat.h"

static int64_t read_nothing(struct open_file *file, uint64_t to, uint64_t count, uint64_t offset)
{
    (void)file, (void)to, (void)count, (void)offset;
    return 0;
}

static int64_t read_zeros(struct open_file *file, uint64_t to, uint64_t count, uint64_t offset)
{
    (void)file, (void)offset;
    return user_zero(to, count) == 0 ? (int64_t)count : -LX_EFAULT;
}

static int64_t write_away(struct open_file *file, uint64_t from, uint64_t count, uint64_t offset)
{
    (void)file, (void)from, (void)offset;
    return (int64_t)count;
}

static int64_t write_full(struct open_file *file, uint64_t from, uint64_t count, uint64_t offset)
{
    (void)file, (void)from, (void)count, (void)offset;
    return -LX_ENOSPC;
}

static int64_t fill_random(uint64_t to, uint64_t count)
{
    uint8_t bytes[256];
    uint64_t done = 0;

    while (done < count) {
        uint64_t part = count - done < sizeof bytes ? count - done : sizeof bytes;

        if (!random_bytes(bytes, part))
            return -LX_ENODEV;
        if (user_write(to + done, bytes, part) != 0)
            return done != 0 ? (int64_t)done : -LX_EFAULT;
        done += part;
    }
    return (int64_t)done;
}

static int64_t read_random(struct open_file *file, uint64_t to, uint64_t count, uint64_t offset)
{
    (void)file, (void)offset;
    return fill_random(to, count);
}

static int64_t stat_device(struct open_file *file, struct linux_stat *stat)
{
    stat_of_made_up(file->made_up, file->path, stat);
    return 0;
}

static uint32_t ready_device(struct open_file *file, uint32_t events)
{
    (void)file;
    return events & (LINUX_POLLIN | LINUX_POLLOUT);
}

const struct open_methods null_methods = {.read = read_nothing,
                                          .write = write_away,
                                          .stat = stat_device,
                                          .ready = ready_device,
                                          .seekable = true};
const struct open_methods zero_methods = {.read = read_zeros,
                                          .write = write_away,
                                          .stat = stat_device,
                                          .ready = ready_device,
                                          .seekable = true};
const struct open_methods full_methods = {.read = read_zeros,
                                          .write = write_full,
                                          .stat = stat_device,
                                          .ready = ready_device,
                                          .seekable = true};
const struct open_methods random_methods = {.read = read_random,
                                            .write = write_away,
                                            .stat = stat_device,
                                            .ready = ready_device,
                                            .seekable = true};

#define GRND_ALL 7u /* NONBLOCK, RANDOM, INSECURE: all of it is there from the beginning */

int64_t lx_getrandom(uint64_t to, uint64_t count, uint32_t flags)
{
    if ((flags & ~GRND_ALL) != 0 || (flags & 6) == 6)
        return -LX_EINVAL;
    return fill_random(to, count < INT32_MAX ? count : INT32_MAX);
}
