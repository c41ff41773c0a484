// SPDX-License-Identifier: MIT
/*
 * epoll - epoll_create(2) and its kin: see events.h.
 *
 * E1  a watch refers to an open file that is open: its end takes the watches of it away (epoll_forget())
 * E2  of each open file and descriptor there is at most one watch in an epoll
 *
 * What is ready is found by looking at all that is watched. With EPOLLET what was told is told again when the open file has
 * changed since (`changes` of open_file.h); of one that cannot say so reading is told as without it, which costs its reader a
 * look.
 */
#include "lib/base/string.h"
#include "lib/mnos/time.h"
#include "personality/linux/lx/abi.h"
#include "personality/linux/lx/calls.h"
#include "personality/linux/lx/events.h"
#include "personality/linux/lx/piece.h"
#include "personality/linux/lx/poll.h"
#include "personality/linux/lx/signals.h"
#include "personality/linux/lx/wait.h"

#define EPOLL_CTL_ADD 1u
#define EPOLL_CTL_DEL 2u
#define EPOLL_CTL_MOD 3u
#define EPOLLONESHOT (1u << 30)
#define EPOLLET (1u << 31)
#define EVENTS 0xFFFFu /* as of poll */
#define NESTED_MAX 5u

struct __attribute__((packed)) linux_epoll_event {
    uint32_t events;
    uint64_t data;
};

struct watch {
    struct open_file *file;
    int32_t fd;
    uint32_t events; /* with EPOLLET and EPOLLONESHOT; none of EVENTS: it was told once */
    uint64_t data;
    uint32_t told;    /* EPOLLET: what was, */
    uint64_t changes; /* and when */
};

struct epoll {
    struct epoll *next;
    struct watch *watches;
    uint32_t count, capacity;
    uint32_t turn; /* where the next look begins, so that all have theirs */
};

static struct epoll *first;
static const struct open_methods epoll_methods;

/* ---- What is ready ---- */

/* What of a watch is to be told now. */
static uint32_t look(struct watch *watch)
{
    uint32_t wanted = watch->events & EVENTS, found;
    uint64_t changes;

    if (wanted == 0)
        return 0;
    found = poll_ready(watch->file, wanted);
    if ((watch->events & EPOLLET) == 0 || found == 0) {
        watch->told = found;
        return found;
    }
    changes =
        watch->file->methods->changes != NULL ? watch->file->methods->changes(watch->file) : 0;
    if ((changes == 0 && (found & LINUX_POLLIN) != 0) || changes != watch->changes ||
        (found & ~watch->told) != 0)
        return found;
    return 0;
}

static void note_told(struct watch *watch, uint32_t found)
{
    watch->told = found;
    watch->changes =
        watch->file->methods->changes != NULL ? watch->file->methods->changes(watch->file) : 0;
    if ((watch->events & EPOLLONESHOT) != 0)
        watch->events &= ~EVENTS;
}

static uint32_t ready_epoll(struct open_file *file, uint32_t events)
{
    struct epoll *epoll = file->own;

    for (uint32_t i = 0; i < epoll->count; i++) {
        if (look(&epoll->watches[i]) != 0)
            return events & LINUX_POLLIN;
    }
    return 0;
}

/* ---- Watches ---- */

static struct watch *find(const struct epoll *epoll, const struct open_file *file, int32_t fd)
{
    for (uint32_t i = 0; i < epoll->count; i++) {
        if (epoll->watches[i].file == file && epoll->watches[i].fd == fd)
            return &epoll->watches[i];
    }
    return NULL;
}

static void remove_watch(struct epoll *epoll, struct watch *watch)
{
    *watch = epoll->watches[--epoll->count];
}

static bool make_room(struct epoll *epoll)
{
    uint32_t capacity = epoll->capacity == 0 ? 16 : epoll->capacity * 2;
    struct watch *larger;

    if (epoll->count < epoll->capacity)
        return true;
    larger = piece_allocate(capacity * sizeof *larger);
    if (larger == NULL)
        return false;
    if (epoll->count != 0)
        memcpy(larger, epoll->watches, epoll->count * sizeof *larger);
    piece_free(epoll->watches);
    epoll->watches = larger;
    epoll->capacity = capacity;
    return true;
}

void epoll_forget(const struct open_file *file)
{
    for (struct epoll *epoll = first; epoll != NULL; epoll = epoll->next) {
        for (uint32_t i = epoll->count; i-- > 0;) {
            if (epoll->watches[i].file == file)
                remove_watch(epoll, &epoll->watches[i]);
        }
    }
}

/* Whether `file` is `what`, or watches it, or one that it watches does; also when there are too many on the way. */
static bool leads_to(const struct open_file *file, const struct open_file *what, uint32_t depth)
{
    const struct epoll *epoll = file->own;

    if (file == what || depth == NESTED_MAX)
        return true;
    if (file->methods != &epoll_methods)
        return false;
    for (uint32_t i = 0; i < epoll->count; i++) {
        if (epoll->watches[i].file->methods == &epoll_methods &&
            leads_to(epoll->watches[i].file, what, depth + 1))
            return true;
    }
    return false;
}

static bool can_be_watched(const struct open_file *file)
{
    return file->methods->ready != NULL &&
           (!file->methods->seekable || file->methods == &random_methods);
}

