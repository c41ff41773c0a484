// SPDX-License-Identifier: MIT
/*
 * edu_driver - a driver of QEMU's device for teaching, "-device edu", that shows in the log what a
 * driver gets of `devices` and what not: registers, one message interrupt, memory for DMA. It
 * copies a pattern to the device and back for ever, until somebody ends it. The registers are in
 * QEMU's docs/specs/edu.rst.
 */
#include "abi/inspect.h"
#include "lib/base/string.h"
#include "lib/client/device.h"
#include "lib/driver/dma.h"
#include "lib/driver/window.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/ipc.h"
#include "lib/mnos/log.h"
#include "lib/mnos/syscall.h"
#include "lib/mnos/time.h"

#define REGISTER_ID 0x00
#define REGISTER_LIVE 0x04
#define REGISTER_CAUSES 0x24
#define REGISTER_CLEAR 0x64
#define REGISTER_DMA_FROM 0x80
#define REGISTER_DMA_TO 0x88
#define REGISTER_DMA_BYTES 0x90
#define REGISTER_DMA_COMMAND 0x98
#define COMMAND_START 1
#define COMMAND_TO_MEMORY 2
#define COMMAND_INTERRUPT 4
#define DEVICE_BUFFER 0x40000
#define ID 0x010000ED

#define EVENT_INTERRUPT 1ull
#define COPY_BYTES 2048u /* its buffer has 4096, of which QEMU lets nobody reach the last */
#define PATIENCE_NS 10000000000ull

static struct device_windows windows;
static struct dma_memory memory;
static struct mmio registers;
static mnos_cap_t devices, endpoint, line;

static void expect(mnos_status_t status, mnos_status_t wanted, const char *what)
{
    if (status != wanted)
        log_line("WRONG: %s: status %u, not %u", what, (unsigned)status, (unsigned)wanted);
}

/* What the driver is not to get. */
static void try_forbidden(void)
{
    const struct mnos_cap_info *info = (const void *)ipc_buffer()->data;
    struct device_bar_part part;
    mnos_cap_t cap;
    uint64_t size;

    expect(device_bar(devices, 1, 0, &part, &cap), MNOS_ERR_END, "a window that it has not");
    expect(device_bar(devices, 0, 1, &part, &cap), MNOS_ERR_END, "a second part");
    expect(device_vector(devices, 1, &cap), MNOS_ERR_END, "a second vector");
    expect(device_master(devices, true), MNOS_ERR_STATE, "mastering before any memory");
    expect(device_bar(devices, 0, 0, &part, &cap), MNOS_OK, "the window again");
    expect(sys_cap_inspect(cap, MNOS_VIEW_CAPABILITY, 0, &size), MNOS_OK, "inspect");
    if (info->rights != (MNOS_RIGHT_READ | MNOS_RIGHT_WRITE) || info->count != 256)
        log_line("WRONG: the window has rights 0x%x and %llu pages", info->rights,
                 (unsigned long long)info->count);
    expect(sys_cap_delete(cap), MNOS_OK, "delete");
    expect(sys_cap_inspect(line, MNOS_VIEW_CAPABILITY, 0, &size), MNOS_OK, "inspect");
    if (info->rights != MNOS_RIGHT_WRITE || info->physical_address != UINT64_MAX)
        log_line("WRONG: the line has rights 0x%x", info->rights);
}

static mnos_status_t open_device(void)
{
    struct device_info info;
    mnos_status_t status = device_claim(devices, &info);

    if (status != MNOS_OK)
        return status;
    log_line("claimed 00:%02x.%x, %u vectors", info.ids.address >> 3 & 0x1F, info.ids.address & 7,
             info.vectors);
    expect(device_claim(devices, &info), MNOS_OK, "CLAIM again");
    status = device_window_map(&windows, devices, 0);
    if (status != MNOS_OK)
        return status;
    if (!device_window_part(&windows, 0, 0, 0x100000, &registers))
        return MNOS_ERR_SIZE;
    status = device_vector(devices, 0, &line);
    if (status == MNOS_OK)
        status = sys_irq_bind(line, endpoint, EVENT_INTERRUPT);
    if (status != MNOS_OK)
        return status;
    try_forbidden();
    status = dma_open(&memory, devices, bootstrap_cap("edu_dma"));
    return status == MNOS_OK ? device_master(devices, true) : status;
}

