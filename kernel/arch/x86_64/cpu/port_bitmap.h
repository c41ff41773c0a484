// SPDX-License-Identifier: MIT
/* port_bitmap.h - the I/O ports of the process that a core runs; opening and closing them is in arch.h. */
#pragma once

struct core;
struct arch_ports;

/* Makes the TSS of `core`, which is this one, open exactly these ports; NULL: none. */
void ports_load(struct core *core, const struct arch_ports *ports);
/* The same for the thread it runs, whose ports may have changed. */
void ports_refresh(struct core *core);

/* At boot. */
void ports_init(void);
