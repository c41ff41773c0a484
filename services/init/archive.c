// SPDX-License-Identifier: MIT
/* archive - see archive.h. The format is lib/format/ustar.h's business. */
#include "services/init/archive.h"

#include "lib/base/string.h"

#include "abi/inspect.h"
#include "lib/format/ustar.h"
#include "lib/mnos/log.h"
#include "lib/mnos/memory.h"
#include "lib/mnos/syscall.h"

static mnos_status_t archive_map(struct archive *archive)
{
    const struct mnos_cap_info *info = (const void *)ipc_buffer()->data;
    uint64_t size, page_count;
    void *address;
    mnos_status_t status = sys_cap_inspect(archive->memory, MNOS_VIEW_CAPABILITY, 0, &size);

    if (status != MNOS_OK)
        return status;
    page_count = info->count;
    status = memory_map(archive->memory, 0, page_count, MNOS_MAP_READ, &address);
    if (status != MNOS_OK)
        return status;
    archive->base = address;
    archive->size = page_count * MNOS_PAGE_BYTES;
    return MNOS_OK;
}

static void archive_add(struct archive *archive, const struct ustar_entry *entry)
{
    struct archive_member *member = &archive->members[archive->member_count];

    /* No service has a longer name, so such a member cannot be asked for. Padding has no name. */
    if (entry->type != '0' || entry->path[0] == '.' || strlen(entry->path) >= sizeof member->name)
        return;
    string_copy(member->name, entry->path, sizeof member->name);
    member->data = entry->data;
    member->size = entry->size;
    archive->member_count++;
}

mnos_status_t archive_open(struct archive *archive, mnos_cap_t memory)
{
    enum ustar_error error = USTAR_OK;
    struct ustar_entry entry;
    size_t offset = 0;
    mnos_status_t status;

    archive->memory = memory;
    status = archive_map(archive);
    if (status != MNOS_OK) {
        log_error(status, "map the initial RAM disk");
        return status;
    }
    while (archive->member_count < ARCHIVE_MEMBERS_MAX) {
        error = ustar_next(archive->base, archive->size, &offset, &entry);
        if (error != USTAR_OK)
            break;
        archive_add(archive, &entry);
    }
    if (error != USTAR_END) {
        log_at(MNOS_LOG_ERROR, "initial RAM disk, after %u files: %s", archive->member_count,
               error == USTAR_OK ? "too many files" : ustar_error_text(error));
        return MNOS_ERR_FORMAT;
    }
    return MNOS_OK;
}

const struct archive_member *archive_find(const struct archive *archive, const char *name)
{
    for (uint32_t i = 0; i < archive->member_count; i++) {
        if (strcmp(archive->members[i].name, name) == 0)
            return &archive->members[i];
    }
    return NULL;
}