/* There are other events, of the manager. */
static mnos_status_t wait_for_interrupt(void)
{
    uint64_t deadline = deadline_after_ns(PATIENCE_NS);
    mnos_status_t status;

    do {
        struct message message = {0};

        status = ipc_receive(endpoint, &message, deadline);
        if (status == MNOS_OK && message.kind == MNOS_KIND_EVENTS &&
            (message.words[0] & EVENT_INTERRUPT) != 0)
            return MNOS_OK;
    } while (status == MNOS_OK);
    return status;
}

static void forget_interrupts(void)
{
    struct message message = {0};

    (void)!sys_irq_ack(line);
    while (ipc_receive(endpoint, &message, MNOS_DEADLINE_POLL) == MNOS_OK)
        ;
}

/* Copies by the device and waits for its interrupt. */
static mnos_status_t copy(uint64_t from, uint64_t to, uint64_t command)
{
    mnos_status_t status;

    mmio_write64(&registers, REGISTER_DMA_FROM, from);
    mmio_write64(&registers, REGISTER_DMA_TO, to);
    mmio_write64(&registers, REGISTER_DMA_BYTES, COPY_BYTES);
    mmio_write64(&registers, REGISTER_DMA_COMMAND, command | COMMAND_START | COMMAND_INTERRUPT);
    status = wait_for_interrupt();
    if (status != MNOS_OK)
        return status;
    mmio_write32(&registers, REGISTER_CLEAR, mmio_read32(&registers, REGISTER_CAUSES));
    return sys_irq_ack(line);
}

static mnos_status_t round_trip(uint8_t *there, uint8_t *back, unsigned number)
{
    mnos_status_t status;

    for (unsigned i = 0; i < COPY_BYTES; i++)
        there[i] = (uint8_t)(i * 7 + number);
    memset(back, 0, COPY_BYTES);
    dma_write_barrier();
    status = copy(dma_bus(&memory, there), DEVICE_BUFFER, 0);
    if (status == MNOS_OK)
        status = copy(DEVICE_BUFFER, dma_bus(&memory, back), COMMAND_TO_MEMORY);
    dma_read_barrier();
    if (status == MNOS_OK && memcmp(there, back, COPY_BYTES) != 0)
        return MNOS_ERR_DEVICE;
    return status;
}

int main(void)
{
    mnos_status_t status;
    uint8_t *there, *back;

    devices = bootstrap_cap("devices");
    endpoint = bootstrap_cap("requests");
    status = open_device();
    if (status != MNOS_OK) {
        log_error(status, "open the device");
        return 1;
    }
    mmio_write32(&registers, REGISTER_LIVE, 0x12345678);
    /* It offers no reset: what the run before had begun comes to its end, without reaching
     * memory. */
    while ((mmio_read64(&registers, REGISTER_DMA_COMMAND) & COMMAND_START) != 0)
        sleep_until(deadline_after_ns(1000000));
    mmio_write32(&registers, REGISTER_CLEAR, mmio_read32(&registers, REGISTER_CAUSES));
    forget_interrupts();
    if (mmio_read32(&registers, REGISTER_ID) != ID ||
        mmio_read32(&registers, REGISTER_LIVE) != ~0x12345678u)
        log_line("WRONG: the registers are not those of the device");
    there = dma_take(&memory, COPY_BYTES, COPY_BYTES);
    back = dma_take(&memory, COPY_BYTES, COPY_BYTES);
    for (unsigned number = 1; status == MNOS_OK; number++) {
        status = round_trip(there, back, number);
        if (status == MNOS_OK)
            log_line("round %u is right", number);
    }
    log_error(status, "copy by the device");
    return 1;
}
