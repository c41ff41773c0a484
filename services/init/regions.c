// SPDX-License-Identifier: MIT
/* regions - see regions.h. */
#include "services/init/regions.h"

#include "abi/inspect.h"
#include "lib/base/printf.h"
#include "lib/base/string.h"
#include "lib/mnos/heap.h"
#include "lib/mnos/log.h"
#include "lib/mnos/memory.h"
#include "lib/mnos/syscall.h"
#include "services/init/regions_shared.h"

/* ---- The manifest's side ---- */

static uint64_t page_limit(const struct manifest_region *config, uint64_t free_frames)
{
    uint64_t limit = free_frames * config->share / MANIFEST_WHOLE_SHARE;

    if (limit > config->ceiling)
        limit = config->ceiling;
    return limit < config->floor ? config->floor : limit;
}

void regions_init(struct regions *regions, const struct manifest *manifest, uint64_t free_frames)
{
    regions->manifest = manifest;
    for (uint32_t i = 0; i < manifest->region_count; i++) {
        regions->all[i].config = &manifest->regions[i];
        regions->all[i].page_limit = page_limit(&manifest->regions[i], free_frames);
    }
    for (uint32_t i = 0; i < manifest->grant_count; i++) {
        if (manifest->grants[i].kind == MANIFEST_GRANT_REGION)
            regions->user_of_grant[i] = regions->all[manifest->grants[i].a].user_count++;
    }
}

/* ---- Pieces ---- */

/* One run of frames if there is one: a device needs it, and it maps with large pages. */
static mnos_status_t allocate(const struct region *region, uint64_t pages, mnos_cap_t *memory)
{
    uint64_t best = pages >= REGION_PIECE_PAGES ? MNOS_ALLOC_ALIGN_2M : MNOS_ALLOC_CONTIGUOUS;
    mnos_status_t status = sys_mem_alloc(pages, best, memory);

    if (status == MNOS_ERR_MEMORY)
        status = sys_mem_alloc(pages, MNOS_ALLOC_CONTIGUOUS, memory);
    if (status == MNOS_ERR_MEMORY && region->config->kind != MANIFEST_REGION_DMA)
        status = sys_mem_alloc(pages, 0, memory);
    return status;
}

static void append(struct region *region, struct region_piece *piece)
{
    struct region_piece **end = &region->first;

    while (*end != NULL)
        end = &(*end)->next;
    *end = piece;
    region->piece_count++;
    region->pages += piece->page_count;
}

static uint64_t object_id_of(mnos_cap_t cap)
{
    uint64_t size;

    if (sys_cap_inspect(cap, MNOS_VIEW_CAPABILITY, 0, &size) != MNOS_OK)
        return 0; /* no object has it */
    return ((const struct mnos_cap_info *)(const void *)ipc_buffer()->data)->object_id;
}

static mnos_status_t add_piece(struct region *region, uint64_t pages)
{
    struct region_piece *piece = heap_allocate(sizeof *piece);
    mnos_status_t status;

    if (piece == NULL)
        return MNOS_ERR_MEMORY;
    *piece = (struct region_piece){.page_count = pages};
    status = allocate(region, pages, &piece->memory);
    if (status != MNOS_OK) {
        heap_free(piece);
        return status;
    }
    piece->object_id = object_id_of(piece->memory);
    append(region, piece);
    return MNOS_OK;
}

struct region_piece *regions_piece_at(const struct region *region, uint32_t index)
{
    struct region_piece *piece = region->first;

    while (piece != NULL && index-- != 0)
        piece = piece->next;
    return piece;
}

static mnos_status_t intermediate(struct region_piece *piece, const struct regions *regions,
                                  uint32_t grant)
{
    mnos_cap_t *cap = &piece->intermediates[regions->user_of_grant[grant]];

    if (*cap != 0)
        return MNOS_OK;
    return sys_cap_create(MNOS_CREATE_COPY, piece->memory,
                          regions->manifest->grants[grant].rights | PARENT_RIGHTS, 0, 0, cap);
}

