// SPDX-License-Identifier: MIT
/*
 * main - a client for tests that asks the launcher for what it must refuse, repeats what was carried out, looks what is
 * left of an endpoint that a program handed on, and at last makes as many programs as there may be and ends without
 * running them.
 */
#include "abi/inspect.h"
#include "lib/base/string.h"
#include "lib/client/file.h"
#include "lib/client/launcher.h"
#include "lib/client/service.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/ipc.h"
#include "lib/mnos/log.h"
#include "lib/mnos/syscall.h"
#include "lib/mnos/time.h"

#define SMALL_FRAMES 64u
#define HANDING_REQUEST UINT64_MAX
#define HANDING_FRAMES 512u
#define HANDING_WORDS "given\0hand" /* and the literal's own NUL */
#define LOOK_NS 10000000ull

static struct file_mounts mounts;
static mnos_cap_t program; /* a session of a program's file */
static mnos_cap_t handing; /* of one that hands its endpoint on */
static unsigned tried, wrong;

static void expect(const char *what, mnos_status_t status, mnos_status_t expected)
{
    tried++;
    if (status == expected)
        return;
    wrong++;
    log_line("%s: status %u, and not %u", what, status, expected);
}

static const struct launcher_start good = {
    .request = 1,
    .name = "bad",
    .frames = SMALL_FRAMES,
    .bytes = 32768,
    .priority = 10,
    .stack_pages = LAUNCHER_STACK_PAGES_MIN,
};

/* The record and `more` behind it; `file` may be 0. */
static mnos_status_t start(const struct launcher_start *record, const char *more, size_t more_bytes,
                           mnos_cap_t file, uint64_t *number)
{
    uint8_t bytes[sizeof *record + 16];
    struct message message = {.accept = 1};
    mnos_status_t status;

    memcpy(bytes, record, sizeof *record);
    memcpy(bytes + sizeof *record, more, more_bytes);
    message_put(&message, LAUNCHER_START, bytes, sizeof *record + more_bytes);
    if (file != 0)
        message_add_cap(&message, file, MNOS_RIGHT_WRITE | MNOS_RIGHT_GRANT);
    status = service_call(bootstrap_cap("launcher"), &message);
    if (status == MNOS_OK) {
        *number = message.words[0];
        (void)!sys_cap_delete(message_cap(&message, 0));
    }
    return status;
}

static void change(const char *what, struct launcher_start record, mnos_status_t expected)
{
    uint64_t number;

    expect(what, start(&record, "", 0, program, &number), expected);
}

static mnos_status_t ask(uint32_t label, const void *record, size_t bytes, mnos_cap_t cap)
{
    struct message message = {0};

    message_put(&message, label, record, bytes);
    if (cap != 0)
        message_add_cap(&message, cap, MNOS_RIGHT_WRITE | MNOS_RIGHT_GRANT);
    return service_call(bootstrap_cap("launcher"), &message);
}

static void bad_starts(void)
{
    struct launcher_start record = good;
    uint64_t number;

    expect("a short record", ask(LAUNCHER_START, &good, sizeof good - 1, program), MNOS_ERR_SIZE);
    expect("no file", start(&good, "", 0, 0, &number), MNOS_ERR_ARGUMENT);
    expect("a word too few", start(&good, "a", 2, program, &number), MNOS_ERR_ARGUMENT);
    record.argument_count = 1;
    expect("a word without end", start(&record, "a", 1, program, &number), MNOS_ERR_ARGUMENT);
#define WITH(field, value) (record = good, record.field = (value), record)
    change("no number", WITH(request, 0), MNOS_ERR_ARGUMENT);
    change("an unknown file", WITH(file[0], 'x'), MNOS_ERR_NOT_FOUND);
    change("the launcher's log", (record = good, memcpy(record.file, "log", 4), record),
           MNOS_ERR_NOT_FOUND);
    change("no name", WITH(name[0], 0), MNOS_ERR_ARGUMENT);
    change("no bytes", WITH(bytes, 0), MNOS_ERR_ARGUMENT);
    change("a small stack", WITH(stack_pages, LAUNCHER_STACK_PAGES_MIN - 1), MNOS_ERR_ARGUMENT);
    change("a large stack", WITH(stack_pages, LAUNCHER_STACK_PAGES_MAX + 1), MNOS_ERR_ARGUMENT);
    change("a flag", WITH(flags, LAUNCHER_FLAGS_ALL + 1), MNOS_ERR_ARGUMENT);
    change("events at no endpoint", WITH(events, 1), MNOS_ERR_ARGUMENT);
    change("a priority", WITH(priority, 23), MNOS_ERR_CEILING);
    change("all frames", WITH(frames, UINT64_MAX), MNOS_ERR_QUOTA);
    change("few frames", WITH(frames, 16), MNOS_ERR_QUOTA);
    change("all bytes", WITH(bytes, UINT64_MAX), MNOS_ERR_QUOTA);
#undef WITH
}

static mnos_status_t give(uint64_t number, uint32_t sequence, const char *name, mnos_cap_t cap)
{
    struct launcher_give record = {
        .number = number, .sequence = sequence, .rights = {MNOS_RIGHT_WRITE}};

    string_copy(record.names[0], name, sizeof record.names[0]);
    return ask(LAUNCHER_GIVE, &record, sizeof record, cap);
}

