// SPDX-License-Identifier: MIT
/* frame - see frame.h. */
#include "lib/client/frame.h"

#include "lib/client/service.h"
#include "lib/mnos/syscall.h"

/* Grant: the driver hands the memory on to whoever tells it bus addresses. */
#define MEMORY_RIGHTS (MNOS_RIGHT_READ | MNOS_RIGHT_WRITE | MNOS_RIGHT_GRANT)
#define BADGE_COUNTER 0xFFFFu

void frame_open(struct frame_card *card, const struct frame_setup *setup)
{
    *card = (struct frame_card){.setup = *setup};
}

static mnos_status_t ask_info(struct frame_card *card)
{
    struct message message = {0};
    mnos_status_t status;

    message_put(&message, FRAME_INFO, NULL, 0);
    status = service_call(card->setup.service, &message);
    if (status == MNOS_OK &&
        (message_get(&message, &card->info, sizeof card->info) != sizeof card->info ||
         card->info.mtu < FRAME_MTU_MIN || card->info.mtu > FRAME_MTU_MAX))
        status = MNOS_ERR_FORMAT;
    return status;
}

static mnos_status_t send_attach(struct frame_card *card, mnos_cap_t endpoint)
{
    struct frame_attach record = {card->setup.events};
    struct frame_attached attached;
    struct message message = {0};
    mnos_status_t status;

    message_put(&message, FRAME_ATTACH, &record, sizeof record);
    message_add_cap(&message, card->setup.memory, MEMORY_RIGHTS);
    message_add_cap(&message, endpoint, MNOS_RIGHT_WRITE);
    status = service_call(card->setup.service, &message);
    if (status == MNOS_OK &&
        (message_get(&message, &attached, sizeof attached) != sizeof attached ||
         attached.epoch == 0))
        status = MNOS_ERR_FORMAT;
    if (status == MNOS_OK)
        card->epoch = attached.epoch;
    return status;
}

mnos_status_t frame_attach(struct frame_card *card)
{
    mnos_badge_t badge =
        (card->setup.badge & ~(mnos_badge_t)BADGE_COUNTER) | (++card->mints & BADGE_COUNTER);
    mnos_cap_t mine;
    mnos_status_t status = ask_info(card);

    card->attached = false;
    if (status == MNOS_OK)
        status =
            sys_cap_create(MNOS_CREATE_MINT, card->setup.endpoint,
                           MNOS_RIGHT_WRITE | MNOS_RIGHT_GRANT, badge, card->setup.events, &mine);
    if (status != MNOS_OK)
        return status;
    status = send_attach(card, mine);
    (void)!sys_cap_delete(mine); /* the driver's copy stays, and tells when the driver ends */
    if (status != MNOS_OK)
        return status;
    frame_buffers_begin(&card->buffers, card->setup.address);
    card->badge = badge;
    card->attached = true;
    card->attaches++;
    return MNOS_OK;
}

bool frame_gone(struct frame_card *card, mnos_badge_t badge)
{
    if (!card->attached || !ipc_client_is_gone(card->setup.endpoint, badge, card->badge))
        return false;
    card->attached = false;
    return true;
}

void frame_bell(struct frame_card *card)
{
    /* It fails when the driver is gone, which is reported as well. */
    if (card->attached && frame_buffers_publish(&card->buffers))
        (void)!sys_ipc_notify(card->setup.service, FRAME_EVENT_SUBMITTED);
}

bool frame_link(const struct frame_card *card)
{
    return card->attached &&
           atomic_load_explicit(&card->buffers.rings->link, memory_order_relaxed) != 0;
}
