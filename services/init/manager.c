// SPDX-License-Identifier: MIT
/* manager - see manager.h. */
#include "services/init/manager.h"

#include "lib/base/string.h"

#include "abi/inspect.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/log.h"
#include "lib/mnos/syscall.h"
#include "lib/server/names.h"
#include "protocols/manager.h"

/* Entry 0 is init itself. */
static mnos_status_t entry_at(struct supervisor *supervisor, const struct message *msg,
                              uint64_t *index, struct service **service)
{
    struct manager_index request;

    if (message_get(msg, &request, sizeof request) != sizeof request)
        return MNOS_ERR_SIZE;
    if (request.index > supervisor->manifest.service_count)
        return MNOS_ERR_END;
    *index = request.index;
    *service = request.index == 0 ? NULL : &supervisor->services[request.index - 1];
    return MNOS_OK;
}

static mnos_status_t manager_list(struct supervisor *supervisor, const struct message *msg,
                                  struct message *reply)
{
    struct manager_service entry = {0};
    struct service *service;
    uint64_t index;
    mnos_status_t status = entry_at(supervisor, msg, &index, &service);

    if (status != MNOS_OK)
        return status;
    if (service == NULL) {
        string_copy(entry.name, "init", sizeof entry.name);
        string_copy(entry.file, "init", sizeof entry.file);
        entry.state = MANAGER_RUNNING;
        entry.starts = 1;
    } else {
        string_copy(entry.name, service->config->name, sizeof entry.name);
        string_copy(entry.file, service->config->file, sizeof entry.file);
        entry.state = service->state;
        entry.policy = service->config->restart;
        entry.starts = service->starts;
        entry.failures = service->failures;
        entry.started_at_ns = service->started_at_ns;
        entry.restart_at_ns = service->restart_at_ns;
        string_copy(entry.last_end, service->last_end, sizeof entry.last_end);
        string_copy(entry.first_end, service->history.first_end, sizeof entry.first_end);
        entry.tries = service->history.tries;
        entry.away_ns = service->away_ns;
    }
    message_put(reply, MNOS_OK, &entry, sizeof entry);
    return MNOS_OK;
}

static mnos_status_t manager_process(struct supervisor *supervisor, const struct message *msg,
                                     struct message *reply)
{
    struct service *service;
    mnos_cap_t process;
    uint64_t index;
    mnos_status_t status = entry_at(supervisor, msg, &index, &service);

    if (status != MNOS_OK)
        return status;
    process = service == NULL ? bootstrap_cap("process") : service->program.process;
    if (process == 0)
        return MNOS_ERR_STATE;
    message_put(reply, MNOS_OK, NULL, 0);
    message_add_cap(reply, process, MNOS_RIGHT_READ);
    return MNOS_OK;
}

static mnos_status_t manager_names(struct supervisor *supervisor, const struct message *msg,
                                   struct message *reply)
{
    struct service *service;
    uint64_t index;
    mnos_status_t status = entry_at(supervisor, msg, &index, &service);

    if (status != MNOS_OK)
        return status;
    if (service == NULL)
        return names_answer_table(bootstrap_table(), reply);
    return service->program.memory == 0 ? MNOS_ERR_STATE
                                        : names_answer(service->program.memory, reply);
}

/* The only instance of `name`, when it has instances and one of them is. */
static struct service *find_instance(struct supervisor *supervisor, const char *name)
{
    size_t length = strnlen(name, MNOS_NAME_BYTES);
    struct service *found = NULL;

    for (uint32_t i = 0; i < supervisor->manifest.service_count; i++) {
        struct service *service = &supervisor->services[i];

        if (strncmp(service->config->name, name, length) != 0 ||
            service->config->name[length] != '.')
            continue;
        if (found != NULL)
            return NULL;
        found = service;
    }
    return found;
}

static struct service *find_service(struct supervisor *supervisor, const char *name)
{
    for (uint32_t i = 0; i < supervisor->manifest.service_count; i++) {
        struct service *service = &supervisor->services[i];

        if (strncmp(service->config->name, name, MNOS_NAME_BYTES) == 0)
            return service;
    }
    return find_instance(supervisor, name);
}

static const char *request_text(uint32_t label)
{
    switch (label) {
    case MANAGER_START: return "start";
    case MANAGER_RESTART: return "restart";
    case MANAGER_FAULT: return "the end of a fault";
    default: return "kill";
    }
}

/* The badge names a service, since only init mints; but it is a number from outside all the
 * same. */
static struct service *client_of(struct supervisor *supervisor, const struct message *msg)
{
    uint64_t client = msg->badge & BADGE_SERVICE_MASK;

    if (client < 1 || client > supervisor->manifest.service_count)
        return NULL;
    return &supervisor->services[client - 1];
}

static mnos_status_t listen(struct supervisor *supervisor, const struct message *msg)
{
    struct service *client = client_of(supervisor, msg);
    mnos_status_t status = MNOS_ERR_DENIED;

    if (client != NULL && client->state == MANAGER_RUNNING)
        status = listener_accept(&client->listener, msg);
    if (status != MNOS_OK)
        message_refuse_caps(msg);
    return status;
}

