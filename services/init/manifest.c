// SPDX-License-Identifier: MIT
/* manifest - see manifest.h. Host tests compile this file as it is. */
#include "services/init/manifest.h"

#include <stdbool.h>

#include "abi/bootstrap.h"
#include "protocols/manager.h"

/* Not empty, and terminated inside its field. */
static bool is_name(const char *field)
{
    if (field[0] == 0)
        return false;
    for (unsigned i = 0; i < MNOS_NAME_BYTES; i++) {
        if (field[i] == 0)
            return true;
    }
    return false;
}

static bool is_terminated(const char *field, unsigned size)
{
    for (unsigned i = 0; i < size; i++) {
        if (field[i] == 0)
            return true;
    }
    return false;
}

static const char *check_header(const struct manifest_header *header, size_t size)
{
    if (size < sizeof *header)
        return "it is cut short";
    if (header->magic != MANIFEST_MAGIC)
        return "it is not a compiled manifest";
    if (header->version != MANIFEST_VERSION)
        return "its version is not the one this init knows";
    if (header->endpoint_count > MANIFEST_ENDPOINTS_MAX ||
        header->service_count > MANIFEST_SERVICES_MAX ||
        header->grant_count > MANIFEST_GRANTS_MAX || header->region_count > MANIFEST_REGIONS_MAX ||
        header->match_count > MANIFEST_MATCHES_MAX)
        return "it has too many entries";
    if (header->service_count == 0)
        return "it has no services";
    /* The counts are small, so the sum cannot wrap. */
    if (header->size_bytes != size ||
        size != sizeof *header + header->endpoint_count * sizeof(struct manifest_endpoint) +
                    header->service_count * sizeof(struct manifest_service) +
                    header->grant_count * sizeof(struct manifest_grant) +
                    header->region_count * sizeof(struct manifest_region) +
                    header->match_count * sizeof(struct manifest_match))
        return "its size is not what its header says";
    return NULL;
}

static const char *check_service(const struct manifest *manifest,
                                 const struct manifest_service *service)
{
    if (!is_name(service->name) || !is_name(service->file) ||
        !is_terminated(service->arguments, sizeof service->arguments))
        return "a service has a bad name, file or arguments";
    if (service->priority > service->ceiling || service->ceiling >= MNOS_PRIORITY_COUNT)
        return "a service has a bad priority";
    if (service->affinity >= MNOS_CORES_MAX && service->affinity != MNOS_AFFINITY_ANY)
        return "a service has a bad affinity";
    if (service->stack_pages == 0 || service->stack_pages > 256)
        return "a service has a bad stack size";
    if ((service->frames_quota == 0) == (service->frames_share == 0) ||
        service->frames_share > MANIFEST_WHOLE_SHARE)
        return "a service has a bad quota";
    if (service->grace_seconds == 0 || service->grace_seconds > MANIFEST_GRACE_SECONDS_MAX)
        return "a service has a bad grace";
    if (service->restart > MANIFEST_RESTART_WHEN_STARTED)
        return "a service has an unknown restart policy";
    if (service->grant_count > MNOS_BOOTSTRAP_ENTRIES ||
        service->first_grant > manifest->grant_count ||
        service->grant_count > manifest->grant_count - service->first_grant)
        return "a service's grants are outside the table";
    return NULL;
}

/* What a manifest can give. Grant on the endpoint that a service receives on: it hands out sessions there; and on a file
 * that it hands to what it starts. And
 * Grant and Revoke on what a service of devices passes to drivers, and on parts of regions. */
static mnos_rights_t allowed_rights(uint32_t kind)
{
    mnos_rights_t plain = MNOS_RIGHT_READ | MNOS_RIGHT_WRITE | MNOS_RIGHT_EXECUTE;

    switch (kind) {
    case MANIFEST_GRANT_SERVE:
    case MANIFEST_GRANT_FILE: return plain | MNOS_RIGHT_GRANT;
    case MANIFEST_GRANT_PORTS:
    case MANIFEST_GRANT_INTERRUPT:
    case MANIFEST_GRANT_DEVICE: return plain | MNOS_RIGHT_GRANT | MNOS_RIGHT_REVOKE;
    case MANIFEST_GRANT_REGION:
        return MNOS_RIGHT_READ | MNOS_RIGHT_WRITE | MNOS_RIGHT_GRANT | MNOS_RIGHT_REVOKE;
    case MANIFEST_GRANT_CONTROL: return 0;
    default: return plain;
    }
}

static const char *check_endpoint_grant(const struct manifest *manifest,
                                        const struct manifest_grant *grant)
{
    if (grant->a >= manifest->endpoint_count)
        return "a grant names an unknown endpoint";
    if (grant->kind == MANIFEST_GRANT_CALL && (grant->b & MANAGER_EVENTS) != 0)
        return "a grant has events that are the manager's";
    if (grant->object > MANIFEST_CALL_LIMITED)
        return "a grant limits its endpoint in an unknown way";
    return NULL;
}

