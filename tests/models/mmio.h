// SPDX-License-Identifier: MIT
/*
 * mmio.h - models of devices behind lib/driver/mmio.h: the functions of mmio.c, on the host. A
 * window's base is an address that nothing is at; the model that was added for it answers.
 */
#pragma once

#include <stdint.h>

#include "lib/driver/mmio.h"

struct mmio_model {
    uint64_t base, bytes;
    uint64_t (*read)(struct mmio_model *model, uint64_t offset, unsigned width);
    void (*write)(struct mmio_model *model, uint64_t offset, unsigned width, uint64_t value);
    struct mmio_model *next;
};

/* From now on [base, base + bytes) is this model's. An access outside all models fails the test. */
void mmio_model_add(struct mmio_model *model);
