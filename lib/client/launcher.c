// SPDX-License-Identifier: MIT
/* launcher - see launcher.h. */
#include "lib/client/launcher.h"

#include "lib/base/printf.h"
#include "lib/base/string.h"
#include "lib/client/manager.h"
#include "lib/client/service.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/ipc.h"
#include "lib/mnos/syscall.h"

static uint64_t last_request;

static mnos_status_t ask(struct message *message)
{
    mnos_cap_t launcher = bootstrap_find("launcher");

    return launcher == 0 ? MNOS_ERR_NOT_FOUND : service_call(launcher, message);
}

/* A request about the entry at an index; `message` becomes the answer. */
static mnos_status_t ask_index(enum launcher_request label, uint64_t index, struct message *message)
{
    struct manager_index request = {index};

    message_put(message, label, &request, sizeof request);
    return ask(message);
}

static uint32_t words_of(const struct launcher_plan *plan)
{
    uint32_t count = 0;

    for (size_t i = 0; i < plan->argument_bytes; i++)
        count += plan->arguments[i] == 0;
    return count;
}

mnos_status_t launcher_start(struct launcher_plan *plan, struct launcher_made *made,
                             mnos_cap_t *process)
{
    static uint8_t bytes[sizeof plan->start + LAUNCHER_ARGUMENTS_MAX];
    struct message message = {.accept = 1};
    mnos_cap_t told = 0;
    mnos_status_t status = MNOS_OK;

    if (plan->argument_bytes > LAUNCHER_ARGUMENTS_MAX)
        return MNOS_ERR_SIZE;
    plan->start.request = ++last_request;
    plan->start.argument_count = words_of(plan);
    plan->start.events = plan->endpoint != 0 ? plan->events : 0;
    if (plan->endpoint != 0)
        status =
            sys_cap_create(MNOS_CREATE_MINT, plan->endpoint, MNOS_RIGHT_WRITE | MNOS_RIGHT_GRANT,
                           plan->badge, plan->events, &told);
    if (status != MNOS_OK)
        return status;
    memcpy(bytes, &plan->start, sizeof plan->start);
    memcpy(bytes + sizeof plan->start, plan->arguments, plan->argument_bytes);
    message_put(&message, LAUNCHER_START, bytes, sizeof plan->start + plan->argument_bytes);
    if (plan->file != 0)
        message_add_cap(&message, plan->file, MNOS_RIGHT_WRITE | MNOS_RIGHT_GRANT);
    if (told != 0)
        message_add_cap(&message, told, MNOS_RIGHT_WRITE);
    status = ask(&message);
    if (status == MNOS_OK) {
        (void)message_get(&message, made, sizeof *made);
        *process = message_cap(&message, 0);
    }
    if (told != 0)
        (void)!sys_cap_delete(
            told); /* the launcher's copy stays, and tells when the launcher ends */
    return status;
}

mnos_status_t launcher_give(uint64_t number, uint32_t sequence, const char *name, mnos_cap_t cap,
                            mnos_rights_t rights)
{
    struct launcher_give request = {.number = number, .sequence = sequence, .rights = {rights}};
    struct message message = {0};

    if (strlen(name) >= sizeof request.names[0])
        return MNOS_ERR_ARGUMENT;
    string_copy(request.names[0], name, sizeof request.names[0]);
    message_put(&message, LAUNCHER_GIVE, &request, sizeof request);
    message_add_cap(&message, cap, rights | MNOS_RIGHT_GRANT);
    return ask(&message);
}

mnos_status_t launcher_run(uint64_t number)
{
    struct launcher_number request = {number};
    struct message message = {0};

    message_put(&message, LAUNCHER_RUN, &request, sizeof request);
    return ask(&message);
}

mnos_status_t launcher_entry(uint64_t index, struct manager_service *program)
{
    struct message message = {0};
    mnos_status_t status = ask_index(LAUNCHER_LIST, index, &message);

    if (status == MNOS_OK)
        (void)message_get(&message, program, sizeof *program);
    return status;
}

static mnos_status_t open_by(enum launcher_request label, uint64_t index, mnos_cap_t *cap)
{
    struct message message = {.accept = 1};
    mnos_status_t status = ask_index(label, index, &message);

    if (status == MNOS_OK)
        *cap = message_cap(&message, 0);
    return status;
}

mnos_status_t launcher_open_process(uint64_t index, mnos_cap_t *process)
{
    return open_by(LAUNCHER_PROCESS, index, process);
}

mnos_status_t launcher_open_control(uint64_t index, mnos_cap_t *control)
{
    return open_by(LAUNCHER_CONTROL, index, control);
}

mnos_status_t launcher_names(uint64_t index,
                             struct mnos_bootstrap_entry names[MNOS_BOOTSTRAP_ENTRIES],
                             unsigned *count)
{
    struct message message = {0};
    mnos_status_t status = ask_index(LAUNCHER_NAMES, index, &message);

    if (status == MNOS_OK)
        *count = manager_take_names(&message, names);
    return status;
}

mnos_status_t launcher_last_fault(uint64_t index, struct launcher_fault *fault)
{
    struct message message = {0};
    mnos_status_t status = ask_index(LAUNCHER_LAST_FAULT, index, &message);

    if (status == MNOS_OK && message_get(&message, fault, sizeof *fault) != sizeof *fault)
        status = MNOS_ERR_SIZE;
    return status;
}

mnos_status_t launcher_kill(const char *name)
{
    struct manager_name request = {0};
    struct message message = {0};

    string_copy(request.name, name, sizeof request.name);
    message_put(&message, LAUNCHER_KILL, &request, sizeof request);
    return ask(&message);
}

mnos_status_t launcher_find(uint64_t number, struct manager_service *program, uint64_t *index)
{
    char text[24];
    size_t bytes = (size_t)mnos_snprintf(text, sizeof text, "#%llu", (unsigned long long)number);

    for (uint64_t i = 0;; i++) {
        mnos_status_t status = launcher_entry(i, program);
        size_t length;

        if (status != MNOS_OK)
            return status;
        length = strnlen(program->name, sizeof program->name);
        if (length < bytes || memcmp(program->name + length - bytes, text, bytes) != 0)
            continue;
        if (index != NULL)
            *index = i;
        return MNOS_OK;
    }
}
