// SPDX-License-Identifier: MIT
/* host - see host.h. */
#include "personality/linux/lx/host.h"

#include <stdatomic.h>

#include "abi/inspect.h"
#include "abi/memory.h"
#include "lib/base/string.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/ipc.h"
#include "lib/mnos/memory.h"
#include "lib/mnos/syscall.h"
#include "personality/linux/lx/signals.h"
#include "personality/linux/lx/threads.h"
#include "personality/linux/lx/wait.h"

/* What is asked for at once, when there is no more. */
#define GROW_FRAMES 64u
#define GROW_BYTES 16384u

static mnos_cap_t host;
static void *window;
static bool listening;
struct lxhost_notice *lx_notice; /* entry.S looks there at the way out of each call */
_Static_assert(offsetof(struct lxhost_notice, signals) == 0, "entry.S knows it");

static bool find_host(void)
{
    host = bootstrap_lookup(BOOTSTRAP_OPTIONAL("host"));
    listening = false;
    return host != 0;
}

bool host_start(void)
{
    if (!find_host() ||
        memory_map(bootstrap_lookup(BOOTSTRAP_OPTIONAL("hostwindow")), 0, LXHOST_WINDOW_PAGES,
                   MNOS_MAP_READ | MNOS_MAP_WRITE, &window) != MNOS_OK)
        return false;
    lx_notice = (void *)((uint8_t *)window + LXHOST_WINDOW_BYTES);
    return true;
}

bool host_forked(void)
{
    return find_host() && sys_mem_map(MNOS_SELF, bootstrap_lookup(BOOTSTRAP_OPTIONAL("hostwindow")),
                                      (uint64_t)window, 0, LXHOST_WINDOW_PAGES,
                                      MNOS_MAP_READ | MNOS_MAP_WRITE) == MNOS_OK;
}

void *host_window(void)
{
    return window;
}

int32_t host_parent(void)
{
    return atomic_load_explicit(&lx_notice->parent, memory_order_relaxed);
}

bool host_is_stopped(void)
{
    return atomic_load_explicit(&lx_notice->stopped, memory_order_acquire) != 0;
}

bool host_network_is_taken(void)
{
    return atomic_load_explicit(&lx_notice->network_taken, memory_order_acquire) != 0;
}

uint64_t host_interrupted_at(void)
{
    return atomic_exchange_explicit(&lx_notice->interrupted_at, 0, memory_order_acquire);
}

mnos_status_t host_ask(enum lxhost_request label, const void *record, size_t bytes, void *reply,
                       size_t reply_bytes)
{
    struct message message = {0};
    mnos_status_t status;

    message_put(&message, label, record, bytes);
    status = ipc_request(host, &message);
    if (status == MNOS_OK && message_get(&message, reply, reply_bytes) != reply_bytes)
        status = MNOS_ERR_FORMAT;
    return status;
}

mnos_status_t host_ask_capability(enum lxhost_request label, const void *record, size_t bytes,
                                  mnos_cap_t *capability)
{
    struct message message = {.accept = 1};
    mnos_status_t status;

    message_put(&message, label, record, bytes);
    status = ipc_request(host, &message);
    *capability = status == MNOS_OK ? message_cap(&message, 0) : 0;
    return status == MNOS_OK && *capability == 0 ? MNOS_ERR_FORMAT : status;
}

/* ---- What the process may use ---- */

/* At least `frames` more, and bytes of kernel objects if there are few left: both are the container's, which has not
 * as many of one as of the other. */
static bool grow_by(uint64_t frames)
{
    struct lxhost_grow record = {frames, GROW_BYTES};
    const struct mnos_process_info *info = (const void *)ipc_buffer()->data;
    uint64_t size;

    if (sys_cap_inspect(MNOS_SELF, MNOS_VIEW_PROCESS, 0, &size) == MNOS_OK) {
        uint64_t frames_left = info->frames_quota - info->frames_used;

        record.frames = frames_left < frames ? frames - frames_left : 0;
        record.bytes = info->bytes_quota - info->bytes_used < GROW_BYTES / 2 ? GROW_BYTES : 0;
    }
    return host_ask(LXHOST_GROW, &record, sizeof record, NULL, 0) == MNOS_OK;
}

