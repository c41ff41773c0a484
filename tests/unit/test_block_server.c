// SPDX-License-Identifier: MIT
/*
 * test_block_server - what all drivers of disks have in common (lib/server/block.c), with a device that is
 * done when the test says so: sessions, attachments that come and go while requests are in flight, turns,
 * flushes, and clients that break the rules.
 */
#include "tests/models/block_server.h"

#define SECTORS 100000u
#define ROOM 40u /* requests that the device takes */

static struct {
    struct block_flight *flights[ROOM];
    unsigned count, kicks, attached;
    bool refuses;
    uint8_t last_op;
} device;

static mnos_status_t submit(void *, struct block_flight *flight)
{
    if (device.count == ROOM)
        return MNOS_ERR_AGAIN;
    CHECK(flight->state == BLOCK_FLIGHT_ISSUED);
    CHECK_PTR_EQ(block_flight_of(&model_server, block_flight_number(&model_server, flight)),
                 flight);
    device.flights[device.count++] = flight;
    device.last_op = flight->op;
    return MNOS_OK;
}

static void kick(void *)
{
    device.kicks++;
}

static mnos_status_t attach_data(void *, struct block_piece *piece)
{
    if (device.refuses)
        return MNOS_ERR_DENIED;
    device.attached++;
    piece->bus = piece->memory * 0x1000000ull;
    return MNOS_OK;
}

static void detach_data(void *, struct block_piece *)
{
    device.attached--;
}

static const struct block_device_operations operations = {submit, kick, attach_data, detach_data};
static struct block_device disk = {
    .operations = &operations,
    .info = {.sector_bytes = 512, .sectors = SECTORS, .flags = BLOCK_CAN_FLUSH, .name = "model"}};

static void begin(void)
{
    memset(&device, 0, sizeof device);
    clients_begin();
    block_sessions_open(&model_sessions, true, SECTORS, 100);
    block_server_open(&model_server, &disk, &model_sessions, ENDPOINT, 9);
}

/* The device is done with the request that it has had for longest. */
static void done_first(mnos_status_t status)
{
    struct block_flight *flight = device.flights[0];

    CHECK(device.count != 0);
    memmove(device.flights, device.flights + 1, --device.count * sizeof *device.flights);
    block_server_done(&model_server, flight, status, flight->sector + 1);
}

static void done_all(void)
{
    while (device.count != 0)
        done_first(MNOS_OK);
    block_server_pump(&model_server);
}

#include "tests/unit/block_restricting.h"

TEST(block_server, a_request_goes_to_the_device_and_its_result_to_the_client)
{
    struct block_segment segment;
    struct block_result result;

    begin();
    attach_client(0);
    submit_entry(0, (struct block_submission){.op = BLOCK_READ,
                                              .sector = 50,
                                              .page = 2,
                                              .offset = 1024,
                                              .bytes = 2048,
                                              .user = 4711});
    block_server_pump(&model_server);
    CHECK_EQ(device.count, 1);
    CHECK(device.kicks != 0);
    CHECK_EQ(block_segments(&model_server, device.flights[0], &segment, 1), 1);
    CHECK_EQ(segment.bus, CAP(0, DATA_CAP) * 0x1000000ull + 2 * 4096 + 1024);
    CHECK_EQ(segment.bytes, 2048);
    CHECK_EQ(clients[0].told, 1); /* at ATTACH, which tries the endpoint */
    done_first(MNOS_ERR_DEVICE);
    block_server_pump(&model_server);
    CHECK_EQ(clients[0].told, 2);
    CHECK_EQ(block_ring_take(&clients[0].ring, &result), MNOS_OK);
    CHECK_EQ(result.status, MNOS_ERR_DEVICE);
    CHECK_EQ(result.bad_sector, 51);
    CHECK_EQ(result.user, 4711);
    block_server_pump(&model_server);
    CHECK_EQ(clients[0].told, 2); /* no news */
}

