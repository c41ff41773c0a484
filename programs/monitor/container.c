// SPDX-License-Identifier: MIT
/* container - see container.h. */
#include "programs/monitor/container.h"

#include "lib/base/string.h"
#include "lib/mnos/ipc.h"
#include "lib/mnos/syscall.h"
#include "lib/mnos/time.h"
#include "programs/monitor/console.h"
#include "programs/monitor/files.h"
#include "programs/monitor/tasks.h"

/* lxhost waits for nobody but services, and is not trusted to answer: a list takes no longer than one request, however slowly
 * each part of it comes. */
#define PATIENCE_NS 3000000000ull

static struct container_grants known;
static struct container_denial denials[CONTAINER_DENIALS];

/* ---- Asking ---- */

/* The reply's bytes, at most `room`; fewer when it is shorter. */
static mnos_status_t ask(mnos_cap_t control, uint64_t deadline, enum container_request label,
                         uint64_t index, void *reply, size_t room, size_t *bytes)
{
    struct container_index record = {index};
    bool has_index =
        label == CONTAINER_GRANT || label == CONTAINER_DENIAL || label == CONTAINER_REVOKE;
    struct message message = {0};
    mnos_status_t status;

    message_put(&message, label, &record, has_index ? sizeof record : 0);
    status = ipc_call(control, &message, deadline);
    if (status == MNOS_OK)
        status = (mnos_status_t)message.label;
    *bytes = status == MNOS_OK ? message_get(&message, reply, room) : 0;
    return status == MNOS_OK && *bytes > room ? MNOS_ERR_SIZE : status;
}

static mnos_status_t ask_record(mnos_cap_t control, uint64_t deadline, enum container_request label,
                                uint64_t index, void *reply, size_t bytes)
{
    size_t found;
    mnos_status_t status = ask(control, deadline, label, index, reply, bytes, &found);

    return status == MNOS_OK && found != bytes ? MNOS_ERR_SIZE : status;
}

mnos_status_t container_ask(mnos_cap_t control, enum container_request label, uint64_t index,
                            void *reply, size_t bytes)
{
    return ask_record(control, deadline_after_ns(PATIENCE_NS), label, index, reply, bytes);
}

/* The record and its two texts. */
static bool take_grant(struct container_grants *grants, const uint8_t *reply, size_t bytes,
                       size_t *used)
{
    struct container_grant *grant = &grants->grants[grants->count];
    struct missing_place *place = &grants->places[grants->count];
    size_t texts = bytes - sizeof *grant, outer;

    if (bytes < sizeof *grant + 2 || texts > sizeof grants->texts - *used || reply[bytes - 1] != 0)
        return false;
    memcpy(grant, reply, sizeof *grant);
    memcpy(grants->texts + *used, reply + sizeof *grant, texts);
    outer = strlen(grants->texts + *used) + 1;
    if (outer >= texts)
        return false;
    *place =
        (struct missing_place){grants->texts + *used, grants->texts + *used + outer, grant->rights};
    *used += texts;
    return true;
}

mnos_status_t container_grants(mnos_cap_t control, struct container_grants *grants)
{
    static uint8_t reply[MNOS_MESSAGE_MAX_BYTES];
    uint64_t deadline = deadline_after_ns(PATIENCE_NS);
    mnos_status_t status = MNOS_OK;
    size_t bytes, used = 0;

    grants->count = 0;
    for (uint64_t i = 0; i < CONTAINER_GRANTS; i++) {
        status = ask(control, deadline, CONTAINER_GRANT, i, reply, sizeof reply, &bytes);
        if (status != MNOS_OK)
            break;
        if (!take_grant(grants, reply, bytes, &used))
            return MNOS_ERR_FORMAT;
        grants->numbers[grants->count] = i;
        if (grants->grants[grants->count].state != CONTAINER_NOTHING)
            grants->count++;
    }
    return status;
}

/* ---- What it was refused ---- */

/* All that there are into `denials`; their number. An error: those before it. */
static mnos_status_t take_denials(mnos_cap_t control, unsigned *count)
{
    uint64_t deadline = deadline_after_ns(PATIENCE_NS);
    mnos_status_t status = MNOS_OK;

    for (*count = 0; *count < CONTAINER_DENIALS; ++*count) {
        struct container_denial *denial = &denials[*count];

        status = ask_record(control, deadline, CONTAINER_DENIAL, *count, denial, sizeof *denial);
        if (status != MNOS_OK)
            break;
    }
    return status == MNOS_ERR_END ? MNOS_OK : status;
}

