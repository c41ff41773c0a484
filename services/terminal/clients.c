// SPDX-License-Identifier: MIT
/* clients - see clients.h. */
#include "services/terminal/clients.h"

#include <stdatomic.h>

#include "lib/base/string.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/heap.h"
#include "lib/mnos/memory.h"
#include "lib/server/guard.h"
#include "lib/server/state.h"
#include "lib/server/stream_server.h"

#define STATE_MAGIC 0x4C414E494D524554ull /* "TERMINAL" */
#define STATE_LAYOUT 2u
#define STATE_PAGES 3u

/* What outlives the process, in a region. */
struct kept {
    struct {
        _Atomic uint64_t typed; /* keys wait that nobody has read: they are lost with the process */
        struct stream_server_state server;
    } of[TERMINALS - 1]; /* the log has none */
};
_Static_assert(sizeof(struct state_header) + sizeof(struct kept) <= STATE_PAGES * MNOS_PAGE_BYTES,
               "the region's floor");

struct served {
    struct terminal *terminal;
    _Atomic uint64_t *typed;
    bool used; /* of one for programs: somebody is in front */
    struct stream_device device;
    struct stream_server server;
};

static struct clients_source source;
static struct kept *kept;
static struct served *served[TERMINALS];
static bool held;

static bool is_served(unsigned number)
{
    return number < TERMINALS && served[number] != NULL;
}

/* ---- A terminal as a device of lib/server/stream_server.h ---- */

static size_t send(void *context, const uint8_t *bytes, size_t count)
{
    terminal_write(context, (const char *)bytes, count);
    return count;
}

static void taken(void *)
{
    clients_note_typed();
}

/* Keys wait in the driver of the keyboard. */
static void hold(void *, bool hold_them)
{
    held = hold_them;
}

/* The holder alone may ask for that, at its own terminal. */
static void hold_nothing(void *, bool)
{
}

/* Keys that have been asked for leave the driver of the keyboard, however `held` is set afterwards. */
static bool on_its_way(void *)
{
    return source.on_its_way();
}

/* ---- Beginning ---- */

static struct stream_server_state *state_of(unsigned number)
{
    return &kept->of[number == TERMINAL_PROMPT ? 0 : number - 1].server;
}

static bool is_in_use(unsigned number)
{
    return front_now(&state_of(number)->front) != FRONT_HOLDER;
}

static void connect(struct served *made, unsigned number, uint64_t now_ns)
{
    bool first = number == TERMINAL_PROMPT;
    struct stream_server *server = &made->server;

    made->typed = &kept->of[first ? 0 : number - 1].typed;
    made->device = (struct stream_device){.context = made->terminal,
                                          .received = &made->terminal->received,
                                          .send = send,
                                          .taken = taken,
                                          .hold = first ? hold : hold_nothing,
                                          .on_its_way = first ? on_its_way : NULL};
    server->device = &made->device;
    server->endpoint = source.endpoint;
    server->holder = source.holder;
    server->number = first ? 0 : number + 1; /* as people count them */
    server->state = state_of(number);
    server->now_ns = now_ns;
    stream_server_begin(server, false, now_ns);
    /* Where nobody is in front any more nobody misses what was typed. */
    if (atomic_load_explicit(made->typed, memory_order_relaxed) != 0 &&
        (first || is_in_use(number)))
        byte_queue_mark(&made->terminal->received);
    if (!first) /* programs of Linux do not ask, and the monitor is not there */
        stream_server_set_size(server, made->terminal->columns, made->terminal->rows);
    made->used = true; /* so that the first look says if it is not */
}

/* False: there is no memory for it. */
static bool serve(unsigned number, uint64_t now_ns)
{
    struct terminal *terminal = terminals_open(number);
    struct served *made = terminal != NULL ? heap_allocate(sizeof *made) : NULL;

    if (made == NULL)
        return false;
    memset(made, 0, sizeof *made);
    made->terminal = terminal;
    served[number] = made;
    connect(made, number, now_ns);
    return true;
}

static mnos_status_t open_state(void)
{
    struct state state;
    void *address;
    mnos_status_t status = memory_map(bootstrap_cap("terminal_state"), 0, STATE_PAGES,
                                      MNOS_MAP_READ | MNOS_MAP_WRITE, &address);

    if (status != MNOS_OK)
        return status;
    if (state_open(&state, address, STATE_PAGES * MNOS_PAGE_BYTES, STATE_MAGIC, STATE_LAYOUT, 0,
                   NULL) != STATE_WHOLE)
        memset(state_content(&state), 0, sizeof *kept);
    kept = state_content(&state);
    state_ready(&state);
    return MNOS_OK;
}

