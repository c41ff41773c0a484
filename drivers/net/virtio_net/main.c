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
#include "lib/mnos/time.h"
#include "lib/server/frame.h"

enum { EXIT_CLAIM = 1, EXIT_DEVICE = 2, EXIT_MEMORY = 3, EXIT_INTERRUPT = 4, EXIT_RECEIVE = 5 };

static struct virtio virtio;
static struct dma_memory memory;
static struct card card;
static struct frame_server server;
static mnos_cap_t devices;

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

static void interrupt(void *)
{
    card_interrupt(&card);
}

static bool work(void *)
{
    return card_work(&card, kinfo_time_ns());
}

static bool arm(void *)
{
    return card_arm(&card);
}

static uint64_t deadline_ns(void *)
{
    return card_deadline(&card);
}

static const struct frame_card_operations operations = {
    .stop = stop,
    .start = start,
    .reach = reach,
    .interrupt = interrupt,
    .work = work,
    .arm = arm,
    .deadline_ns = deadline_ns,
};

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
    status = interrupt_open(devices, 0, server.endpoint, FRAME_EVENT_INTERRUPT, &server.line);
    if (status != MNOS_OK)
        return log_failure(status, "bind the interrupt", EXIT_INTERRUPT);
    status = device_master(devices, true);
    card = (struct card){.transport = &virtio.transport, .port = &server.port, .reset = reset};
    if (status == MNOS_OK)
        status = card_open(&card, &memory);
    return status == MNOS_OK ? 0 : log_failure(status, "begin with the device", EXIT_DEVICE);
}

int main(void)
{
    mnos_status_t status = guard_begin();
    const uint8_t *mac = card.info.mac;
    int code;

    devices = bootstrap_cap("devices");
    server = (struct frame_server){.endpoint = bootstrap_cap("requests"),
                                   .operations = &operations,
                                   .info = &card.info,
                                   .failed = &card.failed};
    if (status != MNOS_OK)
        return log_failure(status, "get memory", EXIT_MEMORY);
    code = open_card();
    if (code != 0)
        return code;
    log_line("%02x:%02x:%02x:%02x:%02x:%02x, mtu %u%s%s", mac[0], mac[1], mac[2], mac[3], mac[4],
             mac[5], card.info.mtu, card.info.can & FRAME_CAN_CHECKSUM ? ", checksums" : "",
             card.info.link ? "" : ", no link");
    return log_failure(frame_server_serve(&server), "receive a request", EXIT_RECEIVE);
}
