// SPDX-License-Identifier: MIT
/*
 * test_nvme - the driver of NVMe disks against a model of the controller: an honest one with more
 * and less abilities, one that fails and is silent, and one that lies.
 */
#include "tests/models/block_server.h"

/* The driver's time is the model's: while it sleeps the device works. */
#undef sleep_until
#undef deadline_after_ns
#define sleep_until nvme_sleep_until
#define deadline_after_ns nvme_deadline_after_ns
#include "lib/mnos/time.h"

#include "drivers/block/nvme/controller.c"
#undef PAGE
#include "drivers/block/nvme/disk.c"
#include "tests/models/nvme.h"
#include "tests/unit/nvme_fuzz.h"

#define BUS 0x40000000ull
#define QUEUE_BYTES (1u << 18)
#define DATA_BYTES (DATA_PAGES * 4096ull)

static struct nvme_model model;
static struct dma_memory memory;
static struct nvme_disk disk;
static struct mmio window;

void sleep_until(uint64_t deadline_ns)
{
    clock_ns = deadline_ns;
    nvme_model_work(&model);
}

uint64_t deadline_after_ns(uint64_t duration_ns)
{
    return clock_ns + duration_ns;
}

/* The data of client c lies behind the queues' memory, that of its second piece behind all of
 * those. */
static uint64_t reach(void *, mnos_cap_t cap)
{
    uint64_t number = cap / 1000 - 1, second = cap % 1000 == MORE_CAP;

    return BUS + QUEUE_BYTES + (number + CLIENTS * second) * DATA_BYTES;
}

static unsigned cuts; /* how often the device was kept from memory */

/* Before any client learns that its request has failed. */
static void cut_off(void *)
{
    cuts++;
    CHECK_EQ(take_result(0), MNOS_ERR_END);
}

static void begin_device(void)
{
    uint64_t bytes = QUEUE_BYTES + 2 * CLIENTS * DATA_BYTES;
    uint8_t *ram = aligned_alloc(4096, bytes);

    clients_begin();
    memset(ram, 0xA5, QUEUE_BYTES);
    for (unsigned i = 0; i < CLIENTS; i++) {
        clients[i].data = ram + QUEUE_BYTES + i * DATA_BYTES;
        clients[i].more = clients[i].data + CLIENTS * DATA_BYTES;
    }
    memory = (struct dma_memory){.address = ram,
                                 .bytes = QUEUE_BYTES,
                                 .block_bytes = QUEUE_BYTES,
                                 .block_count = 1,
                                 .table = {BUS}};
    nvme_model_begin(&model, &window, ram, BUS, bytes);
    disk = (struct nvme_disk){.server = &model_server, .reach = reach, .cut_off = cut_off};
    cuts = 0;
}

static void begin_server(void)
{
    CHECK_EQ(nvme_disk_open(&disk, &window, &memory), MNOS_OK);
    block_sessions_open(&model_sessions, true, disk.device.info.sectors, 100);
    block_server_open(&model_server, &disk.device, &model_sessions, ENDPOINT, 9);
    attach_client(0);
}

static void begin(void)
{
    begin_device();
    begin_server();
}

/* Until nothing happens any more. */
static void work(void)
{
    unsigned before;

    do {
        before = model.commands + model.resets;
        block_server_pump(&model_server);
        nvme_model_work(&model);
        nvme_disk_take_done(&disk);
    } while (model.commands + model.resets != before);
    block_server_pump(&model_server);
}

static void fill(uint8_t *bytes, size_t count, uint8_t pattern)
{
    for (size_t i = 0; i < count; i++)
        bytes[i] = (uint8_t)(pattern + i * 7 + i / 512);
}

