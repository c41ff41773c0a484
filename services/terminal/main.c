// SPDX-License-Identifier: MIT
/*
 * main - the terminal of the screen: capabilities, and the one loop. Keys come from the driver of the keyboard, bytes from clients
 * (protocols/stream.def), and the screen shows one of the terminals. See README.md.
 */
#include "lib/client/manager.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/ipc.h"
#include "lib/mnos/log.h"
#include "lib/mnos/memory.h"
#include "lib/mnos/syscall.h"
#include "lib/mnos/time.h"
#include "lib/server/alive.h"
#include "lib/server/stream_server.h"
#include "services/terminal/absent.h"
#include "services/terminal/clients.h"
#include "services/terminal/display.h"
#include "services/terminal/journal.h"
#include "services/terminal/keyboard.h"
#include "services/terminal/terminals.h"

#define EVENT_KEYS 1ull
#define EVENT_ANSWER 4ull /* the thread that asks for keys has something */
_Static_assert(((EVENT_KEYS | EVENT_ANSWER) & (STREAM_EVENT_LOOK | MANAGER_EVENT_PEER_RESTARTED)) ==
                   0,
               "events at one endpoint");
#define JOURNAL_NS 200000000ull /* so often the log is looked at while it is to be seen */
#define DRAW_NS 20000000ull     /* so long at most drawing waits for more to draw */
#define TEXT_BYTES 1024u
/* Of the log: those who write it may do so faster than it is shown, and clients wait. */
#define PARTS_MAX 8u
#define PAST_MAX 64u /* times that, of the log when the screen begins: it has 64 KiB */
#define WORD_BYTES 32u
#define KEYBOARD_PRIORITY 19u /* as the manifest says of this service */

enum { EXIT_MEMORY = 1, EXIT_SCREEN = 2, EXIT_RECEIVE = 3, EXIT_KEYMAPS = 4 };

static struct screen screen;
static mnos_cap_t endpoint;
static uint64_t now_ns;
static struct layout keys;
static struct keyboard keyboard;
static struct journal journal;
static bool keys_wait;      /* there may be some */
static uint64_t draw_at_ns; /* 0: nothing is to be drawn */

/* ---- The log ---- */

/* What the kernel has said since, in one of the terminals; not all of it, if it is much. False: there is no more. */
static bool show_journal(struct terminal *terminal, struct journal *from)
{
    char text[TEXT_BYTES];
    size_t count = 1;

    for (unsigned part = 0; count != 0 && part < PARTS_MAX; part++) {
        count = journal_read(from, text, sizeof text);
        if (count != 0)
            terminal_write(terminal, text, count);
    }
    return count != 0;
}

/* ---- Keys ---- */

static void feed(const struct input_key *key)
{
    struct keys_event events[2];
    unsigned count = layout_feed(&keys, key, events), seen;

    for (unsigned i = 0; i < count; i++) {
        seen = terminals_seen();
        if (events[i].kind == KEYS_SWITCH)
            terminals_show(events[i].code);
        else if (events[i].kind == KEYS_SCROLL || clients_hear(seen))
            terminal_key(terminals_get(seen), &events[i]);
    }
}

/* Has the keys that wait brought here, unless they are to be left where they are. */
static void ask_for_keys(void)
{
    if (clients_hold_keys())
        return;
    keys_wait = false;
    clients_note_asked(); /* first: from the question on they may be on their way */
    keyboard_ask(&keyboard, KEYBOARD_TAKE, keys.lights);
}

static void take_answer(void)
{
    struct input_key some[INPUT_KEYS_MAX];
    unsigned lights = keys.lights;
    size_t count;
    bool took;

    if (!keyboard_collect(&keyboard, some, &count, &took))
        return;
    for (size_t i = 0; i < count; i++)
        feed(&some[i]);
    if (keys.lights != lights)
        keyboard_ask(&keyboard, KEYBOARD_LIGHT, keys.lights);
    if (took && count != 0)
        keys_wait = true; /* there may be more */
    clients_note_typed();
}

static mnos_status_t begin_keyboard(void)
{
    const struct input_source source = {
        .driver = bootstrap_cap("keyboard"), .endpoint = endpoint, .event = EVENT_KEYS};
    mnos_status_t status = keyboard_begin(&keyboard, &source, EVENT_ANSWER, KEYBOARD_PRIORITY);

    if (status == MNOS_OK)
        keyboard_ask(&keyboard, KEYBOARD_LISTEN, keys.lights);
    return status;
}

/* ---- Beginning ---- */

/* The number of the service that `holder=NAME` names, or 0. */
static uint64_t holder_number(void)
{
    struct manager_service service;
    char name[WORD_BYTES];
    uint64_t index;

    if (bootstrap_argument_value("holder=", name, sizeof name) &&
        manager_find(name, &index, &service) == MNOS_OK)
        return index;
    log_at(MNOS_LOG_ERROR,
           "the manifest names no holder of the screen (arguments = \"holder=SERVICE\"): what is "
           "typed is nobody's");
    return 0;
}

static bool keys_on_their_way(void)
{
    return keyboard_may_take(&keyboard);
}

static mnos_status_t begin_clients(void)
{
    const struct clients_source source = {
        .endpoint = endpoint, .holder = holder_number(), .on_its_way = keys_on_their_way};

    now_ns = kinfo_time_ns();
    return clients_begin(&source, now_ns);
}

static unsigned font_height(void)
{
    char text[WORD_BYTES];
    unsigned height = 0;

    if (bootstrap_argument_value("font=", text, sizeof text))
        for (const char *digit = text; *digit >= '0' && *digit <= '9' && height < 1000; digit++)
            height = height * 10 + (unsigned)(*digit - '0');
    return height;
}

