// SPDX-License-Identifier: MIT
/* setup - resets, the device's address, and what it begins with: see card.h. */
#include "drivers/net/e1000e/internal.h"

#include "lib/base/string.h"
#include "lib/format/bytes.h"

#define RESET_NS 100000000ull /* far more than "Software Initialization Sequence" has it take */
#define LOOK_NS 100000ull
#define THROTTLE 195u /* 50 us between two interrupts */
#define VECTOR 0u
#define RECEIVE_ADDRESSES 16u

static uint32_t get(const struct e1000e *card, uint32_t offset)
{
    return mmio_read32(card->registers, offset);
}

static void set(const struct e1000e *card, uint32_t offset, uint32_t value)
{
    mmio_write32(card->registers, offset, value);
}

/* Until these bits of a register are as they should be. The device ends the wait, or the time. */
static bool wait_for(struct e1000e *card, uint32_t offset, uint32_t bits, uint32_t wanted)
{
    uint64_t begun_ns = card->now_ns(card->context);

    while ((get(card, offset) & bits) != wanted) {
        if (card->now_ns(card->context) - begun_ns > RESET_NS)
            return false;
        card->pause(card->context, LOOK_NS);
    }
    return true;
}

/* "Software Initialization Sequence" and "Global Reset and General Configuration": interrupts are off before and after it;
 * accesses to memory have ended before it ("Master Disable"). */
static bool reset_device(struct e1000e *card)
{
    set(card, E1000E_IMC, UINT32_MAX);
    set(card, E1000E_RCTL, 0);
    set(card, E1000E_TCTL, 0);
    set(card, E1000E_CTRL, get(card, E1000E_CTRL) | E1000E_CTRL_MASTER_DISABLE);
    /* One that does not end them is reset all the same: its memory is a region, which nobody else is given. */
    (void)wait_for(card, E1000E_STATUS, E1000E_STATUS_MASTER_ENABLED, 0);
    set(card, E1000E_CTRL, get(card, E1000E_CTRL) | E1000E_CTRL_RESET);
    card->pause(card->context, LOOK_NS); /* nothing is read in the first microsecond */
    if (!wait_for(card, E1000E_CTRL, E1000E_CTRL_RESET, 0) ||
        !wait_for(card, E1000E_EECD, E1000E_EECD_AUTO_READ_DONE, E1000E_EECD_AUTO_READ_DONE))
        return false;
    set(card, E1000E_IMC, UINT32_MAX);
    (void)get(card, E1000E_ICR);
    return true;
}

static mnos_status_t read_info(struct e1000e *card)
{
    uint32_t low = get(card, E1000E_RAL0), high = get(card, E1000E_RAH0);

    for (unsigned i = 0; i < 4; i++)
        card->info.mac[i] = (uint8_t)(low >> 8 * i);
    card->info.mac[4] = (uint8_t)high;
    card->info.mac[5] = (uint8_t)(high >> 8);
    card->info.mtu = FRAME_MTU_MAX;
    /* No checksum is filled in: the legacy descriptor's is not there in all models of the device. */
    card->info.can = 0;
    card->info.link = (get(card, E1000E_STATUS) & E1000E_STATUS_LINK_UP) != 0;
    /* A group address is nobody's own; all zeros neither. */
    if ((high & E1000E_RAH_VALID) == 0 || (card->info.mac[0] & 1) != 0 ||
        bytes_get(card->info.mac, 6) == 0)
        return MNOS_ERR_FORMAT;
    return MNOS_OK;
}

mnos_status_t e1000e_open(struct e1000e *card, struct dma_memory *memory)
{
    mnos_status_t status;

    if (card->registers->bytes < E1000E_WINDOW_BYTES)
        return MNOS_ERR_FORMAT;
    if (!reset_device(card))
        return MNOS_ERR_DEVICE;
    status = read_info(card);
    if (status != MNOS_OK)
        return status;
    card->receive_ring = dma_take(memory, E1000E_RING * sizeof *card->receive_ring, 4096);
    card->send_ring = dma_take(memory, E1000E_RING * sizeof *card->send_ring, 4096);
    if (card->receive_ring == NULL || card->send_ring == NULL)
        return MNOS_ERR_MEMORY;
    card->receive.bus = dma_bus(memory, card->receive_ring);
    card->send.bus = dma_bus(memory, card->send_ring);
    return MNOS_OK;
}

/* What is sent to all, to groups, and to its own address; nothing else. */
static void begin_filters(const struct e1000e *card)
{
    for (uint32_t i = 1; i < RECEIVE_ADDRESSES; i++)
        set(card, E1000E_RAH0 + 8 * i, 0);
    for (uint32_t i = 0; i < E1000E_MTA_WORDS; i++)
        set(card, E1000E_MTA + 4 * i, 0);
    set(card, E1000E_RXCSUM, E1000E_RXCSUM_IP | E1000E_RXCSUM_TCP_UDP);
}

