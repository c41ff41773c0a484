// SPDX-License-Identifier: MIT
/*
 * main - init: the first process. Brings up what the manifest says and keeps it up; see README.md.
 *
 * One thread and one place to wait. Init calls no service and waits for no client, so nothing that
 * a service does can stop it.
 */
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/ipc.h"
#include "lib/mnos/log.h"
#include "lib/mnos/syscall.h"
#include "services/init/image.h"
#include "services/init/manager.h"
#include "services/init/supervisor.h"

/* Exit codes: the kernel prints them when init ends, and nothing else runs then. */
enum {
    EXIT_NO_ARCHIVE = 1,
    EXIT_NO_MANIFEST = 2,
    EXIT_BAD_MANIFEST = 3,
    EXIT_NO_ENDPOINT = 4,
    EXIT_CANNOT_RECEIVE = 5,
    EXIT_NO_SERVICE = 6,
};

static struct supervisor supervisor;

static int prepare(void)
{
    const struct archive_member *file;
    const char *problem;
    mnos_status_t status;

    if (archive_open(&supervisor.archive, bootstrap_cap("initrd")) != MNOS_OK)
        return EXIT_NO_ARCHIVE;
    image_log(&supervisor.archive);
    file = archive_find(&supervisor.archive, "manifest.bin");
    if (file == NULL) {
        log_at(MNOS_LOG_ERROR, "the initial RAM disk has no file \"manifest.bin\"");
        return EXIT_NO_MANIFEST;
    }
    faults_init(&supervisor.faults, &supervisor.archive);
    problem = manifest_open(&supervisor.manifest, file->data, file->size);
    if (problem != NULL) {
        log_at(MNOS_LOG_ERROR, "manifest.bin: %s", problem);
        return EXIT_BAD_MANIFEST;
    }
    status = sys_cap_create(MNOS_CREATE_ENDPOINT, 0, MNOS_RIGHTS_ALL, 0, 0, &supervisor.endpoint);
    if (status == MNOS_OK)
        status = resources_init(&supervisor.resources, &supervisor.manifest, &supervisor.archive,
                                supervisor.endpoint);
    if (status != MNOS_OK) {
        log_error(status, "create the endpoints of the manifest");
        return EXIT_NO_ENDPOINT;
    }
    return 0;
}

/* Some replies cannot wait for ipc_reply_receive(). Bytes that lie in the IPC buffer would be
 * lost when a service is started first. And a capability may not be deliverable through the
 * client's fault, which must not end the loop: it may accept none, or have no room. It is told,
 * if it still waits. */
static void reply_now(struct message *msg)
{
    mnos_status_t status = ipc_reply(msg);

    if (status != MNOS_OK)
        ipc_reply_status(msg->reply_id, status);
    *msg = (struct message){0};
}

/* Returns only when receiving is impossible. */
static mnos_status_t serve(void)
{
    struct message msg = {0};

    for (;;) {
        uint64_t next = supervisor_run_due(&supervisor);
        mnos_status_t status;

        msg.accept = 1; /* what MANAGER_LISTEN carries */
        status = ipc_reply_receive(supervisor.endpoint, &msg, next);
        if (status == MNOS_ERR_DEADLINE) {
            msg = (struct message){0}; /* the reply was delivered before the wait */
            continue;
        }
        if (status != MNOS_OK)
            return status;
        if (msg.kind == MNOS_KIND_MESSAGE) {
            manager_handle(&supervisor, &msg);
            if (msg.cap_count != 0 || msg.length > MNOS_MESSAGE_REGISTER_BYTES)
                reply_now(&msg);
            continue;
        }
        if (msg.kind == MNOS_KIND_FAULT) {
            supervisor_fault(&supervisor, &msg);
            continue;
        }
        /* Something ended. A client that is gone has no state here. */
        if (msg.kind == MNOS_KIND_EVENTS)
            supervisor_collect(&supervisor);
        msg = (struct message){0};
    }
}

int main(void)
{
    mnos_status_t status;
    int code = prepare();

    if (code != 0)
        return code;
    if (supervisor_start(&supervisor) != MNOS_OK)
        return EXIT_NO_SERVICE;
    status = serve();
    log_error(status, "receive");
    return EXIT_CANNOT_RECEIVE;
}
