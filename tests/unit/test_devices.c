// SPDX-License-Identifier: MIT
/* test_devices - the service of devices against a model of a machine and of its clients. */
#include "tests/unit/devices_scene.h"
#include "tests/unit/devices_death.h"

/* ---- finding ---- */

TEST(devices_scan, finds_what_is_behind_bridges_and_ends)
{
    struct model_function *many;

    add_virtio(1);
    model_bridge(AT(2), 3, 4);
    model_add(ADDRESS(0, 3, 0, 0), 0x11111234, 0x020000, 0)->config[PCI_HEADER_TYPE] = 0x80;
    many = model_add(ADDRESS(0, 3, 0, 5), 0x22221234, 0x020000, 0);
    model_bridge(ADDRESS(0, 3, 1, 0), 2, 9); /* back to a lower bus: not followed */
    model_bridge(ADDRESS(0, 3, 2, 0), 7, 6); /* no buses at all */
    model_bridge(ADDRESS(0, 3, 3, 0), 4, 4);
    model_add(ADDRESS(0, 4, 31, 0), 0x33331234, 0x020000, 0);
    model_add(ADDRESS(0, 2, 0, 0), 0x44441234, 0x020000, 0); /* nobody leads there */
    model_add(ADDRESS(0, 4, 0, 3), 0x55551234, 0x020000, 0); /* there is no function 0 */
    start();
    CHECK_EQ(table.count, 8);
    CHECK_EQ(table.functions[3].ids.address, many->address);
    CHECK_EQ(table.functions[7].ids.address, ADDRESS(0, 4, 31, 0));
    CHECK_EQ(table.functions[1].secondary_bus, 3);
    CHECK(table.functions[1].flags & DEVICE_BRIDGE);
}

TEST(devices_scan, says_why_a_function_cannot_be_used)
{
    add_virtio(1);
    model_add(AT(2), 0x11111234, 0x020000, BAR_AT(2));           /* no messages */
    model_msix(model_add(AT(3), 0x11111234, 0x020000, 0), 1, 0); /* no window for the table */
    add_virtio(4);
    model_set(&machine[3], PCI_BAR, 4, 0); /* no address */
    add_virtio(5);
    model_set(&machine[4], PCI_BAR, 4, (uint32_t)MODEL_ECAM); /* in configuration space */
    start();
    CHECK_EQ(function_at(1)->state, DEVICE_FREE);
    CHECK_STR_EQ(function_at(2)->reason, "neither MSI nor MSI-X, and no pin has a known route");
    CHECK_STR_EQ(function_at(3)->reason, "neither MSI nor MSI-X, and no pin has a known route");
    CHECK_STR_EQ(function_at(4)->reason, "the firmware gave a register window no address");
    CHECK_STR_EQ(function_at(5)->reason, "a register window lies where none can be");
    CHECK_EQ(function_at(5)->state, DEVICE_FAILED);
    CHECK_STR_EQ(function_at(5)->service, "");
}

TEST(devices_scan, leaves_registers_as_they_were)
{
    struct model_function *function = add_virtio(1);

    model_set(function, PCI_COMMAND, 2, 7);
    start();
    CHECK_EQ(model_get(function, PCI_BAR, 4), BAR_AT(1));
    CHECK_EQ(model_get(function, PCI_COMMAND, 2), 7);
    CHECK_EQ(function_at(1)->bars[0].bytes, 0x10000);
    CHECK(probes != 0);
}

TEST(devices_scan, does_not_move_the_windows_of_a_display)
{
    model_add(AT(1), 0x11111234, 0x030000, BAR_AT(1));
    start();
    CHECK_EQ(probes, 0);
    CHECK_EQ(table.functions[0].state, DEVICE_FAILED);
}

TEST(devices_scan, more_functions_than_there_is_room_for_are_counted)
{
    model_bridge(AT(0), 1, 1);
    machine[0].config[PCI_HEADER_TYPE] |= 0x80;
    for (unsigned i = 1; i < FUNCTIONS_MAX + 10; i++)
        model_add(ADDRESS(0, i / 256, i / 8 % 32, i % 8), 0x11111234, 0x020000, 0)
            ->config[PCI_HEADER_TYPE] = 0x80;
    scan_all(&table);
    CHECK_EQ(table.count, FUNCTIONS_MAX);
    CHECK_EQ(table.left_out, 10);
    CHECK_PTR_EQ(table_check(&table), NULL);
}

