// SPDX-License-Identifier: MIT
/* test_inspect.c - every view of sys_cap_inspect, and the pages the kernel lets programs read. */
#include "abi/bootstrap.h"
#include "abi/log.h"
#include "abi/statistics.h"
#include "lib/mnos/bootstrap.h"
#include "lib/base/string.h"
#include "tests/guest/child.h"

static const struct mnos_cap_info *cap_record(void)
{
    return (const struct mnos_cap_info *)ipc_buffer()->data;
}

/* ---- views ---- */

TEST(inspect, an_unknown_view_is_refused)
{
    uint64_t size = 0;

    CHECK_FAILS(sys_cap_inspect(MNOS_SELF, MNOS_VIEW_PROCESS_DENIAL + 1, 0, &size),
                MNOS_ERR_ARGUMENT, 2, 0);
    CHECK_FAILS(sys_cap_inspect(MNOS_SELF, UINT64_MAX, 0, &size), MNOS_ERR_ARGUMENT, 2, 0);
}

TEST(inspect, the_bootstrap_table_names_what_abi_bootstrap_h_says)
{
    static const struct {
        const char *name;
        uint32_t type;
        mnos_rights_t rights;
        uint32_t flavour;
    } wanted[] = {
        {"initrd", MNOS_TYPE_MEMORY, MNOS_RIGHTS_ALL & ~MNOS_RIGHT_WRITE, MNOS_MEMORY_RAM},
        {"device", MNOS_TYPE_MEMORY, MNOS_RIGHTS_ALL & ~MNOS_RIGHT_EXECUTE, MNOS_MEMORY_DEVICE},
        {"ports", MNOS_TYPE_MEMORY, MNOS_RIGHTS_ALL & ~MNOS_RIGHT_EXECUTE, MNOS_MEMORY_PORTS},
        {"interrupts", MNOS_TYPE_INTERRUPT, MNOS_RIGHTS_ALL & ~MNOS_RIGHT_EXECUTE, 0},
        {"log", MNOS_TYPE_MEMORY, MNOS_RIGHTS_ALL & ~MNOS_RIGHT_EXECUTE, MNOS_MEMORY_RAM},
        {"statistics", MNOS_TYPE_MEMORY, MNOS_RIGHT_READ | MNOS_RIGHT_GRANT | MNOS_RIGHT_REVOKE,
         MNOS_MEMORY_RAM},
        {"trace", MNOS_TYPE_MEMORY, MNOS_RIGHT_READ | MNOS_RIGHT_GRANT | MNOS_RIGHT_REVOKE,
         MNOS_MEMORY_RAM},
        {"process", MNOS_TYPE_PROCESS, MNOS_RIGHTS_ALL, 0},
        {"thread", MNOS_TYPE_THREAD, MNOS_RIGHTS_ALL, 0},
    };

    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        struct mnos_cap_info info = cap_info(bootstrap_lookup(bootstrap_listed(wanted[i].name)));

        CHECK_EQ(info.type, wanted[i].type);
        CHECK_EQ(info.rights, wanted[i].rights);
        CHECK_EQ(info.flavour, wanted[i].flavour);
        CHECK_EQ(info.parent_handle, 0);
    }
    CHECK_EQ(cap_info(bootstrap_cap("process")).id, process_info(MNOS_SELF).id);
    CHECK_EQ(cap_info(bootstrap_cap("thread")).id, thread_info(MNOS_SELF).id);
    CHECK_EQ(cap_info(bootstrap_cap("ports")).count, 0x10000);
    CHECK(bootstrap_has_argument("console=kernel"));
}

TEST(inspect, the_process_that_asks)
{
    struct mnos_process_info info = process_info(MNOS_SELF);
    struct mnos_process_info named = process_info(bootstrap_cap("process"));

    CHECK_EQ(info.id, named.id);
    CHECK_EQ(info.parent_id, 0);
    CHECK(strcmp(info.name, "init") == 0);
    CHECK_EQ(info.state, MNOS_PROCESS_ALIVE);
    CHECK_EQ(info.exit_reason, MNOS_EXIT_NONE);
    CHECK_EQ(info.thread_count, 1);
    CHECK_EQ(info.priority_ceiling, MNOS_PRIORITY_COUNT - 1);
    CHECK(info.frames_used > 0 && info.frames_used < info.frames_quota);
    CHECK(info.bytes_used > 0 && info.bytes_used < info.bytes_quota);
    CHECK(named.cpu_time_ns >= info.cpu_time_ns && info.cpu_time_ns > 0);
}

