// SPDX-License-Identifier: MIT
/*
 * main - the terminal of the screen: capabilities, and the one loop. Keys come from the driver of the keyboard, bytes from clients
 * (protocols/stream.def), and the screen shows one of the terminals. See README.md.
 */
#include <stdatomic.h>

#include "lib/client/manager.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/ipc.h"
#include "lib/mnos/log.h"
#include "lib/mnos/memory.h"
#include "lib/mnos/syscall.h"
#include "lib/mnos/time.h"
#include "lib/server/alive.h"
#include "lib/server/guard.h"
#include "lib/server/state.h"
#include "lib/server/stream_server.h"
#include "services/terminal/absent.h"
#include "services/terminal/display.h"
#include "services/terminal/journal.h"
#include "services/terminal/keyboard.h"
#include "services/terminal/terminal.h"

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

#define STATE_MAGIC 0x4C414E494D524554ull /* "TERMINAL" */
#define STATE_LAYOUT 1u

enum { EXIT_MEMORY = 1, EXIT_SCREEN = 2, EXIT_RECEIVE = 3, EXIT_KEYMAPS = 4 };
enum { MONITOR, LOG, TERMINALS };

/* What outlives the process, in a region. */
struct kept {
    _Atomic uint64_t typed; /* keys wait that nobody has read: they are lost with the process */
    struct stream_server_state server;
};
_Static_assert(sizeof(struct state_header) + sizeof(struct kept) <= MNOS_PAGE_BYTES,
               "the region's floor");

static struct screen screen;
static struct terminal terminals[TERMINALS];
static unsigned seen;               /* the terminal that the screen shows */
static struct stream_server server; /* of the first */
static struct kept *kept;
static struct layout keys;
static struct keyboard keyboard;
static struct journal journal;
static bool held, keys_wait; /* keys are left where they are; there may be some */
static uint64_t draw_at_ns;  /* 0: nothing is to be drawn */

/* ---- The first terminal as a device of lib/server/stream_server.h ---- */

static size_t send(void *context, const uint8_t *bytes, size_t count)
{
    terminal_write(context, (const char *)bytes, count);
    return count;
}

static void note_typed(void)
{
    bool waits = byte_queue_used(&terminals[MONITOR].received) != 0;

    atomic_store_explicit(&kept->typed, waits || keyboard_may_take(&keyboard),
                          memory_order_relaxed);
}

static void taken(void *)
{
    note_typed();
}

/* Somebody is about to end this process: keys wait in the driver of the keyboard. */
static void hold(void *, bool hold_them)
{
    held = hold_them;
}

/* Keys that have been asked for leave the driver of the keyboard, however `held` is set afterwards. */
static bool on_its_way(void *)
{
    return keyboard_may_take(&keyboard);
}

static const struct stream_device device = {.context = &terminals[MONITOR],
                                            .received = &terminals[MONITOR].received,
                                            .send = send,
                                            .taken = taken,
                                            .hold = hold,
                                            .on_its_way = on_its_way};

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

/* A terminal costs memory when it is seen for the first time; what there was none for then is not tried again. */
static bool is_open(unsigned terminal)
{
    if (terminals[terminal].columns == 0)
        (void)terminal_open(&terminals[terminal], screen.columns, screen.rows,
                            SCROLLBACK_BLOCKS_MAX);
    return terminals[terminal].emulator != NULL;
}

static void switch_to(unsigned terminal)
{
    if (terminal >= TERMINALS || !is_open(terminal))
        return;
    seen = terminal;
    terminal_come(&terminals[terminal]);
}

static void feed(const struct input_key *key)
{
    struct keys_event events[2];
    unsigned count = layout_feed(&keys, key, events);

    for (unsigned i = 0; i < count; i++) {
        if (events[i].kind == KEYS_SWITCH)
            switch_to(events[i].code);
        else if (seen != LOG || events[i].kind == KEYS_SCROLL)
            terminal_key(&terminals[seen], &events[i]);
    }
}

/* Has the keys that wait brought here, unless they are to be left where they are. */
static void ask_for_keys(void)
{
    if (held)
        return;
    keys_wait = false;
    /* First: from the question on they may be on their way. */
    atomic_store_explicit(&kept->typed, 1, memory_order_relaxed);
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
    note_typed();
}

static mnos_status_t begin_keyboard(mnos_cap_t endpoint)
{
    const struct input_source source = {
        .driver = bootstrap_cap("keyboard"), .endpoint = endpoint, .event = EVENT_KEYS};
    mnos_status_t status = keyboard_begin(&keyboard, &source, EVENT_ANSWER, KEYBOARD_PRIORITY);

    if (status == MNOS_OK)
        keyboard_ask(&keyboard, KEYBOARD_LISTEN, keys.lights);
    return status;
}

/* ---- Beginning ---- */