/* ---- matching ---- */

TEST(devices_match, identifiers_before_classes_and_the_lowest_instance)
{
    static const struct driver_match some[] = {
        {.service = "any_disk",
         .vendor = MATCH_ANY,
         .device = MATCH_ANY,
         .class_code = 0x010000,
         .class_mask = 0xFF0000},
        {.service = "driver", .instances = 2, .vendor = 0x1AF4, .device = 0x1042},
    };

    add_virtio(1);
    model_msix(model_add(AT(2), 0x11111234, 0x010802, BAR_AT(2)), 1, 0);
    add_virtio(3);
    add_virtio(4);
    model_msix(model_add(AT(5), 0x11111234, 0x010601, BAR_AT(5)), 1, 0);
    scan_all(&table);
    match_all(&table, some, 2);
    CHECK_STR_EQ(function_at(1)->service, "driver.0");
    CHECK_STR_EQ(function_at(2)->service, "any_disk");
    CHECK_STR_EQ(function_at(3)->service, "driver.1");
    CHECK_STR_EQ(function_at(4)->service, "");
    CHECK_STR_EQ(function_at(4)->reason, "each instance of driver has a device");
    CHECK_STR_EQ(function_at(5)->reason, "each instance of any_disk has a device");
}

/* ---- claims ---- */

TEST(devices_claim, by_badge_each_its_own)
{
    const struct device_info *info;

    add_virtio(1);
    add_virtio(2);
    start();
    info = claimed(BADGE(2, 1));
    CHECK_EQ(info->ids.address, AT(2));
    CHECK_EQ(info->vectors, 4);
    CHECK_EQ(info->bars[0].bytes, 0x10000);
    CHECK_EQ(info->bars[0].parts, 2);
    info = claimed(BADGE(1, 1));
    CHECK_EQ(info->ids.address, AT(1));
    info = claimed(BADGE(1, 1)); /* once more: the same */
    CHECK_EQ(info->ids.address, AT(1));
    CHECK_EQ(function_at(1)->badge, BADGE(1, 1));
    CHECK_EQ(function_at(1)->state, DEVICE_CLAIMED);
    CHECK_EQ(model_get(&machine[0], PCI_COMMAND, 2), PCI_COMMAND_MEMORY | PCI_COMMAND_NO_PIN);
    CHECK_PTR_EQ(table_check(&table), NULL);
}

TEST(devices_claim, strangers_are_refused)
{
    add_virtio(1);
    start();
    CHECK_EQ(ask(DEVICE_CLAIM, BADGE(9, 1), 0), MNOS_ERR_DENIED);
    CHECK_EQ(ask(DEVICE_BAR, BADGE(9, 1), 0), MNOS_ERR_DENIED);
    CHECK_EQ(ask(DEVICE_BAR, BADGE(1, 1), 0), MNOS_ERR_STATE); /* before CLAIM */
    CHECK_EQ(request(DEVICE_CLAIM, BADGE(1, 1), 0, 3).label, MNOS_ERR_SIZE);
    CHECK_EQ(ask(DEVICE_CLAIM, 0, 0), MNOS_ERR_DENIED);
    claimed(BADGE(1, 1));
    CHECK_EQ(ask(99, BADGE(1, 1), 0), MNOS_ERR_LABEL);
    CHECK_EQ(request(DEVICE_BAR, BADGE(1, 1), 0, 4).label, MNOS_ERR_SIZE);
    CHECK_EQ(ask(DEVICE_MASTER, BADGE(1, 2), 1), MNOS_ERR_STATE); /* another run of it */
}

TEST(devices_claim, a_failed_device_is_told)
{
    add_virtio(1);
    start();
    function_fail(function_at(1), "a reason");
    CHECK_EQ(ask(DEVICE_CLAIM, BADGE(1, 1), 0), MNOS_ERR_DEVICE);
}