TEST(inspect, the_thread_that_asks_runs)
{
    struct mnos_thread_info info = thread_info(MNOS_SELF);

    CHECK_EQ(info.state, MNOS_STATE_RUNNING);
    CHECK(strcmp(info.name, "main") == 0);
    CHECK_EQ(info.process_id, process_info(MNOS_SELF).id);
    CHECK_EQ(info.priority, TEST_PRIORITY);
    CHECK_EQ(info.effective_priority, TEST_PRIORITY);
    CHECK_EQ(info.affinity, MNOS_AFFINITY_ANY);
    CHECK(info.core < core_count());
    CHECK_EQ(info.waits_for, 0);
}

TEST(inspect, a_process_without_threads)
{
    mnos_cap_t process = process_new();
    struct mnos_process_info info = process_info(process);
    uint64_t size = 0;

    CHECK_EQ(info.parent_id, process_info(MNOS_SELF).id);
    CHECK(strcmp(info.name, "empty") == 0);
    CHECK_EQ(info.state, MNOS_PROCESS_ALIVE);
    CHECK_EQ(info.frames_quota, 32);
    CHECK_EQ(info.bytes_quota, 64 * 1024);
    CHECK_EQ(info.cap_count, 0);
    CHECK_EQ(info.thread_count, 0);
    CHECK_EQ(info.priority_ceiling, TEST_PRIORITY);
    CHECK_EQ(cap_info(process).id, info.id);
    CHECK_FAILS(sys_cap_inspect(process, MNOS_VIEW_PROCESS_THREAD, 0, &size), MNOS_ERR_END, 3, 0);
    CHECK_FAILS(sys_cap_inspect(process, MNOS_VIEW_PROCESS_CAP, 0, &size), MNOS_ERR_END, 3, 0);
    process_end(process);
}

static void wait_long(void *argument)
{
    struct message msg = {0};

    (void)!ipc_receive((mnos_cap_t)argument, &msg, soon());
}

TEST(inspect, the_threads_of_a_process_by_number)
{
    mnos_cap_t endpoint = endpoint_new();
    struct thread helpers[3];
    uint64_t size = 0;

    for (unsigned i = 0; i < 3; i++)
        helper_start(&helpers[i], wait_long, (void *)endpoint);
    for (unsigned i = 0; i < 4; i++) {
        CHECK_OK(sys_cap_inspect(MNOS_SELF, MNOS_VIEW_PROCESS_THREAD, i, &size));
        CHECK_EQ(size, sizeof(struct mnos_thread_info));
        CHECK_EQ(((struct mnos_thread_info *)ipc_buffer()->data)->id,
                 i == 0 ? thread_info(MNOS_SELF).id : thread_info(helpers[i - 1].thread).id);
    }
    CHECK_FAILS(sys_cap_inspect(MNOS_SELF, MNOS_VIEW_PROCESS_THREAD, 4, &size), MNOS_ERR_END, 3, 0);
    CHECK_FAILS(sys_cap_inspect(MNOS_SELF, MNOS_VIEW_PROCESS_THREAD, UINT64_MAX, &size),
                MNOS_ERR_END, 3, 0);
    thread_reaches(helpers[0].thread, MNOS_STATE_RECEIVING);
    CHECK_EQ(thread_info(helpers[0].thread).waits_for, cap_info(endpoint).object_id);
    for (unsigned i = 0; i < 3; i++)
        helper_end(&helpers[i]);
    cap_drop(endpoint);
}

TEST(inspect, the_capability_table_slot_by_slot)
{
    uint64_t count = 0, size = 0;
    mnos_cap_t endpoint = endpoint_new();
    bool found = false;

    for (uint64_t index = 0;; index++) {
        if (sys_cap_inspect(MNOS_SELF, MNOS_VIEW_PROCESS_CAP, index, &size) != MNOS_OK)
            break;
        CHECK(MNOS_HANDLE_INDEX(cap_record()->handle) >= index);
        index = MNOS_HANDLE_INDEX(cap_record()->handle);
        found |= cap_record()->handle == endpoint;
        count++;
    }
    CHECK(found);
    CHECK_EQ(count, process_info(MNOS_SELF).cap_count);
    CHECK_FAILS(sys_cap_inspect(MNOS_SELF, MNOS_VIEW_PROCESS_CAP, 1ull << 24, &size), MNOS_ERR_END,
                3, 0);
    CHECK_FAILS(sys_cap_inspect(MNOS_SELF, MNOS_VIEW_PROCESS_CAP, UINT64_MAX, &size), MNOS_ERR_END,
                3, 0);
    cap_drop(endpoint);
}