mnos_status_t clients_begin(const struct clients_source *from, uint64_t now_ns)
{
    mnos_status_t status = open_state();

    source = *from;
    if (status == MNOS_OK)
        status = guard_begin();
    if (status != MNOS_OK)
        return status;
    if (!serve(TERMINAL_PROMPT, now_ns))
        return MNOS_ERR_QUOTA;
    for (unsigned i = TERMINAL_PROGRAMS; i < TERMINALS; i++)
        if (is_in_use(i))
            (void)serve(i, now_ns); /* its sessions have ended for whoever asks, if it cannot be */
    return MNOS_OK;
}

/* ---- Requests ---- */

void clients_set_now(uint64_t now_ns)
{
    for (unsigned i = 0; i < TERMINALS; i++)
        if (is_served(i))
            served[i]->server.now_ns = now_ns;
}

/* Nobody is there any more who could read what was typed for the last program. */
static void look_who_has(unsigned number)
{
    bool used = is_in_use(number);

    if (served[number]->used && !used) {
        byte_queue_drop_ready(&served[number]->terminal->received);
        terminals_say_free(number);
    }
    served[number]->used = used;
    clients_note_typed();
}

/* Which terminal it is for, that there may be only from now on. NULL: there is no memory for it. */
static struct stream_server *concerned(const struct message *msg)
{
    struct stream_server *first = &served[TERMINAL_PROMPT]->server;
    uint32_t number = stream_server_number(first, msg);
    unsigned at = number - 1; /* of 0 it is none */
    bool by_session = (msg->badge & FRONT_BADGE_MADE) != 0;

    if (at >= TERMINALS || at < TERMINAL_PROGRAMS || (by_session && !is_served(at)))
        return first; /* which says what is wrong with it, if it is not for the first */
    return is_served(at) || serve(at, first->now_ns) ? &served[at]->server : NULL;
}

static void handle_request(struct message *msg)
{
    struct stream_server *server = concerned(msg);

    if (server != NULL) {
        stream_server_handle(server, msg);
        return;
    }
    message_refuse_caps(msg);
    message_put(msg, MNOS_ERR_QUOTA, NULL, 0);
}

void clients_handle(struct message *msg)
{
    if (msg->kind == MNOS_KIND_CLIENT_GONE) {
        for (unsigned i = 0; i < TERMINALS; i++) {
            struct message same = *msg;

            if (is_served(i))
                stream_server_handle(&served[i]->server, &same);
        }
        msg->reply_id = 0;
    } else {
        handle_request(msg);
    }
    for (unsigned i = TERMINAL_PROGRAMS; i < TERMINALS; i++)
        if (is_served(i))
            look_who_has(i);
}

void clients_progress(void)
{
    for (unsigned i = 0; i < TERMINALS; i++)
        if (is_served(i))
            stream_server_progress(&served[i]->server);
}

uint64_t clients_deadline(void)
{
    uint64_t deadline = MNOS_DEADLINE_NEVER;

    for (unsigned i = 0; i < TERMINALS; i++) {
        uint64_t at = is_served(i) ? stream_server_deadline(&served[i]->server) : deadline;

        if (at < deadline)
            deadline = at;
    }
    return deadline;
}

/* ---- Keys ---- */

bool clients_hear(unsigned number)
{
    return number == TERMINAL_PROMPT || (is_served(number) && served[number]->used);
}

bool clients_hold_keys(void)
{
    return held;
}

static void set_typed(const struct served *of, bool typed)
{
    atomic_store_explicit(of->typed, typed, memory_order_relaxed);
}

/* Whose keys are lost with those that have been asked for; which may be one that shows another terminal, too. */
static unsigned listener(void)
{
    return is_served(terminals_seen()) ? terminals_seen() : TERMINAL_PROMPT;
}

void clients_note_asked(void)
{
    set_typed(served[listener()], true);
}

void clients_note_typed(void)
{
    for (unsigned i = 0; i < TERMINALS; i++) {
        bool asked = i == listener() && source.on_its_way();

        if (is_served(i))
            set_typed(served[i], asked || byte_queue_used(&served[i]->terminal->received) != 0);
    }
}
