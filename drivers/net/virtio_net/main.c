// SPDX-License-Identifier: MIT
/*
 * main - the driver of virtio network cards: claims its device, then serves until it or the device ends. See
 * README.md.
 */
#include "drivers/net/virtio_net/card.h"
#include "lib/client/device.h"
#include "lib/driver/interrupt.h"
#include "lib/driver/virtio/virtio.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/log.h"
#include "lib/mnos/syscall.h"
#include "lib/mnos/time.h"
#include "lib/server/alive.h"
#include "lib/server/frame.h"

/* At the endpoint, beside FRAME_EVENT_SUBMITTED. */
#define EVENT_INTERRUPT (1ull << 1)

enum { EXIT_CLAIM = 1, EXIT_DEVICE = 2, EXIT_MEMORY = 3, EXIT_INTERRUPT = 4, EXIT_RECEIVE = 5 };

static struct virtio virtio;
static struct dma_memory memory;
static struct card card;
static struct frame_server server;
static mnos_cap_t devices, endpoint, line;

/* ---- What card and server need of this process ---- */

static mnos_status_t reset(void *)
{
    return virtio_reset(&virtio);
}

static void stop(void *)
{
    card_stop(&card);
}

static mnos_status_t start(void *)
{
    return card_start(&card);
}

static uint64_t reach(void *, mnos_cap_t piece)
{
    return dma_reach(devices, piece);
}

static const struct frame_card_operations operations = {stop, start, reach};

/* ---- Beginning ---- */

/* Up to a device that is ready for a stack. */
static int open_card(void)
{
    struct device_info info;
    mnos_status_t status = device_claim(devices, &info);

    if (status != MNOS_OK)
        return log_failure(status, "claim a device", EXIT_CLAIM);
    status = virtio_open(&virtio, devices);
    if (status != MNOS_OK)
        return log_failure(status, "find the registers of the device", EXIT_DEVICE);
    status = dma_open(&memory, devices, bootstrap_cap("virtio_net_dma"));
    if (status != MNOS_OK)
        return log_failure(status, "get memory for the device", EXIT_MEMORY);
    status = interrupt_open(devices, 0, endpoint, EVENT_INTERRUPT, &line);
    if (status != MNOS_OK)
        return log_failure(status, "bind the interrupt", EXIT_INTERRUPT);
    status = device_master(devices, true);
    card = (struct card){.transport = &virtio.transport, .port = &server.port, .reset = reset};
    if (status == MNOS_OK)
        status = card_open(&card, &memory);
    return status == MNOS_OK ? 0 : log_failure(status, "begin with the device", EXIT_DEVICE);
}

/* ---- The loop ---- */

static mnos_status_t handle(struct message *message)
{
    mnos_status_t status = MNOS_OK;

    alive_answer(message);
    if (message->kind != MNOS_KIND_EVENTS) {
        frame_server_handle(&server, message);
        return MNOS_OK;
    }
    /* First acknowledged, then looked: what comes after sets the event once more. */
    if ((message->words[0] & EVENT_INTERRUPT) != 0) {
        status = sys_irq_ack(line);
        card_interrupt(&card);
    }
    *message = (struct message){0};
    return status;
}

/* Until there is nothing to do; a stack that gives work without end is served in batches, and requests wait for it no
 * longer than one: the next receive has no deadline then. */
static bool work(void)
{
    bool again = card_work(&card, kinfo_time_ns());

    frame_server_tell(&server);
    return again || !card_arm(&card);
}

static mnos_status_t serve(void)
{
    struct message message = {0};

    for (;;) {
        bool again = work();
        mnos_status_t status;

        message.accept = FRAME_SERVER_ACCEPTS;
        status = ipc_reply_receive(endpoint, &message, again ? 0 : card_deadline(&card));
        if (status == MNOS_OK)
            status = handle(&message);
        else if (status == MNOS_ERR_DEADLINE)
            status = MNOS_OK, message = (struct message){0};
        if (status != MNOS_OK)
            return status;
    }
}

int main(void)
{
    mnos_status_t status = guard_begin();
    const uint8_t *mac = card.info.mac;
    int code;

    devices = bootstrap_cap("devices");
    endpoint = bootstrap_cap("requests");
    if (status != MNOS_OK)
        return log_failure(status, "get memory", EXIT_MEMORY);
    code = open_card();
    if (code != 0)
        return code;
    server = (struct frame_server){.endpoint = endpoint,
                                   .operations = &operations,
                                   .info = &card.info,
                                   .failed = &card.failed,
                                   .epoch = kinfo_time_ns() + 1};
    log_line("%02x:%02x:%02x:%02x:%02x:%02x, mtu %u%s%s", mac[0], mac[1], mac[2], mac[3], mac[4],
             mac[5], card.info.mtu, card.info.can & FRAME_CAN_CHECKSUM ? ", checksums" : "",
             card.info.link ? "" : ", no link");
    return log_failure(serve(), "receive a request", EXIT_RECEIVE);
}
