// SPDX-License-Identifier: MIT
/* requests - of protocols/lxhost.def: found by their labels, their records checked for size, and answered; those of who has
 * started the container are control.c's. See host.h. */
#include "personality/linux/lxhost/host.h"

#include "lib/mnos/syscall.h"
#include "protocols/launcher.h"

union record {
    struct lxhost_process process;
    struct lxhost_ids ids;
    struct lxhost_grow grow;
    struct lxhost_pages pages;
    struct lxhost_fork fork;
    struct lxhost_wait wait;
    struct lxhost_waited waited;
    struct lxhost_kill kill;
    struct lxhost_signals signals;
    struct lxhost_setpgid setpgid;
    struct lxhost_stop stop;
    struct lxhost_object object;
    struct lxhost_offset offset;
    struct lxhost_seek seek;
    struct lxhost_pipe pipe;
    struct lxhost_io io;
    struct lxhost_count count;
    struct lxhost_state state;
    struct lxhost_tty_io tty_io;
    struct lxhost_tty tty;
    struct lxhost_tty_set tty_set;
    struct lxhost_denied denied;
    struct lxhost_title title;
    struct lxhost_timer timer;
    struct lxhost_about about;
    struct lxhost_container container;
    struct lxhost_children children;
};

typedef mnos_status_t handler(struct process *asker, const union record *in, union record *out);

/* Each handler as a function of two records. */
#define HANDLER(name, call)                                                                        \
    static mnos_status_t handle_##name(struct process *asker, const union record *in,              \
                                       union record *out)                                          \
    {                                                                                              \
        (void)asker, (void)in, (void)out;                                                          \
        return call;                                                                               \
    }
HANDLER(IDS, table_ids(asker, &in->process, &out->ids))
HANDLER(GROW, native_grow(asker, &in->grow))
HANDLER(FORK, copy_make(asker, &in->fork, &out->process))
HANDLER(WAIT, table_wait(asker, &in->wait, &out->waited))
HANDLER(KILL, table_kill(asker, &in->kill))
HANDLER(SIGNALS, (table_signals(asker, &out->signals), MNOS_OK))
HANDLER(SETPGID, table_setpgid(asker, &in->setpgid))
HANDLER(SETSID, table_setsid(asker, &out->process))
HANDLER(STOP, table_stop(asker, in->stop.signal))
HANDLER(DROP, object_drop(asker, in->object.object))
HANDLER(OFFSET, object_offset(asker, &in->offset, &out->object))
HANDLER(SEEK, object_seek(asker, &in->seek, &out->offset))
HANDLER(PIPE, object_pipe(asker, &out->pipe))
HANDLER(PIPE_READ, pipe_read(asker, &in->io, &out->count))
HANDLER(PIPE_WRITE, pipe_write(asker, &in->io, &out->count))
HANDLER(PIPE_STATE, pipe_state(asker, in->object.object, &out->state))
HANDLER(TTY_READ, terminal_read(asker, &in->tty_io, &out->count))
HANDLER(TTY_WRITE, terminal_write(asker, &in->tty_io, &out->count))
HANDLER(TTY_STATE, terminal_state(asker, &out->tty))
HANDLER(TTY_SET, terminal_set(asker, &in->tty_set))
HANDLER(TTY_GROUP, terminal_group(asker, in->process.pid))
HANDLER(DENIED, denials_add(asker, &in->denied))
HANDLER(TIMER, timer_set(asker, &in->timer))
HANDLER(TITLE, about_title(asker, &in->title))
HANDLER(ABOUT, about_process(in->process.pid, &out->about))
HANDLER(CONTAINER, about_container(&out->container))
HANDLER(CHILDREN, (asker->forgets_children = in->children.forgotten != 0, MNOS_OK))