/* What outlives this process, and whether there is nothing of it yet. */
static mnos_status_t open_state(bool *fresh)
{
    struct state state;
    void *address;
    mnos_status_t status =
        memory_map(bootstrap_cap("terminal_state"), 0, 1, MNOS_MAP_READ | MNOS_MAP_WRITE, &address);

    if (status != MNOS_OK)
        return status;
    *fresh = state_open(&state, address, MNOS_PAGE_BYTES, STATE_MAGIC, STATE_LAYOUT, 0, NULL) !=
             STATE_WHOLE;
    kept = state_content(&state);
    if (*fresh)
        atomic_store_explicit(&kept->typed, 0, memory_order_relaxed);
    state_ready(&state);
    return MNOS_OK;
}

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

static mnos_status_t begin_server(mnos_cap_t endpoint)
{
    bool fresh;
    mnos_status_t status = open_state(&fresh);

    if (status == MNOS_OK)
        status = guard_begin();
    if (status != MNOS_OK)
        return status;
    if (atomic_load_explicit(&kept->typed, memory_order_relaxed) != 0)
        byte_queue_mark(&terminals[MONITOR].received);
    server.device = &device;
    server.endpoint = endpoint;
    server.holder = holder_number();
    server.state = &kept->server;
    server.now_ns = kinfo_time_ns();
    stream_server_begin(&server, fresh, server.now_ns);
    return MNOS_OK;
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
    struct journal past;

    if (!is_open(MONITOR))
        return false;
    journal_open(&journal, bootstrap_find("log"));
    past = journal;
    for (unsigned part = 0; show_journal(&terminals[MONITOR], &past) && part < PAST_MAX; part++)
        ;
    return true;
}

/* ---- The loop ---- */

static void draw(void)
{
    terminal_draw(&terminals[seen], &screen);
    draw_at_ns = 0;
}

/* Drawing waits for what else there is to do, so that lines that scroll away at once are not drawn, but not for long. */
static void draw_when_due(bool idle)
{
    if (!terminals[seen].changed)
        return;
    if (draw_at_ns == 0)
        draw_at_ns = server.now_ns + DRAW_NS;
    if (idle || server.now_ns >= draw_at_ns)
        draw();
}

static uint64_t deadline(void)
{
    uint64_t at = stream_server_deadline(&server);

    if (terminals[seen].changed)
        return 0;
    if (seen == LOG && server.now_ns + JOURNAL_NS < at)
        at = server.now_ns + JOURNAL_NS;
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
    stream_server_progress(&server);
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
        ipc_client_is_gone(server.endpoint, msg->badge, keyboard.source.badge))
        keyboard_lost(&keyboard);
    stream_server_handle(&server, msg);
}

/* At once, and not with the next receive: what is asked without pause would keep the rest of the loop from its turn, and that
 * needs the IPC buffer, in which the reply may lie. */
static void send_reply(struct message *msg)
{
    if (msg->reply_id == 0)
        return;
    (void)!ipc_reply(msg); /* a client that is gone has no use for it */
    *msg = (struct message){0};
    stream_server_progress(&server);
}

static mnos_status_t serve(void)
{
    struct message msg = {0};

    for (;;) {
        mnos_status_t status;

        msg.accept = STREAM_SERVER_ACCEPTS;
        status = ipc_reply_receive(server.endpoint, &msg, deadline());
        server.now_ns = kinfo_time_ns();
        if (status == MNOS_OK) {
            handle(&msg);
            send_reply(&msg);
        } else if (status == MNOS_ERR_DEADLINE) {
            msg = (struct message){0};
            stream_server_progress(&server);
        } else {
            return status;
        }
        if (keys_wait)
            ask_for_keys();
        if (seen == LOG)
            (void)show_journal(&terminals[LOG], &journal);
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
    mnos_cap_t endpoint = bootstrap_cap("requests");
    mnos_status_t status =
        display_open(&screen, bootstrap_find("framebuffer"), bootstrap_cap("fonts"), font_height());

    if (status == MNOS_ERR_NOT_FOUND)
        return log_failure(absent_serve(endpoint), "receive a request", EXIT_RECEIVE);
    if (status != MNOS_OK)
        return log_failure(status, "open the screen", EXIT_SCREEN);
    status = open_keymap();
    if (status != MNOS_OK)
        return log_failure(status, "read the file keymaps", EXIT_KEYMAPS);
    if (!open_first_terminal())
        return log_failure(MNOS_ERR_QUOTA, "get memory for a terminal", EXIT_MEMORY);
    status = begin_server(endpoint);
    if (status != MNOS_OK)
        return log_failure(status, "begin to serve", EXIT_MEMORY);
    status = begin_keyboard(endpoint);
    if (status != MNOS_OK)
        return log_failure(status, "begin to ask for keys", EXIT_MEMORY);
    log_line("%u columns, %u rows, font %ux%u", screen.columns, screen.rows, screen.font.width,
             screen.font.height);
    start_holder();
    return log_failure(serve(), "receive a request", EXIT_RECEIVE);
}
