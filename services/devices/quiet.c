// SPDX-License-Identifier: MIT
/* quiet - see quiet.h. */
#include "services/devices/quiet.h"

#include "lib/driver/virtio/transport.h"
#include "services/devices/config.h"
#include "services/devices/registers.h"
#include "services/devices/scan.h"
#include "services/devices/vectors.h"

#define MILLISECOND 1000000ull
#define LOOK_NS MILLISECOND
#define PENDING_NS (1000 * MILLISECOND) /* for transactions that the reset would cut off */
#define RESET_NS (100 * MILLISECOND)    /* PCI Express base specification, "Function Level Reset" */
#define ANSWER_NS (1000 * MILLISECOND)
#define POWER_NS (10 * MILLISECOND) /* PCI power management specification, D3hot to D0 */

#define CLASS_NVME 0x010802u
#define VENDOR_VIRTIO 0x1AF4u

/* NVM Express base specification 1.4, "Controller Registers". */
#define NVME_CAPABILITIES 0x00 /* bits 24 to 31: how long it may take, by 500 ms */
#define NVME_CONFIGURATION 0x14
#define NVME_STATUS 0x1C
#define NVME_REGISTERS 0x40
#define NVME_TIMEOUT_UNIT (500 * MILLISECOND)

/* PCI_CFG of virtio: the window to reach follows the fields of struct virtio_pci_cap. */
#define VIRTIO_CFG_DATA 16

enum quiet_step {
    QUIET_MESSAGES,
    QUIET_VIRTIO,
    QUIET_VIRTIO_WAIT,
    QUIET_MASTER,
    QUIET_CHOOSE,
    QUIET_EXPRESS_PENDING,
    QUIET_AF_PENDING,
    QUIET_RESET_WAIT,
    QUIET_NVME,
    QUIET_NVME_WAIT,
    QUIET_POWER_DOWN,
    QUIET_POWER_UP,
    QUIET_WAIT,
    QUIET_DONE,
};

void quiet_begin(struct function *function)
{
    function->quiet_step = QUIET_MESSAGES;
    function->quiet_deadline_ns = 0;
    function->state = DEVICE_QUIESCING;
}

static void go(struct function *function, enum quiet_step step, uint64_t deadline_ns)
{
    function->quiet_deadline_ns = deadline_ns;
    function->quiet_step = step;
}

static void set_command(const struct function *function, uint32_t set, uint32_t clear)
{
    uint32_t command = config_read(function->ids.address, PCI_COMMAND, 2);

    config_write(function->ids.address, PCI_COMMAND, 2, (command | set) & ~clear);
}

/* A read pushes what was posted. */
static void push(const struct function *function)
{
    (void)config_read(function->ids.address, PCI_VENDOR, 4);
}

/* A reset forgets addresses; what else it forgets is set at the next CLAIM. */
static void restore(const struct function *function)
{
    for (unsigned i = 0; i < DEVICE_BARS; i++) {
        const struct function_bar *bar = &function->bars[i];

        if (bar->bytes == 0)
            continue;
        config_write(function->ids.address, PCI_BAR + 4 * i, 4, (uint32_t)bar->address);
        if (bar->flags & DEVICE_BAR_64_BIT)
            config_write(function->ids.address, PCI_BAR + 4 * i + 4, 4,
                         (uint32_t)(bar->address >> 32));
    }
}

/* ---- virtio ---- */

/* The place of a virtio capability of this type; 0: there is none. */
static uint8_t virtio_find(const uint8_t *config, uint32_t type, struct virtio_place *place)
{
    uint8_t at;

    for (unsigned i = 0; (at = pci_capability_find(config, PCI_CAP_VENDOR, i)) != 0; i++)
        if (virtio_place_parse(config + at, PCI_CONFIG_BYTES - at, place) && place->type == type)
            return at;
    return 0;
}

