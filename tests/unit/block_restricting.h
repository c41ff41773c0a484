// SPDX-License-Identifier: MIT
/* block_restricting.h - tests of sessions of parts of a disk: RESTRICT, tags, CLOSE_TREE. A part of test_block_server.c. */
#pragma once

static mnos_badge_t restrict_tagged(mnos_badge_t badge, uint64_t first, uint64_t sectors,
                                    uint64_t rights, uint64_t tag)
{
    struct block_restrict record = {first, sectors, rights, tag};
    mnos_status_t status;

    exported = 0;
    status = ask_server(badge, BLOCK_RESTRICT, &record, sizeof record, 0);
    CHECK(exported != 0 || status != MNOS_OK);
    return exported;
}

static mnos_badge_t restrict_to(mnos_badge_t badge, uint64_t first, uint64_t sectors,
                                uint64_t rights)
{
    return restrict_tagged(badge, first, sectors, rights, 0);
}

TEST(block_server, sessions_with_a_tag_are_closed_whatever_became_of_the_first)
{
    struct block_tag tag = {5};
    mnos_badge_t part, below, other;

    begin();
    part = restrict_tagged(clients[0].badge, 1000, 100, BLOCK_RIGHT_READ, 5);
    below = restrict_to(part, 10, 10, BLOCK_RIGHT_READ);
    other = restrict_tagged(clients[0].badge, 1000, 100, BLOCK_RIGHT_READ, 6);
    clients[1].badge = below;
    attach_client(1);
    client_is_gone(part); /* handed on and given up */
    client_is_gone(clients[0].badge);
    clients[0].badge += 0x10000; /* the next run of the same service */
    CHECK_EQ(ask_server(below, BLOCK_CLOSE_TAGGED, &tag, sizeof tag, 0), MNOS_ERR_DENIED);
    CHECK_EQ(ask_server(clients[2].badge, BLOCK_CLOSE_TAGGED, &tag, sizeof tag, 0), MNOS_OK);
    CHECK_EQ(ask_server(below, BLOCK_INFO, NULL, 0, 0), MNOS_OK); /* tags are the giver's own */
    for (unsigned i = 0; i < 2; i++)
        CHECK_EQ(ask_server(clients[0].badge, BLOCK_CLOSE_TAGGED, &tag, sizeof tag, 0), MNOS_OK);
    CHECK_EQ(ask_server(below, BLOCK_INFO, NULL, 0, 0), MNOS_ERR_LOST);
    CHECK_EQ(clients[1].held, 0);
    CHECK_EQ(ask_server(other, BLOCK_INFO, NULL, 0, 0), MNOS_OK);
    CHECK_EQ(restrict_tagged(other, 0, 1, BLOCK_RIGHT_READ, 5), 0); /* and may not be given on */
    tag.tag = 0;
    CHECK_EQ(ask_server(clients[0].badge, BLOCK_CLOSE_TAGGED, &tag, sizeof tag, 0),
             MNOS_ERR_ARGUMENT);
}

TEST(block_server, a_restricted_session_reaches_its_sectors_and_closes_with_the_tree)
{
    struct block_info info;
    mnos_badge_t part, below;

    begin();
    part = restrict_to(clients[0].badge, 1000, 100, BLOCK_RIGHT_READ);
    below = restrict_to(part, 10, 10, BLOCK_RIGHT_READ);
    CHECK(part != 0 && below != 0);
    CHECK_EQ(restrict_to(part, 10, 10, BLOCK_RIGHT_WRITE), 0);
    CHECK_EQ(ask_server(below, BLOCK_INFO, NULL, 0, 0), MNOS_OK);
    memcpy(&info, message_bytes, sizeof info);
    CHECK_EQ(info.sectors, 10);
    CHECK_EQ(info.rights, BLOCK_RIGHT_READ);
    CHECK(info.flags & BLOCK_READ_ONLY);
    clients[1].badge = below;
    attach_client(1);
    submit_op(1, BLOCK_READ, 9, 0, 512);
    submit_op(1, BLOCK_READ, 10, 0, 512);
    submit_op(1, BLOCK_WRITE, 0, 0, 512);
    block_server_pump(&model_server);
    CHECK_EQ(device.count, 1);
    CHECK_EQ(device.flights[0]->sector, 1019);
    CHECK_EQ(take_result(1), MNOS_ERR_ARGUMENT);
    CHECK_EQ(take_result(1), MNOS_ERR_DENIED);
    sent_badge = part;
    CHECK_EQ(ask_server(below, BLOCK_CLOSE_TREE, NULL, 0, 1), MNOS_ERR_DENIED);
    CHECK_EQ(ask_server(clients[0].badge, BLOCK_CLOSE_TREE, NULL, 0, 1), MNOS_OK);
    CHECK_EQ(ask_server(clients[0].badge, BLOCK_CLOSE_TREE, NULL, 0, 1), MNOS_ERR_NOT_FOUND);
    CHECK_EQ(ask_server(below, BLOCK_INFO, NULL, 0, 0), MNOS_ERR_LOST);
    done_all();
    CHECK_EQ(clients[1].held, 0);
}

TEST(block_server, a_successor_knows_the_sessions_whose_clients_live)
{
    mnos_badge_t part, other;

    begin();
    part = restrict_to(clients[0].badge, 1000, 100, BLOCK_RIGHT_READ);
    other = restrict_to(clients[0].badge, 0, 100, BLOCK_RIGHT_READ);
    gone_badge = other;
    block_sessions_open(&model_sessions, false, SECTORS, 1);
    block_server_open(&model_server, &disk, &model_sessions, ENDPOINT, 10);
    CHECK_EQ(ask_server(part, BLOCK_INFO, NULL, 0, 0), MNOS_OK);
    CHECK_EQ(ask_server(other, BLOCK_INFO, NULL, 0, 0), MNOS_ERR_LOST);
    CHECK(restrict_to(clients[0].badge, 0, 1, 1) > other);
}
