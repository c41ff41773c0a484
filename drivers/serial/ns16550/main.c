// SPDX-License-Identifier: MIT
/*
 * main - driver of a serial line with a 16550 or compatible: capabilities and the one loop.
 *
 * Device logic is in uart.c, clients are in lib/server/stream_server.h, to which line.c shows the device. See README.md.
 */
#include "abi/inspect.h"
#include "abi/memory.h"
#include "drivers/serial/ns16550/line.h"
#include "drivers/serial/ns16550/registers.h"
#include "lib/client/manager.h"
#include "lib/driver/ports.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/log.h"
#include "lib/mnos/memory.h"
#include "lib/mnos/syscall.h"
#include "lib/mnos/time.h"
#include "lib/server/alive.h"
#include "lib/server/state.h"

BOOTSTRAP_NEEDS("observer");

#define EVENT_INTERRUPT 1ull
_Static_assert((EVENT_INTERRUPT & STREAM_EVENT_LOOK) == 0, "events at one endpoint");

#define STATE_MAGIC 0x4C4149524553ull
#define STATE_LAYOUT 1u
_Static_assert(sizeof(struct state_header) + sizeof(struct stream_server_state) <= MNOS_PAGE_BYTES,
               "the region's floor");

enum { EXIT_PORTS = 1, EXIT_DEVICE = 2, EXIT_INTERRUPT = 3, EXIT_RECEIVE = 4, EXIT_MEMORY = 5 };

static struct line line;
static struct stream_server server;
static struct stream_server_state own_state; /* without a region */

/* Opens the line's ports, and says where they begin. */
static mnos_status_t open_ports(mnos_cap_t ports, uint16_t *base)
{
    uint64_t first, count;
    mnos_status_t status = ports_open(ports, &first, &count);

    if (status == MNOS_OK && count < UART_REGISTER_COUNT)
        status = MNOS_ERR_SIZE;
    if (status == MNOS_OK)
        *base = (uint16_t)first;
    return status;
}

/* A driver that cannot read the log works without. */
static void begin_backlog(mnos_cap_t log, uint16_t base)
{
    const struct mnos_cap_info *info = (const void *)ipc_buffer()->data;
    uint64_t size;
    void *ring;

    if (log == 0 || sys_cap_inspect(log, MNOS_VIEW_CAPABILITY, 0, &size) != MNOS_OK ||
        (info->rights & MNOS_RIGHT_READ) == 0)
        return;
    if (memory_map(log, 0, info->count, MNOS_MAP_READ, &ring) == MNOS_OK)
        backlog_begin(&line.backlog, ring, base);
}

/* What people call the line. */
static const char *line_name(uint16_t base)
{
    switch (base) {
    case 0x3F8: return "COM1";
    case 0x2F8: return "COM2";
    case 0x3E8: return "COM3";
    case 0x2E8: return "COM4";
    default: return "serial line";
    }
}

/* What outlives the driver; without a region nothing does, and sessions end with it. */
static mnos_status_t open_state(bool *fresh)
{
    mnos_cap_t region = bootstrap_find("serial_state");
    struct state state;
    void *address;
    mnos_status_t status;

    *fresh = true;
    server.state = &own_state;
    if (region == 0)
        return MNOS_OK;
    status = memory_map(region, 0, 1, MNOS_MAP_READ | MNOS_MAP_WRITE, &address);
    if (status != MNOS_OK)
        return status;
    *fresh = state_open(&state, address, MNOS_PAGE_BYTES, STATE_MAGIC, STATE_LAYOUT, 0, NULL) !=
             STATE_WHOLE;
    server.state = state_content(&state);
    state_ready(&state);
    return MNOS_OK;
}

