// SPDX-License-Identifier: MIT
/* share - windows of sessions, bells and news: rules K4 and K5 of protocols/socket.h. */
#include "lib/mnos/syscall.h"
#include "services/net/net.h"

/* A full fence: the store before is visible before what is loaded after. */
#define FENCE() atomic_thread_fence(memory_order_seq_cst)

/* What the client is to be told of goes first. */
static void drop_listener(struct net *net, struct share *share)
{
    if (share->listener != 0 && net->loop.tell == share->listener)
        server_loop_tell(&net->loop);
    if (share->listener != 0)
        (void)!sys_cap_delete(share->listener);
    share->listener = 0;
}

_Static_assert(NET_SHARES <= 64, "bits of shares_used");
_Static_assert(SOCKETS_OF_WINDOW < 64, "bits of a share");

/* The lowest of some shares, which is taken out. */
static struct share *next_share(struct net *net, uint64_t *left)
{
    struct share *share = &net->shares[__builtin_ctzll(*left)];

    *left &= *left - 1;
    return share;
}

static struct share *free_share(struct net *net)
{
    for (uint32_t i = 0; i < NET_SHARES; i++)
        if (net->shares[i].page == NULL)
            return &net->shares[i];
    return NULL;
}

static uint32_t number_of(const struct net *net, const struct share *share)
{
    return (uint32_t)(share - net->shares);
}

static void touch(struct net *net, const struct share *share)
{
    numbers_add(&net->changes.shares, number_of(net, share));
}

/* Of an account, with those of its sessions that have ended: its windows, and what they have room for. */
static uint32_t windows_of_account(const struct net *net, uint32_t account, uint32_t *slots)
{
    uint32_t windows = 0;

    *slots = 0;
    for (uint64_t left = net->shares_used; left != 0; left &= left - 1) {
        const struct share *share = &net->shares[__builtin_ctzll(left)];

        if (share->account != account)
            continue;
        windows++;
        *slots += share->slots;
    }
    return windows;
}

/* Windows are few, and one with a single socket takes the place of one with all: an account has a share of them, or as many
 * as its sockets fill and half a share, as sessions do not fill their last ones. */
static uint32_t windows_share(uint32_t sockets)
{
    uint32_t share = NET_SHARES / SESSION_SHARE;
    uint32_t filled = (sockets + SOCKETS_OF_WINDOW - 1) / SOCKETS_OF_WINDOW + share / 2;

    return filled > share ? filled : share;
}

/* Each page of a window is charged to its account: as many as its sockets need, and as many again, for windows in which
 * sockets of sessions that have ended linger. */
static mnos_status_t make(struct net *net, uint32_t session, const struct socket_window *wanted)
{
    struct window_memory *memory = &net->windows_region.memory;
    uint32_t account = session_at(net->loop.sessions, session)->account;
    uint32_t sockets = socket_share(net, session), slots;
    struct share *share = free_share(net);
    mnos_status_t status = MNOS_ERR_QUOTA;

    if (share == NULL || windows_of_account(net, account, &slots) >= windows_share(sockets) ||
        slots + wanted->sockets > 2 * sockets)
        return status;
    *share = (struct share){.slots = wanted->sockets,
                            .session = session,
                            .index = (uint16_t)wanted->index,
                            .account = (uint16_t)account};
    status = memory->open(memory->context, SOCKET_WINDOW_PAGES(wanted->sockets) * MNOS_PAGE_BYTES,
                          &share->window);
    if (status != MNOS_OK)
        return status == MNOS_ERR_MEMORY ? MNOS_ERR_QUOTA : status;
    share->page = share->window.memory.address;
    net->windows[session][wanted->index] = share;
    net->shares_used |= 1ull << number_of(net, share);
    touch(net, share);
    return MNOS_OK;
}

bool share_recover(struct net *net, uint32_t number)
{
    struct window_memory *memory = &net->windows_region.memory;
    const struct kept_share *image = &net->kept->shares[number];
    struct share *share = &net->shares[number];

    *share = (struct share){.slots = image->slots,
                            .session = image->session,
                            .index = image->index,
                            .account = image->account};
    if (image->slots > SOCKETS_OF_WINDOW || image->session > NET_SESSIONS ||
        image->index >= SOCKET_WINDOWS ||
        (image->session != 0 && net->windows[image->session][image->index] != NULL) ||
        memory->find(memory->context, image->place, &share->window) != MNOS_OK ||
        window_bytes(&share->window) < SOCKET_WINDOW_PAGES(image->slots) * MNOS_PAGE_BYTES)
        return false;
    share->page = share->window.memory.address;
    net->shares_used |= 1ull << number;
    if (share->session != 0)
        net->windows[share->session][share->index] = share;
    return true;
}

mnos_status_t share_open(struct net *net, uint32_t session, const struct socket_window *wanted,
                         mnos_cap_t listener)
{
    struct share *share;
    mnos_status_t status = MNOS_OK;

    if (wanted->sockets == 0 || wanted->sockets > SOCKETS_OF_WINDOW ||
        wanted->index >= SOCKET_WINDOWS ||
        (wanted->index != 0 && net->windows[session][wanted->index - 1] == NULL) || listener == 0 ||
        wanted->events == 0 || sys_ipc_notify(listener, wanted->events) != MNOS_OK)
        return MNOS_ERR_ARGUMENT;
    if (net->windows[session][wanted->index] == NULL)
        status = make(net, session, wanted);
    if (status != MNOS_OK)
        return status;
    share = net->windows[session][wanted->index];
    drop_listener(net, share);
    share->listener = listener;
    share->events = wanted->events;
    share_changed(net, share);
    share->news |= share->used; /* a client that asks again may have missed some */
    return MNOS_OK;
}

