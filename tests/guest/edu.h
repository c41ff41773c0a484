// SPDX-License-Identifier: MIT
/*
 * edu.h - QEMU's device for teaching, "-device edu": a PCI function that asks for an interrupt when told
 * to, by its pin (level-triggered) or by messages.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "abi/types.h"

#define EDU_RAISE (0x60 / 4) /* the register that edu_raise() writes, in `words` */

struct edu {
    mnos_cap_t config;        /* the ports of PCI configuration space */
    mnos_cap_t window;        /* its registers */
    volatile uint32_t *words; /* the same, mapped */
    uint32_t address;         /* of its configuration space */
    uint32_t pin_line;        /* the line its pin is wired to */
};

/* Finds it and takes it over, asking for nothing; finish leaves it so. */
bool edu_begin(struct edu *edu);
void edu_finish(struct edu *edu);
/* From now on it sends messages of what this capability to a message line tells; 0: it uses its pin. */
void edu_use_messages(const struct edu *edu, mnos_cap_t line);
/* Sets causes: its pin is asserted until all are cleared, or one message is sent. */
void edu_raise(const struct edu *edu, uint32_t causes);
void edu_clear(const struct edu *edu);
