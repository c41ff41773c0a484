// SPDX-License-Identifier: MIT
/* facts - see facts.h. */
#include "services/facts/facts.h"

#include "abi/statistics.h"
#include "lib/base/string.h"
#include "lib/client/manager.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/memory.h"
#include "lib/mnos/statistics.h"
#include "lib/mnos/syscall.h"
#include "lib/mnos/time.h"
#include "services/facts/document.h"
#include "services/facts/holdings.h"

BOOTSTRAP_NEEDS("observer");

#define KIB_PER_FRAME (MNOS_PAGE_BYTES / 1024)
#define NS_PER_MS 1000000ull

typedef unsigned long long ull;

static struct document document;
static struct process_list processes;

/* ---- services.json ---- */

static void learn_all(void)
{
    struct manager_service service;
    mnos_cap_t process;

    holdings_forget();
    for (uint64_t i = 0; manager_entry(i, &service) == MNOS_OK; i++) {
        if (manager_open_process(i, &process) != MNOS_OK)
            continue; /* it does not run */
        holdings_learn(process, service.name);
        (void)!sys_cap_delete(process);
    }
}

static void add_use(uint64_t index)
{
    for (unsigned i = 0; i < processes.count; i++)
        if (processes.index[i] == index)
            document_add(&document, ", \"cpu_us\": %llu, \"memory_kib\": %llu",
                         (ull)processes.info[i].cpu_time_ns / 1000,
                         (ull)processes.info[i].frames_used * KIB_PER_FRAME);
}

static void add_holdings(mnos_cap_t process)
{
    static struct holdings holdings;

    holdings_of(process, &holdings);
    document_add(&document, ",\n   \"holds\": [");
    for (uint32_t i = 0; i < holdings.count; i++) {
        document_add(&document, "%s{\"what\": ", i == 0 ? "" : ", ");
        document_add_text(&document, holdings.of[i].text, sizeof holdings.of[i].text);
        document_add(&document, ", \"times\": %u, \"kib\": %llu}", holdings.of[i].times,
                     (ull)holdings.of[i].kib);
    }
    document_add(&document, "], \"left_out\": %u", holdings.left_out);
}

static void add_service(uint64_t index, const struct manager_service *service)
{
    mnos_cap_t process;

    document_add(&document, "%s\n  {\"name\": ", index == 0 ? "" : ",");
    document_add_text(&document, service->name, sizeof service->name);
    document_add(&document, ", \"program\": ");
    document_add_text(&document, service->file, sizeof service->file);
    document_add(&document, ", \"state\": \"%s\", \"restarts\": %u, \"last_end\": ",
                 manager_state_text(service->state), service->starts > 0 ? service->starts - 1 : 0);
    document_add_text(&document, service->last_end, sizeof service->last_end);
    if (manager_open_process(index, &process) == MNOS_OK) {
        add_use(index);
        add_holdings(process);
        (void)!sys_cap_delete(process);
    }
    document_add(&document, "}");
}

static mnos_status_t write_services(struct file_session *files)
{
    struct manager_service service;

    (void)!manager_processes(&processes); /* what could be had of them */
    process_list_settle(&processes);
    learn_all();
    document_begin(&document, files);
    document_add(&document, "{\"services\": [");
    for (uint64_t i = 0; manager_entry(i, &service) == MNOS_OK; i++)
        add_service(i, &service);
    document_add(&document, "\n]}\n");
    return document_end(&document, "services.json");
}

/* ---- figures.json ---- */

static void add_cores(const struct mnos_statistics *counters, uint64_t now_ns)
{
    for (uint32_t i = 0; i < counters->core_count && i < MNOS_CORES_MAX; i++) {
        const struct mnos_core_statistics *core = &counters->cores[i];

        document_add(&document,
                     "%s\n  {\"core\": %u, \"idle_permille\": %u, \"switches\": %llu, "
                     "\"system_calls\": %llu, \"messages\": %llu, \"interrupts\": %llu}",
                     i == 0 ? "" : ",", i, statistics_idle_permille(core, now_ns),
                     (ull)(core->switches + core->messages), (ull)(core->syscalls + core->messages),
                     (ull)core->messages, (ull)core->interrupts);
    }
}

static mnos_status_t write_figures(struct file_session *files)
{
    static const struct mnos_statistics *counters;
    uint64_t now_ns = kinfo_time_ns(), pages;
    mnos_status_t status = MNOS_OK;

    if (counters == NULL)
        status =
            memory_map_all(bootstrap_cap("statistics"), MNOS_MAP_READ, (void **)&counters, &pages);
    if (status != MNOS_OK)
        return status;
    document_begin(&document, files);
    document_add(&document,
                 "{\"uptime_ms\": %llu, \"memory_kib\": {\"total\": %llu, \"free\": %llu, "
                 "\"kernel\": %llu}, \"cores\": [",
                 (ull)now_ns / NS_PER_MS, (ull)counters->frames_total * KIB_PER_FRAME,
                 (ull)counters->frames_free * KIB_PER_FRAME,
                 (ull)counters->frames_kernel * KIB_PER_FRAME);
    add_cores(counters, now_ns);
    document_add(&document, "\n]}\n");
    return document_end(&document, "figures.json");
}

/* ---- What does not change ---- */

static mnos_status_t write_versions(struct file_session *files)
{
    document_begin(&document, files);
    document_add(&document, "{\"system\": \"MinimalOS NextGen\", \"kernel\": ");
    document_add_text(&document, kinfo()->kernel_version, sizeof kinfo()->kernel_version);
    document_add(&document, ", \"abi\": %u, \"processor_features\": ", kinfo()->abi_version);
    document_add_text(&document, kinfo()->cpu_features, sizeof kinfo()->cpu_features);
    document_add(&document, "}\n");
    return document_end(&document, "versions.json");
}

mnos_status_t facts_write_fixed(struct file_session *files, const char *page, size_t size)
{
    mnos_status_t status;

    document_begin(&document, files);
    document_add_bytes(&document, page, strnlen(page, size));
    status = document_end(&document, "index.html");
    return status != MNOS_OK ? status : write_versions(files);
}

mnos_status_t facts_write(struct file_session *files)
{
    mnos_status_t status = write_figures(files);

    return status != MNOS_OK ? status : write_services(files);
}