uint32_t share_slots_beside(const struct net *net, uint32_t session, uint32_t index)
{
    uint32_t slots = 0;

    for (uint32_t i = 0; i < SOCKET_WINDOWS; i++)
        if (i != index && net->windows[session][i] != NULL)
            slots += net->windows[session][i]->slots;
    return slots;
}

/* H1. The memory is the client's, and a socket's of the next run's, until the images say that nobody has it. */
static void end_unused(struct net *net, struct share *share)
{
    if (share->session != 0 || (share->used & ~share->leaving) != 0)
        return;
    share->ending = true;
    share_changed(net, share);
    touch(net, share);
}

static void close_share(struct net *net, struct share *share)
{
    struct window_memory *memory = &net->windows_region.memory;

    memory->close(memory->context, &share->window);
    net->shares_used &= ~(1ull << number_of(net, share));
    *share = (struct share){0};
}

void share_leave(struct net *net, uint32_t session)
{
    for (uint32_t i = 0; i < SOCKET_WINDOWS; i++) {
        struct share *share = net->windows[session][i];

        if (share == NULL)
            continue;
        net->windows[session][i] = NULL;
        drop_listener(net, share);
        share->session = 0;
        touch(net, share);
        end_unused(net, share);
    }
}

void *share_ring(const struct share *share, uint32_t page)
{
    return (uint8_t *)share->window.memory.address + (uint64_t)page * MNOS_PAGE_BYTES;
}

/* The first of its windows that has a free slot; NULL: none has. */
static struct share *window_with_room(struct net *net, uint32_t session)
{
    for (uint32_t i = 0; i < SOCKET_WINDOWS; i++) {
        struct share *share = net->windows[session][i];

        if (share != NULL && (~share->used & ((1ull << share->slots) - 1)) != 0)
            return share;
    }
    return NULL;
}

struct share *share_take_slot(struct net *net, uint32_t session, uint32_t *slot)
{
    struct share *share = window_with_room(net, session);
    uint32_t number;

    if (share == NULL)
        return NULL;
    number = (uint32_t)__builtin_ctzll(~share->used);
    share->used |= 1ull << number;
    memset(share_ring(share, SOCKET_SEND_PAGE(number)), 0, sizeof(struct ring_shared));
    memset(share_ring(share, SOCKET_RECEIVE_PAGE(number)), 0, sizeof(struct ring_shared));
    memset(&share->page->cells[number], 0, sizeof share->page->cells[number]);
    *slot = number;
    return share;
}

void share_give_slot(struct net *net, struct share *share, uint32_t slot)
{
    share->leaving |= 1ull << slot;
    share_changed(net, share);
    share->sockets[slot] = NULL;
    share->news &= ~(1ull << slot);
    end_unused(net, share);
}

static void pump(const struct share *share, uint64_t bits)
{
    for (; bits != 0; bits &= bits - 1) {
        struct socket *socket = share->sockets[__builtin_ctzll(bits)];

        if (socket == NULL)
            continue; /* it has ended, maybe by one that was pumped before */
        if (socket->kind == KIND_TCP)
            tcp_socket_pump(socket);
        else if (socket->kind == KIND_UDP)
            udp_socket_pump(socket);
    }
}

void shares_pump(struct net *net)
{
    for (uint64_t left = net->shares_used; left != 0; left &= left - 1) {
        const struct share *share = &net->shares[__builtin_ctzll(left)];

        if (atomic_load_explicit(&share->page->bell, memory_order_acquire) != 0)
            pump(share, atomic_exchange_explicit(&share->page->bell, 0, memory_order_acquire) &
                            share->used);
    }
}

/* The client is told as the loop begins to wait, in the same system call; one before the last, at once. */
static void tell(struct net *net, const struct share *share)
{
    server_loop_tell(&net->loop);
    net->loop.tell = share->listener;
    net->loop.tell_events = share->events;
}

static void publish(struct net *net, struct share *share)
{
    share->used &= ~share->leaving;
    share->leaving = 0;
    if (share->ending)
        close_share(net, share);
    if (share->page == NULL || share->news == 0)
        return;
    atomic_fetch_or_explicit(&share->page->news, share->news, memory_order_release);
    share->news = 0;
    FENCE();
    if (share->listener != 0 &&
        atomic_load_explicit(&share->page->client_waits, memory_order_relaxed) != 0 &&
        atomic_exchange_explicit(&share->page->client_waits, 0, memory_order_relaxed) != 0)
        tell(net, share);
}

void shares_publish(struct net *net)
{
    uint64_t left = net->shares_changed;

    net->shares_changed = 0;
    while (left != 0)
        publish(net, next_share(net, &left));
}

/* Who rings makes `net_waits` 0. So a share whose word is still 1 has not rung, or will set the event. */
bool shares_sleep(struct net *net)
{
    uint64_t rang = 0;
    bool nothing = true;

    for (uint64_t left = net->shares_used; left != 0; left &= left - 1) {
        struct socket_page *page = net->shares[__builtin_ctzll(left)].page;

        if (atomic_load_explicit(&page->net_waits, memory_order_relaxed) == 0) {
            atomic_store_explicit(&page->net_waits, 1, memory_order_relaxed);
            rang |= left & -left;
        }
    }
    FENCE();
    while (rang != 0) {
        const struct share *share = next_share(net, &rang);

        nothing &=
            (atomic_load_explicit(&share->page->bell, memory_order_relaxed) & share->used) == 0;
    }
    return nothing;
}
