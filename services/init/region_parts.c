// SPDX-License-Identifier: MIT
/* region_parts - parts of a region that is kept, which init revokes one by one: see regions.h. */
#include "services/init/regions.h"

#include "lib/mnos/heap.h"
#include "lib/mnos/syscall.h"
#include "services/init/regions_shared.h"

static bool overlap(const struct region_part *part, const struct region_request *request)
{
    return part->index == request->index &&
           part->first_page < request->first_page + request->page_count &&
           request->first_page < part->first_page + part->page_count;
}

static bool is_same(const struct region_part *part, const struct region_request *request)
{
    return part->index == request->index && part->first_page == request->first_page &&
           part->page_count == request->page_count;
}

static bool is_within(const struct region_part *part, const struct region_request *request)
{
    return part->index == request->index && part->first_page >= request->first_page &&
           part->first_page + part->page_count <= request->first_page + request->page_count;
}

/* Where the first part that has a page of the request is linked, from a link on; of one user's. */
static struct region_part **find_part(struct region_part **at, uint32_t user,
                                      const struct region_request *request)
{
    while (*at != NULL && ((*at)->user != user || !overlap(*at, request)))
        at = &(*at)->next;
    return at;
}

static mnos_status_t check_part(const struct regions *regions, uint32_t grant,
                                const struct region_request *request)
{
    const struct region_piece *piece;

    if (grant == regions->manifest->grant_count)
        return MNOS_ERR_NOT_FOUND;
    if ((regions_of_grant(regions, grant)->config->flags & MANIFEST_REGION_KEEP) == 0)
        return MNOS_ERR_STATE;
    piece = regions_piece_at(regions_of_grant(regions, grant), request->index);
    if (piece == NULL || request->page_count == 0 || request->first_page > piece->page_count ||
        request->page_count > piece->page_count - request->first_page)
        return MNOS_ERR_ARGUMENT;
    return MNOS_OK;
}

static mnos_status_t make_part(const struct regions *regions, uint32_t grant,
                               const struct region_request *request, struct region_part **made)
{
    struct region *region = regions_of_grant(regions, grant);
    struct region_part *part;
    mnos_status_t status;

    if (region->part_count >= REGION_PARTS_MAX)
        return MNOS_ERR_QUOTA;
    part = heap_allocate(sizeof *part);
    if (part == NULL)
        return MNOS_ERR_MEMORY;
    *part = (struct region_part){NULL,
                                 regions->user_of_grant[grant],
                                 request->index,
                                 request->first_page,
                                 request->page_count,
                                 0};
    status = sys_cap_create(MNOS_CREATE_RANGE, regions_piece_at(region, request->index)->memory,
                            regions->manifest->grants[grant].rights | PARENT_RIGHTS,
                            request->first_page, request->page_count, &part->memory);
    if (status != MNOS_OK) {
        heap_free(part);
        return status;
    }
    region->part_count++;
    *made = part;
    return MNOS_OK;
}

mnos_status_t regions_part(struct regions *regions, uint32_t service,
                           const struct region_request *request, struct message *reply)
{
    uint32_t grant = regions_find_grant(regions, service, request->name);
    mnos_status_t status = check_part(regions, grant, request);
    struct region_part **at;

    if (status != MNOS_OK)
        return status;
    at =
        find_part(&regions_of_grant(regions, grant)->parts, regions->user_of_grant[grant], request);
    if (*at == NULL)
        status = make_part(regions, grant, request, at);
    else if (!is_same(*at, request) || (request->flags & REGION_PART_NEW) != 0)
        status = MNOS_ERR_EXISTS;
    if (status != MNOS_OK)
        return status;
    message_put(reply, MNOS_OK, NULL, 0);
    message_add_cap(reply, (*at)->memory, regions->manifest->grants[grant].rights);
    return MNOS_OK;
}

static void take_part(struct region *region, struct region_part **at)
{
    struct region_part *part = *at;

    (void)!sys_cap_revoke(part->memory);
    (void)!sys_cap_delete(part->memory);
    *at = part->next;
    region->part_count--;
    heap_free(part);
}

/* A repetition finds nothing left to do. */
mnos_status_t regions_release(struct regions *regions, uint32_t service,
                              const struct region_request *request)
{
    uint32_t grant = regions_find_grant(regions, service, request->name), user;
    mnos_status_t status = check_part(regions, grant, request);
    struct region_part **at;
    struct region *region;

    if (status != MNOS_OK)
        return status;
    region = regions_of_grant(regions, grant);
    user = regions->user_of_grant[grant];
    for (at = find_part(&region->parts, user, request); *at != NULL;
         at = find_part(&(*at)->next, user, request))
        if (!is_within(*at, request))
            return MNOS_ERR_ARGUMENT;
    for (at = find_part(&region->parts, user, request); *at != NULL;
         at = find_part(at, user, request))
        take_part(region, at);
    return MNOS_OK;
}