static const struct operation {
    handler *handle;
    uint16_t in, out; /* bytes of the records */
} operations[] = {
    [LXHOST_IDS] = {handle_IDS, sizeof(struct lxhost_process), sizeof(struct lxhost_ids)},
    [LXHOST_GROW] = {handle_GROW, sizeof(struct lxhost_grow), 0},
    [LXHOST_FORK] = {handle_FORK, sizeof(struct lxhost_fork), sizeof(struct lxhost_process)},
    [LXHOST_WAIT] = {handle_WAIT, sizeof(struct lxhost_wait), sizeof(struct lxhost_waited)},
    [LXHOST_KILL] = {handle_KILL, sizeof(struct lxhost_kill), 0},
    [LXHOST_SIGNALS] = {handle_SIGNALS, 0, sizeof(struct lxhost_signals)},
    [LXHOST_SETPGID] = {handle_SETPGID, sizeof(struct lxhost_setpgid), 0},
    [LXHOST_SETSID] = {handle_SETSID, 0, sizeof(struct lxhost_process)},
    [LXHOST_STOP] = {handle_STOP, sizeof(struct lxhost_stop), 0},
    [LXHOST_DROP] = {handle_DROP, sizeof(struct lxhost_object), 0},
    [LXHOST_OFFSET] = {handle_OFFSET, sizeof(struct lxhost_offset), sizeof(struct lxhost_object)},
    [LXHOST_SEEK] = {handle_SEEK, sizeof(struct lxhost_seek), sizeof(struct lxhost_offset)},
    [LXHOST_PIPE] = {handle_PIPE, 0, sizeof(struct lxhost_pipe)},
    [LXHOST_PIPE_READ] = {handle_PIPE_READ, sizeof(struct lxhost_io), sizeof(struct lxhost_count)},
    [LXHOST_PIPE_WRITE] = {handle_PIPE_WRITE, sizeof(struct lxhost_io),
                           sizeof(struct lxhost_count)},
    [LXHOST_PIPE_STATE] = {handle_PIPE_STATE, sizeof(struct lxhost_object),
                           sizeof(struct lxhost_state)},
    [LXHOST_TTY_READ] = {handle_TTY_READ, sizeof(struct lxhost_tty_io),
                         sizeof(struct lxhost_count)},
    [LXHOST_TTY_WRITE] = {handle_TTY_WRITE, sizeof(struct lxhost_tty_io),
                          sizeof(struct lxhost_count)},
    [LXHOST_TTY_STATE] = {handle_TTY_STATE, 0, sizeof(struct lxhost_tty)},
    [LXHOST_TTY_SET] = {handle_TTY_SET, sizeof(struct lxhost_tty_set), 0},
    [LXHOST_TTY_GROUP] = {handle_TTY_GROUP, sizeof(struct lxhost_process), 0},
    [LXHOST_DENIED] = {handle_DENIED, sizeof(struct lxhost_denied), 0},
    [LXHOST_TIMER] = {handle_TIMER, sizeof(struct lxhost_timer), 0},
    [LXHOST_TITLE] = {handle_TITLE, sizeof(struct lxhost_title), 0},
    [LXHOST_ABOUT] = {handle_ABOUT, sizeof(struct lxhost_process), sizeof(struct lxhost_about)},
    [LXHOST_CONTAINER] = {handle_CONTAINER, 0, sizeof(struct lxhost_container)},
    [LXHOST_CHILDREN] = {handle_CHILDREN, sizeof(struct lxhost_children), 0},
};

/* The only request that brings a capability. */
static mnos_status_t listen(struct process *asker, const struct message *message)
{
    mnos_cap_t endpoint = message_cap(message, 0);

    if (endpoint == 0 ||
        sys_ipc_notify(endpoint, LXHOST_EVENT_LOOK | LXHOST_EVENT_SIGNAL) != MNOS_OK) {
        message_refuse_caps(message);
        return MNOS_ERR_ARGUMENT;
    }
    if (asker->listener != 0)
        (void)!sys_cap_delete(asker->listener);
    asker->listener = endpoint;
    return MNOS_OK;
}

static mnos_status_t handle(struct process *asker, const struct message *message,
                            struct message *reply)
{
    const struct operation *operation;
    union record in, out = {0};
    mnos_status_t status;

    if (message->label >= sizeof operations / sizeof operations[0] ||
        operations[message->label].handle == NULL)
        return MNOS_ERR_LABEL;
    operation = &operations[message->label];
    if (message->length != operation->in)
        return MNOS_ERR_SIZE;
    (void)message_get(message, &in, operation->in);
    status = operation->handle(asker, &in, &out);
    if (status == MNOS_OK)
        message_put(reply, MNOS_OK, &out, operation->out);
    return status;
}

static mnos_status_t fork_memory(struct process *asker, const struct message *message,
                                 struct message *reply)
{
    struct lxhost_pages wanted;

    if (message_get(message, &wanted, sizeof wanted) != sizeof wanted)
        return MNOS_ERR_SIZE;
    return copy_memory(asker, &wanted, reply);
}

/* What its threads need to stop this one for a moment; whoever has it can harm its own process alone. */
static mnos_status_t own_thread(const struct process *asker, const struct message *message,
                                struct message *reply)
{
    if (message->length != 0)
        return MNOS_ERR_SIZE;
    message_put(reply, MNOS_OK, NULL, 0);
    message_add_cap(reply, asker->native.thread,
                    MNOS_RIGHT_READ | MNOS_RIGHT_WRITE | MNOS_RIGHT_EXECUTE);
    return MNOS_OK;
}

void requests_handle(struct message *message)
{
    struct message reply = {.reply_id = message->reply_id, .accept = 1};
    struct process *asker = process_by_badge(message->badge);
    mnos_status_t status;

    message_put(&reply, MNOS_OK, NULL, 0);
    if (message->label != LXHOST_LISTEN || asker == NULL)
        message_refuse_caps(message);
    if (message->badge == LAUNCHER_BADGE_CONTROL)
        status = control_handle(message, &reply);
    else if (asker == NULL)
        status = MNOS_ERR_LOST;
    else if (message->label == LXHOST_LISTEN)
        status = listen(asker, message);
    else if (message->label == LXHOST_FORK_MEMORY)
        status = fork_memory(asker, message, &reply);
    else if (message->label == LXHOST_THREAD)
        status = own_thread(asker, message, &reply);
    else
        status = handle(asker, message, &reply);
    if (status != MNOS_OK)
        message_put(&reply, status, NULL, 0);
    *message = reply;
}
