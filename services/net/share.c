// SPDX-License-Identifier: MIT
/* share - windows of sessions, bells and news: rules K4 and K5 of protocols/socket.h. */
#include "lib/mnos/syscall.h"
#include "services/net/net.h"

/* A full fence: the store before is visible before what is loaded after. */
#define FENCE() atomic_thread_fence(memory_order_seq_cst)

static void drop_cap(mnos_cap_t cap)
{
    if (cap != 0)
        (void)!sys_cap_delete(cap);
}

_Static_assert(NET_SHARES <= 64, "bits of shares_used");

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

static mnos_status_t make(struct net *net, uint32_t session, uint32_t sockets)
{
    struct window_memory *memory = &net->windows_region.memory;
    struct share *share = free_share(net);
    mnos_status_t status = MNOS_ERR_QUOTA;

    if (share == NULL)
        return status;
    *share = (struct share){.slots = sockets, .session = session};
    status = memory->open(memory->context, SOCKET_WINDOW_PAGES(sockets) * MNOS_PAGE_BYTES,
                          &share->window);
    if (status != MNOS_OK)
        return status == MNOS_ERR_MEMORY ? MNOS_ERR_QUOTA : status;
    share->page = share->window.memory.address;
    net->windows[session] = share;
    net->shares_used |= 1ull << number_of(net, share);
    touch(net, share);
    return MNOS_OK;
}

bool share_recover(struct net *net, uint32_t number)
{
    struct window_memory *memory = &net->windows_region.memory;
    const struct kept_share *image = &net->kept->shares[number];
    struct share *share = &net->shares[number];

    *share = (struct share){.slots = image->slots, .session = image->session};
    if (image->slots > SOCKETS_OF_SESSION || image->session > NET_SESSIONS ||
        memory->find(memory->context, net->kept->places[number], &share->window) != MNOS_OK ||
        window_bytes(&share->window) < SOCKET_WINDOW_PAGES(image->slots) * MNOS_PAGE_BYTES)
        return false;
    share->page = share->window.memory.address;
    net->shares_used |= 1ull << number;
    if (share->session != 0)
        net->windows[share->session] = share;
    return true;
}

mnos_status_t share_open(struct net *net, uint32_t session, const struct socket_window *wanted,
                         mnos_cap_t listener)
{
    struct share *share;
    mnos_status_t status = MNOS_OK;

    if (wanted->sockets == 0 || wanted->sockets > SOCKETS_OF_SESSION || listener == 0 ||
        wanted->events == 0 || sys_ipc_notify(listener, wanted->events) != MNOS_OK)
        return MNOS_ERR_ARGUMENT;
    if (net->windows[session] == NULL)
        status = make(net, session, wanted->sockets);
    if (status != MNOS_OK)
        return status;
    share = net->windows[session];
    drop_cap(share->listener);
    share->listener = listener;
    share->events = wanted->events;
    share->news |= share->used; /* a client that asks again may have missed some */
    return MNOS_OK;
}

/* H1. The memory is the client's, and a socket's of the next run's, until the images say that nobody has it. */
static void end_unused(struct net *net, struct share *share)
{
    if (share->session != 0 || (share->used & ~share->leaving) != 0)
        return;
    share->ending = true;
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
    struct share *share = net->windows[session];

    if (share == NULL)
        return;
    net->windows[session] = NULL;
    drop_cap(share->listener);
    share->listener = 0;
    share->session = 0;
    touch(net, share);
    end_unused(net, share);
}

void *share_ring(const struct share *share, uint32_t page)
{
    return (uint8_t *)share->window.memory.address + (uint64_t)page * MNOS_PAGE_BYTES;
}

struct share *share_take_slot(struct net *net, uint32_t session, uint32_t *slot)
{
    struct share *share = net->windows[session];
    uint32_t number;

    if (share == NULL || share->used == UINT64_MAX)
        return NULL;
    number = (uint32_t)__builtin_ctzll(~share->used);
    if (number >= share->slots)
        return NULL;
    share->used |= 1ull << number;
    memset(share_ring(share, SOCKET_SEND_PAGE(number)), 0, SOCKET_SLOT_PAGES * MNOS_PAGE_BYTES);
    memset(&share->page->cells[number], 0, sizeof share->page->cells[number]);
    *slot = number;
    return share;
}

void share_give_slot(struct net *net, struct share *share, uint32_t slot)
{
    share->leaving |= 1ull << slot;
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
    for (uint64_t left = net->shares_used; left != 0;) {
        const struct share *share = next_share(net, &left);

        if (atomic_load_explicit(&share->page->bell, memory_order_acquire) != 0)
            pump(share, atomic_exchange_explicit(&share->page->bell, 0, memory_order_acquire) &
                            share->used);
    }
}

void shares_publish(struct net *net)
{
    for (uint64_t left = net->shares_used; left != 0;) {
        struct share *share = next_share(net, &left);

        share->used &= ~share->leaving;
        share->leaving = 0;
        if (share->ending)
            close_share(net, share);
        if (share->page == NULL || share->news == 0)
            continue;
        atomic_fetch_or_explicit(&share->page->news, share->news, memory_order_release);
        share->news = 0;
        FENCE();
        if (share->listener != 0 &&
            atomic_load_explicit(&share->page->client_waits, memory_order_relaxed) != 0 &&
            atomic_exchange_explicit(&share->page->client_waits, 0, memory_order_relaxed) != 0)
            (void)!sys_ipc_notify(share->listener,
                                  share->events); /* it fails when the client is gone */
    }
}

bool shares_sleep(struct net *net)
{
    bool nothing = true;

    for (uint64_t left = net->shares_used; left != 0;)
        atomic_store_explicit(&next_share(net, &left)->page->net_waits, 1, memory_order_relaxed);
    FENCE();
    for (uint64_t left = net->shares_used; left != 0;) {
        const struct share *share = next_share(net, &left);

        nothing &=
            (atomic_load_explicit(&share->page->bell, memory_order_relaxed) & share->used) == 0;
    }
    return nothing;
}