/* Points PCI_CFG at the device's status. 0: it has no way there; else the place of the data. */
static unsigned virtio_aim(const struct function *function)
{
    device_address_t address = function->ids.address;
    uint8_t config[PCI_CONFIG_BYTES];
    struct virtio_place common, place;
    uint8_t at;

    if (function->ids.vendor != VENDOR_VIRTIO)
        return 0;
    scan_copy(address, config);
    at = virtio_find(config, VIRTIO_PLACE_PCI, &place);
    if (at == 0 || at + VIRTIO_CFG_DATA + 4 > (int)PCI_CONFIG_BYTES ||
        virtio_find(config, VIRTIO_PLACE_COMMON, &common) == 0)
        return 0;
    config_write(address, at + VIRTIO_CAP_BAR, 1, common.bar);
    config_write(address, at + VIRTIO_CAP_OFFSET, 4, common.offset + COMMON_STATUS);
    config_write(address, at + VIRTIO_CAP_BYTES, 4, 1);
    return at + VIRTIO_CFG_DATA;
}

void quiet_reset_virtio(const struct function *function)
{
    unsigned data = virtio_aim(function);

    if (data != 0)
        config_write(function->ids.address, data, 1, 0);
}

static bool virtio_stopped(const struct function *function)
{
    unsigned data = virtio_aim(function);

    return data != 0 && config_read(function->ids.address, data, 1) == 0;
}

/* ---- NVMe ---- */

static bool nvme_map(const struct function *function, struct registers *registers)
{
    return function->bars[0].bytes >= NVME_REGISTERS &&
           registers_map(registers, function->bars[0].address, NVME_REGISTERS);
}

/* How long it may take; 0: it cannot be reached. */
static uint64_t nvme_stop(const struct function *function)
{
    struct registers registers;
    uint64_t units;

    if (!nvme_map(function, &registers))
        return 0;
    units = mmio_read32(&registers.window, NVME_CAPABILITIES) >> 24;
    mmio_write32(&registers.window, NVME_CONFIGURATION,
                 mmio_read32(&registers.window, NVME_CONFIGURATION) & ~1u);
    registers_unmap(&registers);
    return (units + 1) * NVME_TIMEOUT_UNIT;
}

static bool nvme_stopped(const struct function *function)
{
    struct registers registers;
    uint32_t status;

    if (!nvme_map(function, &registers))
        return false;
    status = mmio_read32(&registers.window, NVME_STATUS);
    registers_unmap(&registers);
    return (status & 1) == 0;
}

/* ---- the steps ---- */

static void set_power(const struct function *function, uint32_t state)
{
    unsigned at = function->stop.power + PCI_POWER_CONTROL;
    uint32_t control = config_read(function->ids.address, at, 2);

    config_write(function->ids.address, at, 2, (control & ~(uint32_t)PCI_POWER_STATE_MASK) | state);
}

/* After a way that did not work: the one that needs nothing of the device's own logic. */
static void fall_back(struct function *function)
{
    if (function->stop.power != 0)
        go(function, QUIET_POWER_DOWN, 0);
    else
        function_fail(function, "did not become quiet after its driver had died");
}

static void choose(struct function *function, uint64_t now)
{
    if (function->stop.express_reset != 0)
        go(function, QUIET_EXPRESS_PENDING, now + PENDING_NS);
    else if (function->stop.af_reset != 0)
        go(function, QUIET_AF_PENDING, now + PENDING_NS);
    else if (virtio_stopped(function))
        go(function, QUIET_DONE, 0);
    else if (virtio_aim(function) != 0)
        fall_back(function);
    else if (function->ids.class_code == CLASS_NVME)
        go(function, QUIET_NVME, 0);
    else if (function->stop.power != 0)
        go(function, QUIET_POWER_DOWN, 0);
    else
        go(function, QUIET_WAIT, now + RESET_NS);
}

/* Resets when nothing is pending, or it has been waited for long enough. */
static void reset_when_idle(struct function *function, uint64_t now)
{
    bool express = function->quiet_step == QUIET_EXPRESS_PENDING;
    unsigned status = express ? function->stop.express_reset + PCI_EXPRESS_STATUS
                              : function->stop.af_reset + PCI_AF_STATUS;
    unsigned control = express ? function->stop.express_reset + PCI_EXPRESS_CONTROL
                               : function->stop.af_reset + PCI_AF_CONTROL;
    unsigned bytes = express ? 2 : 1;
    uint32_t pending = express ? PCI_EXPRESS_PENDING : PCI_AF_PENDING;
    device_address_t address = function->ids.address;

    if ((config_read(address, status, bytes) & pending) != 0 && now < function->quiet_deadline_ns)
        return;
    config_write(address, control, bytes,
                 config_read(address, control, bytes) |
                     (express ? PCI_EXPRESS_START_RESET : PCI_AF_START_RESET));
    go(function, QUIET_RESET_WAIT, now + RESET_NS);
}

