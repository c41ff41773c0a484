// SPDX-License-Identifier: MIT
/* main - launcher: starts programs from files, each with the capabilities named for it. See README.md. */
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/listener.h"
#include "lib/mnos/log.h"
#include "lib/server/alive.h"
#include "services/launcher/faults.h"
#include "services/launcher/server.h"

/* Of the capability by which the manager tells of services; those of clients are the manager's, and small. */
#define BADGE_NEWS (1ull << 62)

enum { EXIT_LOADER = 1, EXIT_RECEIVE = 2 };

static struct server server;

/* A capability may not be deliverable through the client's fault, which must not end the loop. */
static void reply_now(struct message *message)
{
    mnos_status_t status = ipc_reply(message);

    if (status != MNOS_OK)
        ipc_reply_status(message->reply_id, status);
    *message = (struct message){0};
}

static void handle(struct message *message)
{
    switch (message->kind) {
    case MNOS_KIND_EVENTS:
        if ((message->words[0] & SERVER_EVENT_ENDED) != 0)
            server_collect(&server);
        if ((message->words[0] & SERVER_EVENT_SERVICES) != 0)
            server_tell_restarts(&server);
        *message = (struct message){0};
        break;
    case MNOS_KIND_FAULT: faults_take(&server.programs, message); break;
    case MNOS_KIND_CLIENT_GONE:
        server_client_gone(&server, message->badge);
        *message = (struct message){0};
        break;
    default:
        server_handle(&server, message);
        if (message->cap_count != 0 || message->length > MNOS_MESSAGE_REGISTER_BYTES)
            reply_now(message);
        break;
    }
}

static mnos_status_t serve(void)
{
    struct message message = {0};

    for (;;) {
        mnos_status_t status;

        message.accept = LAUNCHER_GIVE_MAX;
        status = ipc_reply_receive(server.endpoint, &message, MNOS_DEADLINE_NEVER);
        if (status != MNOS_OK)
            return status;
        alive_answer(&message);
        handle(&message);
    }
}

int main(void)
{
    mnos_status_t status;

    server.endpoint = bootstrap_cap("requests");
    status = loader_open(&server.loader, bootstrap_cap("loader"));
    if (status != MNOS_OK) {
        log_error(status, "open the loader of programs");
        return EXIT_LOADER;
    }
    status = listen_to(bootstrap_cap("observer"), MANAGER_LISTEN, server.endpoint, BADGE_NEWS,
                       SERVER_EVENT_SERVICES);
    if (status != MNOS_OK)
        log_error(status, "listen to the manager"); /* programs look by themselves, later */
    status = serve();
    log_error(status, "receive a request");
    return EXIT_RECEIVE;
}
