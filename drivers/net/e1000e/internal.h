// SPDX-License-Identifier: MIT
/* internal.h - what card.c and setup.c share. */
#pragma once

#include "drivers/net/e1000e/card.h"

/* Into rings that are empty: the room that the device had. */
void e1000e_give_room_again(struct e1000e *card);
/* What the device was to send goes back, unsent. */
void e1000e_lose_sending(struct e1000e *card);
/* Begins anew with a device that works. */
void e1000e_reset(struct e1000e *card);
/* The device may send its message again. */
void e1000e_unmask(struct e1000e *card);
/* The causes of the last interrupt, as far as they are not frames. */
void e1000e_look(struct e1000e *card);