TEST(devices_claim, the_successor_waits_until_the_device_is_quiet)
{
    struct message msg;

    add_virtio(1);
    start();
    claimed(BADGE(1, 1));
    msg = request(DEVICE_CLAIM, BADGE(1, 2), 0, 0);
    CHECK_EQ(msg.reply_id, 0);
    CHECK_EQ(devices_progress(&devices), MNOS_DEADLINE_NEVER);
    CHECK_EQ(replied_count, 0);
    (void)request(DEVICE_CLAIM, BADGE(1, 3), 0, 0); /* a third takes its place */
    CHECK_EQ(replied[0], 500 + BADGE(1, 2));
    CHECK_EQ(replied_status[0], MNOS_ERR_CANCELLED);
    die(BADGE(1, 1));
    CHECK_EQ(function_at(1)->state, DEVICE_QUIESCING);
    CHECK_EQ(replied_count, 1);
    run_to_rest();
    CHECK_EQ(replied[1], 500 + BADGE(1, 3));
    CHECK_EQ(replied_status[1], MNOS_OK);
    CHECK_EQ(function_at(1)->badge, BADGE(1, 3));
    CHECK_EQ(function_at(1)->state, DEVICE_CLAIMED);
}

TEST(devices_claim, one_that_waits_and_dies_is_forgotten)
{
    struct message several = {.badge = 0, .kind = MNOS_KIND_CLIENT_GONE};

    add_virtio(1);
    start();
    claimed(BADGE(1, 1));
    (void)request(DEVICE_CLAIM, BADGE(1, 2), 0, 0);
    die(BADGE(1, 2));
    CHECK_EQ(function_at(1)->state, DEVICE_CLAIMED);
    gone_badge = BADGE(1, 1);
    devices_handle(&devices, &several); /* the kernel is asked of each */
    CHECK_EQ(function_at(1)->state, DEVICE_QUIESCING);
    run_to_rest();
    CHECK_EQ(function_at(1)->state, DEVICE_FREE);
    CHECK_EQ(replied_count, 0);
}

/* ---- windows ---- */

static struct device_bar_part part_of(mnos_badge_t badge, uint32_t bar, uint32_t part)
{
    struct device_bar_part out = {0};

    CHECK_EQ(ask(DEVICE_BAR, badge, device_bar_index(bar, part)), MNOS_OK);
    memcpy(&out, reply_bytes, sizeof out);
    return out;
}

TEST(devices_window, is_its_pages_without_those_of_the_table)
{
    struct device_bar_part part;

    add_virtio(1);
    start();
    claimed(BADGE(1, 1));
    part = part_of(BADGE(1, 1), 0, 0);
    CHECK_EQ(part.offset, 0);
    CHECK_EQ(part.bytes, 0x2000);
    CHECK_EQ(answered_page, BAR_AT(1) / 4096);
    CHECK_EQ(answered_pages, 2);
    part = part_of(BADGE(1, 1), 0, 1);
    CHECK_EQ(part.offset, 0x3000);
    CHECK_EQ(part.bytes, 0xD000);
    CHECK_EQ(answered_page, BAR_AT(1) / 4096 + 3);
    CHECK_EQ(ask(DEVICE_BAR, BADGE(1, 1), device_bar_index(0, 2)), MNOS_ERR_END);
    CHECK_EQ(ask(DEVICE_BAR, BADGE(1, 1), device_bar_index(1, 0)), MNOS_ERR_END);
    CHECK_EQ(ask(DEVICE_BAR, BADGE(1, 1), device_bar_index(6, 0)), MNOS_ERR_END);
    CHECK_EQ(ask(DEVICE_BAR, BADGE(1, 1), 1ull << 32), MNOS_ERR_END);
}

TEST(devices_window, a_page_of_two_functions_is_nobody_s)
{
    add_virtio(1);
    add_virtio(2);
    start();
    function_at(2)->bars[1] = (struct function_bar){BAR_AT(1) + 0x8100, 256, DEVICE_BAR_MEMORY, 0};
    function_at(2)->bars[2] = (struct function_bar){0xC000, 64, DEVICE_BAR_PORTS, 0};
    claimed(BADGE(1, 1));
    claimed(BADGE(2, 1));
    CHECK_EQ(ask(DEVICE_BAR, BADGE(1, 1), 0), MNOS_ERR_DENIED);
    CHECK_EQ(ask(DEVICE_BAR, BADGE(2, 1), 1), MNOS_ERR_DENIED);
    CHECK_EQ(ask(DEVICE_BAR, BADGE(2, 1), 2), MNOS_ERR_DENIED); /* of ports */
    CHECK_EQ(ask(DEVICE_BAR, BADGE(2, 1), 0), MNOS_OK);
}