static bool exists(const char *path)
{
    struct file_session *files = files_session("denials");
    struct file_attr attr;

    return files != NULL && file_stat(files, path, 0, &attr) == MNOS_OK;
}

static struct missing_world world(mnos_cap_t control)
{
    if (container_grants(control, &known) != MNOS_OK)
        known.count = 0;
    return (struct missing_world){known.places, known.count, exists};
}

static void print_remedy(const struct missing_world *known_world,
                         const struct lxhost_denied *denied)
{
    static struct missing_option option;
    static char text[MISSING_TEXT_BYTES];

    if (missing_find(known_world, denied, &option)) {
        console_print("%*s", 16, "");
        missing_text(&option, text);
        console_write(text, strlen(text));
        console_print(" would give it\n");
    } else if (denied->kind == LXHOST_DENIED_SOCKET) {
        console_print("%*s--connect, --listen or --resolve would give its first process one\n", 16,
                      "");
    } else if (denied->kind == LXHOST_DENIED_PATH) {
        console_print(
            "%*sno option would: there is no such file here, or its path cannot be typed\n", 16,
            "");
    }
}

static void print_denial(const struct missing_world *known_world,
                         const struct container_denial *denial)
{
    const struct lxhost_denied *denied = &denial->denied;

    console_print_time(denial->time_ns);
    console_print("process %d, %.15s %.215s%s: %s\n", denial->pid, denied->call, denied->text,
                  denied->cut != 0 ? "..." : "", missing_error_text(denied->error));
    print_remedy(known_world, denied);
}

void container_print_denials(uint64_t task, const char *name)
{
    struct missing_world known_world;
    struct container_info info;
    unsigned count = 0;
    mnos_cap_t control;
    mnos_status_t status;

    if (task_open_control(task, &control) != MNOS_OK)
        return;
    status = container_ask(control, CONTAINER_INFO, 0, &info, sizeof info);
    if (status == MNOS_OK)
        status = take_denials(control, &count);
    if (status != MNOS_OK) {
        console_error(status, "denials: ask the container");
    } else {
        known_world = world(control);
        console_print("%s: its programs say that they were refused %s\n", name,
                      count == 0 ? "nothing" : "this");
        for (unsigned i = 0; i < count; i++)
            print_denial(&known_world, &denials[i]);
        if (info.denials_lost != 0)
            console_print("%llu before these are not kept any more\n",
                          (unsigned long long)info.denials_lost);
    }
    (void)!sys_cap_delete(control);
}

/* ---- Learning ---- */

static void print_learned(mnos_cap_t control)
{
    static struct missing_list list;
    static struct missing_option option;
    static char text[MISSING_TEXT_BYTES];
    struct missing_world known_world = world(control);
    unsigned count;
    mnos_status_t status = take_denials(control, &count);

    if (status != MNOS_OK)
        console_error(status, "run --learn: ask the container");
    list.count = 0;
    for (unsigned i = 0; i < count; i++) {
        if (missing_find(&known_world, &denials[i].denied, &option))
            (void)missing_add(&list, &option); /* the first are told: with them more is learned */
    }
    console_print("run --learn: %s\n", list.count == 0
                                           ? "it was refused nothing that an option would give"
                                           : "it was refused what these would have given");
    for (unsigned i = 0; i < list.count; i++) {
        missing_text(&list.options[i], text);
        console_print("  ");
        console_write(text, strlen(text));
        console_print("\n");
    }
}

void container_learn(const char *name)
{
    struct manager_service task;
    struct container_info info;
    mnos_cap_t control;
    uint64_t index;

    if (task_find(name, &index, &task) != MNOS_OK || task_open_control(index, &control) != MNOS_OK)
        return;
    if (container_ask(control, CONTAINER_INFO, 0, &info, sizeof info) == MNOS_OK &&
        info.ended != 0) {
        print_learned(control);
        (void)!container_ask(control, CONTAINER_END, 0, NULL, 0);
    }
    (void)!sys_cap_delete(control);
}
