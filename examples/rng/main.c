// SPDX-License-Identifier: MIT
/* main - the driver of a virtio entropy device (Virtio 1.1, section 5.4): one queue, into which buffers go to be filled. */
#include "lib/base/string.h"
#include "lib/client/device.h"
#include "lib/driver/interrupt.h"
#include "lib/driver/virtio/virtio.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/ipc.h"
#include "lib/mnos/log.h"
#include "lib/server/alive.h"
#include "rng.h"

#define EVENT_INTERRUPT 1ull
#define QUEUE 0 /* the only one that the device has */
#define SLOTS 4u
#define SEGMENTS 1u /* of a request */

enum { EXIT_DEVICE = 1, EXIT_RECEIVE = 2 };

static struct virtio virtio;
static struct dma_memory memory;
static struct virtio_queue queue;
static struct virtio_bell bell;
static mnos_cap_t line;
static uint8_t *buffer; /* in memory that the device reaches */
static uint64_t client; /* whom to answer when it is filled; 0: nobody */

/* ---- The device ---- */

static mnos_status_t open_queue(mnos_cap_t devices)
{
    struct virtio_transport *transport = &virtio.transport;

    if (!queue_create(&queue, &memory, SLOTS, SEGMENTS, transport->features))
        return MNOS_ERR_QUOTA;
    buffer = dma_take(&memory, RNG_BYTES, 64);
    if (buffer == NULL)
        return MNOS_ERR_QUOTA;
    if (!transport_queue(transport, QUEUE, &queue, 0, &bell))
        return MNOS_ERR_DEVICE;
    return device_master(devices, true);
}

static mnos_status_t open_device(mnos_cap_t devices, mnos_cap_t endpoint)
{
    struct device_info info;
    mnos_status_t status = device_claim(devices, &info); /* waits until there is one */

    if (status == MNOS_OK)
        status = virtio_open(&virtio, devices);
    if (status == MNOS_OK && !transport_features(&virtio.transport, VIRTIO_F_VERSION_1, 0))
        status = MNOS_ERR_DEVICE;
    if (status == MNOS_OK)
        status = dma_open(&memory, devices, bootstrap_cap("rng_dma"));
    if (status == MNOS_OK)
        status = interrupt_open(devices, 0, endpoint, EVENT_INTERRUPT, &line);
    if (status == MNOS_OK)
        status = open_queue(devices);
    if (status != MNOS_OK)
        return status;
    transport_go(&virtio.transport);
    (void)queue_arm(&queue); /* nothing can be done yet */
    return MNOS_OK;
}

/* ---- Requests ---- */

/* Begins what is asked; an error is the answer to it. */
static mnos_status_t begin(const struct message *msg)
{
    struct queue_segment segment = {dma_bus(&memory, buffer), RNG_BYTES, true};

    if (msg->label != RNG_GET)
        return MNOS_ERR_LABEL;
    if (queue_in_flight(&queue) != 0 || !queue_add(&queue, &segment, 1, 0))
        return MNOS_ERR_AGAIN;
    client = msg->reply_id;
    if (queue_publish(&queue))
        transport_notify(&bell);
    return MNOS_OK;
}

static void finish(uint32_t bytes)
{
    struct message msg = {.reply_id = client};

    message_put(&msg, bytes != 0 ? MNOS_OK : MNOS_ERR_DEVICE, buffer, bytes);
    (void)!ipc_reply(&msg); /* a client that is gone needs no answer */
    memset(buffer, 0, RNG_BYTES);
    client = 0;
}

/* The device has done something. */
static mnos_status_t handle_interrupt(void)
{
    mnos_status_t status = sys_irq_ack(line);
    enum queue_result result;
    uint64_t token;
    uint32_t bytes;

    if (status != MNOS_OK)
        return status;
    do {
        result = queue_take(&queue, &token, &bytes);
        if (result == QUEUE_TAKEN)
            finish(bytes);
    } while (result == QUEUE_TAKEN || (result == QUEUE_NOTHING && queue_arm(&queue)));
    return result == QUEUE_BROKEN ? MNOS_ERR_DEVICE : MNOS_OK;
}

/* ---- The loop ---- */

static mnos_status_t handle(struct message *msg)
{
    mnos_status_t status = MNOS_OK;

    alive_answer(msg);
    if (msg->kind == MNOS_KIND_MESSAGE) {
        mnos_status_t answer = begin(msg);

        if (answer != MNOS_OK) {
            message_put(msg, answer, NULL, 0);
            return MNOS_OK;
        }
    } else if (msg->kind == MNOS_KIND_EVENTS && (msg->words[0] & EVENT_INTERRUPT) != 0) {
        status = handle_interrupt();
    }
    *msg = (struct message){0}; /* nobody to answer now */
    return status;
}

int main(void)
{
    mnos_cap_t endpoint = bootstrap_cap("requests");
    struct message msg = {0};
    mnos_status_t status = open_device(bootstrap_cap("devices"), endpoint);

    if (status != MNOS_OK)
        return log_failure(status, "open the device", EXIT_DEVICE);
    while (status == MNOS_OK) {
        status = ipc_reply_receive(endpoint, &msg, MNOS_DEADLINE_NEVER);
        if (status == MNOS_OK)
            status = handle(&msg);
    }
    return log_failure(status, "serve the device", EXIT_RECEIVE);
}