static const char *check_grant(const struct manifest *manifest, const struct manifest_grant *grant)
{
    if (!is_name(grant->name))
        return "a grant has a bad name";
    if ((grant->rights & ~allowed_rights(grant->kind)) != 0)
        return "a grant has rights that a manifest cannot give";
    switch (grant->kind) {
    case MANIFEST_GRANT_SERVE:
    case MANIFEST_GRANT_CALL: return check_endpoint_grant(manifest, grant);
    case MANIFEST_GRANT_PORTS:
    case MANIFEST_GRANT_INTERRUPT:
        return grant->b != 0 && grant->a + grant->b > grant->a ? NULL : "a grant has a bad range";
    case MANIFEST_GRANT_DEVICE:
        if (grant->b == 0) /* all of it */
            return grant->a == 0 ? NULL : "a grant has a bad range";
        return grant->a + grant->b > grant->a ? NULL : "a grant has a bad range";
    case MANIFEST_GRANT_FILE: return NULL;
    case MANIFEST_GRANT_MEMORY:
        return grant->object >= MANIFEST_OBJECT_INITRD && grant->object <= MANIFEST_OBJECT_TRACE
                   ? NULL
                   : "a grant names an unknown object";
    case MANIFEST_GRANT_REGION:
        return grant->a < manifest->region_count ? NULL : "a grant names an unknown region";
    case MANIFEST_GRANT_CONTROL:
        return grant->b != 0 && grant->a < manifest->service_count &&
                       grant->b <= manifest->service_count - grant->a
                   ? NULL
                   : "a grant controls unknown services";
    default: return "a grant is of an unknown kind";
    }
}

static const char *check_match(const struct manifest *manifest, const struct manifest_match *match)
{
    uint32_t last = match->instances == 0 ? 0 : match->instances - 1;

    return match->service < manifest->service_count &&
                   last < manifest->service_count - match->service
               ? NULL
               : "a device is matched by an unknown service";
}

static const char *check_region(const struct manifest_region *region, uint32_t users)
{
    if (!is_name(region->name) || region->kind < MANIFEST_REGION_DMA ||
        region->kind > MANIFEST_REGION_STATE || (region->flags & ~MANIFEST_REGION_KEEP) != 0)
        return "a region has a bad name, kind or flags";
    if (region->floor == 0 || region->ceiling < region->floor || region->ceiling > UINT32_MAX ||
        region->share > MANIFEST_WHOLE_SHARE)
        return "a region has a bad size";
    if (users == 0 || users > MANIFEST_REGION_USERS_MAX)
        return "a region has no users, or too many";
    return NULL;
}

/* Of grants that have been checked: each names a region that there is. */
static const char *check_regions(const struct manifest *manifest)
{
    uint16_t users[MANIFEST_REGIONS_MAX] = {0};
    const char *problem = NULL;

    for (uint32_t i = 0; i < manifest->grant_count; i++)
        if (manifest->grants[i].kind == MANIFEST_GRANT_REGION)
            users[manifest->grants[i].a]++;
    for (uint32_t i = 0; i < manifest->region_count && problem == NULL; i++)
        problem = check_region(&manifest->regions[i], users[i]);
    return problem;
}

static const char *check_entries(const struct manifest *manifest)
{
    const char *problem = NULL;

    for (uint32_t i = 0; i < manifest->endpoint_count && problem == NULL; i++) {
        const struct manifest_endpoint *endpoint = &manifest->endpoints[i];

        if (!is_name(endpoint->name) || (endpoint->provider >= manifest->service_count &&
                                         endpoint->provider != MANIFEST_PROVIDER_INIT))
            problem = "an endpoint has a bad name or provider";
        else if (endpoint->exports > MANIFEST_EXPORTS_MAX)
            problem = "an endpoint has too many sessions to hand out";
    }
    for (uint32_t i = 0; i < manifest->service_count && problem == NULL; i++)
        problem = check_service(manifest, &manifest->services[i]);
    for (uint32_t i = 0; i < manifest->grant_count && problem == NULL; i++)
        problem = check_grant(manifest, &manifest->grants[i]);
    if (problem == NULL)
        problem = check_regions(manifest);
    for (uint32_t i = 0; i < manifest->match_count && problem == NULL; i++)
        problem = check_match(manifest, &manifest->matches[i]);
    return problem;
}

const char *manifest_open(struct manifest *manifest, const void *bytes, size_t size)
{
    const struct manifest_header *header = bytes;
    const char *problem = check_header(header, size);

    if (problem != NULL)
        return problem;
    manifest->endpoints = (const void *)(header + 1);
    manifest->endpoint_count = header->endpoint_count;
    manifest->services = (const void *)(manifest->endpoints + header->endpoint_count);
    manifest->service_count = header->service_count;
    manifest->grants = (const void *)(manifest->services + header->service_count);
    manifest->grant_count = header->grant_count;
    manifest->regions = (const void *)(manifest->grants + header->grant_count);
    manifest->region_count = header->region_count;
    manifest->matches = (const void *)(manifest->regions + header->region_count);
    manifest->match_count = header->match_count;
    return check_entries(manifest);
}

bool manifest_uses(const struct manifest *manifest, uint32_t user, uint32_t provider)
{
    const struct manifest_service *service = &manifest->services[user];

    for (uint32_t i = 0; i < service->grant_count; i++) {
        const struct manifest_grant *grant = &manifest->grants[service->first_grant + i];

        if (grant->kind == MANIFEST_GRANT_CALL &&
            manifest->endpoints[grant->a].provider == provider)
            return true;
    }
    return false;
}
