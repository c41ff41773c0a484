// SPDX-License-Identifier: MIT
/* mmio_model.c - see tests/models/mmio.h. */
#include "tests/models/mmio.h"

#include <stddef.h>

#include "tests/unit/unit.h"

static struct mmio_model *models;

void mmio_model_add(struct mmio_model *model)
{
    model->next = models;
    models = model;
}

static struct mmio_model *model_at(const struct mmio *window, uint64_t offset, unsigned width,
                                   uint64_t *inside)
{
    uint64_t address = (uint64_t)(uintptr_t)window->base + offset;

    CHECK(offset <= window->bytes && width <= window->bytes - offset);
    for (struct mmio_model *model = models; model != NULL; model = model->next) {
        *inside = address - model->base;
        if (address >= model->base && *inside + width <= model->bytes)
            return model;
    }
    CHECK(!"a model is at this address");
    return NULL;
}

static uint64_t read_any(const struct mmio *window, uint64_t offset, unsigned width)
{
    uint64_t inside;
    struct mmio_model *model = model_at(window, offset, width, &inside);

    return model == NULL ? UINT64_MAX : model->read(model, inside, width);
}

static void write_any(const struct mmio *window, uint64_t offset, unsigned width, uint64_t value)
{
    uint64_t inside;
    struct mmio_model *model = model_at(window, offset, width, &inside);

    if (model != NULL)
        model->write(model, inside, width, value);
}

#define ACCESS(bits)                                                                               \
    uint##bits##_t mmio_read##bits(const struct mmio *window, uint64_t offset)                     \
    {                                                                                              \
        return (uint##bits##_t)read_any(window, offset, bits / 8);                                 \
    }                                                                                              \
    void mmio_write##bits(const struct mmio *window, uint64_t offset, uint##bits##_t value)        \
    {                                                                                              \
        write_any(window, offset, bits / 8, value);                                                \
    }

ACCESS(8)
ACCESS(16)
ACCESS(32)
ACCESS(64)
