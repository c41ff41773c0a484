// SPDX-License-Identifier: MIT
/* assign - see assign.h. */
#include "services/volumes/assign.h"

#include "lib/base/string.h"

static uint64_t service_of(const struct assignment *entry)
{
    return atomic_load_explicit(&entry->service, memory_order_acquire);
}

static struct assignment *find(struct assignments *assignments, uint64_t service)
{
    for (unsigned i = 0; i < ASSIGNMENTS_MAX; i++)
        if (service_of(&assignments->entries[i]) == service)
            return &assignments->entries[i];
    return NULL;
}

const struct assignment *assignment_of(const struct assignments *assignments, uint64_t service)
{
    return service == 0 ? NULL : find((struct assignments *)assignments, service);
}

static const struct assignment *holder(const struct assignments *assignments,
                                       const uint8_t volume[VOLUME_ID_BYTES])
{
    for (unsigned i = 0; i < ASSIGNMENTS_MAX; i++) {
        const struct assignment *entry = &assignments->entries[i];

        if (service_of(entry) != 0 && memcmp(entry->volume, volume, VOLUME_ID_BYTES) == 0)
            return entry;
    }
    return NULL;
}

bool assignment_has(const struct assignments *assignments, const uint8_t volume[VOLUME_ID_BYTES])
{
    return holder(assignments, volume) != NULL;
}

static _Atomic uint64_t *word_of(struct assignments *assignments, uint32_t disk, uint64_t service)
{
    return &assignments->closing[disk][service / 64];
}

uint64_t assignment_closing(const struct assignments *assignments, uint32_t disk)
{
    for (unsigned i = 0; i < ASSIGN_SERVICES_MAX / 64; i++) {
        uint64_t bits = atomic_load_explicit(&assignments->closing[disk][i], memory_order_acquire);

        if (bits != 0)
            return i * 64 + (unsigned)__builtin_ctzll(bits);
    }
    return 0;
}

bool assignment_is_closing(const struct assignments *assignments, uint32_t disk, uint64_t service)
{
    return (atomic_load_explicit(&assignments->closing[disk][service / 64], memory_order_acquire) >>
                service % 64 &
            1) != 0;
}

void assignment_closed(struct assignments *assignments, uint32_t disk, uint64_t service)
{
    atomic_fetch_and_explicit(word_of(assignments, disk, service), ~(1ull << service % 64),
                              memory_order_release);
}

static void close_everywhere(struct assignments *assignments, uint64_t service)
{
    for (uint32_t i = 0; i < ASSIGN_DISKS_MAX; i++)
        atomic_fetch_or_explicit(word_of(assignments, i, service), 1ull << service % 64,
                                 memory_order_release);
}

mnos_status_t assignment_set(struct assignments *assignments, uint64_t service,
                             const uint8_t volume[VOLUME_ID_BYTES])
{
    struct assignment *old, *entry;
    const struct assignment *other = volume == NULL ? NULL : holder(assignments, volume);

    if (service == 0 || service >= ASSIGN_SERVICES_MAX)
        return MNOS_ERR_NOT_FOUND;
    old = find(assignments, service);
    if (other != NULL)
        return service_of(other) == service ? MNOS_OK : MNOS_ERR_EXISTS;
    entry = old != NULL ? old : find(assignments, 0);
    if (entry == NULL)
        return volume == NULL ? MNOS_OK : MNOS_ERR_QUOTA;
    if (volume == NULL && old == NULL)
        return MNOS_OK;
    if (old != NULL)
        close_everywhere(assignments, service);
    atomic_store_explicit(&entry->service, 0, memory_order_release);
    if (volume == NULL)
        return MNOS_OK;
    memcpy(entry->volume, volume, VOLUME_ID_BYTES);
    atomic_store_explicit(&entry->service, service, memory_order_release);
    return MNOS_OK;
}