static void after_reset(struct function *function, uint64_t now)
{
    if (now < function->quiet_deadline_ns)
        return;
    if (scan_same(function))
        go(function, QUIET_DONE, 0);
    else if (now >= function->quiet_deadline_ns + ANSWER_NS)
        function_fail(function, "does not answer after a reset");
}

/* Waits for what `stopped` asks; then it is done, or at the deadline the next way is taken. */
static void wait_for(struct function *function, uint64_t now,
                     bool (*stopped)(const struct function *function))
{
    if (stopped(function))
        go(function, QUIET_DONE, 0);
    else if (now >= function->quiet_deadline_ns)
        fall_back(function);
}

/* A virtio device is reset while it may still reach memory, as its own driver would: one that is cut off in the middle of
 * its work may never come to an end of it. QEMU 7.2 then looks for ever for the next request of a packed ring, since its
 * virtqueue_pop() gives none and its virtio_queue_packed_empty() says that there is one. What such a device writes meanwhile goes to
 * regions, which nobody else gets before it is quiet. */
static void after_virtio(struct function *function, uint64_t now)
{
    if (virtio_stopped(function) || now >= function->quiet_deadline_ns)
        go(function, QUIET_MASTER, 0);
}

static void start_nvme(struct function *function, uint64_t now)
{
    uint64_t wait = nvme_stop(function);

    if (wait == 0)
        fall_back(function);
    else
        go(function, QUIET_NVME_WAIT, now + wait);
}

static void finish(struct function *function)
{
    if (!scan_same(function)) {
        function_fail(function, "is not there any more");
        return;
    }
    restore(function);
    vectors_release(function);
    function->dma = 0;
    function->state = DEVICE_FREE;
    function->badge = 0;
}

/* One step; when it changes nothing, it is due again later. */
static void step(struct function *function, uint64_t now)
{
    switch ((enum quiet_step)function->quiet_step) {
    case QUIET_MESSAGES:
        vectors_off(function);
        push(function);
        go(function, virtio_aim(function) != 0 ? QUIET_VIRTIO : QUIET_MASTER, 0);
        break;
    case QUIET_VIRTIO:
        quiet_reset_virtio(function);
        go(function, QUIET_VIRTIO_WAIT, now + ANSWER_NS);
        break;
    case QUIET_VIRTIO_WAIT: after_virtio(function, now); break;
    case QUIET_MASTER:
        set_command(function, 0, PCI_COMMAND_MASTER);
        push(function);
        go(function, QUIET_CHOOSE, 0);
        break;
    case QUIET_CHOOSE: choose(function, now); break;
    case QUIET_EXPRESS_PENDING:
    case QUIET_AF_PENDING: reset_when_idle(function, now); break;
    case QUIET_RESET_WAIT: after_reset(function, now); break;
    case QUIET_NVME: start_nvme(function, now); break;
    case QUIET_NVME_WAIT: wait_for(function, now, nvme_stopped); break;
    case QUIET_POWER_DOWN:
        set_power(function, PCI_POWER_D3);
        go(function, QUIET_POWER_UP, now + POWER_NS);
        break;
    case QUIET_POWER_UP:
        if (now < function->quiet_deadline_ns)
            break;
        set_power(function, 0);
        go(function, QUIET_RESET_WAIT, now + POWER_NS);
        break;
    case QUIET_WAIT:
        if (now >= function->quiet_deadline_ns)
            go(function, QUIET_DONE, 0);
        break;
    case QUIET_DONE:
    default: finish(function); break;
    }
}

uint64_t quiet_step(struct function *function, uint64_t now_ns)
{
    uint32_t before;

    do {
        before = function->quiet_step;
        step(function, now_ns);
        if (function->state != DEVICE_QUIESCING)
            return 0;
    } while (function->quiet_step != before);
    return now_ns + LOOK_NS;
}
