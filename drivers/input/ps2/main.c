// SPDX-License-Identifier: MIT
/* main - the driver of a PS/2 keyboard: capabilities, the requests of protocols/input.def, and the one loop. See README.md. */
#include "drivers/input/ps2/keyboard.h"
#include "lib/driver/ports.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/ipc.h"
#include "lib/mnos/listener.h"
#include "lib/mnos/log.h"
#include "lib/mnos/syscall.h"
#include "lib/mnos/time.h"
#include "lib/server/alive.h"

#define EVENT_INTERRUPT 1ull
#define CAPS_ACCEPTED 1 /* what INPUT_LISTEN carries */

enum { EXIT_PORTS = 1, EXIT_DEVICE = 2, EXIT_INTERRUPT = 3, EXIT_RECEIVE = 4 };

static struct keyboard keyboard;
static struct listener listener;
static mnos_badge_t listener_badge;

/* There may be a byte, or room for one. */
static void work(void)
{
    size_t before = keyboard_waiting(&keyboard);

    keyboard.now_ns = kinfo_time_ns();
    keyboard_service(&keyboard);
    if (keyboard_waiting(&keyboard) > before)
        listener_tell(&listener);
}

/* ---- Requests ---- */

static mnos_status_t listen(const struct message *msg)
{
    mnos_status_t status = listener_accept(&listener, msg);

    if (status == MNOS_OK)
        listener_badge = msg->badge;
    else
        message_refuse_caps(msg);
    return status;
}

static mnos_status_t set_lights(const struct message *msg)
{
    struct input_lights request;

    if (message_get(msg, &request, sizeof request) != sizeof request)
        return MNOS_ERR_SIZE;
    if ((request.lights & ~(uint32_t)INPUT_LIGHTS_ALL) != 0 || request.reserved != 0)
        return MNOS_ERR_ARGUMENT;
    keyboard_set_lights(&keyboard, (uint8_t)request.lights);
    return MNOS_OK;
}

static void take(struct message *msg)
{
    struct input_key keys[INPUT_KEYS_MAX];
    size_t count = keyboard_take(&keyboard, keys, INPUT_KEYS_MAX);

    work(); /* first: the reply may lie in the IPC buffer */
    message_put(msg, MNOS_OK, keys, count * sizeof keys[0]);
}

/* `msg` becomes the reply. */
static void handle_request(struct message *msg)
{
    mnos_status_t status = MNOS_ERR_LABEL;

    if (msg->label != INPUT_LISTEN)
        message_refuse_caps(msg);
    switch (msg->label) {
    case INPUT_LISTEN: status = listen(msg); break;
    case INPUT_LIGHTS: status = set_lights(msg); break;
    case INPUT_TAKE: take(msg); return;
    default: break;
    }
    message_put(msg, status, NULL, 0);
}

/* ---- The loop ---- */

static mnos_status_t handle(struct message *msg, mnos_cap_t interrupt)
{
    mnos_status_t status = MNOS_OK;

    alive_answer(msg);
    if (msg->kind == MNOS_KIND_MESSAGE && msg->reply_id != 0) {
        handle_request(msg);
        return MNOS_OK;
    }
    if (msg->kind == MNOS_KIND_MESSAGE)
        message_refuse_caps(msg);
    if (msg->kind == MNOS_KIND_CLIENT_GONE &&
        ipc_client_is_gone(bootstrap_cap("requests"), msg->badge, listener_badge))
        listener_forget(&listener);
    /* Acknowledged before the device is looked at: the line is edge-triggered. */
    if (msg->kind == MNOS_KIND_EVENTS && (msg->words[0] & EVENT_INTERRUPT) != 0)
        status = sys_irq_ack(interrupt);
    *msg = (struct message){0};
    work();
    return status;
}

static mnos_status_t serve(mnos_cap_t endpoint, mnos_cap_t interrupt)
{
    struct message msg = {0};

    for (;;) {
        mnos_status_t status;

        msg.accept = CAPS_ACCEPTED;
        status = ipc_reply_receive(endpoint, &msg, keyboard_deadline(&keyboard));
        if (status == MNOS_OK)
            status = handle(&msg, interrupt);
        else if (status == MNOS_ERR_DEADLINE)
            status = MNOS_OK, msg = (struct message){0}, work();
        if (status != MNOS_OK)
            return status;
    }
}

int main(void)
{
    mnos_cap_t endpoint = bootstrap_cap("requests"), interrupt = bootstrap_cap("interrupt");
    uint64_t first, count;
    mnos_status_t status = ports_open(bootstrap_cap("data"), &first, &count);

    if (status == MNOS_OK)
        status = ports_open(bootstrap_cap("control"), &first, &count);
    if (status != MNOS_OK)
        return log_failure(status, "open the controller's ports", EXIT_PORTS);
    status = sys_irq_bind(interrupt, endpoint, EVENT_INTERRUPT);
    if (status != MNOS_OK)
        return log_failure(status, "bind the keyboard's interrupt", EXIT_INTERRUPT);
    keyboard.now_ns = kinfo_time_ns();
    status = keyboard_init(&keyboard);
    if (status != MNOS_OK)
        return log_failure(status, "find a keyboard controller", EXIT_DEVICE);
    /* An edge from before the driver ran may never have been acknowledged. */
    status = sys_irq_ack(interrupt);
    if (status != MNOS_OK)
        return log_failure(status, "acknowledge the keyboard's interrupt", EXIT_INTERRUPT);
    work();
    status = serve(endpoint, interrupt);
    return log_failure(status, "receive a request", EXIT_RECEIVE);
}
