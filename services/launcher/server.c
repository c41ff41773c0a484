// SPDX-License-Identifier: MIT
/* server - see server.h. */
#include "services/launcher/server.h"

#include "abi/inspect.h"
#include "abi/process.h"
#include "lib/base/string.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/log.h"
#include "lib/mnos/process_end.h"
#include "lib/mnos/syscall.h"
#include "lib/mnos/time.h"
#include "lib/server/names.h"
#include "protocols/manifest_format.h"
#include "services/launcher/faults.h"

/* ---- Ends ---- */

static void release(struct program *program)
{
    faults_forget(program);
    listener_forget(&program->listener);
    process_release(&program->process);
}

static void program_ended(struct program *program, const struct mnos_process_info *info)
{
    char name[MNOS_NAME_BYTES];

    if (!loader_end_text(info, program->last_end, sizeof program->last_end))
        process_end_text(info, program->last_end, sizeof program->last_end);
    programs_name(program, name);
    /* Each command is a program: one that did what it was to do is no news. */
    if (info->exit_reason != MNOS_EXIT_SELF || info->exit_code != 0)
        log_line("%s: ended (%s)", name, program->last_end);
    program->state = PROGRAM_ENDED;
    if (info->exit_reason == MNOS_EXIT_FAULT)
        faults_look(program);
    else /* one thread has faulted, and another, or whoever killed it, was first to end it */
        faults_forget(program);
    process_finish(&program->process);
    listener_tell(&program->listener);
    listener_forget(&program->listener);
}

static void collect(struct program *program)
{
    struct mnos_process_info info;
    uint64_t size;

    if (program->state != PROGRAM_RUNNING ||
        sys_cap_inspect(program->process.process, MNOS_VIEW_PROCESS, 0, &size) != MNOS_OK)
        return;
    /* Out of the buffer first: logging uses it too. */
    memcpy(&info, ipc_buffer()->data, sizeof info);
    if (info.state == MNOS_PROCESS_DEAD)
        program_ended(program, &info);
}

void server_collect(struct server *server)
{
    for (unsigned i = 0; i < PROGRAMS_ENTRIES; i++)
        collect(&server->programs.entries[i]);
}

void server_client_gone(struct server *server, mnos_badge_t badge)
{
    for (unsigned i = 0; i < PROGRAMS_ENTRIES; i++) {
        struct program *at = &server->programs.entries[i];

        if (at->state != PROGRAM_MADE || !ipc_client_is_gone(server->endpoint, badge, at->badge))
            continue;
        release(at);
        *at = (struct program){0};
    }
}

void server_tell_restarts(struct server *server)
{
    for (unsigned i = 0; i < PROGRAMS_ENTRIES; i++) {
        const struct program *at = &server->programs.entries[i];

        if (at->state == PROGRAM_RUNNING && at->process.endpoint != 0)
            (void)!sys_ipc_notify(at->process.endpoint, MANAGER_EVENT_PEER_RESTARTED);
    }
}

/* ---- START, GIVE, RUN ---- */

struct start_request {
    struct launcher_start record;
    char arguments[LAUNCHER_ARGUMENTS_MAX];
    uint32_t argument_bytes;
    mnos_cap_t caps[LAUNCHER_GIVE_MAX]; /* that came along; two of them at most are */
    mnos_cap_t image, listener;
    mnos_cap_t own; /* of the launcher's table: the file that was named */
};

/* What can be started by name: files of the initial RAM disk that the manifest gives, each looked up by its name. */
BOOTSTRAP_LIST("files");
BOOTSTRAP_LIST("lxhost");
BOOTSTRAP_LIST("network");
static const char *const own_files[] = {"files", "lxhost", "network"};

static mnos_cap_t own_file(const char name[MNOS_NAME_BYTES])
{
    for (unsigned i = 0; i < sizeof own_files / sizeof own_files[0]; i++) {
        if (strncmp(own_files[i], name, MNOS_NAME_BYTES) == 0)
            return bootstrap_lookup(bootstrap_listed(own_files[i]));
    }
    return 0;
}

