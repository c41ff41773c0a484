// SPDX-License-Identifier: MIT
/*
 * quiet.h - makes the device of a driver that died quiet, in steps that never wait: each says when
 * the next is due. The step is in the table before it is made, so the next run of this service goes
 * on with it.
 *
 * First messages off, and 0 into the status of a virtio device through its PCI_CFG capability, until it reads as 0 or a
 * second has passed. Then mastering off and one read, which pushes what was posted. What was in flight
 * can still land, so then the surest way that the function offers: function-level reset (PCI
 * Express, or AF), else nothing more for a virtio device whose status is 0, else
 * CC.EN of an NVMe controller, else D3hot and back; with none of them 100 ms, after which no
 * well-made function has anything in flight (PCI Express base specification, "Completion Timeout":
 * 50 ms at most unless a driver chose longer).
 */
#pragma once

#include "services/devices/table.h"

/* Begins; the function is QUIESCING from here on. */
void quiet_begin(struct function *function);
/* Begins the reset of a virtio device, as its own driver would, and waits for nothing; does nothing to any other one. A virtio device
 * has to be reset before it is kept from memory. */
void quiet_reset_virtio(const struct function *function);
/* Makes the steps that are due. 0: the function is FREE or FAILED; else when to call again. */
uint64_t quiet_step(struct function *function, uint64_t now_ns);
