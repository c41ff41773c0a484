// SPDX-License-Identifier: MIT
/* poll - poll() and select(): waiting until descriptors are ready. Each kind of open file says by its `ready` what it is. */
#include "lib/base/string.h"
#include "lib/mnos/time.h"
#include "personality/linux/lx/abi.h"
#include "personality/linux/lx/calls.h"
#include "personality/linux/lx/clock.h"
#include "personality/linux/lx/poll.h"
#include "personality/linux/lx/signals.h"
#include "personality/linux/lx/wait.h"

#define READ_EVENTS (LINUX_POLLIN | LINUX_POLLRDNORM)
#define WRITE_EVENTS (LINUX_POLLOUT | LINUX_POLLWRNORM)
#define ALWAYS_TOLD (LINUX_POLLERR | LINUX_POLLHUP)

uint32_t poll_ready(struct open_file *file, uint32_t events)
{
    uint32_t asked = events, found;

    if ((events & READ_EVENTS) != 0)
        asked |= LINUX_POLLIN;
    if ((events & WRITE_EVENTS) != 0)
        asked |= LINUX_POLLOUT;
    found = file->methods->ready != NULL ? file->methods->ready(file, asked)
                                         : asked & (LINUX_POLLIN | LINUX_POLLOUT);
    if ((found & LINUX_POLLIN) != 0)
        found |= LINUX_POLLRDNORM;
    if ((found & LINUX_POLLOUT) != 0)
        found |= LINUX_POLLWRNORM;
    return found & (events | ALWAYS_TOLD);
}

/* How many are ready; called until some are. */
typedef int64_t look_once(void *of);

static int64_t wait_for(look_once *look, void *of, uint64_t deadline)
{
    for (;;) {
        int64_t found = look(of);

        if (found != 0 || deadline == 0)
            return found;
        found = wait_or_signal(deadline);
        if (found == -LX_EAGAIN)
            deadline = 0; /* and one last look */
        else if (found != 0)
            return found;
    }
}

static int64_t read_time(uint64_t from, uint64_t *deadline)
{
    struct linux_timespec time;

    *deadline = MNOS_DEADLINE_NEVER;
    if (from == 0)
        return 0;
    if (user_read(&time, from, sizeof time) != 0)
        return -LX_EFAULT;
    if (!time_is_valid(&time))
        return -LX_EINVAL;
    *deadline = deadline_after_ns(time_to_ns(&time));
    return 0;
}

static uint64_t left_until(uint64_t deadline)
{
    uint64_t now = kinfo_time_ns();

    return deadline > now ? deadline - now : 0;
}

/* ---- poll ---- */

struct poll {
    uint64_t descriptors;
    uint32_t count;
};

static int64_t poll_once(void *of)
{
    const struct poll *poll = of;
    struct linux_pollfd entry;
    int64_t found = 0;

    for (uint32_t i = 0; i < poll->count; i++) {
        uint64_t at = poll->descriptors + i * sizeof entry;
        struct open_file *file;

        if (user_read(&entry, at, sizeof entry) != 0)
            return -LX_EFAULT;
        file = descriptor_file(entry.fd);
        entry.revents = 0;
        if (entry.fd >= 0 && file == NULL)
            entry.revents = LINUX_POLLNVAL;
        else if (entry.fd >= 0)
            entry.revents = (uint16_t)poll_ready(file, entry.events);
        if (user_write(at, &entry, sizeof entry) != 0)
            return -LX_EFAULT;
        found += entry.revents != 0;
    }
    return found;
}

int64_t lx_poll(uint64_t descriptors, uint32_t count, int32_t timeout_ms)
{
    struct poll poll = {descriptors, count};

    if (count > DESCRIPTORS_MAX)
        return -LX_EINVAL;
    return wait_for(poll_once, &poll,
                    timeout_ms < 0 ? MNOS_DEADLINE_NEVER
                                   : deadline_after_ns((uint64_t)timeout_ms * 1000000u));
}

int64_t lx_ppoll(uint64_t descriptors, uint32_t count, uint64_t timeout, uint64_t mask,
                 uint64_t size)
{
    struct poll poll = {descriptors, count};
    uint64_t deadline;
    int64_t result = count > DESCRIPTORS_MAX ? -LX_EINVAL : read_time(timeout, &deadline);

    if (result == 0)
        result = signals_block_for_now_at(mask, size);
    return result != 0 ? result : wait_for(poll_once, &poll, deadline);
}

/* ---- select ---- */

#define SET_WORDS (DESCRIPTORS_MAX / 64)
enum set { SET_READ, SET_WRITE, SET_EXCEPTION, SETS };

struct select {
    uint32_t count; /* of descriptors */
    uint64_t wanted[SETS][SET_WORDS], found[SETS][SET_WORDS];
};