static void one_program(void)
{
    struct launcher_number unknown = {1}; /* init's is no program */
    struct launcher_number made = {0}, again = {0};

    expect("to make one", start(&good, "", 0, program, &made.number), MNOS_OK);
    expect("to make it again", start(&good, "", 0, program, &again.number), MNOS_OK);
    expect("it is the same", made.number == again.number ? MNOS_OK : MNOS_ERR_EXISTS, MNOS_OK);
    expect("to run another", ask(LAUNCHER_RUN, &unknown, sizeof unknown, 0), MNOS_ERR_NOT_FOUND);
    expect("to give another", give(1, 0, "a", program), MNOS_ERR_NOT_FOUND);
    expect("to give nothing", give(made.number, 0, "a", 0), MNOS_ERR_ARGUMENT);
    expect("to skip", give(made.number, 1, "a", program), MNOS_ERR_ARGUMENT);
    expect("to give", give(made.number, 0, "a", program), MNOS_OK);
    expect("to give again", give(made.number, 0, "a", program), MNOS_OK);
    expect("the same name", give(made.number, 1, "a", program), MNOS_ERR_EXISTS);
    expect("no name", give(made.number, 2, "", program), MNOS_ERR_ARGUMENT);
    expect("the launcher", give(made.number, 3, "b", bootstrap_cap("launcher")), MNOS_ERR_RIGHTS);
    expect("to run", ask(LAUNCHER_RUN, &made, sizeof made, 0), MNOS_OK);
    expect("to run again", ask(LAUNCHER_RUN, &made, sizeof made, 0), MNOS_OK);
    expect("to give late", give(made.number, 4, "c", program), MNOS_ERR_STATE);
    expect("to end", launcher_kill("bad"), MNOS_OK);
    expect("to end again", launcher_kill("bad"), MNOS_OK);
    expect("to end another's", launcher_kill("given"), MNOS_ERR_NOT_FOUND);
    expect("no request", ask(99, "", 0, program), MNOS_ERR_LABEL);
}

static mnos_status_t wait_for_end(uint64_t number)
{
    struct manager_service entry;
    mnos_status_t status = launcher_find(number, &entry, NULL);

    while (status == MNOS_OK && entry.state != MANAGER_STOPPED) {
        sleep_until(deadline_after_ns(LOOK_NS));
        status = launcher_find(number, &entry, NULL);
    }
    return status;
}

/* The endpoint of a program goes with it, whoever has a capability to it by then. */
static void endpoint_handed_on(void)
{
    struct launcher_start record = good;
    struct launcher_number made = {0};
    struct message message = {.accept = 1};
    mnos_cap_t here = 0, handed;
    uint64_t size;

    record.request = HANDING_REQUEST;
    record.frames = HANDING_FRAMES;
    record.flags = LAUNCHER_EVENTS;
    record.argument_count = 2;
    expect("an endpoint", sys_cap_create(MNOS_CREATE_ENDPOINT, 0, MNOS_RIGHTS_ALL, 0, 0, &here),
           MNOS_OK);
    expect("to make it", start(&record, HANDING_WORDS, sizeof HANDING_WORDS, handing, &made.number),
           MNOS_OK);
    expect("to give it an endpoint", give(made.number, 0, "to", here), MNOS_OK);
    expect("to run it", ask(LAUNCHER_RUN, &made, sizeof made, 0), MNOS_OK);
    expect("to receive", ipc_receive(here, &message, MNOS_DEADLINE_NEVER), MNOS_OK);
    handed = message_cap(&message, 0);
    expect("what it hands on", sys_cap_inspect(handed, MNOS_VIEW_CAPABILITY, 0, &size), MNOS_OK);
    message_put(&message, MNOS_OK, NULL, 0);
    expect("to answer", ipc_reply(&message), MNOS_OK);
    expect("its end", wait_for_end(made.number), MNOS_OK);
    expect("what it handed on", sys_cap_inspect(handed, MNOS_VIEW_CAPABILITY, 0, &size),
           MNOS_ERR_HANDLE);
    (void)!sys_cap_delete(here);
}

static void as_many_as_there_may_be(void)
{
    struct launcher_start record = good;
    unsigned made = 0;
    uint64_t number;
    mnos_status_t status = MNOS_OK;

    while (status == MNOS_OK && made <= LAUNCHER_PROGRAMS_MAX) {
        record.request++;
        status = start(&record, "", 0, program, &number);
        made += status == MNOS_OK;
    }
    expect("too many", status, MNOS_ERR_AGAIN);
    log_line("made %u more", made);
}

static mnos_status_t open_program(const char *path, mnos_cap_t *session)
{
    struct file file;
    mnos_status_t status =
        file_open(&mounts.root, NULL, path, 0, FILE_LOOKUP | FILE_READ_RIGHT, &file);

    return status != MNOS_OK ? status : file_export(&file, FILE_LOOKUP | FILE_READ_RIGHT, session);
}

int main(void)
{
    mnos_status_t status = file_mounts_open(&mounts, bootstrap_cap("files"), 0);

    if (status == MNOS_OK)
        status = open_program("/boot/spin", &program);
    if (status == MNOS_OK)
        status = open_program("/boot/given", &handing);
    if (status != MNOS_OK) {
        log_error(status, "begin");
        return 1;
    }
    bad_starts();
    one_program();
    endpoint_handed_on();
    as_many_as_there_may_be();
    log_line("tried %u, %u wrong", tried, wrong);
    return 0;
}
