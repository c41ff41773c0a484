// SPDX-License-Identifier: MIT
/* file_mount - the requests of protocols/mount.def: see file_server.h. */
#include "lib/base/string.h"
#include "lib/server/file_server.h"

/* A file system without a volume is what it always was. */
static void always_mounted(struct file_server *server)
{
    struct file_space space;

    if (server->system.methods->mount != NULL || server->mount.state == MOUNT_STATE_MOUNTED)
        return;
    server->mount = (struct mount_status){.state = MOUNT_STATE_MOUNTED};
    if (server->system.methods->space(server->system.fs, 0, &space) == MNOS_OK)
        memcpy(server->mount.type, space.type, sizeof server->mount.type);
}

void file_server_mounted(struct file_server *server, const struct mount_status *status)
{
    server->mount = *status;
    listener_tell(&server->mount_listener);
}

static mnos_status_t answer_status(struct file_server *server, struct server_request *request)
{
    return file_server_answer(request, &server->mount, sizeof server->mount);
}

static bool is_same(const struct file_server *server, const struct mount_request *wanted)
{
    return memcmp(server->mount.volume, wanted->volume, sizeof wanted->volume) == 0;
}

static mnos_status_t start_mounting(struct file_server *server, const struct mount_request *wanted)
{
    mnos_status_t status;

    server->mount = (struct mount_status){.state = MOUNT_STATE_MOUNTING, .flags = wanted->flags};
    memcpy(server->mount.volume, wanted->volume, sizeof wanted->volume);
    status = server->system.methods->mount(server->system.fs, wanted->volume, wanted->flags);
    if (status != MNOS_OK)
        server->mount = (struct mount_status){0};
    return status;
}

/* Whoever asked again because of the event is told; only the next MOUNT tries once more, or they would ask for ever. */
static mnos_status_t tell_failure(struct file_server *server, struct server_request *request)
{
    mnos_status_t status = answer_status(server, request);

    if (status == MNOS_OK)
        server->mount = (struct mount_status){0};
    return status;
}

mnos_status_t file_server_mount(void *context, struct server_request *request)
{
    struct file_server *server = context;
    struct mount_request wanted;
    mnos_status_t status = file_server_record(request, &wanted, sizeof wanted);

    if (status != MNOS_OK)
        return status;
    if (!file_server_is_service(request))
        return MNOS_ERR_DENIED;
    if ((wanted.flags & ~(uint32_t)MOUNT_READ_ONLY) != 0)
        return MNOS_ERR_ARGUMENT;
    always_mounted(server);
    if (server->mount.state == MOUNT_STATE_FAILED && is_same(server, &wanted))
        return tell_failure(server, request);
    if (server->mount.state == MOUNT_STATE_NONE || server->mount.state == MOUNT_STATE_FAILED)
        status = start_mounting(server, &wanted);
    else if (server->mount.state == MOUNT_STATE_UNMOUNTING || !is_same(server, &wanted))
        status = MNOS_ERR_STATE;
    return status != MNOS_OK ? status : answer_status(server, request);
}

/* All sessions but those of the service manager; who had them sees to it that they have new ones. */
static void end_sessions(struct file_server *server)
{
    struct sessions *sessions = server->loop.sessions;

    for (uint32_t i = 1; i <= sessions->session_count; i++) {
        struct server_session *session = session_at(sessions, i);

        if (session->badge == 0 || session->gone)
            continue;
        server_forget_parked(&server->loop, session->badge, true);
        if (session->badge & SESSION_EXPORTED)
            session_gone(sessions, session, &server->loop.owner);
        else
            session_reset(sessions, session, &server->loop.owner);
    }
}

mnos_status_t file_server_unmount(void *context, struct server_request *request)
{
    struct file_server *server = context;
    mnos_status_t status = MNOS_OK;

    if (!file_server_is_service(request))
        return MNOS_ERR_DENIED;
    always_mounted(server);
    if (server->system.methods->unmount == NULL || server->mount.state == MOUNT_STATE_MOUNTING)
        return MNOS_ERR_STATE;
    if (server->mount.state == MOUNT_STATE_MOUNTED) {
        end_sessions(server);
        server->mount.state = MOUNT_STATE_UNMOUNTING;
        status = server->system.methods->unmount(server->system.fs);
    } else if (server->mount.state == MOUNT_STATE_FAILED) {
        server->mount = (struct mount_status){0};
    }
    return status != MNOS_OK ? status : answer_status(server, request);
}

mnos_status_t file_server_status(void *context, struct server_request *request)
{
    if (!file_server_is_service(request))
        return MNOS_ERR_DENIED;
    always_mounted(context);
    return answer_status(context, request);
}

mnos_status_t file_server_listen(void *context, struct server_request *request)
{
    struct file_server *server = context;
    mnos_status_t status = MNOS_ERR_DENIED;

    if (file_server_is_service(request))
        status = listener_accept(&server->mount_listener, request->message);
    if (status != MNOS_OK)
        message_refuse_caps(request->message);
    return status != MNOS_OK ? status : file_server_answer(request, NULL, 0);
}
