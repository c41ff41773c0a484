// SPDX-License-Identifier: MIT
/* block_driver - see block_driver.h. */
#include "lib/server/block_driver.h"

#include "lib/mnos/bootstrap.h"
#include "lib/mnos/memory.h"
#include "lib/mnos/syscall.h"
#include "lib/mnos/time.h"
#include "lib/server/alive.h"

#define LOG_BYTES 0u /* an entry is there when its badge is: block_session.h */
_Static_assert(sizeof(struct state_header) + LOG_BYTES + sizeof(struct block_sessions) <=
                   MNOS_PAGE_BYTES,
               "the floor of the regions is a page");

void block_driver_remember(struct block_driver *driver, void *address, uint64_t bytes,
                           uint64_t magic)
{
    driver->fresh = state_open(&driver->state, address, bytes, magic, BLOCK_SESSIONS_LAYOUT,
                               LOG_BYTES, NULL) != STATE_WHOLE ||
                    state_trust(&driver->state) == STATE_TRUST_NONE;
}

mnos_status_t block_driver_remember_in(struct block_driver *driver, mnos_cap_t region,
                                       uint64_t magic)
{
    void *address;
    mnos_status_t status = memory_map(region, 0, 1, MNOS_MAP_READ | MNOS_MAP_WRITE, &address);

    if (status == MNOS_OK)
        block_driver_remember(driver, address, MNOS_PAGE_BYTES, magic);
    return status;
}

void block_driver_open(struct block_driver *driver, const struct block_device *device)
{
    struct block_sessions *sessions = state_content(&driver->state);

    /* Badges that were minted in vain are not minted again: time goes on. */
    block_sessions_open(sessions, driver->fresh, device->info.sectors, kinfo_time_ns());
    state_ready(&driver->state);
    block_server_open(&driver->server, device, sessions, driver->endpoint,
                      driver->state.header->epoch);
}

static mnos_status_t handle(struct block_driver *driver, struct message *message)
{
    mnos_status_t status = MNOS_OK;

    alive_answer(message);
    if (message->kind != MNOS_KIND_EVENTS) {
        block_server_handle(&driver->server, message);
        return MNOS_OK;
    }
    /* First acknowledged, then looked: what comes after sets the event once more. */
    if (driver->line != 0 && (message->words[0] & BLOCK_EVENT_INTERRUPT) != 0) {
        status = sys_irq_ack(driver->line);
        driver->take_done(driver->context);
    }
    *message = (struct message){0};
    return status;
}

mnos_status_t block_driver_serve(struct block_driver *driver)
{
    struct message message = {0};

    for (;;) {
        uint64_t deadline_ns =
            driver->line == 0 ? MNOS_DEADLINE_NEVER : driver->deadline_ns(driver->context);
        mnos_status_t status;

        message.accept = BLOCK_SERVER_ACCEPTS;
        status = ipc_reply_receive(driver->endpoint, &message, deadline_ns);
        if (status == MNOS_OK)
            status = handle(driver, &message);
        else if (status == MNOS_ERR_DEADLINE)
            status = MNOS_OK, message = (struct message){0};
        if (status != MNOS_OK)
            return status;
        if (driver->line != 0)
            driver->check(driver->context, kinfo_time_ns());
        block_server_pump(&driver->server);
    }
}