/* What select() calls ready: fs/select.c of Linux. */
static const struct {
    uint32_t asked, counts;
} events_of[SETS] = {
    [SET_READ] = {LINUX_POLLIN, LINUX_POLLIN | LINUX_POLLHUP | LINUX_POLLERR},
    [SET_WRITE] = {LINUX_POLLOUT, LINUX_POLLOUT | LINUX_POLLERR},
    [SET_EXCEPTION] = {LINUX_POLLPRI, LINUX_POLLPRI},
};

static bool in_set(const uint64_t set[SET_WORDS], uint32_t fd)
{
    return (set[fd / 64] >> fd % 64 & 1) != 0;
}

static int64_t select_descriptor(struct select *select, uint32_t fd)
{
    uint32_t asked = 0, found;
    struct open_file *file;
    int64_t count = 0;

    for (unsigned i = 0; i < SETS; i++)
        asked |= in_set(select->wanted[i], fd) ? events_of[i].asked : 0;
    if (asked == 0)
        return 0;
    file = descriptor_file((int32_t)fd);
    if (file == NULL)
        return -LX_EBADF;
    found = poll_ready(file, asked);
    for (unsigned i = 0; i < SETS; i++) {
        if (in_set(select->wanted[i], fd) && (found & events_of[i].counts) != 0) {
            select->found[i][fd / 64] |= 1ull << fd % 64;
            count++;
        }
    }
    return count;
}

static int64_t select_once(void *of)
{
    struct select *select = of;
    int64_t found = 0;

    memset(select->found, 0, sizeof select->found);
    for (uint32_t fd = 0; fd < select->count; fd++) {
        int64_t result = select_descriptor(select, fd);

        if (result < 0)
            return result;
        found += result;
    }
    return found;
}

/* All of the sets that are there, in whole words, as Linux reads and writes them. */
static int64_t move_sets(uint32_t count, const uint64_t addresses[SETS],
                         uint64_t sets[SETS][SET_WORDS], bool out)
{
    size_t bytes = (count + 63) / 64 * sizeof(uint64_t);

    for (unsigned i = 0; i < SETS; i++) {
        int64_t result = 0;

        if (addresses[i] != 0)
            result = out ? user_write(addresses[i], sets[i], bytes)
                         : user_read(sets[i], addresses[i], bytes);
        if (result != 0)
            return result;
    }
    return 0;
}

static int64_t select_until(int32_t count, const uint64_t addresses[SETS], uint64_t deadline)
{
    struct select select = {.count = (uint32_t)count};
    int64_t result, found;

    if (count < 0)
        return -LX_EINVAL;
    if (select.count > DESCRIPTORS_MAX)
        select.count = DESCRIPTORS_MAX; /* beyond are none, and Linux looks at none */
    result = move_sets(select.count, addresses, select.wanted, false);
    if (result != 0)
        return result;
    found = wait_for(select_once, &select, deadline);
    if (found < 0)
        return found;
    result = move_sets(select.count, addresses, select.found, true);
    return result != 0 ? result : found;
}

int64_t lx_select(int32_t count, uint64_t in, uint64_t out, uint64_t exceptions, uint64_t timeout)
{
    const uint64_t addresses[SETS] = {in, out, exceptions};
    uint64_t deadline = MNOS_DEADLINE_NEVER;
    struct linux_timeval time;
    int64_t result;

    if (timeout != 0) {
        if (user_read(&time, timeout, sizeof time) != 0)
            return -LX_EFAULT;
        if (time.seconds < 0 || time.microseconds < 0)
            return -LX_EINVAL;
        deadline = deadline_after_ns(time_to_ns(&(struct linux_timespec){
            time.seconds + time.microseconds / 1000000, time.microseconds % 1000000 * 1000}));
    }
    result = select_until(count, addresses, deadline);
    if (timeout != 0) { /* what is left of it; a program that cannot be told is not told */
        uint64_t left = left_until(deadline);

        time = (struct linux_timeval){(int64_t)(left / 1000000000),
                                      (int64_t)(left % 1000000000 / 1000)};
        (void)user_write(timeout, &time, sizeof time);
    }
    return result;
}

int64_t lx_pselect6(int32_t count, uint64_t in, uint64_t out, uint64_t exceptions, uint64_t timeout,
                    uint64_t mask)
{
    const uint64_t addresses[SETS] = {in, out, exceptions};
    uint64_t deadline, mask_and_size[2] = {0};
    int64_t result = read_time(timeout, &deadline);

    if (result == 0 && mask != 0)
        result = user_read(mask_and_size, mask, sizeof mask_and_size);
    if (result == 0)
        result = signals_block_for_now_at(mask_and_size[0], mask_and_size[1]);
    if (result != 0)
        return result;
    result = select_until(count, addresses, deadline);
    if (timeout != 0) {
        uint64_t left = left_until(deadline);
        struct linux_timespec time = {(int64_t)(left / 1000000000), (int64_t)(left % 1000000000)};

        (void)user_write(timeout, &time, sizeof time);
    }
    return result;
}
