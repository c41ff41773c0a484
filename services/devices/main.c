// SPDX-License-Identifier: MIT
/*
 * main - finds the devices of the machine and hands each to its driver: capabilities, what the run
 * before left, and the one loop. See README.md.
 */
#include "abi/inspect.h"
#include "lib/base/string.h"
#include "lib/client/manager.h"
#include "lib/client/region.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/log.h"
#include "lib/mnos/syscall.h"
#include "lib/server/alive.h"
#include "lib/server/state.h"
#include "services/devices/config_open.h"
#include "services/devices/match.h"
#include "services/devices/scan.h"
#include "services/devices/server.h"

BOOTSTRAP_NEEDS("manager");

enum { EXIT_CONFIG = 1, EXIT_STATE = 2, EXIT_MESSAGES = 3, EXIT_RECEIVE = 4 };

static struct devices devices;
static struct driver_match matches[MATCHES_MAX];
static struct region_piece piece;
static struct region region;
static struct state state;

/* What message line 0 is told by; the others follow it (abi/interrupt.h). */
static mnos_status_t learn_messages(struct message_lines *lines)
{
    const struct mnos_cap_info *info = (const void *)ipc_buffer()->data;
    uint64_t size;
    mnos_status_t status =
        sys_cap_inspect(bootstrap_cap("messages"), MNOS_VIEW_CAPABILITY, 0, &size);

    if (status != MNOS_OK)
        return status;
    if (info->physical_address == UINT64_MAX)
        return MNOS_ERR_TYPE; /* the manifest gave lines that are pins */
    *lines =
        (struct message_lines){info->physical_address, info->message_data, (unsigned)info->count};
    return MNOS_OK;
}

static void log_scan(const struct table *table)
{
    unsigned failed = 0;

    for (uint32_t i = 0; i < table->count; i++)
        failed += table->functions[i].state == DEVICE_FAILED;
    log_line("%u PCI functions by %s, %u of them without a usable interrupt or address",
             table->count, config_way(), failed);
    if (table->left_out != 0)
        log_line("%u more found no room in the table", table->left_out);
}

/* Whose device is whose is asked of the manifest once, with the scan: it does not change while the
 * machine runs. */
static void learn_matches(struct table *table)
{
    struct manager_match entry;
    unsigned count = 0;

    for (; count < MATCHES_MAX && manager_match_entry(count, &entry) == MNOS_OK; count++) {
        matches[count] = (struct driver_match){.instances = entry.instances,
                                               .vendor = entry.vendor,
                                               .device = entry.device,
                                               .class_code = entry.class_code,
                                               .class_mask = entry.class_mask};
        string_copy(matches[count].service, entry.name, sizeof matches[count].service);
    }
    match_all(table, matches, count);
}

/* The table of the run before, if there is one and it is whole; else a new scan. */
static mnos_status_t open_table(void)
{
    const char *wrong = NULL;
    enum state_found found;
    mnos_status_t status = region_open(&region, BOOTSTRAP_REQUIRED("devices_state"), &piece, 1);

    if (status != MNOS_OK)
        return status;
    if (region.bytes < state_overhead(0) + sizeof(struct table))
        return MNOS_ERR_SIZE;
    found = state_open(&state, region.address, region.bytes, TABLE_MAGIC, TABLE_LAYOUT, 0, NULL);
    devices.table = state_content(&state);
    if (found == STATE_WHOLE)
        wrong = table_check(devices.table);
    if (found == STATE_WHOLE && wrong == NULL) {
        devices_resume(&devices);
        log_line("goes on with %u PCI functions", devices.table->count);
        return MNOS_OK;
    }
    if (found == STATE_FOREIGN || wrong != NULL)
        log_line("what the run before left is not usable (%s): scanning again",
                 wrong != NULL ? wrong : "another layout, or damaged");
    state_drop(&state);
    scan_all(devices.table);
    learn_matches(devices.table);
    log_scan(devices.table);
    state_ready(&state);
    return MNOS_OK;
}

static void open_names(void)
{
    const struct mnos_cap_info *info = (const void *)ipc_buffer()->data;
    mnos_cap_t cap = bootstrap_find("pci_names");
    uint64_t size, pages;
    void *bytes;

    if (cap == 0 || sys_cap_inspect(cap, MNOS_VIEW_CAPABILITY, 0, &size) != MNOS_OK)
        return;
    pages = info->count;
    if (memory_map(cap, 0, pages, MNOS_MAP_READ, &bytes) != MNOS_OK ||
        !names_open(&devices.names, bytes, (size_t)pages * MNOS_PAGE_BYTES))
        log_line("the table of names is not usable: devices are shown by their numbers");
}

/* One that has its device runs, or is about to be started again; one that the manager gave up stays
 * so. */
static void start_drivers(const struct table *table)
{
    for (uint32_t i = 0; i < table->count; i++) {
        const struct function *function = &table->functions[i];
        char address[16];
        mnos_status_t status;

        if (function->service[0] == 0 || function->state != DEVICE_FREE ||
            system_service_failed(function->service))
            continue;
        status = manager_command(MANAGER_START, function->service);
        function_address_text(function, address, sizeof address);
        if (status != MNOS_OK)
            log_at(MNOS_LOG_ERROR, "%s: its driver %s cannot be started (status %u)", address,
                   function->service, (unsigned)status);
    }
}

static mnos_status_t serve(void)
{
    struct message message = {0};

    for (;;) {
        uint64_t deadline = devices_progress(&devices);
        mnos_status_t status;

        message.accept = 1; /* what DMA_USE carries */
        status = ipc_reply_receive(devices.endpoint, &message, deadline);
        if (status == MNOS_ERR_DEADLINE) {
            message = (struct message){0};
            continue;
        }
        if (status != MNOS_OK)
            return status;
        alive_answer(&message);
        devices_handle(&devices, &message);
    }
}

int main(void)
{
    mnos_status_t status = config_open();

    if (status != MNOS_OK)
        return log_failure(status, "reach PCI configuration space", EXIT_CONFIG);
    devices.endpoint = bootstrap_cap("requests");
    status = learn_messages(&devices.lines);
    if (status != MNOS_OK)
        return log_failure(status, "learn what makes a message line fire", EXIT_MESSAGES);
    status = open_table();
    if (status != MNOS_OK)
        return log_failure(status, "open the table of devices", EXIT_STATE);
    open_names();
    start_drivers(devices.table);
    status = serve();
    return log_failure(status, "receive a request", EXIT_RECEIVE);
}
