// SPDX-License-Identifier: MIT
/* devices_death.h - tests of the deaths of drivers and of the service of devices itself: a part of test_devices.c. */
#pragma once

/* ---- death ---- */

enum way { BY_EXPRESS, BY_AF, BY_VIRTIO, BY_NVME, BY_POWER, BY_NOTHING, WAYS };

static struct model_function *add_way(enum way way)
{
    struct model_function *function = model_add(AT(1), way == BY_NVME ? 0x00101B36 : VIRTIO,
                                                way == BY_NVME ? 0x010802 : 0x010000, BAR_AT(1));

    model_msix(function, 4, 0x2000);
    if (way == BY_EXPRESS) {
        model_capability(function, 0x50, PCI_CAP_EXPRESS);
        model_set(function, 0x54, 4, 1u << 28);
    } else if (way == BY_AF) {
        model_capability(function, 0x50, PCI_CAP_AF);
        function->config[0x53] = 3;
    } else if (way == BY_POWER) {
        model_capability(function, 0x50, PCI_CAP_POWER);
    } else if (way == BY_VIRTIO) {
        model_capability(function, 0x70, PCI_CAP_VENDOR);
        function->config[0x72] = 16;
        function->config[0x73] = VIRTIO_PLACE_COMMON;
        model_set(function, 0x7C, 4, 56);
        model_capability(function, 0x90, PCI_CAP_VENDOR);
        function->config[0x92] = 20;
        function->config[0x93] = VIRTIO_PLACE_PCI;
    } else if (way == BY_NVME) {
        function->registers[3] = 4;    /* it may take 2 seconds */
        function->registers[0x14] = 1; /* enabled */
        function->nvme_ready_delay = 20;
    }
    return function;
}

/* A driver in full work dies. */
static struct model_function *begin_death(enum way way)
{
    struct model_function *function;

    machine_count = 0;
    function = add_way(way);
    start();
    claimed(BADGE(1, 1));
    memory_bus = 0x12400000;
    CHECK_EQ(ask(DEVICE_DMA_USE, BADGE(1, 1), 0), MNOS_OK);
    CHECK_EQ(ask(DEVICE_VECTOR, BADGE(1, 1), 0), MNOS_OK);
    CHECK_EQ(ask(DEVICE_MASTER, BADGE(1, 1), 1), MNOS_OK);
    function->virtio_status = 15;
    die(BADGE(1, 1));
    CHECK_EQ(function_at(1)->state, DEVICE_QUIESCING);
    return function;
}

static void check_quiet(const struct model_function *function, enum way way)
{
    const struct function *known = function_at(1);

    CHECK_EQ(known->state, DEVICE_FREE);
    CHECK_EQ(known->badge, 0);
    CHECK_EQ(known->lines[0], LINE_NONE);
    CHECK_EQ(known->dma, 0);
    CHECK(!(model_get(function, PCI_COMMAND, 2) & PCI_COMMAND_MASTER));
    CHECK((model_get(function, 0xB2, 2) & 0xC000) != PCI_MSIX_ENABLE);
    CHECK_EQ(model_bar(function, 0), BAR_AT(1));
    CHECK_EQ(function->resets, way == BY_EXPRESS || way == BY_AF ? 1 : 0);
    CHECK_EQ(function->power_ups, way == BY_POWER ? 1 : 0);
    if (way == BY_VIRTIO) {
        CHECK_EQ(function->virtio_status, 0);
        CHECK(!function->cut_off); /* it was reset first */
    }
    if (way == BY_NVME)
        CHECK_EQ(function->registers[0x14], 0);
}

TEST(devices_death, every_way_makes_the_device_quiet)
{
    for (enum way way = 0; way < WAYS; way++) {
        const struct model_function *function = begin_death(way);

        run_to_rest();
        check_quiet(function, way);
        claimed(BADGE(1, 2)); /* and the next run gets it */
        CHECK_EQ(ask(DEVICE_MASTER, BADGE(1, 2), 1), MNOS_ERR_STATE);
        CHECK(model_get(function, PCI_COMMAND, 2) & PCI_COMMAND_MEMORY);
    }
}

