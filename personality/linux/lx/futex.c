// SPDX-License-Identifier: MIT
/*
 * futex - see futex.h, and kernel/futex/ of Linux.
 *
 * Who waits is in one queue, in the order in which they came. The word is read with the lock of lx held, and who changes it
 * wakes by a call, which takes that lock: so no wake comes between the look at the word and the place in the queue.
 */
#include "personality/linux/lx/futex.h"

#include "lib/mnos/time.h"
#include "personality/linux/lx/calls.h"
#include "personality/linux/lx/clock.h"
#include "personality/linux/lx/threads.h"
#include "personality/linux/lx/wait.h"

#define FUTEX_WAIT 0u
#define FUTEX_WAKE 1u
#define FUTEX_REQUEUE 3u
#define FUTEX_CMP_REQUEUE 4u
#define FUTEX_WAKE_OP 5u
#define FUTEX_WAIT_BITSET 9u
#define FUTEX_WAKE_BITSET 10u
#define FUTEX_COMMAND 0x7Fu
#define FUTEX_CLOCK_REALTIME 0x100u

#define ANY_BIT UINT32_MAX
#define ID_MASK 0x3FFFFFFFu
#define OWNER_DIED 0x40000000u
#define WAITERS 0x80000000u
#define ROBUST_MAX 2048u /* ROBUST_LIST_LIMIT */

struct waiter {
    struct lx_thread *thread;
    uint64_t address;
    uint32_t bits;
    bool woken;
    struct waiter *next;
};
static struct waiter *waiters;

void futex_forked(void)
{
    waiters = NULL;
}

static void add(struct waiter *waiter)
{
    struct waiter **link = &waiters;

    while (*link != NULL)
        link = &(*link)->next;
    waiter->next = NULL;
    *link = waiter;
}

static void drop(struct waiter **link, bool woken)
{
    struct waiter *waiter = *link;

    *link = waiter->next;
    waiter->woken = woken;
}

static bool is_futex(uint64_t address)
{
    return (address & 3) == 0;
}

/* Wakes as many as `count` says; as on Linux it looks at that after the first, so 0 and less are one. */
static int64_t wake(uint64_t address, int32_t count, uint32_t bits)
{
    struct waiter **link = &waiters;
    int32_t woken = 0;

    while (*link != NULL) {
        struct waiter *waiter = *link;

        if (waiter->address != address || (waiter->bits & bits) == 0) {
            link = &waiter->next;
            continue;
        }
        drop(link, true);
        wait_wake(waiter->thread);
        if (++woken >= count)
            break;
    }
    return woken;
}

/* Until it is woken. -ETIMEDOUT: the deadline has passed. */
static int64_t wait(uint64_t address, uint32_t value, uint32_t bits, uint64_t deadline)
{
    struct lx_thread *self = thread_self();
    struct waiter waiter = {.thread = self, .address = address, .bits = bits};
    int64_t result = 0;
    uint32_t word;

    if (bits == 0)
        return -LX_EINVAL;
    if (user_read(&word, address, sizeof word) != 0)
        return -LX_EFAULT;
    if (word != value)
        return -LX_EAGAIN;
    add(&waiter);
    self->waits_for_futex = true;
    while (!waiter.woken && result == 0)
        result = wait_or_signal(deadline);
    self->waits_for_futex = false;
    if (waiter.woken)
        return 0;
    for (struct waiter **link = &waiters; *link != NULL; link = &(*link)->next) {
        if (*link == &waiter) {
            drop(link, false);
            break;
        }
    }
    return result == -LX_EAGAIN ? -LX_ETIMEDOUT : result;
}

/* Wakes some, here none if that is said, and lets others wait for another word. */
static int64_t requeue(uint64_t from, uint64_t to, int32_t wake_count, int32_t move_count)
{
    int64_t woken = wake_count == 0 ? 0 : wake(from, wake_count, ANY_BIT);
    int32_t moved = 0;

    for (struct waiter *waiter = waiters; waiter != NULL && moved < move_count;
         waiter = waiter->next) {
        if (waiter->address != from)
            continue;
        waiter->address = to;
        moved++;
    }
    return woken + moved;
}

/* ---- FUTEX_WAKE_OP ---- */

static int64_t sign_extend(uint32_t value)
{
    return (int64_t)((uint64_t)value << 52) >> 52; /* of 12 bits */
}

static bool apply(uint32_t operation, uint32_t old, uint32_t argument, uint32_t *new)
{
    switch (operation) {
    case 0: *new = argument; return true;
    case 1: *new = old + argument; return true;
    case 2: *new = old | argument; return true;
    case 3: *new = old & ~argument; return true;
    case 4: *new = old ^ argument; return true;
    default: return false;
    }
}

static bool compare(uint32_t comparison, int32_t old, int32_t argument, bool *holds)
{
    switch (comparison) {
    case 0: *holds = old == argument; return true;
    case 1: *holds = old != argument; return true;
    case 2: *holds = old < argument; return true;
    case 3: *holds = old <= argument; return true;
    case 4: *holds = old > argument; return true;
    case 5: *holds = old >= argument; return true;
    default: return false;
    }
}

/* Changes the word as `what` says: 0, and whether its old value is as that says. Each round that does not succeed is one in
 * which another thread has changed the word. */
