// SPDX-License-Identifier: MIT
/* cards - the drivers of cards, and which interface is whose: see net.h. */
#include "lib/client/region.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/log.h"
#include "lib/mnos/syscall.h"
#include "lib/mnos/time.h"
#include "services/net/net.h"

/* At the endpoint: some driver has put something into a ring. */
#define EVENT_FRAMES (1ull << 1)
/* Badges by which drivers' ends are reported. No session has this bit; the end of one that an earlier run handed out may
 * be reported to this one, so the time is in it, in microseconds, beside the card's number and a counter. */
#define BADGE_DRIVER (1ull << 62)
#define BADGE_NUMBER(number) ((uint64_t)(number) << 56)
#define BADGE_TIME() (kinfo_time_ns() / 1000 % (1ull << 40) << 16)

/* The drivers that may come, each of one card. An interface is of the driver that it has been attached to first. */
static const char *const driver_names[] = {"virtio_net.0", "virtio_net.1", "e1000e.0", "e1000e.1"};
#define DRIVERS (sizeof driver_names / sizeof driver_names[0])
static mnos_cap_t drivers[DRIVERS];
BOOTSTRAP_LIST("virtio_net");
BOOTSTRAP_LIST("e1000e");

static bool is_taken(const struct interface *interfaces, mnos_cap_t driver)
{
    for (uint32_t i = 0; i < NET_INTERFACES; i++)
        if (interfaces[i].card.attaches != 0 && interfaces[i].card.setup.service == driver)
            return true;
    return false;
}

/* False: there is no card (yet). */
static bool attach(struct frame_card *card, mnos_cap_t driver)
{
    mnos_status_t status;

    card->setup.service = driver;
    status = frame_attach(card);
    if (status != MNOS_OK && status != MNOS_ERR_STOPPED)
        log_error(status, "begin with a network card");
    return status == MNOS_OK;
}

/* A driver that comes while they are asked is the first free interface's, which has asked it before: its start is told by
 * an event, and so this is called again. */
void interfaces_attach(struct interface *interfaces)
{
    bool more = true;

    for (uint32_t i = 0; i < NET_INTERFACES && more; i++) {
        struct frame_card *card = &interfaces[i].card;
        bool again = card->attaches != 0;

        for (uint32_t k = 0; k < DRIVERS && !card->attached; k++)
            if (drivers[k] != 0 &&
                (again ? drivers[k] == card->setup.service : !is_taken(interfaces, drivers[k])) &&
                attach(card, drivers[k]))
                interface_begin(&interfaces[i], i);
        more = card->attaches != 0;
    }
}

void interfaces_gone(struct interface *interfaces, mnos_badge_t badge)
{
    for (uint32_t i = 0; i < NET_INTERFACES; i++)
        if (frame_gone(&interfaces[i].card, badge) && interfaces[i].added)
            netif_set_link_down(&interfaces[i].netif);
}

static mnos_status_t open_card(struct interface *interface, uint32_t number,
                               const struct region *region, mnos_cap_t endpoint)
{
    struct frame_setup setup = {
        .address = region->address + (uint64_t)number * FRAME_MEMORY_PAGES * MNOS_PAGE_BYTES,
        .endpoint = endpoint,
        .events = EVENT_FRAMES,
        .badge = BADGE_DRIVER | BADGE_NUMBER(number) | BADGE_TIME(),
    };
    mnos_status_t status =
        sys_cap_create(MNOS_CREATE_RANGE, region->pieces[0].memory,
                       MNOS_RIGHT_READ | MNOS_RIGHT_WRITE | MNOS_RIGHT_GRANT,
                       (uint64_t)number * FRAME_MEMORY_PAGES, FRAME_MEMORY_PAGES, &setup.memory);

    frame_open(&interface->card, &setup);
    return status;
}

mnos_status_t interfaces_open(struct interface *interfaces, mnos_cap_t endpoint)
{
    static struct region_piece piece;
    static struct region region;
    mnos_status_t status = region_open(&region, BOOTSTRAP_REQUIRED("net_frames"), &piece, 1);

    if (status == MNOS_OK && region.bytes < NET_INTERFACES * FRAME_MEMORY_PAGES * MNOS_PAGE_BYTES)
        status = MNOS_ERR_SIZE;
    for (uint32_t i = 0; i < DRIVERS; i++)
        drivers[i] = bootstrap_lookup(bootstrap_listed(driver_names[i]));
    for (uint32_t i = 0; status == MNOS_OK && i < NET_INTERFACES; i++)
        status = open_card(&interfaces[i], i, &region, endpoint);
    return status;
}