/* Whatever its driver wants: one that is cut off in its work may stop the whole machine, if that is emulated. */
TEST(devices_death, a_virtio_device_is_reset_before_its_own_driver_cuts_it_off)
{
    struct model_function *function;

    machine_count = 0;
    function = add_way(BY_VIRTIO);
    start();
    claimed(BADGE(1, 1));
    memory_bus = 0x12400000;
    CHECK_EQ(ask(DEVICE_DMA_USE, BADGE(1, 1), 0), MNOS_OK);
    CHECK_EQ(ask(DEVICE_MASTER, BADGE(1, 1), 1), MNOS_OK);
    function->virtio_status = 15;
    CHECK_EQ(ask(DEVICE_MASTER, BADGE(1, 1), 1), MNOS_OK);
    CHECK_EQ(function->virtio_status, 15);
    CHECK_EQ(ask(DEVICE_MASTER, BADGE(1, 1), 0), MNOS_OK);
    CHECK_EQ(function->virtio_status, 0);
    CHECK(!function->cut_off);
}

TEST(devices_death, stops_the_device_at_once)
{
    const struct model_function *function = begin_death(BY_EXPRESS);

    (void)devices_progress(&devices);
    CHECK(!(model_get(function, PCI_COMMAND, 2) & PCI_COMMAND_MASTER));
}

TEST(devices_death, a_reset_waits_for_what_is_pending_but_not_for_ever)
{
    struct model_function *function = begin_death(BY_EXPRESS);

    model_set(function, 0x5A, 2, PCI_EXPRESS_PENDING);
    (void)devices_progress(&devices);
    CHECK_EQ(function->resets, 0);
    now_ns += 10000000;
    model_set(function, 0x5A, 2, 0);
    (void)devices_progress(&devices);
    CHECK_EQ(function->resets, 1);
    run_to_rest();
    check_quiet(function, BY_EXPRESS);
    function = begin_death(BY_EXPRESS);
    model_set(function, 0x5A, 2, PCI_EXPRESS_PENDING);
    CHECK(run_to_rest() >= 1000000000);
    check_quiet(function, BY_EXPRESS);
}

TEST(devices_death, one_that_does_not_become_quiet_is_failed)
{
    struct model_function *function = begin_death(BY_VIRTIO);

    function->never_quiet = true;
    run_to_rest();
    CHECK_EQ(function_at(1)->state, DEVICE_FAILED);
    CHECK_STR_EQ(function_at(1)->reason, "did not become quiet after its driver had died");
    function = begin_death(BY_NVME);
    function->never_quiet = true;
    CHECK(run_to_rest() >= 2000000000);
    CHECK_EQ(function_at(1)->state, DEVICE_FAILED);
    function = begin_death(BY_EXPRESS);
    function->deaf = true;
    run_to_rest();
    CHECK_EQ(function_at(1)->state, DEVICE_FAILED);
    CHECK_STR_EQ(function_at(1)->reason, "does not answer after a reset");
}

TEST(devices_death, power_is_taken_when_the_device_s_own_way_fails)
{
    struct model_function *function;

    machine_count = 0;
    function = add_way(BY_VIRTIO);
    model_capability(function, 0x50, PCI_CAP_POWER);
    start();
    claimed(BADGE(1, 1));
    function->never_quiet = true;
    function->virtio_status = 15;
    die(BADGE(1, 1));
    run_to_rest();
    CHECK_EQ(function_at(1)->state, DEVICE_FREE);
    CHECK_EQ(function->power_ups, 1);
}

/* ---- death of devices ---- */

/* After each call of devices_progress() the process ends, and another begins with the same
 * table. */
TEST(devices_restart, goes_on_at_every_step_of_quiescing)
{
    for (enum way way = 0; way < WAYS; way++) {
        const struct model_function *function = begin_death(way);
        unsigned runs = 0;

        while (function_at(1)->state == DEVICE_QUIESCING && runs++ < 100000) {
            devices = (struct devices){.table = &table, .lines = {0xFEE00000, 0x30, 64}};
            CHECK_PTR_EQ(table_check(&table), NULL);
            devices_resume(&devices);
            (void)devices_progress(&devices);
            now_ns += 1000000;
        }
        check_quiet(function, way);
    }
}

