// SPDX-License-Identifier: MIT
/* main - the driver of the clock chip of PCs: its ports, its interrupt, and the protocol of a clock. */
#include "../clock/server.h"
#include "lib/driver/ports.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/log.h"
#include "lib/mnos/syscall.h"
#include "lib/server/alive.h"
#include "registers.h"
#include "rtc.h"

#define EVENT_INTERRUPT 1ull

enum { EXIT_PORTS = 1, EXIT_INTERRUPT = 2, EXIT_DEVICE = 3, EXIT_RECEIVE = 4 };

static struct clock_server server;

static bool look(void)
{
    struct rtc_time time;

    if (!rtc_read(&time))
        return false;
    clock_server_show(&server, &(struct clock_time){time.year, time.month, time.day, time.hour,
                                                    time.minute, time.second});
    return true;
}

/* The chip has counted a second. */
static mnos_status_t handle_interrupt(mnos_cap_t interrupt)
{
    mnos_status_t status = sys_irq_ack(interrupt);

    if (status != MNOS_OK)
        return status;
    rtc_acknowledge();
    return look() ? MNOS_OK : MNOS_ERR_DEVICE;
}

static mnos_status_t serve(mnos_cap_t endpoint, mnos_cap_t interrupt)
{
    struct message msg = {0};

    for (;;) {
        mnos_status_t status = ipc_reply_receive(endpoint, &msg, MNOS_DEADLINE_NEVER);

        if (status != MNOS_OK)
            return status;
        alive_answer(&msg);
        if (msg.kind == MNOS_KIND_MESSAGE) {
            clock_server_handle(&server, &msg);
            continue;
        }
        if (msg.kind == MNOS_KIND_EVENTS && (msg.words[0] & EVENT_INTERRUPT) != 0)
            status = handle_interrupt(interrupt);
        if (status != MNOS_OK)
            return status;
        msg = (struct message){0};
    }
}

int main(void)
{
    mnos_cap_t endpoint = bootstrap_cap("requests"), interrupt = bootstrap_cap("interrupt");
    uint64_t first, count;
    mnos_status_t status = ports_open(bootstrap_cap("ports"), &first, &count);

    if (status == MNOS_OK && (first != RTC_PORT_NUMBER || count < RTC_PORTS))
        status = MNOS_ERR_SIZE;
    if (status != MNOS_OK)
        return log_failure(status, "open the clock's ports", EXIT_PORTS);
    status = sys_irq_bind(interrupt, endpoint, EVENT_INTERRUPT);
    if (status == MNOS_OK)
        status = sys_irq_ack(interrupt); /* one from before this run may never have been */
    if (status != MNOS_OK)
        return log_failure(status, "bind the clock's interrupt", EXIT_INTERRUPT);
    rtc_begin();
    if (!look())
        return log_failure(MNOS_ERR_DEVICE, "read the clock", EXIT_DEVICE);
    return log_failure(serve(endpoint, interrupt), "serve the clock", EXIT_RECEIVE);
}