static void begin_rings(struct e1000e *card)
{
    memset(card->receive_ring, 0, E1000E_RING * sizeof *card->receive_ring);
    memset(card->send_ring, 0, E1000E_RING * sizeof *card->send_ring);
    card->receive.first = card->send.first = 0;
    set(card, E1000E_RDBAL, (uint32_t)card->receive.bus);
    set(card, E1000E_RDBAH, (uint32_t)(card->receive.bus >> 32));
    set(card, E1000E_RDLEN, E1000E_RING * sizeof *card->receive_ring);
    set(card, E1000E_RDH, 0);
    set(card, E1000E_RDT, 0);
    set(card, E1000E_TDBAL, (uint32_t)card->send.bus);
    set(card, E1000E_TDBAH, (uint32_t)(card->send.bus >> 32));
    set(card, E1000E_TDLEN, E1000E_RING * sizeof *card->send_ring);
    set(card, E1000E_TDH, 0);
    set(card, E1000E_TDT, 0);
    set(card, E1000E_TXDCTL, E1000E_TXDCTL_VALUE);
    set(card, E1000E_TIPG, E1000E_TIPG_VALUE);
}

void e1000e_unmask(struct e1000e *card)
{
    card->masked = false;
    set(card, E1000E_IMS,
        E1000E_CAUSE_RECEIVE | E1000E_CAUSE_SEND | E1000E_CAUSE_OTHER | E1000E_CAUSE_LINK);
}

/* All causes have the one vector. Those of frames are cleared and masked as its message is sent ("Interrupt Auto Clear
 * Register"), so that a batch has one interrupt; the others are cleared by e1000e_look(). */
static void begin_interrupts(struct e1000e *card)
{
    uint32_t vector = VECTOR | E1000E_IVAR_VALID;

    set(card, E1000E_IVAR,
        vector << E1000E_IVAR_RECEIVE_SHIFT | vector << E1000E_IVAR_SEND_SHIFT |
            vector << E1000E_IVAR_OTHER_SHIFT | E1000E_IVAR_EVERY_WRITE_BACK);
    set(card, E1000E_EITR0, THROTTLE);
    set(card, E1000E_EIAC, E1000E_CAUSE_RECEIVE | E1000E_CAUSE_SEND);
    e1000e_unmask(card);
}

/* From any state to a device with empty rings that works, and is the one that the stack knows. */
static bool begin(struct e1000e *card)
{
    struct frame_info info = card->info;

    if (!reset_device(card) || read_info(card) != MNOS_OK ||
        memcmp(info.mac, card->info.mac, sizeof info.mac) != 0)
        return false;
    set(card, E1000E_CTRL,
        (get(card, E1000E_CTRL) & ~(E1000E_CTRL_FORCE_SPEED | E1000E_CTRL_FORCE_DUPLEX)) |
            E1000E_CTRL_SET_LINK_UP);
    begin_filters(card);
    begin_rings(card);
    begin_interrupts(card);
    set(card, E1000E_RCTL,
        E1000E_RCTL_ENABLE | E1000E_RCTL_BROADCAST | E1000E_RCTL_ALL_MULTICAST |
            E1000E_RCTL_STRIP_SUM);
    set(card, E1000E_TCTL, E1000E_TCTL_ENABLE | E1000E_TCTL_PAD | E1000E_TCTL_COLLISIONS);
    card->look = true; /* the cable may have changed meanwhile */
    if (info.link != card->info.link)
        frame_port_link(card->port, card->info.link);
    return true;
}

void e1000e_look(struct e1000e *card)
{
    uint32_t link;

    card->look = false;
    set(card, E1000E_ICR, E1000E_CAUSE_LINK | E1000E_CAUSE_OTHER);
    link = (get(card, E1000E_STATUS) & E1000E_STATUS_LINK_UP) != 0;
    if (link != card->info.link) {
        card->info.link = link;
        frame_port_link(card->port, link != 0);
    }
}

static void fail(struct e1000e *card)
{
    card->works = false;
    card->failed = true;
    card->info.link = 0;
    /* What it had may still land while it is not reset: in a region, which is not given to anybody else. */
    (void)reset_device(card);
    frame_port_link(card->port, false);
}

mnos_status_t e1000e_start(struct e1000e *card)
{
    card->receive.count = card->send.count = 0;
    card->resets = 0;
    if (card->failed)
        return MNOS_ERR_DEVICE;
    card->works = begin(card);
    if (!card->works)
        fail(card);
    return card->works ? MNOS_OK : MNOS_ERR_DEVICE;
}

void e1000e_stop(struct e1000e *card)
{
    if (!card->works)
        return;
    card->works = false;
    if (!reset_device(card))
        fail(card);
}

void e1000e_reset(struct e1000e *card)
{
    struct frame_entry room[E1000E_RING];
    uint32_t count = card->receive.count;

    for (uint32_t i = 0; i < count; i++)
        room[i] = card->receive.entries[(card->receive.first + i) % E1000E_RING];
    e1000e_lose_sending(card);
    if (card->resets++ >= E1000E_RESETS_MAX || !begin(card)) {
        fail(card);
        return;
    }
    memcpy(card->receive.entries, room, count * sizeof *room);
    card->since_ns = card->now_ns(card->context);
    e1000e_give_room_again(card);
}
