// SPDX-License-Identifier: MIT
/* server - see server.h. Host tests compile this file with a model of the machine and of IPC. */
#include "services/devices/server.h"

#include "lib/base/string.h"
#include "services/devices/config.h"
#include "services/devices/quiet.h"
#include "services/devices/scan.h"
#include "services/devices/windows.h"

/* ---- claims ---- */

static void fill_ids(const struct devices *devices, const struct function *function,
                     struct device_info *info)
{
    *info = (struct device_info){
        .ids = function->ids,
        .flags = function->flags,
        .vectors = vectors_count(function),
    };
    for (uint32_t i = 0; i < DEVICE_BARS; i++)
        info->bars[i] = (struct device_window){function->bars[i].bytes, function->bars[i].flags,
                                               window_parts(devices->table, function, i)};
}

/* The registers answer from here on, the pin is off: no one listens to it. */
static void turn_on(const struct function *function)
{
    uint32_t command = config_read(function->ids.address, PCI_COMMAND, 2);

    config_write(function->ids.address, PCI_COMMAND, 2,
                 (command | PCI_COMMAND_MEMORY | PCI_COMMAND_NO_PIN) &
                     ~(uint32_t)PCI_COMMAND_MASTER);
}

/* Of a function that is FREE. The badge first and the state last (table.h). */
static mnos_status_t claim(struct devices *devices, struct function *function, mnos_badge_t badge)
{
    turn_on(function);
    if (!vectors_begin(devices->table, function, &devices->lines))
        return MNOS_ERR_QUOTA;
    function->dma = 0;
    function->badge = badge;
    function->state = DEVICE_CLAIMED;
    return MNOS_OK;
}

/* False: it has to wait. Else *status is the answer, with the device's description. */
static bool try_claim(struct devices *devices, const char *service, mnos_badge_t badge,
                      struct device_info *info, mnos_status_t *status)
{
    struct function *function = table_of_service(devices->table, service);

    if (function == NULL)
        return false;
    if (function->state == DEVICE_FAILED) {
        *status = MNOS_ERR_DEVICE;
        return true;
    }
    if (function->state == DEVICE_FREE)
        *status = claim(devices, function, badge);
    else if (function->state == DEVICE_CLAIMED && function->badge == badge)
        *status = MNOS_OK; /* asked for again */
    else
        return false;
    if (*status == MNOS_OK)
        fill_ids(devices, function, info);
    return true;
}

static mnos_status_t put_aside(struct devices *devices, const char *service,
                               const struct message *message)
{
    struct waiting *entry = NULL;

    for (unsigned i = 0; i < devices->waiting_count; i++)
        if (strncmp(devices->waiting[i].service, service, MNOS_NAME_BYTES) == 0)
            entry = &devices->waiting[i];
    if (entry != NULL)
        ipc_reply_status(entry->reply_id, MNOS_ERR_CANCELLED);
    else if (devices->waiting_count == WAITING_MAX)
        return MNOS_ERR_AGAIN;
    else
        entry = &devices->waiting[devices->waiting_count++];
    *entry = (struct waiting){.badge = message->badge, .reply_id = message->reply_id};
    string_copy(entry->service, service, sizeof entry->service);
    return MNOS_OK;
}

static void remove_waiting(struct devices *devices, unsigned at)
{
    devices->waiting_count--;
    for (unsigned i = at; i < devices->waiting_count; i++)
        devices->waiting[i] = devices->waiting[i + 1];
}

static void answer_waiting(struct devices *devices)
{
    for (unsigned i = devices->waiting_count; i-- > 0;) {
        struct waiting entry = devices->waiting[i];
        struct message reply = {.reply_id = entry.reply_id};
        struct device_info info = {0};
        mnos_status_t status;

        if (!try_claim(devices, entry.service, entry.badge, &info, &status))
            continue;
        remove_waiting(devices, i);
        message_put(&reply, status, &info, status == MNOS_OK ? sizeof info : 0);
        (void)!ipc_reply(&reply); /* one that died meanwhile is reported, and its device quiesced */
    }
}

/* MNOS_OK: answered in `message`, or put aside with reply_id 0. */
static mnos_status_t handle_claim(struct devices *devices, struct message *message)
{
    char service[MNOS_NAME_BYTES];
    struct device_info info;
    mnos_status_t status;

    if (message->length != 0)
        return MNOS_ERR_SIZE;
    if (!system_service(message->badge, service) ||
        table_of_service(devices->table, service) == NULL)
        return MNOS_ERR_DENIED;
    if (try_claim(devices, service, message->badge, &info, &status)) {
        message_put(message, status, &info, status == MNOS_OK ? sizeof info : 0);
        return MNOS_OK;
    }
    status = put_aside(devices, service, message);
    if (status == MNOS_OK)
        message->reply_id = 0;
    return status;
}

