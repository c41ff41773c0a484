// SPDX-License-Identifier: MIT
/*
 * seat.h - this monitor's seats at other terminals of the service that it has its own of: a session there, from which those of
 * programs are given (lib/client/stream.h). What is typed there goes to who is in front there, and this monitor's terminal
 * stays as it is.
 */
#pragma once

#include "abi/types.h"

#define SEATS_MAX 2u

/* At the terminal that people know by this number, of which each has one seat at most. MNOS_ERR_ARGUMENT: there is no such one;
 * MNOS_ERR_QUOTA: there is no memory for it, or it is one seat too many. */
mnos_status_t seat_take(unsigned number, mnos_cap_t *seat);
/* Ends it, with all sessions that were given from it. */
void seat_leave(mnos_cap_t seat);
/* Called by any function of console.h that waits, when Ctrl-C was typed at a session that was given from `seat` with
 * STREAM_INTERRUPTS. */
void seat_on_interrupt(void (*handler)(mnos_cap_t seat));

/* ---- For console.c, which waits ---- */

#define SEAT_BADGE_FIRST 4u /* SEATS_MAX in a row */
#define SEAT_EVENT_FIRST 64ull

void seat_note_events(uint64_t set);
/* A run of the service has ended, which was told what to tell; or a seat has. */
void seat_note_gone(mnos_badge_t badge);
