// SPDX-License-Identifier: MIT
/* holdings - see holdings.h. */
#include "services/facts/holdings.h"

#include "abi/memory.h"
#include "lib/base/printf.h"
#include "lib/base/string.h"
#include "lib/client/manager.h"
#include "lib/mnos/syscall.h"

#define KIB_PER_PAGE (MNOS_PAGE_BYTES / 1024)
#define ENDPOINTS_MAX 512u

static struct {
    uint64_t object;
    char receiver[MNOS_NAME_BYTES];
} endpoints[ENDPOINTS_MAX];
static uint32_t endpoint_count;

/* Calls `see` with each capability of a process, by a copy: what it does may use the IPC buffer. */
static void each_capability(mnos_cap_t process,
                            void (*see)(void *context, const struct mnos_cap_info *info),
                            void *context)
{
    struct mnos_cap_info info;
    uint64_t size;

    for (uint64_t at = 0; sys_cap_inspect(process, MNOS_VIEW_PROCESS_CAP, at, &size) == MNOS_OK;
         at = MNOS_HANDLE_INDEX(info.handle) + 1) {
        memcpy(&info, ipc_buffer()->data, sizeof info);
        see(context, &info);
    }
}

/* ---- Who receives where ---- */

static uint32_t endpoint_of(uint64_t object)
{
    uint32_t i = 0;

    while (i < endpoint_count && endpoints[i].object != object)
        i++;
    return i;
}

static void learn(void *context, const struct mnos_cap_info *info)
{
    uint32_t place = endpoint_of(info->object_id);

    if (info->type != MNOS_TYPE_ENDPOINT || (info->rights & MNOS_RIGHT_READ) == 0 ||
        place == ENDPOINTS_MAX)
        return;
    endpoint_count += place == endpoint_count;
    endpoints[place].object = info->object_id;
    memcpy(endpoints[place].receiver, context, MNOS_NAME_BYTES);
}

void holdings_forget(void)
{
    endpoint_count = 0;
}

void holdings_learn(mnos_cap_t process, const char name[MNOS_NAME_BYTES])
{
    char copy[MNOS_NAME_BYTES];

    memcpy(copy, name, sizeof copy);
    each_capability(process, learn, copy);
}

/* ---- In words ---- */

static const char *use_of(uint32_t rights)
{
    if ((rights & (MNOS_RIGHT_EXECUTE | MNOS_RIGHT_WRITE)) == MNOS_RIGHT_EXECUTE)
        return "to run";
    return (rights & MNOS_RIGHT_WRITE) == 0  ? "to read"
           : (rights & MNOS_RIGHT_READ) == 0 ? "to write"
                                             : "to read and write";
}

static void memory_text(const struct mnos_cap_info *info, char text[HOLDING_TEXT_BYTES])
{
    struct manager_name region;

    if (info->flavour == MNOS_MEMORY_RAM && manager_region_of(info->object_id, &region) == MNOS_OK)
        (void)mnos_snprintf(text, HOLDING_TEXT_BYTES, "region %.23s, %s", region.name,
                            use_of(info->rights));
    else if (info->flavour == MNOS_MEMORY_RAM)
        (void)mnos_snprintf(text, HOLDING_TEXT_BYTES, "memory, %s", use_of(info->rights));
    else if (info->flavour == MNOS_MEMORY_DEVICE)
        (void)mnos_snprintf(text, HOLDING_TEXT_BYTES, "device registers from 0x%llx on",
                            (unsigned long long)info->first * MNOS_PAGE_BYTES);
    else
        (void)mnos_snprintf(text, HOLDING_TEXT_BYTES, "ports 0x%llx to 0x%llx",
                            (unsigned long long)info->first,
                            (unsigned long long)(info->first + info->count - 1));
}

static void endpoint_text(const struct mnos_cap_info *info, char text[HOLDING_TEXT_BYTES])
{
    uint32_t place = endpoint_of(info->object_id);

    if ((info->rights & MNOS_RIGHT_READ) != 0)
        (void)mnos_snprintf(text, HOLDING_TEXT_BYTES, "an endpoint, to receive");
    else if (place < endpoint_count)
        (void)mnos_snprintf(text, HOLDING_TEXT_BYTES, "%.23s, to send to",
                            endpoints[place].receiver);
    else
        (void)mnos_snprintf(text, HOLDING_TEXT_BYTES, "an endpoint, to send to");
}

static void holding_text(const struct mnos_cap_info *info, char text[HOLDING_TEXT_BYTES])
{
    unsigned long long first = info->first, last = info->first + info->count - 1;

    switch (info->type) {
    case MNOS_TYPE_MEMORY: memory_text(info, text); break;
    case MNOS_TYPE_ENDPOINT: endpoint_text(info, text); break;
    case MNOS_TYPE_INTERRUPT:
        if (first == last)
            (void)mnos_snprintf(text, HOLDING_TEXT_BYTES, "interrupt line %llu", first);
        else
            (void)mnos_snprintf(text, HOLDING_TEXT_BYTES, "interrupt lines %llu to %llu", first,
                                last);
        break;
    case MNOS_TYPE_PROCESS:
        (void)mnos_snprintf(text, HOLDING_TEXT_BYTES, "a process, %s",
                            (info->rights & MNOS_RIGHT_WRITE) == 0 ? "to look at" : "to end it");
        break;
    default: (void)mnos_snprintf(text, HOLDING_TEXT_BYTES, "a thread"); break;
    }
}

static void note(void *context, const struct mnos_cap_info *info)
{
    struct holdings *holdings = context;
    char text[HOLDING_TEXT_BYTES];
    uint32_t i = 0;

    holding_text(info, text);
    while (i < holdings->count && strcmp(holdings->of[i].text, text) != 0)
        i++;
    if (i == HOLDINGS_MAX) {
        holdings->left_out++;
        return;
    }
    if (i == holdings->count) {
        holdings->of[i] = (struct holding){0};
        memcpy(holdings->of[i].text, text, sizeof text);
        holdings->count++;
    }
    holdings->of[i].times++;
    if (info->type == MNOS_TYPE_MEMORY && info->flavour != MNOS_MEMORY_PORTS)
        holdings->of[i].kib += info->count * KIB_PER_PAGE;
}

void holdings_of(mnos_cap_t process, struct holdings *holdings)
{
    holdings->count = holdings->left_out = 0;
    each_capability(process, note, holdings);
}