static int64_t add(struct epoll *epoll, const struct open_file *own, const struct watch *watch)
{
    if (find(epoll, watch->file, watch->fd) != NULL)
        return -LX_EEXIST;
    if (watch->file->methods == &epoll_methods && leads_to(watch->file, own, 0))
        return -LX_ELOOP;
    if (!make_room(epoll))
        return -LX_ENOMEM;
    epoll->watches[epoll->count++] = *watch;
    watch->file->watched = true;
    wait_changed();
    return 0;
}

static int64_t change(struct epoll *epoll, const struct open_file *own, uint32_t operation,
                      const struct watch *wanted)
{
    struct watch *watch = find(epoll, wanted->file, wanted->fd);

    if (operation == EPOLL_CTL_ADD)
        return add(epoll, own, wanted);
    if (operation != EPOLL_CTL_DEL && operation != EPOLL_CTL_MOD)
        return -LX_EINVAL;
    if (watch == NULL)
        return -LX_ENOENT;
    if (operation == EPOLL_CTL_MOD)
        *watch = *wanted;
    else
        remove_watch(epoll, watch);
    wait_changed();
    return 0;
}

int64_t lx_epoll_ctl(int32_t epoll_fd, uint32_t operation, int32_t fd, uint64_t event)
{
    struct linux_epoll_event wanted = {0};
    struct open_file *own, *file;
    struct watch watch;

    if (operation != EPOLL_CTL_DEL && user_read(&wanted, event, sizeof wanted) != 0)
        return -LX_EFAULT;
    own = descriptor_file(epoll_fd);
    file = descriptor_file(fd);
    if (own == NULL || file == NULL)
        return -LX_EBADF;
    if (!can_be_watched(file))
        return -LX_EPERM;
    if (own == file || own->methods != &epoll_methods)
        return -LX_EINVAL;
    watch = (struct watch){.file = file, .fd = fd, .events = wanted.events, .data = wanted.data};
    return change(own->own, own, operation, &watch);
}

/* ---- Waiting ---- */

/* Tells of so many at most; how many, or -EFAULT. */
static int64_t collect(struct epoll *epoll, uint64_t to, uint32_t limit)
{
    uint32_t count = epoll->count, told = 0, begin = count == 0 ? 0 : epoll->turn % count;

    for (uint32_t i = 0; i < count && told < limit; i++) {
        struct watch *watch = &epoll->watches[(begin + i) % count];
        struct linux_epoll_event event = {look(watch), watch->data};

        if (event.events == 0)
            continue;
        if (user_write(to + told * sizeof event, &event, sizeof event) != 0)
            return told != 0 ? (int64_t)told : -LX_EFAULT;
        note_told(watch, event.events);
        epoll->turn = begin + i + 1;
        told++;
    }
    return told;
}

static int64_t wait_for_events(int32_t fd, uint64_t to, int32_t limit, int32_t timeout_ms)
{
    uint64_t deadline =
        timeout_ms < 0 ? MNOS_DEADLINE_NEVER : deadline_after_ns((uint64_t)timeout_ms * 1000000u);
    struct open_file *own;
    int64_t found, waited = 0;

    if (limit <= 0 || limit > INT32_MAX / (int32_t)sizeof(struct linux_epoll_event))
        return -LX_EINVAL;
    found = events_of(fd, &epoll_methods, &own);
    if (found != 0)
        return found;
    for (;;) {
        found = collect(own->own, to, (uint32_t)limit);
        if (found != 0 || deadline == 0 || waited == -LX_EAGAIN)
            return found;
        waited = wait_or_signal(deadline);
        if (waited == -LX_ERESTART)
            return waited;
    }
}

int64_t lx_epoll_wait(int32_t fd, uint64_t to, int32_t limit, int32_t timeout_ms)
{
    return wait_for_events(fd, to, limit, timeout_ms);
}

int64_t lx_epoll_pwait(int32_t fd, uint64_t to, int32_t limit, int32_t timeout_ms, uint64_t mask,
                       uint64_t size)
{
    int64_t result = signals_block_for_now_at(mask, size);

    return result != 0 ? result : wait_for_events(fd, to, limit, timeout_ms);
}

/* ---- The epoll itself ---- */

static void close_epoll(struct open_file *file)
{
    struct epoll *epoll = file->own, **link = &first;

    while (*link != epoll)
        link = &(*link)->next;
    *link = epoll->next;
    piece_free(epoll->watches);
    piece_free(epoll);
}

static const struct open_methods epoll_methods = {
    .stat = events_stat,
    .ready = ready_epoll,
    .close = close_epoll,
};

int64_t lx_epoll_create1(uint32_t flags)
{
    struct open_file *file;
    struct epoll *epoll;

    if ((flags & ~LINUX_O_CLOEXEC) != 0)
        return -LX_EINVAL;
    file = events_make(&epoll_methods, sizeof *epoll, flags);
    if (file == NULL)
        return -LX_ENOMEM;
    epoll = file->own;
    epoll->next = first;
    first = epoll;
    return events_open(file, flags);
}

int64_t lx_epoll_create(int32_t size)
{
    return size <= 0 ? -LX_EINVAL : lx_epoll_create1(0);
}