TEST(inspect, the_physical_address_is_for_the_holder_with_read)
{
    mnos_cap_t memory = 0, blind, process = process_new(), given;
    uint64_t size = 0;

    CHECK_OK(sys_mem_alloc(4, MNOS_ALLOC_CONTIGUOUS, &memory));
    blind = cap_copy(memory, MNOS_RIGHT_WRITE | MNOS_RIGHT_GRANT);
    CHECK(cap_info(memory).physical_address != UINT64_MAX);
    CHECK_EQ(cap_info(blind).physical_address, UINT64_MAX);
    CHECK_OK(sys_cap_transfer(process, memory, MNOS_RIGHTS_ALL, &given));
    CHECK_OK(sys_cap_inspect(process, MNOS_VIEW_PROCESS_CAP, 0, &size));
    CHECK_EQ(cap_record()->physical_address, UINT64_MAX);
    CHECK_EQ(cap_info(bootstrap_cap("ports")).physical_address, UINT64_MAX);
    CHECK_EQ(cap_info(bootstrap_cap("device")).physical_address, 0);
    process_end(process);
    cap_drop(blind);
    cap_drop(memory);
}

TEST(inspect, only_memory_allocated_for_dma_tells_where_it_is)
{
    static const struct {
        uint64_t flags;
        bool told;
    } cases[] = {{0, false},
                 {MNOS_ALLOC_BELOW_4G, true},
                 {MNOS_ALLOC_CONTIGUOUS, true},
                 {MNOS_ALLOC_ALIGN_2M, true}};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        mnos_cap_t memory = 0;

        CHECK_OK(sys_mem_alloc(1, cases[i].flags, &memory));
        CHECK_EQ(cap_info(memory).physical_address != UINT64_MAX, cases[i].told);
        cap_drop(memory);
    }
    CHECK_EQ(cap_info(bootstrap_cap("initrd")).physical_address, UINT64_MAX);
    CHECK_EQ(cap_info(bootstrap_cap("statistics")).physical_address, UINT64_MAX);
}

/* ---- the kernel information page ---- */

/* What sys_thread_block tells of the time. */
static uint64_t time_by_call(void)
{
    struct syscall_result result =
        syscall_raw(MNOS_SYS_thread_block, MNOS_SELF, MNOS_DEADLINE_POLL, 0, 0, 0, 0);

    CHECK_EQ(result.rax & UINT32_MAX, MNOS_ERR_DEADLINE);
    return result.rdx;
}

TEST(kinfo, the_page_is_filled_in)
{
    const struct mnos_kinfo *info = kinfo();

    CHECK_EQ(info->magic, MNOS_KINFO_MAGIC);
    CHECK_EQ(info->abi_version, 1);
    CHECK(info->core_count >= 1 && info->core_count <= MNOS_CORES_MAX);
    CHECK((info->page_sizes & 1ull << 12) != 0);
    CHECK(info->tsc_usable <= 1);
    CHECK(info->kernel_version[0] != '\0');
    CHECK(info->cpu_features[0] != '\0');
    CHECK(info->acpi_rsdp_address != 0);
    CHECK(info->wall_clock_base_ns >= 0);
}

TEST(kinfo, the_time_agrees_with_the_kernels_and_never_goes_back)
{
    uint64_t last = 0, least = UINT64_MAX, limit = soon();

    /* The two readings may be far apart when the host has other things to do, but not always. */
    for (unsigned i = 0; (i < 2000 || (least >= MILLISECOND_NS && last < limit)) && !check_failed();
         i++) {
        uint64_t page = kinfo_time_ns(), call = time_by_call();

        CHECK(page >= last);
        CHECK(call >= page);
        least = call - page < least ? call - page : least;
        last = call;
    }
    CHECK(least < MILLISECOND_NS);
}

/* ---- log ring and statistics ---- */