/* ---- vectors ---- */

static uint32_t entry_word(const struct model_function *function, unsigned entry, unsigned word)
{
    uint32_t value;

    memcpy(&value, function->registers + 0x2000 + 16 * entry + 4 * word, 4);
    return value;
}

TEST(devices_vector, is_written_into_the_table_and_turned_on)
{
    struct model_function *function = add_virtio(1);

    memset(function->registers + 0x2000, 0, 64); /* all on, to address 0 */
    start();
    claimed(BADGE(1, 1));
    for (unsigned i = 0; i < 4; i++)
        CHECK_EQ(entry_word(function, i, 3), 1);
    CHECK_EQ(model_get(function, 0xB2, 2) & 0xC000, PCI_MSIX_ENABLE);
    CHECK_EQ(ask(DEVICE_VECTOR, BADGE(1, 1), 2), MNOS_OK);
    CHECK_EQ(entry_word(function, 2, 0), 0xFEE00000);
    CHECK_EQ(entry_word(function, 2, 1), 0);
    CHECK_EQ(entry_word(function, 2, 2), 0x30 + answered_line);
    CHECK_EQ(entry_word(function, 2, 3), 0);
    CHECK_EQ(entry_word(function, 1, 3), 1);
    CHECK_EQ(ask(DEVICE_VECTOR, BADGE(1, 1), 4), MNOS_ERR_END);
    CHECK_EQ(ask(DEVICE_VECTOR, BADGE(1, 1), UINT64_MAX), MNOS_ERR_END);
}

TEST(devices_vector, asked_for_twice_is_the_same_line)
{
    unsigned line;

    add_virtio(1);
    add_virtio(2);
    start();
    claimed(BADGE(1, 1));
    claimed(BADGE(2, 1));
    CHECK_EQ(ask(DEVICE_VECTOR, BADGE(1, 1), 0), MNOS_OK);
    line = answered_line;
    CHECK_EQ(ask(DEVICE_VECTOR, BADGE(2, 1), 0), MNOS_OK);
    CHECK(answered_line != line);
    CHECK_EQ(ask(DEVICE_VECTOR, BADGE(1, 1), 0), MNOS_OK);
    CHECK_EQ(answered_line, line);
    CHECK_PTR_EQ(table_check(&table), NULL);
}

TEST(devices_vector, lines_end)
{
    for (unsigned i = 1; i <= 5; i++)
        model_msix(model_add(AT(i), VIRTIO, 0x010000, BAR_AT(i)), 64, 0x2000);
    start();
    for (unsigned i = 1; i <= 5; i++) {
        CHECK_EQ(claimed(BADGE(i, 1))->vectors, DEVICE_VECTORS_MAX);
        for (unsigned k = 0; k < 16; k++)
            CHECK_EQ(ask(DEVICE_VECTOR, BADGE(i, 1), k), i < 5 ? MNOS_OK : MNOS_ERR_QUOTA);
    }
    die(BADGE(2, 1));
    run_to_rest();
    CHECK_EQ(ask(DEVICE_VECTOR, BADGE(5, 1), 7), MNOS_OK);
    CHECK(answered_line >= 16 && answered_line < 32);
}

TEST(devices_vector, messages_of_msi_are_a_range_at_a_multiple_of_its_size)
{
    struct model_function *function;

    add_virtio(1);
    function = model_add(AT(2), VIRTIO, 0x010000, BAR_AT(2));
    model_capability(function, 0x50, PCI_CAP_MSI);
    model_set(function, 0x52, 2, 0x0186); /* wide, maskable, 8 vectors */
    model_set(function, 0x60, 4, 0xFF);
    start();
    claimed(BADGE(1, 1));
    CHECK_EQ(ask(DEVICE_VECTOR, BADGE(1, 1), 0), MNOS_OK); /* takes line 0 */
    CHECK_EQ(claimed(BADGE(2, 1))->vectors, 8);
    CHECK_EQ(model_get(function, 0x54, 4), 0xFEE00000);
    CHECK_EQ(model_get(function, 0x58, 4), 0);
    CHECK_EQ(model_get(function, 0x5C, 2), 0x38);
    CHECK_EQ(model_get(function, 0x60, 4), 0);
    CHECK_EQ(model_get(function, 0x52, 2) & 0x71, 0x31);
    CHECK_EQ(ask(DEVICE_VECTOR, BADGE(2, 1), 3), MNOS_OK);
    CHECK_EQ(answered_line, 11);
    die(BADGE(2, 1));
    (void)devices_progress(&devices);
    CHECK_EQ(model_get(function, 0x52, 2) & 1, 0);
}

