// SPDX-License-Identifier: MIT
/* test_net_cards - services/net/cards.c: which interface a card becomes, whenever its driver is ready. */
#include "tests/unit/unit.h"

#include "lib/mnos/syscall.h"

/* Names that other tests have, too. */
#define bootstrap_lookup cards_lookup
#define kinfo_time_ns cards_time_ns
#define region_open cards_region_open
#define sys_cap_create cards_cap_create
static mnos_status_t sys_cap_create(uint64_t, mnos_cap_t, mnos_rights_t, uint64_t, uint64_t,
                                    mnos_cap_t *);
#include "services/net/cards.c"

#include <string.h>

static struct interface interfaces[NET_INTERFACES];
/* By the place of a driver's name in driver_names; its capability is one more. */
static struct {
    bool granted;
    uint32_t stopped; /* so many questions come before it is ready */
    uint32_t asked;
} scene[DRIVERS];

/* ---- Stand-ins ---- */

mnos_cap_t bootstrap_lookup(struct bootstrap_name name)
{
    for (uint32_t i = 0; i < DRIVERS; i++)
        if (strcmp(name.text, driver_names[i]) == 0)
            return scene[i].granted ? i + 1 : 0;
    return 0;
}

mnos_status_t region_open(struct region *region, struct bootstrap_name, struct region_piece *pieces,
                          uint32_t)
{
    *region = (struct region){.pieces = pieces,
                              .bytes = NET_INTERFACES * FRAME_MEMORY_PAGES * MNOS_PAGE_BYTES};
    return MNOS_OK;
}

static mnos_status_t sys_cap_create(uint64_t, mnos_cap_t, mnos_rights_t, uint64_t, uint64_t,
                                    mnos_cap_t *)
{
    return MNOS_OK;
}

void frame_open(struct frame_card *card, const struct frame_setup *setup)
{
    *card = (struct frame_card){.setup = *setup};
}

mnos_status_t frame_attach(struct frame_card *card)
{
    if (scene[card->setup.service - 1].asked++ < scene[card->setup.service - 1].stopped)
        return MNOS_ERR_STOPPED;
    card->attached = true;
    card->attaches++;
    return MNOS_OK;
}

bool frame_gone(struct frame_card *, mnos_badge_t)
{
    return false;
}

void interface_begin(struct interface *interface, uint32_t number)
{
    CHECK(interface == &interfaces[number] && interface->card.attached);
}

void netif_set_link_down(struct netif *)
{
}

void log_error(mnos_status_t, const char *)
{
}

uint64_t kinfo_time_ns(void)
{
    return 1;
}

/* ---- Cards ---- */

static void open_with(bool first, bool second)
{
    memset(scene, 0, sizeof scene);
    scene[0].granted = first;
    scene[1].granted = second;
    CHECK_EQ(interfaces_open(interfaces, 1), MNOS_OK);
}

/* The driver of an interface by its place; -1: the interface has none. */
static int driver_of(uint32_t number)
{
    const struct frame_card *card = &interfaces[number].card;

    return card->attached ? (int)card->setup.service - 1 : -1;
}

TEST(net_cards, the_only_card_is_the_first_interface_when_its_driver_starts_between_two_questions)
{
    open_with(true, false);
    scene[0].stopped = 1;
    interfaces_attach(interfaces);
    CHECK_EQ(driver_of(0), -1);
    CHECK_EQ(driver_of(1), -1);
    interfaces_attach(interfaces); /* as the manager tells of the start */
    CHECK_EQ(driver_of(0), 0);
    CHECK_EQ(driver_of(1), -1);
}

TEST(net_cards, each_card_has_an_interface_of_its_own)
{
    open_with(true, true);
    interfaces_attach(interfaces);
    CHECK_EQ(driver_of(0), 0);
    CHECK_EQ(driver_of(1), 1);
}

TEST(net_cards, a_driver_that_is_late_does_not_keep_another_waiting)
{
    open_with(true, true);
    scene[0].stopped = 2;
    interfaces_attach(interfaces); /* the second is asked when the first has been */
    CHECK_EQ(driver_of(0), 1);
    CHECK_EQ(driver_of(1), -1);
    interfaces_attach(interfaces);
    CHECK_EQ(driver_of(1), 0);
}

TEST(net_cards, a_card_whose_driver_starts_again_is_what_it_was)
{
    open_with(true, true);
    interfaces_attach(interfaces);
    for (uint32_t i = 0; i < NET_INTERFACES; i++)
        interfaces[i].card.attached = false;
    scene[0].stopped = scene[0].asked + 1;
    interfaces_attach(interfaces); /* the first is not back yet */
    CHECK_EQ(driver_of(0), -1);
    CHECK_EQ(driver_of(1), 1);
    interfaces_attach(interfaces);
    CHECK_EQ(driver_of(0), 0);
    CHECK_EQ(driver_of(1), 1);
}