/* As many words as are said, each with its NUL. */
static bool arguments_are_whole(const struct start_request *request)
{
    uint32_t words = 0;

    for (uint32_t i = 0; i < request->argument_bytes; i++)
        words += request->arguments[i] == 0;
    return words == request->record.argument_count &&
           (request->argument_bytes == 0 || request->arguments[request->argument_bytes - 1] == 0);
}

static mnos_status_t read_start(const struct message *message, struct start_request *request)
{
    static uint8_t bytes[MNOS_MESSAGE_MAX_BYTES];
    size_t count = message_get(message, bytes, sizeof bytes);
    const struct launcher_start *record = &request->record;

    request->image = request->listener = request->own = 0;
    for (uint32_t i = 0; i < LAUNCHER_GIVE_MAX; i++)
        request->caps[i] = message_cap(message, i);
    if (count < sizeof *record || count > sizeof *record + LAUNCHER_ARGUMENTS_MAX)
        return MNOS_ERR_SIZE;
    memcpy(&request->record, bytes, sizeof *record);
    request->own = own_file(record->file);
    if (record->file[0] != 0 && request->own == 0)
        return MNOS_ERR_NOT_FOUND;
    request->image = request->own == 0 ? request->caps[0] : 0;
    request->listener = request->caps[request->own == 0];
    request->argument_bytes = (uint32_t)(count - sizeof *record);
    memcpy(request->arguments, bytes + sizeof *record, request->argument_bytes);
    if (request->image + request->own == 0 || (request->listener != 0) != (record->events != 0) ||
        record->stack_pages < LAUNCHER_STACK_PAGES_MIN ||
        record->stack_pages > LAUNCHER_STACK_PAGES_MAX || record->bytes == 0 ||
        record->request == 0 || (record->flags & ~(uint32_t)LAUNCHER_FLAGS_ALL) != 0 ||
        !arguments_are_whole(request))
        return MNOS_ERR_ARGUMENT;
    return MNOS_OK;
}

static mnos_status_t make(struct server *server, struct program *program,
                          const struct start_request *request)
{
    struct process_plan plan = {
        .loader = &server->loader,
        .start = &request->record,
        .name = program->name,
        .arguments = request->arguments,
        .argument_bytes = request->argument_bytes,
        .image = request->own != 0 ? request->own : request->image,
        .image_rights = request->own != 0 ? MNOS_RIGHT_READ | MNOS_RIGHT_EXECUTE : MNOS_RIGHT_WRITE,
        .exit_endpoint = server->endpoint,
        .exit_events = SERVER_EVENT_ENDED,
        .fault_badge = FAULTS_BADGE | server->programs.next_order,
    };

    if (!programs_clean_name(request->record.name, program->name))
        return MNOS_ERR_ARGUMENT;
    return process_make(&program->process, &plan, &program->number);
}

static mnos_status_t add(struct server *server, const struct message *message,
                         const struct start_request *request, struct program **added)
{
    struct program *program = programs_place(&server->programs, release);
    mnos_status_t status = program == NULL ? MNOS_ERR_AGAIN : make(server, program, request);

    if (status != MNOS_OK)
        return status;
    program->owner = manager_index_of(message->badge);
    program->badge = message->badge;
    program->request = request->record.request;
    program->listener = (struct listener){request->listener, request->record.events};
    programs_add(&server->programs, program);
    *added = program;
    return MNOS_OK;
}

/* The program's file stays in the new process alone. */
static mnos_status_t start(struct server *server, const struct message *message,
                           struct message *reply)
{
    static struct start_request request;
    struct program *program = NULL, *earlier = NULL;
    struct launcher_made answer;
    mnos_status_t status = read_start(message, &request);

    if (status == MNOS_OK)
        earlier = programs_made_by(&server->programs, message->badge, request.record.request);
    if (status == MNOS_OK && earlier == NULL)
        status = add(server, message, &request, &program);
    for (uint32_t i = 0; i < LAUNCHER_GIVE_MAX; i++) {
        if (request.caps[i] != 0 && (program == NULL || request.caps[i] != request.listener))
            (void)!sys_cap_delete(request.caps[i]);
    }
    if (status != MNOS_OK)
        return status;
    if (earlier != NULL)
        program = earlier;
    answer.number = program->number;
    programs_name(program, answer.name);
    message_put(reply, MNOS_OK, &answer, sizeof answer);
    message_add_cap(reply, program->process.process, MNOS_RIGHT_READ | MNOS_RIGHT_EXECUTE);
    return MNOS_OK;
}

