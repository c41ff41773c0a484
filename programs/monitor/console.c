// SPDX-License-Identifier: MIT
/* console - see console.h. */
#include "programs/monitor/console.h"

#include <stdarg.h>

#include "lib/mnos/bootstrap.h"
#include "lib/base/printf.h"
#include "lib/mnos/ipc.h"
#include "lib/mnos/listener.h"
#include "lib/mnos/log.h"
#include "lib/client/stream.h"
#include "lib/mnos/status.h"
#include "lib/base/string.h"
#include "lib/mnos/syscall.h"
#include "lib/mnos/time.h"
#include "programs/monitor/seat.h"
#include "protocols/manager.h"

#define PRINT_BYTES 512
#define INTERRUPT_KEY 3 /* Ctrl-C */

#define EVENT_INPUT 1ull
#define EVENT_SERVICES 2ull
#define EVENT_FRONT 4ull
#define EVENT_SIZE 8ull
#define EVENT_INTERRUPT 16ull
/* Of the capabilities to `events` that others have: when one is gone, so is who had it. */
#define BADGE_TERMINAL 1
#define BADGE_MANAGER 2

/* What was typed and not yet used: input_at up to input_length; bytes, and marks where some are
 * missing. One part is read ahead, the rest is for what the driver holds when it is about to be
 * ended, and there is room for all of that. */
#define READ_AHEAD_ITEMS 4096
#define HELD_ITEMS (8192 + 16)
#define LOST_MARK 0x100

static mnos_cap_t events; /* the endpoint where this monitor waits */
static bool input_waits;  /* the driver may have something */
static bool restarted, services_changed, size_changed, programs_changed;
static bool behind;        /* what is typed is another's */
static bool interrupted;   /* Ctrl-C was typed meanwhile */
static bool manager_tells; /* when a service starts or stops */
static char output[MNOS_MESSAGE_MAX_BYTES];
static size_t output_length;
static uint16_t input[READ_AHEAD_ITEMS + HELD_ITEMS];
static size_t input_length, input_at;

const char *console_service(void)
{
    static char name[MNOS_NAME_BYTES];

    return bootstrap_argument_value("terminal=", name, sizeof name) ? name : "terminal";
}

static mnos_status_t listen_to_line(void)
{
    static const struct stream_events wanted = {.input = EVENT_INPUT,
                                                .front = EVENT_FRONT,
                                                .size = EVENT_SIZE,
                                                .interrupt = EVENT_INTERRUPT};

    return stream_listen(bootstrap_cap("terminal"), events, BADGE_TERMINAL, &wanted);
}

/* The service of the line is stopped, until somebody starts it, who must have another line. What is in the log
 * about it is on the screen, and must not be pushed from there by a monitor that starts again and again. */
static void wait_for_line(void)
{
    mnos_status_t status = MNOS_ERR_STOPPED;

    log_line("there is no prompt: the service \"%s\" is stopped, see above", console_service());
    while (status == MNOS_ERR_STOPPED) {
        struct message msg = {0};

        if (ipc_receive(events, &msg, MNOS_DEADLINE_NEVER) != MNOS_OK)
            return;
        if (msg.kind == MNOS_KIND_EVENTS)
            status = listen_to_line();
        else if (
            msg.kind !=
            MNOS_KIND_CLIENT_GONE) /* what was refused goes with its capability: no reason to ask again */
            ipc_reply_status(msg.reply_id, MNOS_ERR_LABEL);
    }
}

/* Without its line the monitor can do nothing; init starts it again, later and later, and then
 * stops it. */
static _Noreturn void give_up(mnos_status_t status, const char *what)
{
    if (status == MNOS_ERR_STOPPED && manager_tells)
        wait_for_line();
    else
        log_error(status, what);
    for (;;)
        (void)!sys_proc_destroy(MNOS_SELF, (uint64_t)status);
}

void console_flush(void)
{
    mnos_status_t status = stream_write(bootstrap_cap("terminal"), output, output_length);

    if (status != MNOS_OK)
        give_up(status, "write to the terminal");
    output_length = 0;
}