/* The number of the service that `holder=NAME` names, or 0. */
static uint64_t holder_number(void)
{
    struct manager_service service;
    char name[MNOS_NAME_BYTES + 1]; /* one that is too long stays so */
    uint64_t index;

    if (bootstrap_argument_value("holder=", name, sizeof name) &&
        manager_find(name, &index, &service) == MNOS_OK)
        return index;
    log_at(MNOS_LOG_ERROR,
           "the manifest names no holder of this line (arguments = \"holder=SERVICE\"): what is "
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
    line_open(&line);
    server.device = &line.device;
    server.endpoint = endpoint;
    server.holder = holder_number();
    server.now_ns = kinfo_time_ns();
    stream_server_begin(&server, fresh, server.now_ns);
    return MNOS_OK;
}

static mnos_status_t handle_events(const struct message *msg, mnos_cap_t interrupt)
{
    alive_answer(msg);
    if ((msg->words[0] & EVENT_INTERRUPT) != 0) {
        /* Acknowledge before looking at the device: the line is edge-triggered, and an edge that
         * comes before the acknowledgement may be lost. Looking afterwards sees its cause. */
        mnos_status_t status = sys_irq_ack(interrupt);

        if (status != MNOS_OK)
            return status;
        uart_service(&line.uart);
    }
    stream_server_progress(&server);
    return MNOS_OK;
}

static mnos_status_t serve(mnos_cap_t endpoint, mnos_cap_t interrupt)
{
    struct message msg = {0};

    for (;;) {
        mnos_status_t status;

        msg.accept = STREAM_SERVER_ACCEPTS;
        status = ipc_reply_receive(endpoint, &msg, stream_server_deadline(&server));
        server.now_ns = kinfo_time_ns();
        if (status == MNOS_OK && msg.kind != MNOS_KIND_EVENTS) {
            stream_server_handle(&server, &msg);
            continue;
        }
        if (status == MNOS_OK)
            status = handle_events(&msg, interrupt);
        else if (status == MNOS_ERR_DEADLINE)
            stream_server_progress(&server);
        if (status != MNOS_OK && status != MNOS_ERR_DEADLINE)
            return status;
        msg = (struct message){0};
    }
}

/* These two are what the owner of the machine must read on the screen, where no prompt comes. */
static int fail_device(uint16_t base)
{
    log_line("%s: nothing answers at I/O port 0x%x, so there is no prompt on it", line_name(base),
             base);
    return EXIT_DEVICE;
}

static int fail_interrupt(mnos_status_t status, mnos_cap_t interrupt, uint16_t base)
{
    const struct mnos_cap_info *info = (const void *)ipc_buffer()->data;
    uint64_t size;

    if (status != MNOS_ERR_STATE ||
        sys_cap_inspect(interrupt, MNOS_VIEW_CAPABILITY, 0, &size) != MNOS_OK)
        return log_failure(status, "bind the device's interrupt", EXIT_INTERRUPT);
    log_line("%s: this machine has no interrupt line %llu, so there is no prompt on it",
             line_name(base), (unsigned long long)info->first);
    return EXIT_INTERRUPT;
}

int main(void)
{
    mnos_cap_t endpoint = bootstrap_cap("requests"), interrupt = bootstrap_cap("interrupt");
    uint16_t base;
    mnos_status_t status = open_ports(bootstrap_cap("ports"), &base);

    if (status != MNOS_OK)
        return log_failure(status, "open the device's ports", EXIT_PORTS);
    status = sys_irq_bind(interrupt, endpoint, EVENT_INTERRUPT);
    if (status != MNOS_OK)
        return fail_interrupt(status, interrupt, base);
    status = uart_init(&line.uart, base);
    if (status != MNOS_OK)
        return fail_device(base);
    /* An edge from before the driver ran may never have been acknowledged. */
    status = sys_irq_ack(interrupt);
    if (status != MNOS_OK)
        return log_failure(status, "acknowledge the device's interrupt", EXIT_INTERRUPT);
    uart_service(&line.uart);
    begin_backlog(bootstrap_find("log"), base);
    log_line("%s, port 0x%x, %u byte FIFO, 115200 8N1", line_name(base), base,
             line.uart.statistics.fifo_bytes);
    status = begin_server(endpoint);
    if (status != MNOS_OK)
        return log_failure(status, "begin to serve", EXIT_MEMORY);
    stream_server_progress(&server);
    status = serve(endpoint, interrupt);
    return log_failure(status, "receive a request", EXIT_RECEIVE);
}