/* One that the very run of the client has made. */
static mnos_status_t made(struct server *server, const struct message *message, uint64_t number,
                          struct program **program)
{
    *program = programs_find(&server->programs, manager_index_of(message->badge), number);
    return *program == NULL || (*program)->badge != message->badge ? MNOS_ERR_NOT_FOUND : MNOS_OK;
}

static mnos_status_t give_all(struct program *program, const struct launcher_give *request,
                              const mnos_cap_t caps[LAUNCHER_GIVE_MAX], uint32_t count)
{
    mnos_status_t status = MNOS_OK;

    for (uint32_t i = 0; i < count && status == MNOS_OK; i++) {
        size_t bytes = strnlen(request->names[i], MNOS_NAME_BYTES);

        status =
            bytes == 0 || bytes == MNOS_NAME_BYTES || caps[i] == 0
                ? MNOS_ERR_ARGUMENT
                : process_give(&program->process, request->names[i], caps[i], request->rights[i]);
    }
    return status;
}

/* The next GIVE is carried out; the one before it is a repetition, and gets the same answer. */
static mnos_status_t give_once(struct program *program, const struct launcher_give *request,
                               const mnos_cap_t caps[LAUNCHER_GIVE_MAX], uint32_t count)
{
    if (program->gives != 0 && request->sequence == program->gives - 1)
        return program->last_give;
    if (program->state != PROGRAM_MADE)
        return MNOS_ERR_STATE;
    if (request->sequence != program->gives || count == 0)
        return MNOS_ERR_ARGUMENT;
    program->gives++;
    program->last_give = give_all(program, request, caps, count);
    return program->last_give;
}

static mnos_status_t give(struct server *server, const struct message *message)
{
    mnos_cap_t caps[LAUNCHER_GIVE_MAX] = {0};
    uint32_t count = message->cap_count;
    struct launcher_give request;
    struct program *program;
    mnos_status_t status = MNOS_OK;

    if (message_get(message, &request, sizeof request) != sizeof request)
        status = MNOS_ERR_SIZE;
    for (uint32_t i = 0; i < count; i++)
        caps[i] = message_cap(message, i);
    if (status == MNOS_OK)
        status = made(server, message, request.number, &program);
    if (status == MNOS_OK)
        status = give_once(program, &request, caps, count);
    for (uint32_t i = 0; i < count; i++) {
        if (caps[i] != 0)
            (void)!sys_cap_delete(caps[i]);
    }
    return status;
}

static mnos_status_t run(struct server *server, const struct message *message)
{
    struct launcher_number request;
    struct program *program;
    mnos_status_t status;

    if (message_get(message, &request, sizeof request) != sizeof request)
        return MNOS_ERR_SIZE;
    status = made(server, message, request.number, &program);
    if (status != MNOS_OK || program->state != PROGRAM_MADE)
        return status;
    status = process_run(&program->process, &server->loader);
    if (status != MNOS_OK) {
        release(program);
        *program = (struct program){0};
        return status;
    }
    program->state = PROGRAM_RUNNING;
    program->started_at_ns = kinfo_time_ns();
    return MNOS_OK;
}

/* ---- LIST, PROCESS, NAMES, CONTROL, LAST_FAULT, KILL ---- */

static mnos_status_t program_at(struct server *server, const struct message *message,
                                struct program **program)
{
    struct manager_index request;

    if (message_get(message, &request, sizeof request) != sizeof request)
        return MNOS_ERR_SIZE;
    *program = programs_at(&server->programs, manager_index_of(message->badge), request.index);
    return *program == NULL ? MNOS_ERR_END : MNOS_OK;
}

static mnos_status_t list(struct server *server, const struct message *message,
                          struct message *reply)
{
    struct manager_service entry = {.policy = MANIFEST_RESTART_NEVER, .starts = 1};
    struct program *program;
    mnos_status_t status = program_at(server, message, &program);

