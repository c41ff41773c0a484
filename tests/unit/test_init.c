// SPDX-License-Identifier: MIT
/*
 * test_init - what init does without the kernel: checking a compiled manifest that may be damaged,
 * and deciding how long to wait before a restart. And the search for the reset register.
 */
#include "tests/unit/unit.h"

#include <string.h>

#include "drivers/power/acpi_reset/fadt.c"
#include "services/init/manifest.c"
#include "services/init/restart.c"

/* A small valid manifest to damage. */
static _Alignas(8) struct {
    struct manifest_header header;
    struct manifest_endpoint endpoints[2];
    struct manifest_service services[2];
    struct manifest_grant grants[4];
    struct manifest_region regions[1];
    struct manifest_match matches[1];
} file;

static void make_file(void)
{
    memset(&file, 0, sizeof file);
    file.header =
        (struct manifest_header){MANIFEST_MAGIC, MANIFEST_VERSION, sizeof file, 2, 2, 4, 1, 1, 0};
    strcpy(file.endpoints[0].name, "manager");
    file.endpoints[0].provider = MANIFEST_PROVIDER_INIT;
    strcpy(file.endpoints[1].name, "serial");
    for (unsigned i = 0; i < 2; i++) {
        strcpy(file.services[i].name, i == 0 ? "serial" : "monitor");
        strcpy(file.services[i].file, "program");
        file.services[i].priority = 10;
        file.services[i].ceiling = 20;
        file.services[i].affinity = MNOS_AFFINITY_ANY;
        file.services[i].stack_pages = 4;
        file.services[i].first_grant = i;
        file.services[i].grant_count = 1 + 2 * i;
        file.services[i].grace_seconds = 5;
        file.services[i].frames_quota = 64 * (1 - i);
        file.services[i].frames_share = 100 * i;
    }
    for (unsigned i = 0; i < 4; i++) {
        strcpy(file.grants[i].name, "something");
        file.grants[i].kind = MANIFEST_GRANT_CALL;
        file.grants[i].rights = MNOS_RIGHT_WRITE;
        file.grants[i].a = 1;
    }
    file.grants[3].kind = MANIFEST_GRANT_REGION;
    file.grants[3].rights = MNOS_RIGHT_READ | MNOS_RIGHT_GRANT | MNOS_RIGHT_REVOKE;
    file.grants[3].a = 0;
    strcpy(file.regions[0].name, "cache");
    file.regions[0].kind = MANIFEST_REGION_DMA;
    file.regions[0].floor = 256;
    file.regions[0].ceiling = 1024;
}

static const char *open_file(void)
{
    struct manifest manifest;

    return manifest_open(&manifest, &file, sizeof file);
}

TEST(init_manifest, a_valid_manifest_opens)
{
    struct manifest manifest;

    make_file();
    CHECK_PTR_EQ(manifest_open(&manifest, &file, sizeof file), NULL);
    CHECK_EQ(manifest.service_count, 2);
    CHECK_STR_EQ(manifest.services[1].name, "monitor");
    CHECK_STR_EQ(manifest.grants[2].name, "something");
}

#define DAMAGE(statement, problem)                                                                 \
    do {                                                                                           \
        make_file();                                                                               \
        statement;                                                                                 \
        CHECK_STR_EQ(open_file(), problem);                                                        \
    } while (0)

TEST(init_manifest, a_damaged_header_is_refused)
{
    struct manifest manifest;

    DAMAGE(file.header.magic++, "it is not a compiled manifest");
    DAMAGE(file.header.version++, "its version is not the one this init knows");
    DAMAGE(file.header.size_bytes--, "its size is not what its header says");
    DAMAGE(file.header.grant_count--, "its size is not what its header says");
    DAMAGE(file.header.service_count = 0, "it has no services");
    DAMAGE(file.header.service_count = UINT32_MAX, "it has too many entries");
    make_file();
    CHECK_STR_EQ(manifest_open(&manifest, &file, 31), "it is cut short");
    CHECK_STR_EQ(manifest_open(&manifest, &file, 0), "it is cut short");
}