/* ---- requests of a driver that has its device ---- */

static mnos_status_t handle_bar(struct devices *devices, struct function *function,
                                struct message *message, uint64_t index)
{
    struct device_bar_part part;
    uint64_t first_page;
    mnos_status_t status;

    if (index >> 16 != 0)
        return MNOS_ERR_END;
    status = window_part(devices->table, function, index & 0xFF, (uint32_t)(index >> 8), &part,
                         &first_page);
    if (status != MNOS_OK)
        return status;
    message_put(message, MNOS_OK, &part, sizeof part);
    return system_answer_memory(message, first_page, part.page_count);
}

static mnos_status_t handle_vector(struct devices *devices, struct function *function,
                                   struct message *message, uint64_t index)
{
    mnos_status_t status = MNOS_ERR_END;

    if (index < DEVICE_VECTORS_MAX)
        status = vectors_set(devices->table, function, &devices->lines, (unsigned)index);
    if (status != MNOS_OK)
        return status;
    message_put(message, MNOS_OK, NULL, 0);
    return system_answer_line(message, function->lines[index]);
}

static mnos_status_t handle_capability(const struct function *function, struct message *message)
{
    uint8_t config[PCI_CONFIG_BYTES];
    struct device_capability request;
    uint8_t at;

    if (message_get(message, &request, sizeof request) != sizeof request)
        return MNOS_ERR_SIZE;
    scan_copy(function->ids.address, config);
    at = request.id > UINT8_MAX ? 0
                                : pci_capability_find(config, (uint8_t)request.id, request.index);
    if (at == 0)
        return MNOS_ERR_END;
    message_put(message, MNOS_OK, config + at, pci_capability_bytes(config, at));
    return MNOS_OK;
}

/* One block: the piece is contiguous, and without an IOMMU its bus address is its physical one. */
static mnos_status_t handle_dma_use(struct function *function, struct message *message,
                                    mnos_cap_t memory)
{
    struct {
        struct device_dma dma;
        uint64_t bus;
    } reply = {.dma.block_count = 1};

    if (!system_memory(memory, &reply.bus, &reply.dma.block_bytes))
        return MNOS_ERR_ARGUMENT;
    function->dma = 1;
    message_put(message, MNOS_OK, &reply, sizeof reply);
    return MNOS_OK;
}

static mnos_status_t handle_master(const struct function *function, struct message *message,
                                   uint64_t on)
{
    uint32_t command = config_read(function->ids.address, PCI_COMMAND, 2);

    if (on > 1)
        return MNOS_ERR_ARGUMENT;
    if (on && !function->dma)
        return MNOS_ERR_STATE;
    if (!on)
        quiet_reset_virtio(function);
    command = on ? command | PCI_COMMAND_MASTER : command & ~(uint32_t)PCI_COMMAND_MASTER;
    config_write(function->ids.address, PCI_COMMAND, 2, command);
    (void)config_read(function->ids.address, PCI_VENDOR, 4); /* what was posted has arrived */
    message_put(message, MNOS_OK, NULL, 0);
    return MNOS_OK;
}

static mnos_status_t handle_driver(struct devices *devices, struct message *message, mnos_cap_t cap)
{
    struct function *function = table_of_badge(devices->table, message->badge);
    struct device_index request;

    if (function == NULL) {
        char service[MNOS_NAME_BYTES];

        return system_service(message->badge, service) &&
                       table_of_service(devices->table, service) != NULL
                   ? MNOS_ERR_STATE
                   : MNOS_ERR_DENIED;
    }
    if (message->label == DEVICE_CAPABILITY)
        return handle_capability(function, message);
    if (message->label == DEVICE_DMA_USE)
        return message->length != 0 ? MNOS_ERR_SIZE : handle_dma_use(function, message, cap);
    if (message_get(message, &request, sizeof request) != sizeof request)
        return MNOS_ERR_SIZE;
    switch (message->label) {
    case DEVICE_BAR: return handle_bar(devices, function, message, request.index);
    case DEVICE_VECTOR: return handle_vector(devices, function, message, request.index);
    case DEVICE_MASTER: return handle_master(function, message, request.index);
    default: return MNOS_ERR_LABEL;
    }
}