/* ---- Runs ---- */

static mnos_status_t make_floor(struct region *region)
{
    mnos_status_t status = MNOS_OK;
    void *header;

    if (region->first == NULL)
        status = add_piece(region, region->config->floor);
    if (status != MNOS_OK || region->config->kind != MANIFEST_REGION_STATE ||
        region->header != NULL)
        return status;
    status = memory_map(region->first->memory, 0, 1, MNOS_MAP_READ | MNOS_MAP_WRITE, &header);
    if (status == MNOS_OK)
        region->header = header;
    return status;
}

static void revoke_run(const struct regions *regions, const struct region *region, uint32_t grant)
{
    if ((region->config->flags & MANIFEST_REGION_KEEP) != 0)
        return;
    for (struct region_piece *piece = region->first; piece != NULL; piece = piece->next) {
        mnos_cap_t cap = piece->intermediates[regions->user_of_grant[grant]];

        if (cap != 0)
            (void)!sys_cap_revoke(cap);
    }
}

static mnos_status_t begin(struct regions *regions, uint32_t grant, const struct region_past *past)
{
    const struct manifest_grant *config = &regions->manifest->grants[grant];
    struct region *region = &regions->all[config->a];
    mnos_status_t status = make_floor(region);

    if (status != MNOS_OK)
        return status;
    revoke_run(regions, region, grant);
    if (region->header != NULL && (config->rights & MNOS_RIGHT_WRITE) != 0) {
        region->header->epoch++;
        region->header->deaths = past->deaths;
        region->header->ordered = past->ordered;
    }
    return intermediate(region->first, regions, grant);
}

mnos_status_t regions_begin_run(struct regions *regions, uint32_t service,
                                const struct region_past *past)
{
    const struct manifest_service *config = &regions->manifest->services[service];

    for (uint32_t i = config->first_grant; i < config->first_grant + config->grant_count; i++) {
        mnos_status_t status = MNOS_OK;

        if (regions->manifest->grants[i].kind == MANIFEST_GRANT_REGION)
            status = begin(regions, i, past);
        if (status != MNOS_OK) {
            char what[96];

            mnos_snprintf(what, sizeof what, "%s: memory for its region \"%s\"", config->name,
                          regions->manifest->grants[i].name);
            log_error(status, what);
            return status;
        }
    }
    return MNOS_OK;
}

/* Memory that no run has ever had. */
static void free_floor(struct region *region)
{
    struct region_piece *piece = region->first;

    if (region->header != NULL)
        memory_unmap(region->header, 1);
    for (uint32_t i = 0; i < MANIFEST_REGION_USERS_MAX; i++)
        if (piece->intermediates[i] != 0)
            (void)!sys_cap_delete(piece->intermediates[i]);
    (void)!sys_cap_delete(piece->memory);
    heap_free(piece);
    region->header = NULL;
    region->first = NULL;
    region->piece_count = 0;
    region->pages = 0;
}

void regions_take_back(struct regions *regions, uint32_t service)
{
    const struct manifest_service *config = &regions->manifest->services[service];

    for (uint32_t i = config->first_grant; i < config->first_grant + config->grant_count; i++) {
        struct region *region = &regions->all[regions->manifest->grants[i].a];

        if (regions->manifest->grants[i].kind == MANIFEST_GRANT_REGION && region->first != NULL &&
            !region->given)
            free_floor(region);
    }
}

mnos_status_t regions_give_floor(struct regions *regions, uint32_t grant, mnos_cap_t process,
                                 mnos_cap_t *given)
{
    const struct manifest_grant *config = &regions->manifest->grants[grant];
    const struct region_piece *piece = regions->all[config->a].first;

    regions->all[config->a].given = true;
    return sys_cap_transfer(process, piece->intermediates[regions->user_of_grant[grant]],
                            config->rights, given);
}