TEST(nvme, says_what_it_is)
{
    begin();
    CHECK_STR_EQ(disk.device.info.name, "model disk");
    CHECK_EQ(disk.device.info.sectors, NVME_MODEL_MEDIUM / 512);
    CHECK_EQ(disk.device.info.sector_bytes, 512);
    CHECK_EQ(disk.device.info.flags, BLOCK_CAN_FLUSH | BLOCK_CAN_DISCARD | BLOCK_CAN_ZERO);
    CHECK_EQ(disk.controller.geometry.nsid, 3);
}

TEST(nvme, bytes_go_to_the_medium_and_back)
{
    begin();
    fill(clients[0].data, 128 * 4096, 1);
    submit_op(0, BLOCK_WRITE, 100, 0, 128 * 4096);
    submit_op(0, BLOCK_WRITE, 3000, 3, 512);
    submit_op(0, BLOCK_WRITE, 3100, 4, 2 * 4096); /* two pages: no list */
    work();
    for (unsigned i = 0; i < 3; i++)
        CHECK_EQ(take_result(0), MNOS_OK);
    CHECK_EQ(memcmp(model.medium + 100 * 512, clients[0].data, 128 * 4096), 0);
    CHECK_EQ(memcmp(model.medium + 3000 * 512, clients[0].data + 3 * 4096, 512), 0);
    CHECK_EQ(memcmp(model.medium + 3100 * 512, clients[0].data + 4 * 4096, 2 * 4096), 0);
    submit_op(0, BLOCK_READ, 100, 130, 128 * 4096);
    submit_op(0, BLOCK_FLUSH, 0, 0, 0);
    work();
    CHECK_EQ(take_result(0), MNOS_OK);
    CHECK_EQ(take_result(0), MNOS_OK);
    CHECK_EQ(model.flushes, 1);
    CHECK_EQ(memcmp(clients[0].data + 130 * 4096, clients[0].data, 128 * 4096), 0);
}

/* Every offset in a page and every length about a page, with each limit of the controller. */
TEST(nvme, requests_begin_anywhere_in_a_page_and_go_in_parts)
{
    for (unsigned log2 = 1; log2 <= 3; log2++) {
        begin_device();
        model.transfer_log2 = log2;
        begin_server();
        fill(model.medium, sizeof model.medium, (uint8_t)log2);
        for (uint16_t offset = 0; offset < 4096; offset += 512) {
            for (uint32_t blocks = 1; blocks <= 40; blocks += 3) {
                memset(clients[0].data, 0, 8 * 4096);
                submit_entry(
                    0, (struct block_submission){
                           .op = BLOCK_READ, .sector = 7, .offset = offset, .bytes = blocks * 512});
                work();
                CHECK_EQ(take_result(0), MNOS_OK);
                CHECK_EQ(memcmp(clients[0].data + offset, model.medium + 7 * 512, blocks * 512), 0);
            }
        }
    }
}

TEST(nvme, ranges_are_discarded_and_zeroed)
{
    begin();
    memset(model.medium, 0xEE, sizeof model.medium);
    submit_op(0, BLOCK_DISCARD, 1000, 0, 250 * 512);
    submit_op(0, BLOCK_ZERO, 2000, 0, 700 * 512);
    work();
    CHECK_EQ(take_result(0), MNOS_OK);
    CHECK_EQ(take_result(0), MNOS_OK);
    CHECK_EQ(model.medium[1000 * 512], 0xDD);
    CHECK_EQ(model.medium[1250 * 512 - 1], 0xDD);
    CHECK_EQ(model.medium[1250 * 512], 0xEE);
    CHECK_EQ(model.medium[2000 * 512], 0);
    CHECK_EQ(model.medium[2700 * 512 - 1], 0);
    CHECK_EQ(model.medium[2700 * 512], 0xEE);
}