TEST(block_server, what_does_not_fit_the_session_is_answered_and_nothing_happens)
{
    begin();
    attach_client(0);
    submit_op(0, BLOCK_READ, SECTORS, 0, 512);
    submit_op(0, BLOCK_READ, 0, DATA_PAGES, 512);
    submit_op(0, 99, 0, 0, 512);
    submit_op(0, BLOCK_DISCARD, 0, 0, 512);
    block_server_pump(&model_server);
    CHECK_EQ(device.count, 0);
    CHECK_EQ(take_result(0), MNOS_ERR_ARGUMENT);
    CHECK_EQ(take_result(0), MNOS_ERR_ARGUMENT);
    CHECK_EQ(take_result(0), MNOS_ERR_ARGUMENT);
    CHECK_EQ(take_result(0), MNOS_ERR_DENIED);
    CHECK_EQ(take_result(0), MNOS_ERR_END);
}

TEST(block_server, a_write_with_fua_is_flushed_before_it_is_done)
{
    begin();
    attach_client(0);
    submit_entry(0, (struct block_submission){.op = BLOCK_WRITE, .flags = BLOCK_FUA, .bytes = 512});
    block_server_pump(&model_server);
    CHECK_EQ(device.last_op, BLOCK_WRITE);
    done_first(MNOS_OK);
    block_server_pump(&model_server);
    CHECK_EQ(take_result(0), MNOS_ERR_END);
    CHECK_EQ(device.last_op, BLOCK_FLUSH);
    done_first(MNOS_OK);
    CHECK_EQ(take_result(0), MNOS_OK);
    /* A write that failed is not. */
    submit_entry(0, (struct block_submission){.op = BLOCK_WRITE, .flags = BLOCK_FUA, .bytes = 512});
    block_server_pump(&model_server);
    done_first(MNOS_ERR_DEVICE);
    CHECK_EQ(device.count, 0);
    CHECK_EQ(take_result(0), MNOS_ERR_DEVICE);
    /* A disk without a cache has nothing to flush. */
    disk.info.flags = 0;
    begin();
    attach_client(0);
    submit_op(0, BLOCK_FLUSH, 0, 0, 0);
    block_server_pump(&model_server);
    CHECK_EQ(device.count, 0);
    CHECK_EQ(take_result(0), MNOS_OK);
}

TEST(block_server, clients_take_turns_and_a_full_device_is_waited_for)
{
    unsigned of_second = 0, done = 0;

    begin();
    attach_client(0);
    attach_client(1);
    for (unsigned i = 0; i < 100; i++)
        submit_op(0, BLOCK_READ, i, 0, 512);
    for (unsigned i = 0; i < 20; i++)
        submit_op(1, BLOCK_READ, i, 0, 512);
    block_server_pump(&model_server);
    CHECK_EQ(device.count, ROOM);
    for (unsigned i = 0; i < ROOM; i++)
        of_second += device.flights[i]->attachment == 1;
    CHECK(of_second >= 16);
    for (unsigned i = 0; i < 1000 && done < 120; i++) {
        if (device.count != 0)
            done_first(MNOS_OK);
        block_server_pump(&model_server);
        done += take_result(0) == MNOS_OK;
        done += take_result(1) == MNOS_OK;
    }
    CHECK_EQ(done, 120);
    CHECK_EQ(model_server.waiting, 0);
    CHECK_EQ(model_server.issued, 0);
}

TEST(block_server, attach_of_the_same_run_changes_nothing)
{
    begin();
    attach_client(0);
    submit_op(0, BLOCK_READ, 7, 0, 512);
    block_server_pump(&model_server);
    CHECK_EQ(attach_with(0, DATA_PAGES, 9), MNOS_OK);
    CHECK_EQ(((struct block_attached *)message_bytes)->epoch, 9);
    CHECK_EQ(clients[0].held, 3);
    done_first(MNOS_OK);
    CHECK_EQ(take_result(0), MNOS_OK);
}

