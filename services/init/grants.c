// SPDX-License-Identifier: MIT
/* grants - see grants.h. */
#include "services/init/grants.h"

#include "lib/base/string.h"

#include "abi/statistics.h"
#include "lib/mnos/bootstrap.h"
#include "lib/base/printf.h"
#include "lib/mnos/log.h"
#include "lib/mnos/memory.h"
#include "lib/mnos/syscall.h"

static mnos_status_t count_free_frames(uint64_t *frames)
{
    uint64_t pages = (sizeof(struct mnos_statistics) + MNOS_PAGE_BYTES - 1) / MNOS_PAGE_BYTES;
    void *counters;
    mnos_status_t status =
        memory_map(bootstrap_cap("statistics"), 0, pages, MNOS_MAP_READ, &counters);

    if (status != MNOS_OK)
        return status;
    *frames = ((const struct mnos_statistics *)counters)->frames_free;
    memory_unmap(counters, pages);
    return MNOS_OK;
}

mnos_status_t resources_init(struct resources *resources, const struct manifest *manifest,
                             const struct archive *archive, mnos_cap_t own)
{
    mnos_status_t counted = count_free_frames(&resources->free_frames);

    if (counted != MNOS_OK)
        return counted;
    resources->manifest = manifest;
    resources->archive = archive;
    regions_init(&resources->regions, manifest, resources->free_frames);
    for (uint32_t i = 0; i < manifest->endpoint_count; i++) {
        mnos_status_t status = MNOS_OK;

        /* Init keeps the endpoint of a service, so that it outlives each run of the service. */
        if (manifest->endpoints[i].provider == MANIFEST_PROVIDER_INIT)
            resources->endpoints[i] = own;
        else
            status = sys_cap_create(MNOS_CREATE_ENDPOINT, 0, MNOS_RIGHTS_ALL,
                                    manifest->endpoints[i].exports, 0, &resources->endpoints[i]);
        if (status != MNOS_OK)
            return status;
    }
    return MNOS_OK;
}

/* Derives with `kind`, hands the result over with exactly `grant`'s rights, and keeps nothing. */
static mnos_status_t give_derived(uint64_t kind, mnos_cap_t source, uint64_t a, uint64_t b,
                                  const struct manifest_grant *grant, mnos_cap_t process,
                                  mnos_cap_t *given)
{
    mnos_cap_t derived;
    mnos_status_t status =
        sys_cap_create(kind, source, grant->rights | MNOS_RIGHT_GRANT, a, b, &derived);

    if (status != MNOS_OK)
        return status;
    status = sys_cap_transfer(process, derived, grant->rights, given);
    (void)!sys_cap_delete(derived); /* its child stays, as the source's */
    return status;
}

static mnos_status_t give_endpoint(const struct resources *resources,
                                   const struct manifest_grant *grant, mnos_badge_t badge,
                                   mnos_cap_t process, mnos_cap_t *given)
{
    const struct manifest_endpoint *endpoint = &resources->manifest->endpoints[grant->a];
    mnos_cap_t cap = resources->endpoints[grant->a];

    if (grant->kind == MANIFEST_GRANT_SERVE)
        return sys_cap_transfer(process, cap, grant->rights, given);
    if (endpoint->provider == MANIFEST_PROVIDER_INIT && strcmp(endpoint->name, "manager") == 0 &&
        grant->object == MANIFEST_CALL_ANY)
        badge |= BADGE_CONTROL;
    /* The mask of events: clients cannot forge others. */
    return give_derived(MNOS_CREATE_MINT, cap, badge, grant->b, grant, process, given);
}

static mnos_status_t give_object(const struct manifest_grant *grant, mnos_cap_t process,
                                 mnos_cap_t *given)
{
    static const char *const names[] = {
        [MANIFEST_OBJECT_INITRD] = "initrd",           [MANIFEST_OBJECT_LOG] = "log",
        [MANIFEST_OBJECT_STATISTICS] = "statistics",   [MANIFEST_OBJECT_ACPI] = "acpi",
        [MANIFEST_OBJECT_FRAMEBUFFER] = "framebuffer", [MANIFEST_OBJECT_TRACE] = "trace",
    };
    mnos_cap_t cap = bootstrap_lookup(bootstrap_listed(names[grant->object]));

    if (cap == 0)
        return MNOS_ERR_NOT_FOUND; /* this machine does not have it */
    return sys_cap_transfer(process, cap, grant->rights, given);
}