TEST(init_manifest, a_damaged_entry_is_refused)
{
    const char *service = "a service has a bad name, file or arguments";

    DAMAGE(memset(file.services[1].name, 'x', MNOS_NAME_BYTES), service);
    DAMAGE(file.services[0].file[0] = 0, service);
    DAMAGE(memset(file.services[0].arguments, 'x', MANIFEST_ARGUMENT_BYTES), service);
    DAMAGE(file.services[0].priority = 21, "a service has a bad priority");
    DAMAGE(file.services[0].ceiling = MNOS_PRIORITY_COUNT, "a service has a bad priority");
    DAMAGE(file.services[0].affinity = 32, "a service has a bad affinity");
    DAMAGE(file.services[0].stack_pages = 0, "a service has a bad stack size");
    DAMAGE(file.services[0].restart = 4, "a service has an unknown restart policy");
    DAMAGE(file.services[0].frames_share = 1, "a service has a bad quota");
    DAMAGE(file.services[0].frames_quota = 0, "a service has a bad quota");
    DAMAGE(file.services[1].frames_share = 10001, "a service has a bad quota");
    DAMAGE(file.services[0].grace_seconds = 0, "a service has a bad grace");
    DAMAGE(file.services[0].grace_seconds = 3601, "a service has a bad grace");
    DAMAGE(file.services[1].first_grant = 2, "a service's grants are outside the table");
    DAMAGE(file.services[1].first_grant = UINT32_MAX, "a service's grants are outside the table");
    DAMAGE(file.endpoints[1].provider = 2, "an endpoint has a bad name or provider");
}

TEST(init_manifest, a_damaged_grant_is_refused)
{
    DAMAGE(file.grants[2].kind = 0, "a grant is of an unknown kind");
    DAMAGE(file.grants[2].a = 2, "a grant names an unknown endpoint");
    DAMAGE(file.grants[0].rights = MNOS_RIGHTS_ALL,
           "a grant has rights that a manifest cannot give");
    DAMAGE(file.grants[0].b = 1ull << 62, "a grant has events that are the manager's");
    DAMAGE(file.grants[0].b = 1ull << 63, "a grant has events that are the manager's");
    DAMAGE(file.grants[0].object = 2, "a grant limits its endpoint in an unknown way");
    DAMAGE((file.grants[0].kind = MANIFEST_GRANT_CONTROL, file.grants[0].rights = 0),
           "a grant controls unknown services");
    DAMAGE((file.grants[0].kind = MANIFEST_GRANT_CONTROL, file.grants[0].rights = 0,
            file.grants[0].b = 2),
           "a grant controls unknown services");
    DAMAGE((file.grants[0].kind = MANIFEST_GRANT_MEMORY, file.grants[0].rights = MNOS_RIGHT_GRANT),
           "a grant has rights that a manifest cannot give");
    DAMAGE(file.endpoints[1].exports = MANIFEST_EXPORTS_MAX + 1,
           "an endpoint has too many sessions to hand out");
    DAMAGE(file.matches[0].service = 2, "a device is matched by an unknown service");
    DAMAGE(file.matches[0].instances = 3, "a device is matched by an unknown service");
    DAMAGE((file.grants[0].kind = MANIFEST_GRANT_PORTS, file.grants[0].b = 0),
           "a grant has a bad range");
    DAMAGE((file.grants[0].kind = MANIFEST_GRANT_DEVICE, file.grants[0].b = UINT64_MAX),
           "a grant has a bad range");
    DAMAGE((file.grants[0].kind = MANIFEST_GRANT_MEMORY, file.grants[0].object = 7),
           "a grant names an unknown object");
    DAMAGE(file.grants[1].name[0] = 0, "a grant has a bad name");
}

TEST(init_manifest, who_uses_whom)
{
    struct manifest manifest;

    make_file();
    CHECK_PTR_EQ(manifest_open(&manifest, &file, sizeof file), NULL);
    CHECK(manifest_uses(&manifest, 1, 0));
    CHECK(!manifest_uses(&manifest, 1, 1));
    file.grants[1].kind = file.grants[2].kind = MANIFEST_GRANT_SERVE;
    CHECK(!manifest_uses(&manifest, 1, 0));
}

TEST(init_manifest, a_damaged_region_is_refused)
{
    const char *kind = "a region has a bad name, kind or flags", *size = "a region has a bad size";

    DAMAGE(file.grants[3].a = 1, "a grant names an unknown region");
    DAMAGE(file.grants[3].rights = MNOS_RIGHT_EXECUTE,
           "a grant has rights that a manifest cannot give");
    DAMAGE(file.grants[3].kind = MANIFEST_GRANT_CALL,
           "a grant has rights that a manifest cannot give");
    DAMAGE((file.grants[3].kind = MANIFEST_GRANT_CALL, file.grants[3].rights = 0),
           "a region has no users, or too many");
    DAMAGE(file.regions[0].name[0] = 0, kind);
    DAMAGE(file.regions[0].kind = 0, kind);
    DAMAGE(file.regions[0].kind = 3, kind);
    DAMAGE(file.regions[0].flags = 2, kind);
    DAMAGE(file.regions[0].floor = 0, size);
    DAMAGE(file.regions[0].ceiling = 255, size);
    DAMAGE(file.regions[0].ceiling = 1ull << 32, size);
    DAMAGE(file.regions[0].share = 10001, size);
}

