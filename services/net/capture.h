// SPDX-License-Identifier: MIT
/*
 * capture.h - frames that pass a card, for sessions with SOCKET_RIGHT_CAPTURE: CAPTURE and CAPTURED of protocols/socket.def.
 *
 * C1  Of each such session CAPTURE_BYTES of frames are kept. One that has no room is lost, and the next one that has says
 *     how many were: who reads slowly loses frames, and the stack waits for nobody.
 * C2  While no session captures, a frame costs the look at one word.
 *
 * Nothing of it outlives a run: who captured asks for it anew, since CAPTURED then fails with ERR_STATE.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define NET_CAPTURES 2u
#define CAPTURE_BYTES 65536u

/* Sessions that capture: while there is none, capture_frame() need not be called. */
extern uint32_t capture_count;
/* A frame that has come or leaves, before anything of it is changed; of the card with that number. */
void capture_frame(uint32_t interface, bool sent, const uint8_t *bytes, uint32_t count);
/* The session is no more, or begins anew: it does not capture then. */
void capture_end(uint32_t session);