/* ---- LIST ---- */

static uint32_t vectors_used(const struct function *function)
{
    uint32_t count = 0;

    for (unsigned i = 0; i < DEVICE_VECTORS_MAX; i++)
        count += function->lines[i] != LINE_NONE;
    return count;
}

static void fill_entry(const struct devices *devices, const struct function *function,
                       struct device_entry *entry)
{
    *entry = (struct device_entry){
        .ids = function->ids,
        .state = function->state,
        .flags = function->flags,
        .vectors = function->msix.at != 0 ? function->msix.vectors : function->msi.vectors,
        .vectors_set = vectors_used(function),
        .secondary_bus = function->secondary_bus,
    };
    if ((config_read(function->ids.address, PCI_COMMAND, 2) & PCI_COMMAND_MASTER) != 0)
        entry->flags |= DEVICE_MASTER_ON;
    string_copy(entry->service, function->service, sizeof entry->service);
    string_copy(entry->reason, function->reason, sizeof entry->reason);
    names_find(&devices->names, &function->ids, entry->name, sizeof entry->name);
    if (function->state == DEVICE_FREE && function->service[0] != 0 &&
        system_service_failed(function->service)) {
        entry->state = DEVICE_FAILED;
        string_copy(entry->reason, "its driver ended too often", sizeof entry->reason);
    }
}

static mnos_status_t handle_list(struct devices *devices, struct message *message)
{
    struct device_index request;
    struct device_entry entry;

    if (message_get(message, &request, sizeof request) != sizeof request)
        return MNOS_ERR_SIZE;
    if (request.index >= devices->table->count)
        return MNOS_ERR_END;
    fill_entry(devices, &devices->table->functions[request.index], &entry);
    message_put(message, MNOS_OK, &entry, sizeof entry);
    return MNOS_OK;
}

/* ---- the loop's parts ---- */

static void forget_clients(struct devices *devices, mnos_badge_t gone)
{
    for (unsigned i = devices->waiting_count; i-- > 0;)
        if (ipc_client_is_gone(devices->endpoint, gone, devices->waiting[i].badge))
            remove_waiting(devices, i);
    for (uint32_t i = 0; i < devices->table->count; i++) {
        struct function *function = &devices->table->functions[i];

        if (function->state == DEVICE_CLAIMED &&
            ipc_client_is_gone(devices->endpoint, gone, function->badge))
            quiet_begin(function);
    }
}

static void handle_request(struct devices *devices, struct message *message, mnos_cap_t cap)
{
    mnos_status_t status;

    if (message->label == DEVICE_CLAIM)
        status = handle_claim(devices, message);
    else if (message->label == DEVICE_LIST)
        status = handle_list(devices, message);
    else
        status = handle_driver(devices, message, cap);
    if (status != MNOS_OK)
        message_put(message, status, NULL, 0);
}

void devices_handle(struct devices *devices, struct message *message)
{
    /* Taken down before anything uses the IPC buffer. No handler keeps it: what it names is
     * another's. */
    mnos_cap_t cap = message_cap(message, 0);

    if (message->kind == MNOS_KIND_CLIENT_GONE) {
        forget_clients(devices, message->badge);
        message->reply_id = 0;
    } else if (message->kind == MNOS_KIND_MESSAGE && message->reply_id != 0) {
        handle_request(devices, message, cap);
    } else {
        message->reply_id = 0; /* it could not be answered, so it is no request */
    }
    message->cap_count = 0;
    if (cap != 0)
        system_drop(cap);
}

uint64_t devices_progress(struct devices *devices)
{
    uint64_t next = MNOS_DEADLINE_NEVER;

    for (uint32_t i = 0; i < devices->table->count; i++) {
        struct function *function = &devices->table->functions[i];
        uint64_t due;

        if (function->state != DEVICE_QUIESCING)
            continue;
        due = quiet_step(function, system_time_ns());
        if (due != 0 && due < next)
            next = due;
    }
    answer_waiting(devices);
    return next;
}

void devices_resume(struct devices *devices)
{
    for (uint32_t i = 0; i < devices->table->count; i++) {
        struct function *function = &devices->table->functions[i];

        /* One that is being reset does not answer for a while: that is for the step that waits for it. */
        if (!config_bus(function->ids.address) ||
            (function->state != DEVICE_QUIESCING && !scan_same(function)))
            function_fail(function, "is not there any more");
        else if (function->state == DEVICE_CLAIMED && !system_badge_lives(function->badge))
            quiet_begin(function);
    }
}