TEST(devices_restart, a_function_in_the_middle_of_its_reset_is_waited_for)
{
    for (enum way way = BY_EXPRESS; way <= BY_AF; way++) {
        struct model_function *function = begin_death(way);

        (void)devices_progress(&devices);
        CHECK_EQ(function->resets, 1);
        function->deaf = true;
        devices = (struct devices){.table = &table, .lines = {0xFEE00000, 0x30, 64}};
        devices_resume(&devices);
        CHECK_EQ(function_at(1)->state, DEVICE_QUIESCING);
        (void)devices_progress(&devices);
        now_ns += 100000000;
        function->deaf = false;
        run_to_rest();
        check_quiet(function, way);
    }
    /* One that does not come back is failed, whatever was to make it quiet. */
    for (enum way way = 0; way < WAYS; way++) {
        begin_death(way)->deaf = true;
        devices_resume(&devices);
        run_to_rest();
        CHECK_EQ(function_at(1)->state, DEVICE_FAILED);
    }
}

/* At each single step: the step is in the table, what it does may have been done or not. */
TEST(devices_restart, a_step_that_was_made_may_be_made_again)
{
    for (enum way way = 0; way < WAYS; way++) {
        const struct model_function *function = begin_death(way);

        for (unsigned i = 0; i < 100000 && function_at(1)->state == DEVICE_QUIESCING; i++) {
            struct function before = *function_at(1);

            (void)devices_progress(&devices);
            if (i % 2 == 0 && function_at(1)->state == DEVICE_QUIESCING) {
                *function_at(1) = before; /* the stores were made, the table has not seen it */
                (void)devices_progress(&devices);
            }
            now_ns += 1000000;
        }
        CHECK_EQ(function_at(1)->state, DEVICE_FREE);
        CHECK_EQ(model_bar(function, 0), BAR_AT(1));
    }
}

TEST(devices_restart, a_driver_that_lives_keeps_its_device)
{
    struct model_function *function = add_virtio(1);
    uint8_t before[PCI_CONFIG_BYTES];

    add_virtio(2);
    start();
    claimed(BADGE(1, 1));
    claimed(BADGE(2, 1));
    memory_bus = 0x12400000;
    CHECK_EQ(ask(DEVICE_DMA_USE, BADGE(1, 1), 0), MNOS_OK);
    CHECK_EQ(ask(DEVICE_VECTOR, BADGE(1, 1), 1), MNOS_OK);
    CHECK_EQ(ask(DEVICE_MASTER, BADGE(1, 1), 1), MNOS_OK);
    memcpy(before, function->config, sizeof before);
    devices = (struct devices){.table = &table, .lines = {0xFEE00000, 0x30, 64}};
    gone_badge = BADGE(2, 1); /* it died while nobody looked */
    devices_resume(&devices);
    CHECK(memcmp(before, function->config, sizeof before) == 0);
    CHECK_EQ(function_at(1)->state, DEVICE_CLAIMED);
    CHECK_EQ(function_at(2)->state, DEVICE_QUIESCING);
    CHECK_EQ(ask(DEVICE_VECTOR, BADGE(1, 1), 1), MNOS_OK);
    run_to_rest();
    CHECK_EQ(function_at(2)->state, DEVICE_FREE);
}

TEST(devices_restart, what_is_not_there_any_more_is_failed)
{
    struct model_function *function = add_virtio(1);

    start();
    function->deaf = true;
    devices_resume(&devices);
    CHECK_EQ(function_at(1)->state, DEVICE_FAILED);
}

TEST(devices_restart, a_damaged_table_is_found)
{
    add_virtio(1);
    add_virtio(2);
    start();
    claimed(BADGE(1, 1));
    claimed(BADGE(2, 1));
    CHECK_PTR_EQ(table_check(&table), NULL);
    table.functions[1].badge = BADGE(1, 1);
    CHECK(table_check(&table) != NULL);
    table.functions[1].badge = 0;
    CHECK(table_check(&table) != NULL);
    table.functions[1].badge = BADGE(2, 1);
    table.functions[0].lines[0] = table.functions[1].lines[3] = 5;
    CHECK(table_check(&table) != NULL);
    table.functions[0].lines[0] = 64;
    CHECK(table_check(&table) != NULL);
    table.functions[0].lines[0] = LINE_NONE;
    table.functions[0].state = 17;
    CHECK(table_check(&table) != NULL);
    table.functions[0].state = DEVICE_FREE;
    memset(table.functions[0].service, 'x', sizeof table.functions[0].service);
    CHECK(table_check(&table) != NULL);
    table.count = FUNCTIONS_MAX + 1;
    CHECK(table_check(&table) != NULL);
}