/* Whether the client may start and end the service: any, or those of its list. */
static bool may_control(const struct supervisor *supervisor, const struct message *msg,
                        const struct service *client, const struct service *service)
{
    if ((msg->badge & BADGE_CONTROL) != 0)
        return true;
    for (uint32_t i = 0; client != NULL && i < client->config->grant_count; i++) {
        const struct manifest_grant *grant =
            &supervisor->manifest.grants[client->config->first_grant + i];

        if (grant->kind == MANIFEST_GRANT_CONTROL && service->index >= grant->a &&
            service->index - grant->a < grant->b)
            return true;
    }
    return false;
}

static mnos_status_t control(struct supervisor *supervisor, const struct message *msg)
{
    const struct service *client = client_of(supervisor, msg);
    struct manager_name request;
    struct service *service;

    if (message_get(msg, &request, sizeof request) != sizeof request)
        return MNOS_ERR_SIZE;
    service = find_service(supervisor, request.name);
    if (service == NULL)
        return (msg->badge & BADGE_CONTROL) != 0 ? MNOS_ERR_NOT_FOUND : MNOS_ERR_DENIED;
    if (!may_control(supervisor, msg, client, service))
        return MNOS_ERR_DENIED;
    if (client != NULL)
        log_line("%s: %s asked for by %s", service->config->name, request_text(msg->label),
                 client->config->name);
    if (msg->label == MANAGER_KILL)
        return service_end(service, SERVICE_KILL);
    if (msg->label == MANAGER_FAULT)
        return service_end(service, SERVICE_FAULT);
    if (service->state != MANAGER_RUNNING)
        return service_start(service);
    return msg->label == MANAGER_RESTART ? service_end(service, SERVICE_RESTART) : MNOS_OK;
}

/* REGION, GROW, PART and RELEASE: of the client's own regions, whatever its badge allows else. */
static mnos_status_t region_request(struct supervisor *supervisor, const struct message *msg,
                                    struct message *reply)
{
    struct regions *regions = &supervisor->resources.regions;
    const struct service *client = client_of(supervisor, msg);
    struct region_request request;

    if (client == NULL)
        return MNOS_ERR_DENIED;
    if (message_get(msg, &request, sizeof request) != sizeof request)
        return MNOS_ERR_SIZE;
    message_put(reply, MNOS_OK, NULL, 0);
    switch (msg->label) {
    case MANAGER_REGION: return regions_piece(regions, client->index, &request, reply);
    case MANAGER_GROW: return regions_grow(regions, client->index, &request, reply);
    case MANAGER_PART: return regions_part(regions, client->index, &request, reply);
    default: return regions_release(regions, client->index, &request);
    }
}

static mnos_status_t list_region(struct supervisor *supervisor, const struct message *msg,
                                 struct message *reply)
{
    struct region_list_entry entry;
    struct manager_index request;

    if (message_get(msg, &request, sizeof request) != sizeof request)
        return MNOS_ERR_SIZE;
    if (request.index >= supervisor->manifest.region_count)
        return MNOS_ERR_END;
    regions_describe(&supervisor->resources.regions, (uint32_t)request.index, &entry);
    message_put(reply, MNOS_OK, &entry, sizeof entry);
    return MNOS_OK;
}

/* The endpoint that the client's capability of that name is to; endpoint_count: it has none. */
static uint32_t endpoint_by_name(const struct manifest *manifest, const struct service *client,
                                 const char *name)
{
    for (uint32_t i = 0; i < client->config->grant_count; i++) {
        const struct manifest_grant *grant = &manifest->grants[client->config->first_grant + i];

        if (grant->kind == MANIFEST_GRANT_CALL && strncmp(grant->name, name, MNOS_NAME_BYTES) == 0)
            return (uint32_t)grant->a;
    }
    return manifest->endpoint_count;
}

/* The endpoint that a capability is to, which the client may have from anybody. */
static uint32_t endpoint_by_cap(const struct supervisor *supervisor, mnos_cap_t cap)
{
    const struct mnos_cap_info *info = (const void *)ipc_buffer()->data;
    uint32_t count = supervisor->manifest.endpoint_count;
    uint64_t size, object;

    if (cap == 0 || sys_cap_inspect(cap, MNOS_VIEW_CAPABILITY, 0, &size) != MNOS_OK)
        return count;
    object = info->object_id;
    for (uint32_t i = 0; i < count; i++) {
        if (sys_cap_inspect(supervisor->resources.endpoints[i], MNOS_VIEW_CAPABILITY, 0, &size) ==
                MNOS_OK &&
            info->object_id == object)
            return i;
    }
    return count;
}

static mnos_status_t ask_alive(struct supervisor *supervisor, const struct message *msg)
{
    const struct manifest *manifest = &supervisor->manifest;
    const struct service *client = client_of(supervisor, msg);
    struct manager_name request;
    uint32_t endpoint;

    if (message_get(msg, &request, sizeof request) != sizeof request)
        return MNOS_ERR_SIZE;
    if (client == NULL)
        return MNOS_ERR_DENIED;
    endpoint = request.name[0] != 0 ? endpoint_by_name(manifest, client, request.name)
                                    : endpoint_by_cap(supervisor, message_cap(msg, 0));
    if (endpoint == manifest->endpoint_count ||
        manifest->endpoints[endpoint].provider == MANIFEST_PROVIDER_INIT)
        return MNOS_ERR_NOT_FOUND;
    service_ask_alive(&supervisor->services[manifest->endpoints[endpoint].provider], endpoint,
                      client);
    return MNOS_OK;
}

