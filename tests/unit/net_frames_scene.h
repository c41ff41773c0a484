// SPDX-License-Identifier: MIT
/*
 * net_frames_scene.h - a stack that sends and receives by rings of frames, with a driver of a network card behind them: what the
 * tests of all such drivers have in common. Each file of them has a stack of its own.
 */
#pragma once

#include "lib/client/frame_buffers.h"
#include "lib/server/frame_port.h"
#include "tests/unit/unit.h"

static const uint8_t mac[6] = {0x52, 0x54, 0, 0x12, 0x34, 0x56};
static struct frame_port port;
static struct frame_buffers stack;

/* Of a card that has been started: gives it all the room there is for frames. */
static inline void stack_begin(void)
{
    frame_buffers_begin(&stack, port.address);
    for (uint32_t i = 0; i < FRAME_RECEIVE_BUFFERS; i++)
        CHECK(frame_give(&stack, i));
    (void)frame_buffers_publish(&stack);
}

static inline void fill(uint8_t *bytes, size_t count, uint8_t pattern)
{
    for (size_t i = 0; i < count; i++)
        bytes[i] = (uint8_t)(pattern + i * 7 + i / 256);
}

static inline void send_frame(uint32_t bytes, uint8_t pattern, uint32_t flags)
{
    uint32_t buffer;
    uint8_t *place = frame_send_buffer(&stack, &buffer);

    CHECK(place != NULL);
    fill(place, bytes, pattern);
    frame_send(&stack, buffer, bytes, flags);
    (void)frame_buffers_publish(&stack);
}