    if (status != MNOS_OK)
        return status;
    programs_name(program, entry.name);
    string_copy(entry.file, program->name, sizeof entry.file);
    entry.state = program->state == PROGRAM_ENDED ? MANAGER_STOPPED : MANAGER_RUNNING;
    entry.started_at_ns = program->started_at_ns;
    string_copy(entry.last_end, program->last_end, sizeof entry.last_end);
    message_put(reply, MNOS_OK, &entry, sizeof entry);
    return MNOS_OK;
}

/* The same, of one that has a process. */
static mnos_status_t process_at(struct server *server, const struct message *message,
                                struct program **program)
{
    mnos_status_t status = program_at(server, message, program);

    return status == MNOS_OK && (*program)->state == PROGRAM_ENDED ? MNOS_ERR_STATE : status;
}

static mnos_status_t process(struct server *server, const struct message *message,
                             struct message *reply)
{
    struct program *program;
    mnos_status_t status = process_at(server, message, &program);

    if (status != MNOS_OK)
        return status;
    message_put(reply, MNOS_OK, NULL, 0);
    message_add_cap(reply, program->process.process, MNOS_RIGHT_READ);
    return MNOS_OK;
}

static mnos_status_t names(struct server *server, const struct message *message,
                           struct message *reply)
{
    struct program *program;
    mnos_status_t status = process_at(server, message, &program);

    return status == MNOS_OK ? names_answer(program->process.memory, reply) : status;
}

static mnos_status_t control(struct server *server, const struct message *message,
                             struct message *reply)
{
    struct program *program;
    mnos_status_t status = process_at(server, message, &program);

    if (status == MNOS_OK &&
        (program->state != PROGRAM_RUNNING || program->process.controller == 0))
        status = MNOS_ERR_STATE;
    if (status != MNOS_OK)
        return status;
    message_put(reply, MNOS_OK, NULL, 0);
    message_add_cap(reply, program->process.controller, MNOS_RIGHT_WRITE);
    return MNOS_OK;
}

static mnos_status_t last_fault(struct server *server, const struct message *message,
                                struct message *reply)
{
    struct program *program;
    mnos_status_t status = program_at(server, message, &program);

    return status == MNOS_OK ? faults_answer(program, reply) : status;
}

static mnos_status_t kill(struct server *server, const struct message *message)
{
    struct manager_name request;
    struct program *program;
    mnos_status_t status;

    if (message_get(message, &request, sizeof request) != sizeof request)
        return MNOS_ERR_SIZE;
    status =
        programs_named(&server->programs, manager_index_of(message->badge), request.name, &program);
    if (status != MNOS_OK)
        return status;
    if (program->state == PROGRAM_MADE) {
        release(program);
        *program = (struct program){0};
        return MNOS_OK;
    }
    if (program->state == PROGRAM_ENDED)
        return MNOS_OK;
    status = sys_proc_destroy(program->process.process, 0);
    collect(program);
    return status;
}

void server_handle(struct server *server, struct message *message)
{
    struct message reply = {.reply_id = message->reply_id};
    mnos_status_t status = MNOS_OK;

    if (message->label != LAUNCHER_START && message->label != LAUNCHER_GIVE)
        message_refuse_caps(message);
    message_put(&reply, MNOS_OK, NULL, 0);
    switch (message->label) {
    case LAUNCHER_LIST: status = list(server, message, &reply); break;
    case LAUNCHER_PROCESS: status = process(server, message, &reply); break;
    case LAUNCHER_NAMES: status = names(server, message, &reply); break;
    case LAUNCHER_CONTROL: status = control(server, message, &reply); break;
    case LAUNCHER_LAST_FAULT: status = last_fault(server, message, &reply); break;
    case LAUNCHER_KILL: status = kill(server, message); break;
    case LAUNCHER_START: status = start(server, message, &reply); break;
    case LAUNCHER_GIVE: status = give(server, message); break;
    case LAUNCHER_RUN: status = run(server, message); break;
    default: status = MNOS_ERR_LABEL; break;
    }
    if (status != MNOS_OK)
        message_put(&reply, status, NULL, 0);
    *message = reply;
}