static void put(char byte)
{
    if (output_length == sizeof output)
        console_flush();
    output[output_length++] = byte;
}

void console_write(const char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (bytes[i] == '\n' && (output_length == 0 || output[output_length - 1] != '\r'))
            put('\r');
        put(bytes[i]);
    }
}

void console_print(const char *format, ...)
{
    char text[PRINT_BYTES];
    va_list arguments;
    size_t length;

    va_start(arguments, format);
    length = (size_t)mnos_vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    console_write(text, length < sizeof text ? length : sizeof text - 1);
}

void console_print_time(uint64_t time_ns)
{
    uint64_t us = time_ns / 1000;

    console_print("[%5llu.%06llu]  ", (unsigned long long)(us / 1000000),
                  (unsigned long long)(us % 1000000));
}

void console_error(mnos_status_t status, const char *what)
{
    char text[PRINT_BYTES];

    console_print("%s\n", error_explain(text, sizeof text, status, what));
}

static void listen(void)
{
    mnos_status_t status = listen_to_line();

    if (status != MNOS_OK)
        give_up(status, "listen to the terminal");
}

void console_open(void)
{
    mnos_cap_t manager = bootstrap_find("manager");
    mnos_status_t status = sys_cap_create(MNOS_CREATE_ENDPOINT, 0, MNOS_RIGHTS_ALL, 0, 0, &events);

    if (status != MNOS_OK)
        give_up(status, "create an endpoint");
    if (manager != 0) {
        status = listen_to(manager, MANAGER_LISTEN, events, BADGE_MANAGER, EVENT_SERVICES);
        manager_tells = status == MNOS_OK;
        if (status != MNOS_OK)
            log_error(status, "listen to the manager"); /* the news will be missed, no more */
    }
    listen();
}

mnos_cap_t console_endpoint(void)
{
    return events;
}

/* Ended children, and the key of last resort, change it. */
static void look_who_is_in_front(void)
{
    struct stream_size size;
    mnos_status_t status = stream_size(bootstrap_cap("terminal"), STREAM_NOW, &size);

    if (status != MNOS_OK)
        give_up(status, "ask the terminal who is in front");
    behind = (size.flags & STREAM_IN_FRONT) == 0;
    input_waits |= !behind;
}

static void note_events(uint64_t set)
{
    seat_note_events(set);
    input_waits |= (set & EVENT_INPUT) != 0;
    services_changed |= (set & EVENT_SERVICES) != 0;
    programs_changed |= (set & CONSOLE_EVENT_PROGRAMS) != 0;
    size_changed |= (set & EVENT_SIZE) != 0;
    interrupted |= (set & EVENT_INTERRUPT) != 0;
    if ((set & EVENT_FRONT) != 0)
        look_who_is_in_front();
}

static void wait_until(uint64_t deadline_ns)
{
    struct message msg = {0};
    mnos_status_t status;

    console_flush();
    status = ipc_receive(events, &msg, deadline_ns);
    if (status == MNOS_ERR_DEADLINE)
        return;
    if (status != MNOS_OK)
        give_up(status, "wait for an event");
    switch (msg.kind) {
    case MNOS_KIND_EVENTS: note_events(msg.words[0]); break;
    case MNOS_KIND_CLIENT_GONE:
        /* With the launcher its programs are gone. The manager is never: without it there is no system. */
        programs_changed |= ipc_client_is_gone(events, msg.badge, CONSOLE_BADGE_PROGRAMS);
        seat_note_gone(msg.badge);
        if (!ipc_client_is_gone(events, msg.badge, BADGE_TERMINAL))
            break;
        restarted = true;
        listen();
        break;
    default:
        ipc_reply_status(msg.reply_id, MNOS_ERR_LABEL); /* nobody has anything to ask here */
        break;
    }
}

void console_wait(void)
{
    wait_until(MNOS_DEADLINE_NEVER);
}

void console_look(void)
{
    wait_until(0);
}

/* The input moves to the beginning of its array. */
static void make_room(void)
{
    input_length -= input_at;
    memmove(input, input + input_at, input_length * sizeof input[0]);
    input_at = 0;
}

