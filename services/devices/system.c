// SPDX-License-Identifier: MIT
/* system - see system.h. */
#include "services/devices/system.h"

#include "abi/inspect.h"
#include "abi/memory.h"
#include "lib/base/string.h"
#include "lib/client/manager.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/syscall.h"
#include "lib/mnos/time.h"

/* The client's capability is a child of ours; when ours goes, it is one of the capability that this
 * service was given, and outlives this run. */
static mnos_status_t answer_range(struct message *message, mnos_cap_t source, uint64_t first,
                                  uint64_t count, mnos_rights_t rights)
{
    mnos_cap_t derived;
    mnos_status_t status = sys_cap_create(MNOS_CREATE_RANGE, source, rights | MNOS_RIGHT_GRANT,
                                          first, count, &derived);

    if (status != MNOS_OK)
        return status;
    message_add_cap(message, derived, rights);
    status = ipc_reply(message);
    (void)!sys_cap_delete(derived);
    if (status != MNOS_OK && status != MNOS_ERR_REPLY)
        return status; /* it accepts none, or has no room for it */
    message->reply_id = 0;
    return MNOS_OK;
}

mnos_status_t system_answer_memory(struct message *message, uint64_t first_page,
                                   uint64_t page_count)
{
    return answer_range(message, bootstrap_cap("device"), first_page, page_count,
                        MNOS_RIGHT_READ | MNOS_RIGHT_WRITE);
}

mnos_status_t system_answer_line(struct message *message, unsigned line)
{
    return answer_range(message, bootstrap_cap("messages"), line, 1, MNOS_RIGHT_WRITE);
}

bool system_memory(mnos_cap_t memory, uint64_t *bus, uint64_t *bytes)
{
    struct mnos_cap_info info;
    struct manager_name region;
    uint64_t size;

    if (memory == 0 || sys_cap_inspect(memory, MNOS_VIEW_CAPABILITY, 0, &size) != MNOS_OK)
        return false;
    info = *(const struct mnos_cap_info *)(const void *)ipc_buffer()->data;
    /* Other memory ends with who allocated it, and its frames are somebody else's while the device still writes. */
    if (info.type != MNOS_TYPE_MEMORY || info.flavour != MNOS_MEMORY_RAM ||
        info.physical_address == UINT64_MAX ||
        manager_region_of(info.object_id, &region) != MNOS_OK)
        return false;
    *bus = info.physical_address;
    *bytes = info.count * MNOS_PAGE_BYTES;
    return true;
}

void system_drop(mnos_cap_t cap)
{
    (void)!sys_cap_delete(cap);
}

bool system_service(mnos_badge_t badge, char name[MNOS_NAME_BYTES])
{
    struct manager_service service;
    uint64_t index = manager_index_of(badge);

    if (index == 0 || manager_entry(index, &service) != MNOS_OK)
        return false;
    string_copy(name, service.name, MNOS_NAME_BYTES);
    return true;
}

bool system_service_failed(const char *name)
{
    struct manager_service service;
    uint64_t index;

    return manager_find(name, &index, &service) == MNOS_OK && service.state == MANAGER_FAILED;
}

bool system_badge_lives(mnos_badge_t badge)
{
    uint64_t lives;

    return sys_cap_inspect(bootstrap_cap("requests"), MNOS_VIEW_BADGE, badge, &lives) == MNOS_OK &&
           lives == 1;
}

uint64_t system_time_ns(void)
{
    return kinfo_time_ns();
}
