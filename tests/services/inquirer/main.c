// SPDX-License-Identifier: MIT
/*
 * main - a client for tests: asks `vfs`, `volumes` or `devices` the same without a pause, while a second thread kills that
 * service. Its arguments: how often at least, how many deaths have to come while the service carries the request out, and which
 * service. Goes on until both are reached, or for twenty times as many kills.
 *
 * A request that the service had taken when it died ends with MNOS_ERR_PEER, and is sent again, as lib/client/service.h does; one
 * that waits at the endpoint gets its answer from the next run. So each request has one answer, and all that are not the first
 * one again count as failures.
 */
#include "lib/base/printf.h"
#include "lib/base/string.h"
#include "lib/client/manager.h"
#include "lib/client/vfs.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/ipc.h"
#include "lib/mnos/log.h"
#include "lib/mnos/memory.h"
#include "lib/mnos/syscall.h"
#include "lib/mnos/thread.h"
#include "lib/mnos/time.h"
#include "protocols/device.h"
#include "protocols/volume.h"

#define STACK_PAGES 4
#define PRIORITY_KILLER 30 /* above the service's: it strikes in the middle on one core, too */
#define KILLS_MOST_FACTOR 20u
#define ANSWER_BYTES_MAX 256u

static struct {
    uint64_t kills, least;
    char service[MNOS_NAME_BYTES];
} wanted;

/* What is asked. */
static struct {
    mnos_cap_t endpoint;
    uint32_t label;
    uint64_t record;
    uint32_t answer_bytes;
    bool is_capability;
    /* Also right, of a run that has not looked at its disks yet; MNOS_OK: nothing is. */
    mnos_status_t not_yet;
} question;

static _Atomic bool over;
static _Atomic unsigned answered, interrupted, kills;
static unsigned failures;

static bool read_arguments(void)
{
    const char *at = bootstrap_arguments();
    uint64_t *numbers[2] = {&wanted.kills, &wanted.least};

    for (unsigned i = 0; i < 2; i++) {
        for (; *at >= '0' && *at <= '9'; at++)
            *numbers[i] = *numbers[i] * 10 + (uint64_t)(*at - '0');
        if (*at++ != ' ')
            return false;
    }
    string_copy(wanted.service, at, sizeof wanted.service);
    return wanted.kills != 0;
}

/* The root of what is mounted at /disk, which `vfs` asks the file system for. */
static mnos_status_t find_mount(uint64_t *inode)
{
    struct vfs_mount mount;
    mnos_status_t status = MNOS_OK;

    for (uint64_t i = 0; status == MNOS_OK; i++) {
        status = vfs_mount_at(question.endpoint, i, &mount);
        if (status == MNOS_OK && strcmp(mount.at, "/disk") == 0) {
            *inode = mount.inode;
            break;
        }
    }
    return status;
}

static mnos_status_t choose(void)
{
    question.endpoint = bootstrap_cap("asked");
    if (strcmp(wanted.service, "vfs") == 0) {
        question.label = VFS_ROOT;
        question.is_capability = true;
        return find_mount(&question.record);
    }
    if (strcmp(wanted.service, "volumes") == 0) {
        question.label = VOLUME_LIST;
        question.answer_bytes = sizeof(struct volume_entry);
        question.not_yet = MNOS_ERR_END;
        return MNOS_OK;
    }
    question.label = DEVICE_LIST;
    question.answer_bytes = sizeof(struct device_entry);
    return strcmp(wanted.service, "devices") == 0 ? MNOS_OK : MNOS_ERR_NOT_FOUND;
}

/* One request and its answer; the capability that came with it goes. */
static mnos_status_t ask(uint8_t answer[ANSWER_BYTES_MAX])
{
    struct message message;
    mnos_status_t status;

    for (;;) {
        message = (struct message){.accept = question.is_capability};
        message_put(&message, question.label, &question.record, sizeof question.record);
        status = ipc_call(question.endpoint, &message, MNOS_DEADLINE_NEVER);
        if (status != MNOS_ERR_PEER)
            break;
        interrupted++;
    }
    if (status != MNOS_OK || message.label != MNOS_OK)
        return status != MNOS_OK ? status : (mnos_status_t)message.label;
    if (message_get(&message, answer, question.answer_bytes) != question.answer_bytes)
        return MNOS_ERR_FORMAT;
    if (question.is_capability)
        return sys_cap_delete(message_cap(&message, 0));
    return MNOS_OK;
}

static void kill_again_and_again(void *)
{
    uint64_t seed = 1;

    while (kills < wanted.kills ||
           (interrupted < wanted.least && kills < wanted.kills * KILLS_MOST_FACTOR)) {
        unsigned before = answered;

        seed = seed * 6364136223846793005ull + 1442695040888963407ull;
        /* Each run answers some, however long its start takes. */
        do
            sleep_until(deadline_after_ns(1000000 + (seed >> 33) % 3000000));
        while (answered - before < 3 && !over);
        if (manager_command(MANAGER_KILL, wanted.service) == MNOS_OK)
            kills++;
    }
    over = true;
}

static void go_on(const uint8_t first[ANSWER_BYTES_MAX])
{
    uint8_t answer[ANSWER_BYTES_MAX];

    while (!over && failures == 0) {
        mnos_status_t status = ask(answer);

        answered++;
        if (status == question.not_yet && status != MNOS_OK)
            continue;
        if (status == MNOS_OK && memcmp(answer, first, question.answer_bytes) != 0)
            status = MNOS_ERR_FORMAT;
        if (status != MNOS_OK) {
            log_error(status, "ask");
            failures++;
        }
    }
    over = true;
}

int main(void)
{
    static uint8_t first[ANSWER_BYTES_MAX];
    struct thread killer;
    mnos_status_t status = read_arguments() ? choose() : MNOS_ERR_ARGUMENT;

    if (status == MNOS_OK)
        status = ask(first);
    if (status == MNOS_OK)
        status = thread_create(&killer, "killer", kill_again_and_again, NULL, STACK_PAGES,
                               PRIORITY_KILLER, MNOS_AFFINITY_ANY);
    if (status != MNOS_OK) {
        log_error(status, "begin");
        return 1;
    }
    go_on(first);
    log_line("%s: %u kills, %u while it carried out a request, %u answers, %u failures",
             wanted.service, kills, interrupted, answered, failures);
    return 0;
}