TEST(block_server, attach_anew_waits_for_what_is_in_flight_and_carries_it_out_again)
{
    unsigned answers;

    begin();
    attach_client(0);
    submit_op(0, BLOCK_READ, 7, 0, 512);
    submit_op(0, BLOCK_READ, 8, 1, 512);
    block_server_pump(&model_server);
    answers = last_answer.count;
    (void)attach_with(0, DATA_PAGES, 0);
    CHECK_EQ(reply.reply_id, 0);
    CHECK_EQ(last_answer.count, answers); /* it waits */
    CHECK_EQ(clients[0].held, 6);
    (void)attach_with(0, DATA_PAGES, 8); /* once more: the one before is answered */
    CHECK_EQ(last_answer.label, MNOS_ERR_CANCELLED);
    CHECK_EQ(clients[0].held, 6);
    done_first(MNOS_OK);
    CHECK_EQ(take_result(0), MNOS_ERR_END); /* A1 */
    done_first(MNOS_OK);
    CHECK_EQ(last_answer.label, MNOS_OK);
    CHECK_EQ(clients[0].held, 3);
    CHECK_EQ(device.attached, 1);
    block_server_pump(&model_server);
    CHECK_EQ(device.count, 2);
    done_all();
    CHECK_EQ(take_result(0), MNOS_OK);
    CHECK_EQ(take_result(0), MNOS_OK);
}

TEST(block_server, nothing_is_carried_out_before_all_data_is_attached)
{
    struct block_extend record = {DATA_PAGES};
    struct block_segment segments[2];

    begin();
    CHECK_EQ(attach_with(0, 2 * DATA_PAGES, 0), MNOS_OK);
    submit_op(0, BLOCK_READ, 7, DATA_PAGES - 1, 8192);
    block_server_pump(&model_server);
    CHECK_EQ(device.count, 0);
    sent_caps[0] = CAP(0, MORE_CAP);
    CHECK_EQ(ask_server(clients[0].badge, BLOCK_EXTEND, &record, sizeof record, 1), MNOS_OK);
    CHECK_EQ(clients[0].held, 4);
    CHECK_EQ(ask_server(clients[0].badge, BLOCK_EXTEND, &record, sizeof record, 1), MNOS_OK);
    CHECK_EQ(clients[0].held, 4); /* a repetition keeps nothing */
    record.first_page++;
    record.first_page += DATA_PAGES;
    CHECK_EQ(ask_server(clients[0].badge, BLOCK_EXTEND, &record, sizeof record, 1),
             MNOS_ERR_ARGUMENT);
    CHECK_EQ(ask_server(clients[1].badge, BLOCK_EXTEND, &record, sizeof record, 1), MNOS_ERR_STATE);
    CHECK_EQ(clients[0].held, 4);
    block_server_pump(&model_server);
    CHECK_EQ(device.count, 1);
    CHECK_EQ(block_segments(&model_server, device.flights[0], segments, 2), 2);
    CHECK_EQ(segments[0].bytes, 4096);
    CHECK_EQ(segments[1].bus, CAP(0, MORE_CAP) * 0x1000000ull);
    CHECK_EQ(segments[1].bytes, 4096);
}

TEST(block_server, a_client_that_goes_leaves_nothing_behind)
{
    begin();
    attach_client(0);
    for (unsigned i = 0; i < 60; i++)
        submit_op(0, BLOCK_WRITE, i, 0, 512);
    block_server_pump(&model_server);
    CHECK_EQ(device.count, ROOM);
    CHECK(model_server.waiting != 0);
    client_is_gone(clients[0].badge);
    CHECK_EQ(model_server.waiting, 0);
    CHECK_EQ(device.attached, 1); /* A2: the device has some still */
    done_all();
    CHECK_EQ(device.attached, 0);
    CHECK_EQ(clients[0].held, 0);
    CHECK_PTR_EQ(block_session_find(&model_sessions, clients[0].badge), NULL);
}

