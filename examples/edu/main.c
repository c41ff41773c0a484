// SPDX-License-Identifier: MIT
/* main - the driver of QEMU's device for teaching: registers in memory, a message interrupt, and memory that it reaches. */
#include "edu.h"
#include "lib/base/string.h"
#include "lib/client/device.h"
#include "lib/driver/dma.h"
#include "lib/driver/interrupt.h"
#include "lib/driver/window.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/ipc.h"
#include "lib/mnos/log.h"
#include "lib/mnos/syscall.h"
#include "lib/server/alive.h"
#include "registers.h"

#define EVENT_INTERRUPT 1ull

enum { EXIT_DEVICE = 1, EXIT_RECEIVE = 2 };

static struct mmio registers;
static struct dma_memory memory;
static mnos_cap_t line;

static enum { IDLE, COMPUTES, COPIES_THERE, COPIES_BACK } state;
static uint64_t client; /* whom to answer, unless IDLE */
static uint8_t *text;   /* in memory that the device reaches */
static size_t text_bytes;

/* ---- The device ---- */

static mnos_status_t open_device(mnos_cap_t devices, mnos_cap_t endpoint)
{
    struct device_info info;
    mnos_status_t status = device_claim(devices, &info); /* waits until there is one */

    if (status == MNOS_OK)
        status = device_registers_map(devices, 0, &registers);
    if (status == MNOS_OK && (registers.bytes < EDU_REGISTERS_BYTES ||
                              (mmio_read32(&registers, EDU_ID) & EDU_ID_MASK) != EDU_ID_VALUE))
        status = MNOS_ERR_DEVICE;
    if (status == MNOS_OK)
        status = interrupt_open(devices, 0, endpoint, EVENT_INTERRUPT, &line);
    if (status == MNOS_OK)
        status = dma_open(&memory, devices, bootstrap_cap("edu_dma"));
    if (status == MNOS_OK)
        status = device_master(devices, true);
    if (status != MNOS_OK)
        return status;
    text = dma_take(&memory, EDU_TEXT_BYTES, 64);
    mmio_write32(&registers, EDU_STATUS, EDU_STATUS_INTERRUPT);
    return text != NULL ? MNOS_OK : MNOS_ERR_QUOTA;
}

static void copy(uint64_t from, uint64_t to, uint64_t direction)
{
    dma_write_barrier(); /* what is in memory is there before the device looks */
    mmio_write64(&registers, EDU_COPY_FROM, from);
    mmio_write64(&registers, EDU_COPY_TO, to);
    mmio_write64(&registers, EDU_COPY_BYTES, text_bytes);
    mmio_write64(&registers, EDU_COPY_COMMAND, EDU_COPY_START | EDU_COPY_INTERRUPT | direction);
}

/* ---- Requests ---- */

/* Begins what is asked; an error is the answer to it. */
static mnos_status_t begin(const struct message *msg)
{
    struct edu_number number;

    if (state != IDLE)
        return MNOS_ERR_AGAIN;
    switch (msg->label) {
    case EDU_FACTORIAL:
        if (message_get(msg, &number, sizeof number) != sizeof number)
            return MNOS_ERR_SIZE;
        if (number.value > EDU_FACTORIAL_MAX)
            return MNOS_ERR_ARGUMENT;
        mmio_write32(&registers, EDU_COMPUTE, (uint32_t)number.value);
        state = COMPUTES;
        return MNOS_OK;
    case EDU_ECHO:
        if (msg->length == 0 || msg->length > EDU_TEXT_BYTES)
            return MNOS_ERR_SIZE;
        text_bytes = message_get_part(msg, text, EDU_TEXT_BYTES);
        copy(dma_bus(&memory, text), EDU_BUFFER, 0);
        state = COPIES_THERE;
        return MNOS_OK;
    default: return MNOS_ERR_LABEL;
    }
}

static void finish(const void *bytes, size_t count)
{
    struct message msg = {.reply_id = client};

    message_put(&msg, MNOS_OK, bytes, count);
    (void)!ipc_reply(&msg); /* a client that is gone needs no answer */
    state = IDLE;
}

/* The device has done something. */
static mnos_status_t handle_interrupt(void)
{
    struct edu_number number;
    uint32_t causes;
    mnos_status_t status = sys_irq_ack(line);

    if (status != MNOS_OK)
        return status;
    causes = mmio_read32(&registers, EDU_CAUSES);
    mmio_write32(&registers, EDU_CAUSES_CLEAR, causes);
    if (state == COMPUTES && (causes & EDU_CAUSE_COMPUTED) != 0) {
        number.value = mmio_read32(&registers, EDU_COMPUTE);
        finish(&number, sizeof number);
    } else if (state == COPIES_THERE && (causes & EDU_CAUSE_COPIED) != 0) {
        memset(text, 0, text_bytes); /* what comes back has been there */
        copy(EDU_BUFFER, dma_bus(&memory, text), EDU_COPY_TO_MEMORY);
        state = COPIES_BACK;
    } else if (state == COPIES_BACK && (causes & EDU_CAUSE_COPIED) != 0) {
        dma_read_barrier();
        finish(text, text_bytes);
    }
    return MNOS_OK;
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
        client = msg->reply_id;
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