/* ---- memory and capabilities ---- */

TEST(devices_master, needs_memory_that_it_was_told_of)
{
    struct model_function *function = add_virtio(1);

    start();
    claimed(BADGE(1, 1));
    CHECK_EQ(ask(DEVICE_MASTER, BADGE(1, 1), 1), MNOS_ERR_STATE);
    CHECK_EQ(ask(DEVICE_DMA_USE, BADGE(1, 1), 0), MNOS_ERR_ARGUMENT); /* nothing usable */
    memory_bus = 0x12400000;
    CHECK_EQ(ask(DEVICE_DMA_USE, BADGE(1, 1), 0), MNOS_OK);
    CHECK_EQ(((uint64_t *)reply_bytes)[0], 0x200000);
    CHECK_EQ(((uint64_t *)reply_bytes)[1], 1);
    CHECK_EQ(((uint64_t *)reply_bytes)[2], 0x12400000);
    CHECK_EQ(dropped, 2); /* no capability stays */
    CHECK_EQ(ask(DEVICE_MASTER, BADGE(1, 1), 2), MNOS_ERR_ARGUMENT);
    CHECK_EQ(ask(DEVICE_MASTER, BADGE(1, 1), 1), MNOS_OK);
    CHECK(model_get(function, PCI_COMMAND, 2) & PCI_COMMAND_MASTER);
    CHECK_EQ(ask(DEVICE_MASTER, BADGE(1, 1), 0), MNOS_OK);
    CHECK(!(model_get(function, PCI_COMMAND, 2) & PCI_COMMAND_MASTER));
}

TEST(devices_capability, bytes_are_those_of_configuration_space)
{
    struct model_function *function = add_virtio(1);
    struct message msg;

    model_capability(function, 0x70, PCI_CAP_VENDOR);
    function->config[0x75] = 0x5A;
    start();
    claimed(BADGE(1, 1));
    msg = request(DEVICE_CAPABILITY, BADGE(1, 1), PCI_CAP_VENDOR, 8);
    CHECK_EQ(msg.label, MNOS_OK);
    CHECK_EQ(msg.length, 0x40);
    CHECK_EQ(reply_bytes[5], 0x5A);
    CHECK_EQ(ask(DEVICE_CAPABILITY, BADGE(1, 1), PCI_CAP_VENDOR | 1ull << 32), MNOS_ERR_END);
    CHECK_EQ(ask(DEVICE_CAPABILITY, BADGE(1, 1), 0x109), MNOS_ERR_END);
}

/* ---- LIST ---- */

TEST(devices_list, says_what_is_known)
{
    const struct device_entry *entry = (const struct device_entry *)reply_bytes;

    for (unsigned i = 1; i <= 6; i++)
        add_virtio(i);
    start();
    claimed(BADGE(1, 1));
    CHECK_EQ(ask(DEVICE_VECTOR, BADGE(1, 1), 0), MNOS_OK);
    CHECK_EQ(ask(DEVICE_LIST, BADGE(9, 1), 0), MNOS_OK);
    CHECK_EQ(entry->state, DEVICE_CLAIMED);
    CHECK_EQ(entry->vectors, 4);
    CHECK_EQ(entry->vectors_set, 1);
    CHECK_STR_EQ(entry->service, "driver.0");
    CHECK_EQ(ask(DEVICE_LIST, BADGE(9, 1), 5), MNOS_OK);
    CHECK_EQ(entry->state, DEVICE_FAILED); /* the manager has given driver.5 up */
    CHECK_STR_EQ(entry->reason, "its driver ended too often");
    CHECK_EQ(ask(DEVICE_LIST, BADGE(9, 1), 6), MNOS_ERR_END);
    CHECK_EQ(ask(DEVICE_LIST, BADGE(9, 1), UINT64_MAX), MNOS_ERR_END);
}