static mnos_status_t open_keymap(void)
{
    char layout[WORD_BYTES] = "";
    uint64_t pages;
    void *address;
    mnos_status_t status =
        memory_map_all(bootstrap_cap("keymaps"), MNOS_MAP_READ, &address, &pages);

    (void)bootstrap_argument_value("keymap=", layout, sizeof layout);
    if (status == MNOS_OK && !layout_open(&keys, address, pages * MNOS_PAGE_BYTES, layout))
        status = MNOS_ERR_FORMAT;
    return status;
}

/* The first terminal shows what the kernel has said until now, as the screen did before. */
static bool open_first_terminal(void)
{
    struct terminal *first;
    struct journal past;

    terminals_begin(screen.columns, screen.rows);
    first = terminals_open(TERMINAL_PROMPT);
    if (first == NULL)
        return false;
    journal_open(&journal, bootstrap_find("log"));
    past = journal;
    for (unsigned part = 0; show_journal(first, &past) && part < PAST_MAX; part++)
        ;
    return true;
}

/* ---- The loop ---- */

/* Drawing waits for what else there is to do, so that lines that scroll away at once are not drawn, but not for long. */
static void draw_when_due(bool idle)
{
    struct terminal *terminal = terminals_get(terminals_seen());

    if (!terminal->changed)
        return;
    if (draw_at_ns == 0)
        draw_at_ns = now_ns + DRAW_NS;
    if (!idle && now_ns < draw_at_ns)
        return;
    terminal_draw(terminal, &screen);
    draw_at_ns = 0;
}

static uint64_t deadline(void)
{
    uint64_t at = clients_deadline();

    if (terminals_get(terminals_seen())->changed)
        return 0;
    if (terminals_seen() == TERMINAL_LOG && now_ns + JOURNAL_NS < at)
        at = now_ns + JOURNAL_NS;
    return at;
}

static void handle_events(uint64_t events)
{
    if ((events & MANAGER_EVENT_PEER_RESTARTED) != 0 && keyboard_is_deaf(&keyboard))
        keyboard_ask(&keyboard, KEYBOARD_LISTEN, keys.lights);
    if ((events & EVENT_KEYS) != 0)
        keys_wait = true;
    if ((events & EVENT_ANSWER) != 0)
        take_answer();
}

/* `msg` becomes the reply, with reply_id 0 when there is none. */
static void handle(struct message *msg)
{
    alive_answer(msg);
    if (msg->kind == MNOS_KIND_EVENTS) {
        handle_events(msg->words[0]);
        *msg = (struct message){0};
        return;
    }
    if (msg->kind == MNOS_KIND_CLIENT_GONE &&
        ipc_client_is_gone(endpoint, msg->badge, keyboard.source.badge))
        keyboard_lost(&keyboard);
    clients_handle(msg);
}

/* At once, and not with the next receive: what is asked without pause would keep the rest of the loop from its turn, and that
 * needs the IPC buffer, in which the reply may lie. Of all terminals, also when there is no reply: at another one than that of the
 * message something may be due. */
static void send_reply(struct message *msg)
{
    if (msg->reply_id != 0)
        (void)!ipc_reply(msg); /* a client that is gone has no use for it */
    *msg = (struct message){0};
    clients_progress();
}

static mnos_status_t serve(void)
{
    struct message msg = {0};

    for (;;) {
        mnos_status_t status;

        msg.accept = STREAM_SERVER_ACCEPTS;
        status = ipc_reply_receive(endpoint, &msg, deadline());
        now_ns = kinfo_time_ns();
        clients_set_now(now_ns);
        if (status == MNOS_OK) {
            handle(&msg);
            send_reply(&msg);
        } else if (status == MNOS_ERR_DEADLINE) {
            msg = (struct message){0};
            clients_progress();
        } else {
            return status;
        }
        if (keys_wait)
            ask_for_keys();
        if (terminals_seen() == TERMINAL_LOG)
            (void)show_journal(terminals_get(TERMINAL_LOG), &journal);
        draw_when_due(status == MNOS_ERR_DEADLINE);
    }
}

/* A monitor of its own, which nobody else starts: it would have nothing to be seen on. */
static void start_holder(void)
{
    char name[WORD_BYTES];
    mnos_status_t status = MNOS_OK;

    if (bootstrap_argument_value("holder=", name, sizeof name))
        status = manager_command(MANAGER_START, name);
    if (status != MNOS_OK && status != MNOS_ERR_STATE) /* it runs already */
        log_error(status, "start the service that the screen is for");
}

int main(void)
{
    mnos_status_t status =
        display_open(&screen, bootstrap_find("framebuffer"), bootstrap_cap("fonts"), font_height());

    endpoint = bootstrap_cap("requests");
    if (status == MNOS_ERR_NOT_FOUND)
        return log_failure(absent_serve(endpoint), "receive a request", EXIT_RECEIVE);
    if (status != MNOS_OK)
        return log_failure(status, "open the screen", EXIT_SCREEN);
    status = open_keymap();
    if (status != MNOS_OK)
        return log_failure(status, "read the file keymaps", EXIT_KEYMAPS);
    if (!open_first_terminal())
        return log_failure(MNOS_ERR_QUOTA, "get memory for a terminal", EXIT_MEMORY);
    status = begin_clients();
    if (status != MNOS_OK)
        return log_failure(status, "begin to serve", EXIT_MEMORY);
    status = begin_keyboard();
    if (status != MNOS_OK)
        return log_failure(status, "begin to ask for keys", EXIT_MEMORY);
    log_line("%u columns, %u rows, font %ux%u", screen.columns, screen.rows, screen.font.width,
             screen.font.height);
    start_holder();
    return log_failure(serve(), "receive a request", EXIT_RECEIVE);
}