TEST(nvme, more_requests_than_entries_wait_for_room)
{
    begin_device();
    model.capabilities = (model.capabilities & ~0xFFFFull) | 7; /* 8 entries */
    begin_server();
    fill(model.medium, sizeof model.medium, 3);
    for (unsigned round = 0; round < 100; round++) {
        for (unsigned i = 0; i < 40; i++)
            submit_op(0, BLOCK_READ, 8 * i, i, 4096);
        work();
        for (unsigned i = 0; i < 40; i++)
            CHECK_EQ(take_result(0), MNOS_OK);
    }
    CHECK_EQ(memcmp(clients[0].data, model.medium, 40 * 4096), 0);
    CHECK_EQ(disk.controller.queue.flying, 0);
    CHECK_EQ(model.resets, 0);
}

TEST(nvme, blocks_of_4096_bytes_and_no_abilities)
{
    begin_device();
    model.block_log2 = 12;
    model.blocks = NVME_MODEL_MEDIUM / 4096;
    model.commands_bits = 0;
    model.attributes = NVME_NS_READ_ONLY;
    begin_server();
    CHECK_EQ(disk.device.info.sector_bytes, 4096);
    CHECK_EQ(disk.device.info.flags, BLOCK_CAN_FLUSH | BLOCK_READ_ONLY);
    fill(model.medium, sizeof model.medium, 9);
    submit_op(0, BLOCK_READ, 5, 0, 3 * 4096);
    work();
    CHECK_EQ(take_result(0), MNOS_OK);
    CHECK_EQ(memcmp(clients[0].data, model.medium + 5 * 4096, 3 * 4096), 0);
}

/* ---- errors ---- */

TEST(nvme, an_error_of_the_medium_is_the_request_s)
{
    begin();
    model.fail_next = 1;
    submit_op(0, BLOCK_READ, 100, 0, 4096);
    submit_op(0, BLOCK_READ, 200, 1, 4096);
    work();
    CHECK_EQ(take_result(0), MNOS_ERR_DEVICE);
    CHECK_EQ(take_result(0), MNOS_OK);
    CHECK_EQ(model.resets, 0);
}

static mnos_status_t open_status(void)
{
    return nvme_disk_open(&disk, &window, &memory);
}

TEST(nvme, a_controller_that_cannot_be_used_is_refused)
{
    begin_device();
    model.capabilities = UINT64_MAX;
    CHECK_EQ(open_status(), MNOS_ERR_FORMAT);
    begin_device();
    model.capabilities |= 1ull << 48; /* pages of 8 KiB at least */
    CHECK_EQ(open_status(), MNOS_ERR_FORMAT);
    begin_device();
    model.capabilities &= ~(1ull << 37);
    CHECK_EQ(open_status(), MNOS_ERR_FORMAT);
    begin_device();
    window.bytes = NVME_DOORBELLS + 8; /* its second queue's doorbells lie outside */
    CHECK_EQ(open_status(), MNOS_ERR_MEMORY);
    begin_device();
    memory.bytes = 4096 * 4;
    CHECK_EQ(open_status(), MNOS_ERR_MEMORY);
    begin_device();
    model.never_ready = true;
    CHECK_EQ(open_status(), MNOS_ERR_DEVICE);
    CHECK(clock_ns >= 2500000000); /* it says that it may take 2 seconds */
    begin_device();
    model.refuse_queues = true;
    CHECK_EQ(open_status(), MNOS_ERR_DEVICE);
    begin_device();
    model.nsid = 0;
    CHECK_EQ(open_status(), MNOS_ERR_NOT_FOUND);
    begin_device();
    model.metadata = 8;
    CHECK_EQ(open_status(), MNOS_ERR_FORMAT);
    begin_device();
    model.block_log2 = 13;
    CHECK_EQ(open_status(), MNOS_ERR_FORMAT);
    begin_device();
    model.blocks = UINT64_MAX;
    CHECK_EQ(open_status(), MNOS_ERR_FORMAT);
}