bool host_grow(void)
{
    return grow_by(GROW_FRAMES) || grow_by(GROW_FRAMES / 8);
}

static bool is_spent(mnos_status_t status)
{
    return status == MNOS_ERR_QUOTA;
}

mnos_status_t host_create(uint64_t kind, mnos_cap_t source, uint64_t rights, uint64_t first,
                          uint64_t second, mnos_cap_t *made)
{
    mnos_status_t status = sys_cap_create(kind, source, rights, first, second, made);

    if (is_spent(status) && host_grow())
        status = sys_cap_create(kind, source, rights, first, second, made);
    return status;
}

mnos_status_t host_memory(uint64_t pages, mnos_cap_t *memory)
{
    mnos_status_t status = sys_mem_alloc(pages, 0, memory);

    if (is_spent(status) && (grow_by(pages + GROW_FRAMES) || grow_by(pages + GROW_FRAMES / 8)))
        status = sys_mem_alloc(pages, 0, memory);
    return status;
}

mnos_status_t host_map(mnos_cap_t memory, uint64_t address, uint64_t first, uint64_t pages,
                       uint64_t flags)
{
    mnos_status_t status = sys_mem_map(MNOS_SELF, memory, address, first, pages, flags);

    if (is_spent(status) && host_grow())
        status = sys_mem_map(MNOS_SELF, memory, address, first, pages, flags);
    return status;
}

mnos_status_t host_map_somewhere(mnos_cap_t memory, uint64_t first, uint64_t pages, uint64_t flags,
                                 void **address)
{
    mnos_status_t status = memory_map(memory, first, pages, flags, address);

    if (is_spent(status) && host_grow())
        status = memory_map(memory, first, pages, flags, address);
    return status;
}

bool host_blank_page(uint64_t address)
{
    mnos_cap_t memory; /* it stays: what is mapped goes with it */

    return host_memory(1, &memory) == MNOS_OK &&
           host_map(memory, address & ~LX_PAGE_MASK, 0, 1, MNOS_MAP_READ | MNOS_MAP_WRITE) ==
               MNOS_OK;
}

mnos_status_t host_block(uint64_t pages, struct memory_block *block)
{
    mnos_status_t status = host_memory(pages, &block->memory);

    if (status != MNOS_OK)
        return status;
    block->page_count = pages;
    status = host_map_somewhere(block->memory, 0, pages, MNOS_MAP_READ | MNOS_MAP_WRITE,
                                &block->address);
    if (status != MNOS_OK)
        (void)!sys_cap_delete(block->memory);
    return status;
}

/* ---- What it is told ---- */

bool host_listen(void)
{
    struct message message = {0};
    mnos_cap_t mine;

    if (listening)
        return true;
    if (wait_endpoint() == 0 ||
        host_create(MNOS_CREATE_MINT, wait_endpoint(), MNOS_RIGHT_WRITE | MNOS_RIGHT_GRANT,
                    WAIT_BADGE_HOST, LXHOST_EVENT_LOOK | LXHOST_EVENT_SIGNAL, &mine) != MNOS_OK)
        return false;
    message_put(&message, LXHOST_LISTEN, NULL, 0);
    message_add_cap(&message, mine, MNOS_RIGHT_WRITE);
    listening = ipc_request(host, &message) == MNOS_OK;
    (void)!sys_cap_delete(mine);
    return listening;
}

/* Called by entry.S. */
void lx_take_signals_at_exit(void);
void lx_take_signals_at_exit(void)
{
    threads_enter();
    host_take_signals();
    threads_leave();
}

void host_take_signals(void)
{
    struct lxhost_signals signals;

    if (atomic_load_explicit(&lx_notice->signals, memory_order_acquire) == 0 ||
        host_ask(LXHOST_SIGNALS, NULL, 0, &signals, sizeof signals) != MNOS_OK)
        return;
    while (signals.pending != 0) {
        uint32_t signal = (uint32_t)__builtin_ctzll(signals.pending) + 1;
        bool child = signal == LINUX_SIGCHLD;
        struct linux_siginfo info = {.code = child ? LINUX_CLD_EXITED : LINUX_SI_USER,
                                     .process = signals.senders[!child]};

        signals.pending &= signals.pending - 1;
        (void)signals_post(signal, info.process != 0 ? &info : NULL);
    }
}