/* Adds what POLL or HOLD returns to the input, which has room for more; returns whether there
 * was any. */
static bool receive(enum stream_request label, size_t limit)
{
    static uint8_t bytes[READ_AHEAD_ITEMS];
    struct stream_read request;
    struct message msg = {0};
    mnos_status_t status;
    size_t count;

    make_room();
    request.max_bytes = limit - input_length < sizeof bytes ? limit - input_length : sizeof bytes;
    message_put(&msg, label, &request, sizeof request);
    status = ipc_request(bootstrap_cap("terminal"), &msg);
    if (status == MNOS_ERR_LOST)
        input[input_length++] = LOST_MARK;
    if (status == MNOS_ERR_LOST || status == MNOS_ERR_PEER)
        return true;                /* the driver's next run may have more */
    if (status == MNOS_ERR_AGAIN) { /* it is another's, until the driver says that it is not */
        behind = true;
        return false;
    }
    if (status != MNOS_OK)
        give_up(status, "read from the terminal");
    count = message_get(&msg, bytes, (size_t)request.max_bytes);
    for (size_t i = 0; i < count; i++)
        input[input_length++] = bytes[i];
    return count != 0;
}

void console_hold_input(void)
{
    while (input_length - input_at < sizeof input / sizeof input[0] &&
           receive(STREAM_HOLD, sizeof input / sizeof input[0]))
        ;
    input_waits = true; /* the next read has to end the hold */
}

static bool take(bool *flag)
{
    bool set = *flag;

    *flag = false;
    return set;
}

bool console_interrupted(void)
{
    while (input_waits && input_length - input_at < READ_AHEAD_ITEMS)
        input_waits = receive(STREAM_POLL, READ_AHEAD_ITEMS);
    if (take(&interrupted))
        return true;
    for (size_t i = input_length; i > input_at; i--) {
        if (input[i - 1] == INTERRUPT_KEY) {
            input_at = i;
            return true;
        }
    }
    return false;
}

bool console_pause(uint64_t duration_ns)
{
    uint64_t until = deadline_after_ns(duration_ns);

    while (!console_interrupted()) {
        if (kinfo_time_ns() >= until)
            return true;
        wait_until(until);
    }
    return false;
}

int console_read(void)
{
    for (;;) {
        if (input_at < input_length) {
            uint16_t item = input[input_at++];

            return item == LOST_MARK ? CONSOLE_LOST : item;
        }
        if (take(&restarted))
            return CONSOLE_RESTARTED;
        if (take(&services_changed))
            return CONSOLE_SERVICES;
        if (take(&size_changed))
            return CONSOLE_SIZE;
        if (take(&programs_changed))
            return CONSOLE_PROGRAMS;
        if (input_waits)
            input_waits = receive(STREAM_POLL, READ_AHEAD_ITEMS);
        else
            console_wait();
    }
}

/* ---- The terminal, and who is in front of it ---- */

void console_ask_size(void)
{
    struct stream_size size;

    (void)!stream_size(bootstrap_cap("terminal"), STREAM_ASK, &size); /* the answer is an event */
}

unsigned console_columns(void)
{
    struct stream_size size;
    mnos_status_t status = stream_size(bootstrap_cap("terminal"), STREAM_NOW, &size);

    return status == MNOS_OK && (size.flags & STREAM_TOLD) != 0 ? size.columns : 0;
}

mnos_status_t console_give_front(uint32_t flags, mnos_cap_t *session)
{
    mnos_status_t status;

    console_flush();
    interrupted = false;
    status = stream_give_front(bootstrap_cap("terminal"), flags, session);
    if (status == MNOS_OK && (flags & STREAM_BEHIND) == 0)
        behind = true;
    return status;
}

void console_take_front(mnos_cap_t session)
{
    mnos_status_t status = stream_take_front(bootstrap_cap("terminal"), session);

    if (status != MNOS_OK)
        log_error(status, "end a session of the terminal");
    (void)!sys_cap_delete(session);
    look_who_is_in_front();
}

bool console_has_front(void)
{
    return !behind;
}