TEST(log, what_is_written_appears_in_the_ring)
{
    static const char text[] = "a line for the ring";
    const struct mnos_log *log;
    uint64_t before, written, pages = cap_info(bootstrap_cap("log")).count;
    char found[sizeof text] = "";
    void *address;

    CHECK_OK(memory_map(bootstrap_cap("log"), 0, pages, MNOS_MAP_READ, &address));
    log = address;
    CHECK_EQ(log->magic, MNOS_LOG_MAGIC);
    CHECK((log->capacity & (log->capacity - 1)) == 0);
    CHECK(log->capacity + sizeof *log <= pages * PAGE);
    before = log->written;
    memcpy(ipc_buffer()->data, text, sizeof text - 1);
    CHECK_OK(sys_debug_write(bootstrap_cap("log"), sizeof text - 1, MNOS_LOG_WARNING));
    written = log->written;
    CHECK(written > before + sizeof text - 1);
    for (unsigned i = 0; i < sizeof text - 1; i++)
        found[i] = log->data[(written - sizeof text + i) & (log->capacity - 1)];
    CHECK(strcmp(found, text) == 0);
    CHECK_EQ(log->data[(written - 1) & (log->capacity - 1)], '\n');
    CHECK_EQ(log->data[(written - sizeof text - 1) & (log->capacity - 1)], ' ');
    CHECK_EQ(log->data[(written - sizeof text - 2) & (log->capacity - 1)], 'W');
    memory_unmap(address, pages);
}

TEST(log, sizes_and_other_memory_are_refused)
{
    mnos_cap_t memory = memory_new(1);

    CHECK_FAILS(sys_debug_write(bootstrap_cap("log"), MNOS_MESSAGE_MAX_BYTES + 1, MNOS_LOG_INFO),
                MNOS_ERR_SIZE, 2, 0);
    CHECK_FAILS(sys_debug_write(bootstrap_cap("log"), UINT64_MAX, MNOS_LOG_INFO), MNOS_ERR_SIZE, 2,
                0);
    CHECK_OK(sys_debug_write(bootstrap_cap("log"), 0, MNOS_LOG_INFO));
    CHECK_FAILS(sys_debug_write(bootstrap_cap("log"), 1, MNOS_LOG_LEVELS), MNOS_ERR_ARGUMENT, 3, 0);
    CHECK_FAILS(sys_debug_write(bootstrap_cap("log"), 0, UINT64_MAX), MNOS_ERR_ARGUMENT, 3, 0);
    CHECK_FAILS(sys_debug_write(memory, 1, MNOS_LOG_INFO), MNOS_ERR_STATE, 1, 0);
    cap_drop(memory);
}

TEST(log, it_maps_read_only)
{
    CHECK_FAILS(sys_mem_map(MNOS_SELF, bootstrap_cap("log"), ARENA, 0, 1, MAP_RW),
                MNOS_ERR_ARGUMENT, 6, 0);
    CHECK_FAILS(sys_mem_map(MNOS_SELF, bootstrap_cap("statistics"), ARENA, 0, 1, MAP_RW),
                MNOS_ERR_RIGHTS, 2, MNOS_RIGHT_WRITE);
    CHECK_FAILS(sys_mem_map(MNOS_SELF, bootstrap_cap("initrd"), ARENA, 0, 1, MAP_RW),
                MNOS_ERR_RIGHTS, 2, MNOS_RIGHT_WRITE);
}

TEST(statistics, the_counters_count)
{
    const struct mnos_statistics *statistics;
    uint64_t pages = cap_info(bootstrap_cap("statistics")).count;
    uint64_t before = 0, after = 0;
    void *address;

    CHECK_OK(memory_map(bootstrap_cap("statistics"), 0, pages, MNOS_MAP_READ, &address));
    statistics = address;
    CHECK_EQ(statistics->magic, MNOS_STATISTICS_MAGIC);
    CHECK_EQ(statistics->core_count, core_count());
    CHECK_EQ(statistics->line_count, MNOS_INTERRUPT_LINES);
    CHECK(statistics->frames_free < statistics->frames_total);
    for (uint32_t i = 0; i < core_count(); i++) {
        CHECK_EQ(statistics->cores[i].online, 1);
        before += statistics->cores[i].syscalls + statistics->cores[i].messages;
    }
    for (unsigned i = 0; i < 100; i++)
        CHECK_OK(sys_thread_yield());
    for (uint32_t i = 0; i < core_count(); i++)
        after += statistics->cores[i].syscalls + statistics->cores[i].messages;
    CHECK(after >= before + 100);
    memory_unmap(address, pages);
}
