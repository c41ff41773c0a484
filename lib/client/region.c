// SPDX-License-Identifier: MIT
/* region - see region.h. */
#include "lib/client/region.h"

#include "abi/inspect.h"
#include "lib/base/string.h"
#include "lib/client/manager.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/syscall.h"

static mnos_status_t request(const struct region *region, enum manager_request label,
                             uint32_t piece, uint32_t first_page, uint32_t page_count,
                             uint32_t flags, mnos_cap_t *answer)
{
    struct region_request argument = {
        .index = piece, .first_page = first_page, .page_count = page_count, .flags = flags};

    string_copy(argument.name, region->name, sizeof argument.name);
    return manager_region(label, &argument, answer, NULL);
}

/* How large it may become. */
static mnos_status_t ask_limit(struct region *region)
{
    uint64_t most =
        region->bytes + (uint64_t)(region->piece_max - 1) * REGION_PIECE_PAGES * MNOS_PAGE_BYTES;
    struct region_request argument = {0};
    struct region_answer answer;
    mnos_cap_t floor;
    mnos_status_t status;

    string_copy(argument.name, region->name, sizeof argument.name);
    status = manager_region(MANAGER_REGION, &argument, &floor, &answer);
    if (status != MNOS_OK)
        return status;
    (void)!sys_cap_delete(floor); /* the bootstrap table has one */
    region->bytes_max = answer.page_limit * MNOS_PAGE_BYTES;
    if (region->bytes_max > most)
        region->bytes_max = most;
    return MNOS_OK;
}

/* How many pages, and where they are. */
static mnos_status_t look_at(struct region_piece *piece, bool *writable)
{
    struct mnos_cap_info info;
    uint64_t size;
    mnos_status_t status = sys_cap_inspect(piece->memory, MNOS_VIEW_CAPABILITY, 0, &size);

    if (status != MNOS_OK)
        return status;
    memcpy(&info, ipc_buffer()->data, sizeof info);
    piece->page_count = (uint32_t)info.count;
    piece->physical = info.physical_address;
    *writable = (info.rights & MNOS_RIGHT_WRITE) != 0;
    return MNOS_OK;
}

/* The piece follows the last one; on an error its capability goes. */
static mnos_status_t add(struct region *region, mnos_cap_t memory)
{
    struct region_piece *piece = &region->pieces[region->piece_count];
    bool writable;
    mnos_status_t status;

    *piece =
        (struct region_piece){memory, UINT64_MAX, (uint32_t)(region->bytes / MNOS_PAGE_BYTES), 0};
    status = look_at(piece, &writable);
    if (status == MNOS_OK && region->piece_count == 0) {
        uint64_t address;

        status = address_reserve(
            piece->page_count + (uint64_t)(region->piece_max - 1) * REGION_PIECE_PAGES, &address);
        if (status == MNOS_OK)
            region->address = (uint8_t *)address;
    }
    if (status == MNOS_OK)
        status = sys_mem_map(MNOS_SELF, memory, (uint64_t)region->address + region->bytes, 0,
                             piece->page_count, MNOS_MAP_READ | (writable ? MNOS_MAP_WRITE : 0));
    if (status != MNOS_OK) {
        (void)!sys_cap_delete(memory);
        return status;
    }
    region->bytes += (uint64_t)piece->page_count * MNOS_PAGE_BYTES;
    region->piece_count++;
    return MNOS_OK;
}

mnos_status_t region_open(struct region *region, struct bootstrap_name name,
                          struct region_piece *pieces, uint32_t piece_max)
{
    mnos_cap_t memory = bootstrap_lookup(name);
    mnos_status_t status;

    *region = (struct region){.pieces = pieces, .piece_max = piece_max};
    string_copy(region->name, name.text, sizeof region->name);
    if (memory == 0)
        return MNOS_ERR_NOT_FOUND;
    status = add(region, memory);
    region->bytes_max = region->bytes;
    if (status == MNOS_OK && piece_max > 1)
        status = ask_limit(region);
    while (status == MNOS_OK && region->piece_count < piece_max) {
        status = request(region, MANAGER_REGION, region->piece_count, 0, 0, 0, &memory);
        if (status == MNOS_OK)
            status = add(region, memory);
    }
    return status == MNOS_ERR_END ? MNOS_OK : status;
}

mnos_status_t region_grow(struct region *region)
{
    mnos_cap_t memory;
    mnos_status_t status;

    if (region->piece_count >= region->piece_max)
        return MNOS_ERR_QUOTA;
    status = request(region, MANAGER_GROW, 0, 0, 0, 0, &memory);
    return status != MNOS_OK ? status : add(region, memory);
}

mnos_cap_t region_memory(const struct region *region, const void *address, uint64_t *page,
                         uint64_t *page_count)
{
    uint64_t at = (uint64_t)((const uint8_t *)address - region->address) / MNOS_PAGE_BYTES;
    const struct region_piece *piece = region->pieces;

    while (at >= (uint64_t)piece->first_page + piece->page_count)
        piece++;
    *page = at - piece->first_page;
    *page_count = piece->page_count - *page;
    return piece->memory;
}

mnos_status_t region_part(const struct region *region, uint32_t piece, uint32_t first_page,
                          uint32_t page_count, mnos_cap_t *part)
{
    return request(region, MANAGER_PART, piece, first_page, page_count, 0, part);
}

mnos_status_t region_new_part(const struct region *region, uint32_t piece, uint32_t first_page,
                              uint32_t page_count, mnos_cap_t *part)
{
    return request(region, MANAGER_PART, piece, first_page, page_count, REGION_PART_NEW, part);
}

mnos_status_t region_release(const struct region *region, uint32_t piece, uint32_t first_page,
                             uint32_t page_count)
{
    return request(region, MANAGER_RELEASE, piece, first_page, page_count, 0, NULL);
}