/* ---- Requests ---- */

uint32_t regions_find_grant(const struct regions *regions, uint32_t service, const char *name)
{
    const struct manifest_service *config = &regions->manifest->services[service];

    for (uint32_t i = config->first_grant; i < config->first_grant + config->grant_count; i++) {
        const struct manifest_grant *grant = &regions->manifest->grants[i];

        if (grant->kind == MANIFEST_GRANT_REGION &&
            strncmp(grant->name, name, MNOS_NAME_BYTES) == 0)
            return i;
    }
    return regions->manifest->grant_count;
}

struct region *regions_of_grant(const struct regions *regions, uint32_t grant)
{
    return (struct region *)&regions->all[regions->manifest->grants[grant].a];
}

static mnos_status_t answer_piece(const struct regions *regions, uint32_t grant, uint32_t index,
                                  struct message *reply)
{
    const struct region *region = regions_of_grant(regions, grant);
    struct region_answer answer = {region->pages, region->page_limit};
    struct region_piece *piece = regions_piece_at(region, index);
    mnos_status_t status;

    if (piece == NULL)
        return MNOS_ERR_END;
    status = intermediate(piece, regions, grant);
    if (status != MNOS_OK)
        return status;
    message_put(reply, MNOS_OK, &answer, sizeof answer);
    message_add_cap(reply, piece->intermediates[regions->user_of_grant[grant]],
                    regions->manifest->grants[grant].rights);
    return MNOS_OK;
}

mnos_status_t regions_piece(const struct regions *regions, uint32_t service,
                            const struct region_request *request, struct message *reply)
{
    uint32_t grant = regions_find_grant(regions, service, request->name);

    if (grant == regions->manifest->grant_count)
        return MNOS_ERR_NOT_FOUND;
    return answer_piece(regions, grant, request->index, reply);
}

mnos_status_t regions_grow(struct regions *regions, uint32_t service,
                           const struct region_request *request, struct message *reply)
{
    uint32_t grant = regions_find_grant(regions, service, request->name);
    struct region *region;
    mnos_status_t status;

    if (grant == regions->manifest->grant_count)
        return MNOS_ERR_NOT_FOUND;
    region = regions_of_grant(regions, grant);
    if (region->pages + REGION_PIECE_PAGES > region->page_limit)
        return MNOS_ERR_QUOTA;
    status = add_piece(region, REGION_PIECE_PAGES);
    if (status != MNOS_OK)
        return status;
    return answer_piece(regions, grant, region->piece_count - 1, reply);
}

const char *regions_name_of(const struct regions *regions, uint64_t object_id)
{
    for (uint32_t i = 0; i < regions->manifest->region_count; i++) {
        for (const struct region_piece *piece = regions->all[i].first; piece != NULL;
             piece = piece->next) {
            if (piece->object_id == object_id)
                return regions->all[i].config->name;
        }
    }
    return NULL;
}

void regions_describe(const struct regions *regions, uint32_t index,
                      struct region_list_entry *entry)
{
    const struct region *region = &regions->all[index];
    const struct manifest *manifest = regions->manifest;

    *entry = (struct region_list_entry){
        .kind = region->config->kind,
        .flags = region->config->flags,
        .users = region->user_count,
        .pieces = region->piece_count,
        .pages = region->pages,
        .page_limit = region->page_limit,
        .epoch = region->header == NULL ? 0 : region->header->epoch,
        .parts = region->part_count,
    };
    string_copy(entry->name, region->config->name, sizeof entry->name);
    for (uint32_t i = manifest->service_count; i-- > 0;) {
        const struct manifest_service *service = &manifest->services[i];

        for (uint32_t j = 0; j < service->grant_count; j++) {
            const struct manifest_grant *grant = &manifest->grants[service->first_grant + j];

            if (grant->kind == MANIFEST_GRANT_REGION && grant->a == index)
                string_copy(entry->user, service->name, sizeof entry->user);
        }
    }
}