static mnos_status_t last_fault(const struct supervisor *supervisor, const struct message *msg,
                                struct message *reply)
{
    struct manager_fault entry = {0};
    const struct archive_member *file;
    const struct fault_kept *kept;
    struct manager_index request;

    if (message_get(msg, &request, sizeof request) != sizeof request)
        return MNOS_ERR_SIZE;
    if ((msg->badge & BADGE_CONTROL) == 0)
        return MNOS_ERR_DENIED; /* registers are what others have entrusted to that service */
    if (request.index == 0 || request.index > supervisor->manifest.service_count)
        return MNOS_ERR_NOT_FOUND;
    file = archive_find(&supervisor->archive, supervisor->services[request.index - 1].config->file);
    if (file == NULL)
        return MNOS_ERR_NOT_FOUND;
    faults_build(file, entry.build);
    kept = faults_last(&supervisor->faults, (uint32_t)request.index);
    if (kept != NULL) {
        entry.time_ns = kept->time_ns;
        entry.start = kept->start;
        entry.what = kept->fault;
        faults_place(&supervisor->faults, kept, file, entry.place, sizeof entry.place);
    }
    message_put(reply, MNOS_OK, &entry, sizeof entry);
    return MNOS_OK;
}

static mnos_status_t region_of(const struct supervisor *supervisor, const struct message *msg,
                               struct message *reply)
{
    struct manager_name entry = {0};
    struct manager_index request;
    const char *name;

    if (message_get(msg, &request, sizeof request) != sizeof request)
        return MNOS_ERR_SIZE;
    name = regions_name_of(&supervisor->resources.regions, request.index);
    if (name == NULL)
        return MNOS_ERR_NOT_FOUND;
    string_copy(entry.name, name, sizeof entry.name);
    message_put(reply, MNOS_OK, &entry, sizeof entry);
    return MNOS_OK;
}

static mnos_status_t match(const struct supervisor *supervisor, const struct message *msg,
                           struct message *reply)
{
    const struct manifest *manifest = &supervisor->manifest;
    const struct manifest_match *found;
    struct manager_match entry = {0};
    struct manager_index request;

    if (message_get(msg, &request, sizeof request) != sizeof request)
        return MNOS_ERR_SIZE;
    if (request.index >= manifest->match_count)
        return MNOS_ERR_END;
    found = &manifest->matches[request.index];
    entry.instances = found->instances;
    entry.vendor = found->vendor;
    entry.device = found->device;
    entry.class_code = found->class_code;
    entry.class_mask = found->class_mask;
    string_copy(entry.name, manifest->services[found->service].name, sizeof entry.name);
    if (found->instances != 0 && strchr(entry.name, '.') != NULL)
        *strchr(entry.name, '.') = 0;
    message_put(reply, MNOS_OK, &entry, sizeof entry);
    return MNOS_OK;
}

void manager_handle(struct supervisor *supervisor, struct message *msg)
{
    struct message reply = {.reply_id = msg->reply_id};
    mnos_status_t status = MNOS_OK;

    if (msg->label == MANAGER_ASK_ALIVE)
        status = ask_alive(supervisor, msg);
    if (msg->label != MANAGER_LISTEN)
        message_refuse_caps(msg);
    switch (msg->label) {
    case MANAGER_LIST: status = manager_list(supervisor, msg, &reply); break;
    case MANAGER_PROCESS: status = manager_process(supervisor, msg, &reply); break;
    case MANAGER_NAMES: status = manager_names(supervisor, msg, &reply); break;
    case MANAGER_START:
    case MANAGER_RESTART:
    case MANAGER_KILL:
    case MANAGER_FAULT:
        status = control(supervisor, msg);
        message_put(&reply, status, NULL, 0);
        break;
    case MANAGER_LISTEN:
        status = listen(supervisor, msg);
        message_put(&reply, status, NULL, 0);
        break;
    case MANAGER_REGION:
    case MANAGER_GROW:
    case MANAGER_PART:
    case MANAGER_RELEASE: status = region_request(supervisor, msg, &reply); break;
    case MANAGER_ASK_ALIVE: message_put(&reply, status, NULL, 0); break;
    case MANAGER_MATCH: status = match(supervisor, msg, &reply); break;
    case MANAGER_LAST_FAULT: status = last_fault(supervisor, msg, &reply); break;
    case MANAGER_REGION_OF: status = region_of(supervisor, msg, &reply); break;
    case MANAGER_LIST_REGION: status = list_region(supervisor, msg, &reply); break;
    default: status = MNOS_ERR_LABEL; break;
    }
    if (status != MNOS_OK)
        message_put(&reply, status, NULL, 0);
    *msg = reply;
}