TEST(block_server, a_client_that_starts_anew_waits_for_what_its_last_run_has_in_flight)
{
    unsigned answers;

    begin();
    attach_client(0);
    submit_op(0, BLOCK_WRITE, 7, 0, 512);
    block_server_pump(&model_server);
    client_is_gone(clients[0].badge);
    attach_client(1); /* of other memory: it does not wait */
    clients[0].badge += 0x100;
    answers = last_answer.count;
    (void)attach_with(0, DATA_PAGES, 0);
    CHECK_EQ(reply.reply_id, 0);
    CHECK_EQ(last_answer.count, answers);
    CHECK_EQ(device.attached, 2);
    CHECK_EQ(clients[0].held, 6);
    block_server_pump(&model_server);
    CHECK_EQ(device.count, 1);
    /* And so does the run after that, when the one that waits ends. */
    client_is_gone(clients[0].badge);
    clients[0].badge += 0x100;
    (void)attach_with(0, DATA_PAGES, 0);
    CHECK_EQ(reply.reply_id, 0);
    CHECK_EQ(clients[0].held, 6);
    done_first(MNOS_OK);
    CHECK_EQ(last_answer.label, MNOS_OK);
    CHECK_EQ(clients[0].held, 3);
    CHECK_EQ(device.attached, 2);
    block_server_pump(&model_server);
    CHECK_EQ(device.count, 1); /* what is outstanding is carried out by the new run's attachment */
    done_all();
    CHECK_EQ(take_result(0), MNOS_OK);
    client_is_gone(clients[0].badge);
    client_is_gone(clients[1].badge);
    CHECK_EQ(device.attached, 0);
    CHECK_EQ(clients[0].held, 0);
}

TEST(block_server, memory_that_a_client_takes_away_ends_its_attachment_alone)
{
    begin();
    attach_client(0);
    attach_client(1);
    submit_op(1, BLOCK_READ, 7, 0, 512);
    model_server.attachments[0].ring_guard.lost = true;
    block_server_pump(&model_server);
    CHECK_EQ(clients[0].held, 0);
    CHECK_EQ(clients[1].held, 3);
    CHECK_EQ(device.count, 1);
    clients[1].memory->submitted = 100000; /* and one that breaks the indexes is not looked at */
    done_all();
    submit_op(1, BLOCK_READ, 8, 0, 512);
    block_server_pump(&model_server);
    CHECK_EQ(device.count, 0);
    CHECK_EQ(attach_with(1, DATA_PAGES, 9), MNOS_OK); /* anew, though it is the same run */
}

TEST(block_server, attach_refuses_what_is_of_no_use)
{
    struct block_attach record = {.events = 4, .pages = 1};

    begin();
    sent_badge = 0;
    sent_caps[0] = CAP(0, ENDPOINT_CAP); /* no memory */
    sent_caps[1] = CAP(0, DATA_CAP);
    sent_caps[2] = CAP(0, ENDPOINT_CAP);
    CHECK_EQ(ask_server(clients[0].badge, BLOCK_ATTACH, &record, sizeof record, 3),
             MNOS_ERR_ARGUMENT);
    sent_caps[0] = CAP(0, RING_CAP);
    CHECK_EQ(ask_server(clients[0].badge, BLOCK_ATTACH, &record, sizeof record, 2),
             MNOS_ERR_ARGUMENT);
    CHECK_EQ(ask_server(clients[0].badge, BLOCK_ATTACH, &record, 8, 3), MNOS_ERR_SIZE);
    record.events = 8; /* that the endpoint does not allow */
    CHECK_EQ(ask_server(clients[0].badge, BLOCK_ATTACH, &record, sizeof record, 3),
             MNOS_ERR_ARGUMENT);
    record.events = 0;
    CHECK_EQ(ask_server(clients[0].badge, BLOCK_ATTACH, &record, sizeof record, 3),
             MNOS_ERR_ARGUMENT);
    device.refuses = true;
    CHECK_EQ(attach_with(0, DATA_PAGES, 0), MNOS_ERR_DENIED);
    device.refuses = false;
    clients[0].memory->submitted = BLOCK_ENTRIES + 1;
    CHECK_EQ(attach_with(0, DATA_PAGES, 0), MNOS_ERR_FORMAT);
    CHECK_EQ(device.attached, 0);
    CHECK_EQ(clients[0].held, 0);
    CHECK_EQ(ask_server(0, BLOCK_ATTACH, &record, sizeof record, 3), MNOS_ERR_DENIED);
    CHECK_EQ(ask_server(clients[0].badge, 77, &record, sizeof record, 3), MNOS_ERR_LABEL);
    CHECK_EQ(clients[0].held, 0);
}