TEST(nvme, one_that_is_silent_is_reset_and_given_everything_again)
{
    begin();
    fill(clients[0].data, 4096, 5);
    model.silent = true;
    submit_op(0, BLOCK_WRITE, 10, 0, 4096);
    work();
    nvme_disk_check(&disk, clock_ns);
    CHECK_EQ(model.resets, 0);
    clock_ns = nvme_disk_deadline(&disk);
    model.silent = false;
    nvme_disk_check(&disk, clock_ns);
    CHECK_EQ(model.resets, 1);
    work();
    CHECK_EQ(take_result(0), MNOS_OK);
    CHECK_EQ(memcmp(model.medium + 10 * 512, clients[0].data, 4096), 0);
}

TEST(nvme, after_three_resets_everything_fails)
{
    begin();
    model.silent = true;
    submit_op(0, BLOCK_READ, 10, 0, 4096);
    for (unsigned i = 0; i < 10; i++) {
        work();
        if (nvme_disk_deadline(&disk) == MNOS_DEADLINE_NEVER)
            break;
        clock_ns = nvme_disk_deadline(&disk);
        nvme_disk_check(&disk, clock_ns);
    }
    CHECK(disk.failed);
    CHECK_EQ(cuts, 1);
    block_server_pump(&model_server);
    CHECK_EQ(take_result(0), MNOS_ERR_DEVICE);
    submit_op(0, BLOCK_READ, 10, 0, 4096);
    work();
    CHECK_EQ(take_result(0), MNOS_ERR_DEVICE);
}

TEST(nvme, another_disk_after_a_reset_is_not_the_one_that_clients_know)
{
    begin();
    model.silent = true;
    submit_op(0, BLOCK_READ, 10, 0, 4096);
    work();
    clock_ns = nvme_disk_deadline(&disk);
    model.blocks--;
    model.silent = false;
    nvme_disk_check(&disk, clock_ns);
    CHECK(disk.failed);
    CHECK_EQ(cuts, 1);
}

TEST(nvme, an_answer_that_cannot_be_leads_to_a_reset)
{
    begin();
    for (uint32_t lie = 30; lie < 65536; lie = lie * 3 + 1) {
        unsigned before = model.resets;

        model.lie_id = lie; /* not in flight, or no identifier at all */
        submit_op(0, BLOCK_READ, 10, 0, 4096);
        work();
        CHECK_EQ(model.resets, before + 1);
        CHECK_EQ(take_result(0), MNOS_OK);
    }
}

/* Whatever the device writes into the rings and the lists, nothing outside is touched (the
 * sanitizers watch), and every request ends once. */
TEST(nvme, survives_a_device_that_writes_anything)
{
    uint64_t state = 0x9E3779B97F4A7C15;

    for (unsigned life = 0; life < 200; life++) {
        unsigned asked = 0, ended = 0;

        begin();
        for (unsigned step = 0; step < 200; step++) {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            if (state % 4 == 0 && asked - ended < 60) {
                submit_op(0, state & 16 ? BLOCK_READ : BLOCK_FLUSH, (state >> 8) % 1000, 0,
                          state & 16 ? 4096 * (uint32_t)(1 + (state >> 20) % 60) : 0);
                asked++;
            } else if (state % 4 == 1) {
                volatile struct nvme_completion *ring = disk.controller.queue.completions;

                ((volatile uint8_t *)ring)[(state >> 8) % 1024] = (uint8_t)(state >> 40);
            }
            block_server_pump(&model_server);
            nvme_disk_take_done(&disk);
            while (take_result(0) != MNOS_ERR_END)
                ended++;
            CHECK(ended <= asked);
        }
        free(memory.address);
    }
}

/* A queue alone; tests/fuzz looks for more. */
TEST(nvme, a_queue_survives_random_steps)
{
    uint64_t state = 0x9E3779B97F4A7C15;
    uint8_t input[1 + 4 * 300];

    for (unsigned life = 0; life < 1000; life++) {
        for (unsigned i = 0; i < sizeof input; i++) {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            input[i] = (uint8_t)(state >> 32);
        }
        nvme_fuzz(input, sizeof input);
    }
}
