// SPDX-License-Identifier: MIT
/* internal.h - what card.c and setup.c share. */
#pragma once

#include "drivers/net/virtio_net/card.h"

#define CARD_NO_FLIGHT UINT16_MAX

/* No flight is used. */
void card_free_flights(struct card_way *way);
/* Into queues that are empty: the room that the device had. */
void card_give_room_again(struct card *card);
/* What the device was to send goes back, unsent. */
void card_lose_sending(struct card *card);
/* Begins anew with a device that works. */
void card_reset(struct card *card, uint64_t now_ns);
/* Status and link, after an interrupt. False: the device wants a reset. */
bool card_look(struct card *card);