static int64_t change(uint64_t address, uint32_t what, bool *holds)
{
    uint32_t operation = what >> 28 & 7, argument = (uint32_t)sign_extend(what >> 12 & 0xFFF), new;
    int64_t old, found;

    if ((what >> 31) != 0)
        argument = 1u << (argument & 31);
    if (user_read(&new, address, sizeof new) != 0)
        return -LX_EFAULT;
    found = new;
    do {
        old = found;
        if (!apply(operation, (uint32_t)old, argument, &new))
            return -LX_ENOSYS;
        found = user_compare(address, (uint32_t)old, new);
        if (found < 0)
            return found;
    } while (found != old);
    return compare(what >> 24 & 15, (int32_t)old, (int32_t)sign_extend(what & 0xFFF), holds)
               ? 0
               : -LX_ENOSYS;
}

static int64_t wake_and_change(uint64_t address, uint64_t other, int32_t count, int32_t other_count,
                               uint32_t what)
{
    bool holds = false;
    int64_t result = change(other, what, &holds);

    if (result != 0)
        return result;
    result = wake(address, count, ANY_BIT);
    return holds ? result + wake(other, other_count, ANY_BIT) : result;
}

/* ---- The call ---- */

static int64_t read_deadline(uint64_t timeout, uint32_t operation, uint64_t *deadline)
{
    struct linux_timespec time;

    *deadline = MNOS_DEADLINE_NEVER;
    if (timeout == 0)
        return 0;
    if (user_read(&time, timeout, sizeof time) != 0)
        return -LX_EFAULT;
    if (!time_is_valid(&time))
        return -LX_EINVAL;
    if ((operation & FUTEX_COMMAND) == FUTEX_WAIT)
        *deadline = deadline_after_ns(time_to_ns(&time));
    else
        *deadline = time_deadline((operation & FUTEX_CLOCK_REALTIME) != 0, time_to_ns(&time));
    if (*deadline == 0)
        *deadline = 1; /* that has passed */
    return 0;
}

static int64_t wait_for_word(uint64_t address, uint32_t operation, uint32_t value, uint64_t timeout,
                             uint32_t bits)
{
    uint64_t deadline;
    int64_t result = read_deadline(timeout, operation, &deadline);

    return result != 0 ? result : wait(address, value, bits, deadline);
}

int64_t lx_futex(uint64_t address, uint32_t operation, uint32_t value, uint64_t timeout,
                 uint64_t other, uint32_t third)
{
    int32_t count = (int32_t)value, second = (int32_t)timeout;
    uint32_t command = operation & FUTEX_COMMAND, word;
    bool requeues = command == FUTEX_REQUEUE || command == FUTEX_CMP_REQUEUE;

    if (!is_futex(address) || ((requeues || command == FUTEX_WAKE_OP) && !is_futex(other)) ||
        (requeues && (count < 0 || second < 0)))
        return -LX_EINVAL;
    switch (command) {
    case FUTEX_WAIT: return wait_for_word(address, operation, value, timeout, ANY_BIT);
    case FUTEX_WAIT_BITSET: return wait_for_word(address, operation, value, timeout, third);
    case FUTEX_WAKE: return wake(address, count, ANY_BIT);
    case FUTEX_WAKE_BITSET: return third == 0 ? -LX_EINVAL : wake(address, count, third);
    case FUTEX_CMP_REQUEUE:
        if (user_read(&word, address, sizeof word) != 0)
            return -LX_EFAULT;
        return word != third ? -LX_EAGAIN : requeue(address, other, count, second);
    case FUTEX_REQUEUE: return requeue(address, other, count, second);
    case FUTEX_WAKE_OP: return wake_and_change(address, other, count, second, third);
    default: return -LX_ENOSYS;
    }
}

/* ---- The end of a thread ---- */

/* The owner of a lock has ended: the next one is told. `pending`: it was about to take it or to set it free, so the word may be
 * free with nobody told of it yet. */
static void give_up(uint64_t address, uint32_t id, bool pending)
{
    uint32_t word;
    int64_t found;

    if (!is_futex(address) || user_read(&word, address, sizeof word) != 0)
        return;
    if (pending && word == 0)
        (void)wake(address, 1, ANY_BIT);
    while ((word & ID_MASK) == id) {
        found = user_compare(address, word, (word & WAITERS) | OWNER_DIED);
        if (found < 0)
            return;
        if (found == word)
            break;
        word = (uint32_t)found;
    }
    if ((word & ID_MASK) == id && (word & WAITERS) != 0)
        (void)wake(address, 1, ANY_BIT);
}

/* struct robust_list_head: the list, which ends where it begins, the distance from an entry to its word, and an entry that
 * was about to come into the list or to leave it. Bit 0 of an address is no part of it. */
static void give_up_all(uint64_t list, uint32_t id)
{
    uint64_t head[3], at, next;

    if (list == 0 || user_read(head, list, sizeof head) != 0)
        return;
    at = head[0] & ~1ull;
    for (unsigned i = 0; i < ROBUST_MAX && at != list; i++) {
        bool last = user_read(&next, at, sizeof next) != 0;

        if (at != (head[2] & ~1ull))
            give_up(at + head[1], id, false);
        if (last)
            break;
        at = next & ~1ull;
    }
    if ((head[2] & ~1ull) != 0)
        give_up((head[2] & ~1ull) + head[1], id, true);
}

void futex_thread_ends(const struct lx_thread *thread)
{
    static const uint32_t none;

    give_up_all(thread->robust_list, (uint32_t)thread_id(thread));
    if (thread->clear_id != 0 && user_write(thread->clear_id, &none, sizeof none) == 0)
        (void)wake(thread->clear_id, 1, ANY_BIT);
}