TEST(init_manifest, any_flipped_byte_is_refused_or_harmless)
{
    struct manifest manifest;

    for (size_t at = 0; at < sizeof file; at++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            make_file();
            ((uint8_t *)&file)[at] ^= (uint8_t)(1u << bit);
            if (manifest_open(&manifest, &file, sizeof file) != NULL)
                continue;
            for (uint32_t i = 0; i < manifest.service_count; i++) {
                const struct manifest_service *service = &manifest.services[i];

                CHECK(strlen(service->name) < MNOS_NAME_BYTES);
                CHECK(service->first_grant + service->grant_count <= manifest.grant_count);
            }
        }
    }
}

/* ---- When to start again ---- */

static enum restart_decision ended(struct restart_history *history, uint64_t ran_ns,
                                   const char *end)
{
    uint64_t wait_ns = 0;
    enum restart_decision decision = restart_decide(history, false, ran_ns, end, &wait_ns);

    CHECK_EQ(wait_ns, decision == RESTART_LATER ? RESTART_FIRST_NS << (history->tries - 1) : 0);
    return decision;
}

TEST(init_restart, waits_longer_each_time_and_then_stops_with_the_first_cause)
{
    struct restart_history history = {0};

    CHECK_EQ(ended(&history, 0, "first"), RESTART_LATER);
    for (unsigned i = 2; i < RESTART_TRIES_MAX; i++)
        CHECK_EQ(ended(&history, RESTART_STABLE_NS - 1, "later"), RESTART_LATER);
    CHECK_EQ(ended(&history, 0, "last"), RESTART_NO_MORE);
    CHECK_EQ(history.tries, RESTART_TRIES_MAX);
    CHECK_STR_EQ(history.first_end, "first");
}

TEST(init_restart, a_stable_run_forgives_what_was_before)
{
    struct restart_history history = {0};

    for (unsigned i = 0; i < 10 * RESTART_TRIES_MAX; i++) {
        CHECK_EQ(ended(&history, i % 4 == 0 ? RESTART_STABLE_NS : 0, i % 4 == 0 ? "new" : "more"),
                 RESTART_LATER);
        CHECK_STR_EQ(history.first_end, "new");
    }
}

TEST(init_restart, what_was_ordered_does_not_count_and_does_not_wait)
{
    struct restart_history history = {0};
    uint64_t wait_ns;

    for (unsigned i = 0; i < 100; i++)
        CHECK_EQ(restart_decide(&history, true, 0, "killed", &wait_ns), RESTART_NOW);
    CHECK_EQ(history.tries, 0);
    CHECK_EQ(ended(&history, 0, "fault"), RESTART_LATER);
    CHECK_EQ(restart_decide(&history, true, 0, "killed", &wait_ns), RESTART_NOW);
    CHECK_EQ(history.tries, 1);
    CHECK_STR_EQ(history.first_end, "fault");
}

/* ---- The reset register ---- */

static uint8_t tables[1024];

static uint8_t *make_fadt(size_t at, uint32_t length)
{
    uint8_t *table = tables + at, sum = 0;

    memcpy(table, "FACP", 4);
    memcpy(table + 4, &length, 4);
    table[113] = 4; /* bit 10 of the flags */
    table[116] = FADT_SPACE_PORTS;
    table[120] = 0xF9;
    table[121] = 0x0C;
    table[128] = 0x0F;
    table[9] = 0;
    for (uint32_t i = 0; i < length; i++)
        sum = (uint8_t)(sum + table[i]);
    table[9] = (uint8_t)(0 - sum);
    return table;
}

TEST(acpi_reset, finds_the_register_in_a_valid_table)
{
    struct fadt_reset reset;

    make_fadt(77, 244);
    CHECK(fadt_find_reset(tables, sizeof tables, &reset));
    CHECK_EQ(reset.space, FADT_SPACE_PORTS);
    CHECK_EQ(reset.address, 0xCF9);
    CHECK_EQ(reset.value, 0x0F);
}

TEST(acpi_reset, ignores_damaged_short_and_truncated_tables)
{
    struct fadt_reset reset;

    CHECK(!fadt_find_reset(tables, sizeof tables, &reset));
    CHECK(!fadt_find_reset(tables, 0, &reset));
    make_fadt(100, 244)[50]++;
    CHECK(!fadt_find_reset(tables, sizeof tables, &reset));
    make_fadt(100, 116); /* the first revision: no reset register */
    CHECK(!fadt_find_reset(tables, sizeof tables, &reset));
    make_fadt(100, 244);
    CHECK(fadt_find_reset(tables, 344, &reset));
    CHECK(!fadt_find_reset(tables, 343, &reset));
    CHECK(!fadt_find_reset(tables, 130, &reset));
}