/* A file begins on a page of its own; behind it, in its last page, are padding and the next file's header. */
static mnos_status_t give_file(const struct archive *archive, const struct manifest_grant *grant,
                               mnos_cap_t process, mnos_cap_t *given)
{
    const struct archive_member *file = archive_find(archive, grant->name);
    uint64_t offset;

    if (file == NULL || file->size == 0)
        return MNOS_ERR_NOT_FOUND;
    offset = (uint64_t)(file->data - archive->base);
    if (offset % MNOS_PAGE_BYTES != 0)
        return MNOS_ERR_FORMAT; /* other files would be seen with it */
    return give_derived(MNOS_CREATE_RANGE, archive->memory, offset / MNOS_PAGE_BYTES,
                        (file->size + MNOS_PAGE_BYTES - 1) / MNOS_PAGE_BYTES, grant, process,
                        given);
}

static mnos_status_t give(struct resources *resources, const struct manifest_grant *grant,
                          mnos_badge_t badge, mnos_cap_t process, mnos_cap_t *given)
{
    switch (grant->kind) {
    case MANIFEST_GRANT_SERVE:
    case MANIFEST_GRANT_CALL: return give_endpoint(resources, grant, badge, process, given);
    case MANIFEST_GRANT_PORTS:
        return give_derived(MNOS_CREATE_RANGE, bootstrap_cap("ports"), grant->a, grant->b, grant,
                            process, given);
    case MANIFEST_GRANT_INTERRUPT:
        return give_derived(MNOS_CREATE_RANGE, bootstrap_cap("interrupts"), grant->a, grant->b,
                            grant, process, given);
    case MANIFEST_GRANT_DEVICE:
        return give_derived(grant->b != 0 ? MNOS_CREATE_RANGE : MNOS_CREATE_COPY,
                            bootstrap_cap("device"), grant->a, grant->b, grant, process, given);
    case MANIFEST_GRANT_FILE: return give_file(resources->archive, grant, process, given);
    case MANIFEST_GRANT_REGION:
        return regions_give_floor(&resources->regions,
                                  (uint32_t)(grant - resources->manifest->grants), process, given);
    default: return give_object(grant, process, given);
    }
}

/* What the grant is about, for the log. */
static const char *grant_text(const struct resources *resources, const struct manifest_grant *grant,
                              char *out, size_t size)
{
    unsigned long long a = grant->a, b = grant->b;

    switch (grant->kind) {
    case MANIFEST_GRANT_SERVE:
    case MANIFEST_GRANT_CALL:
        mnos_snprintf(out, size, "endpoint %s", resources->manifest->endpoints[a].name);
        break;
    case MANIFEST_GRANT_PORTS: mnos_snprintf(out, size, "ports 0x%llx, %llu of them", a, b); break;
    case MANIFEST_GRANT_INTERRUPT: mnos_snprintf(out, size, "interrupt line %llu", a); break;
    case MANIFEST_GRANT_FILE: mnos_snprintf(out, size, "file %s", grant->name); break;
    case MANIFEST_GRANT_DEVICE:
        mnos_snprintf(out, size, "device memory at 0x%llx, %llu pages", a * MNOS_PAGE_BYTES, b);
        break;
    case MANIFEST_GRANT_REGION:
        mnos_snprintf(out, size, "region %s", resources->manifest->regions[a].name);
        break;
    default: mnos_snprintf(out, size, "memory"); break;
    }
    return out;
}

static void set_arguments(const struct manifest_service *service, struct mnos_bootstrap *table)
{
    const char *kernel = "";

    if (service->flags & MANIFEST_KERNEL_ARGUMENTS)
        kernel = bootstrap_arguments();
    mnos_snprintf(table->arguments, sizeof table->arguments, "%s%s%s", service->arguments,
                  service->arguments[0] != 0 && kernel[0] != 0 ? " " : "", kernel);
}

mnos_status_t grants_give(struct resources *resources, uint32_t service, uint64_t start,
                          mnos_cap_t process, struct mnos_bootstrap *table)
{
    const struct manifest_service *config = &resources->manifest->services[service];
    mnos_badge_t badge = (start << BADGE_START_SHIFT & ~BADGE_CONTROL) | (service + 1);

    set_arguments(config, table);
    for (uint32_t i = 0; i < config->grant_count; i++) {
        const struct manifest_grant *grant = &resources->manifest->grants[config->first_grant + i];
        struct mnos_bootstrap_entry *entry = &table->entries[table->entry_count];
        mnos_status_t status;

        if (grant->kind == MANIFEST_GRANT_CONTROL)
            continue;
        status = give(resources, grant, badge, process, &entry->cap);
        if (status != MNOS_OK) {
            char what[128], about[64];

            mnos_snprintf(what, sizeof what, "%s: grant \"%s\", %s%s", config->name, grant->name,
                          grant_text(resources, grant, about, sizeof about),
                          grant->optional ? " (it starts without)" : "");
            log_error(status, what);
            if (!grant->optional)
                return status;
            continue;
        }
        string_copy(entry->name, grant->name, sizeof entry->name);
        table->entry_count++;
    }
    return MNOS_OK;
}