TEST(block_server, data_that_the_client_may_not_write_itself_is_refused)
{
    struct block_extend record = {DATA_PAGES};

    begin();
    weak_cap = CAP(0, DATA_CAP);
    missing_rights = MNOS_RIGHT_WRITE; /* the device would write into it */
    CHECK_EQ(attach_with(0, DATA_PAGES, 0), MNOS_ERR_ARGUMENT);
    missing_rights = MNOS_RIGHT_READ;
    CHECK_EQ(attach_with(0, DATA_PAGES, 0), MNOS_ERR_ARGUMENT);
    weak_cap = CAP(0, RING_CAP);
    CHECK_EQ(attach_with(0, DATA_PAGES, 0), MNOS_ERR_ARGUMENT);
    CHECK_EQ(clients[0].held, 0);
    weak_cap = CAP(0, MORE_CAP);
    missing_rights = MNOS_RIGHT_WRITE;
    attach_client(0);
    sent_caps[0] = CAP(0, MORE_CAP);
    CHECK_EQ(ask_server(clients[0].badge, BLOCK_EXTEND, &record, sizeof record, 1),
             MNOS_ERR_ARGUMENT);
    CHECK_EQ(clients[0].held, 3);
    CHECK_EQ(device.attached, 1);
    weak_cap = 0;
}

TEST(block_server, after_a_reset_of_the_device_all_is_given_to_it_again)
{
    begin();
    attach_client(0);
    attach_client(1);
    submit_op(0, BLOCK_READ, 7, 0, 512);
    submit_op(1, BLOCK_WRITE, 8, 0, 512);
    block_server_pump(&model_server);
    clock_ns += 5000;
    CHECK_EQ(block_server_oldest(&model_server), clock_ns - 5000);
    client_is_gone(clients[1].badge);
    device.count = 0; /* it has forgotten */
    block_server_repeat(&model_server);
    CHECK_EQ(device.attached, 1); /* what drained has drained */
    block_server_pump(&model_server);
    CHECK_EQ(device.count, 1);
    CHECK_EQ(block_server_oldest(&model_server), clock_ns);
    block_server_fail(&model_server);
    CHECK_EQ(take_result(0), MNOS_ERR_DEVICE);
    CHECK_EQ(block_server_oldest(&model_server), MNOS_DEADLINE_NEVER);
}

TEST(block_server, a_client_that_never_stops_does_not_hold_the_driver)
{
    begin();
    disk.info.flags = 0;
    attach_client(0);
    for (unsigned i = 0; i < BLOCK_ENTRIES; i++)
        submit_op(0, BLOCK_FLUSH, 0, 0, 0);
    /* It is done at once, and the client claims to have taken all before it was. */
    for (unsigned i = 0; i < 20; i++) {
        clients[0].memory->taken = clients[0].memory->done;
        clients[0].memory->submitted = model_server.attachments[0].queue.next + BLOCK_ENTRIES;
        block_server_pump(&model_server);
    }
    CHECK(!model_server.attachments[0].queue.broken);
    CHECK_EQ(model_server.attachments[0].flying, 0);
}
