// SPDX-License-Identifier: MIT
/* supervisor - see supervisor.h. */
#include "services/init/supervisor.h"

#include "lib/base/string.h"

#include "abi/inspect.h"
#include "abi/process.h"
#include "lib/base/printf.h"
#include "lib/mnos/log.h"
#include "lib/mnos/process_end.h"
#include "lib/mnos/status.h"
#include "lib/mnos/syscall.h"
#include "lib/mnos/time.h"

/* How often one question is put off: as long as chains of services that wait for each other may be. */
#define ALIVE_PUT_OFF_MAX 4u
_Static_assert(MANIFEST_SERVICES_MAX <= 64, "a bit of alive_askers for each");

static mnos_status_t grant_to(void *context, mnos_cap_t process, struct mnos_bootstrap *table)
{
    struct service *service = context;

    return grants_give(&service->supervisor->resources, service->index, service->starts, process,
                       table);
}

static void tell_listeners(const struct supervisor *supervisor)
{
    for (uint32_t i = 0; i < supervisor->manifest.service_count; i++)
        listener_tell(&supervisor->services[i].listener);
}

/* The service has been started: tells those that use it. What an earlier run gave them they ask for anew. */
static void tell_users(const struct service *service)
{
    const struct supervisor *supervisor = service->supervisor;
    const struct manifest *manifest = &supervisor->manifest;

    for (uint32_t i = 0; i < manifest->endpoint_count; i++) {
        uint32_t user = manifest->endpoints[i].provider;

        if (user != MANIFEST_PROVIDER_INIT && manifest_uses(manifest, user, service->index))
            (void)!sys_ipc_notify(supervisor->resources.endpoints[i], MANAGER_EVENT_PEER_RESTARTED);
    }
}

static void set_state(struct service *service, enum manager_state state)
{
    struct supervisor *supervisor = service->supervisor;

    service->state = state;
    if (state == MANAGER_STOPPED || state == MANAGER_FAILED)
        standins_begin(&supervisor->standins, &supervisor->resources, service->index);
    tell_listeners(supervisor);
}

/* What the manifest gives it, as a number of frames or a share of those that were free at boot. */
static uint64_t frames_quota(const struct service *service)
{
    const struct manifest_service *config = service->config;

    if (config->frames_share == 0)
        return config->frames_quota;
    return service->supervisor->resources.free_frames * config->frames_share / MANIFEST_WHOLE_SHARE;
}

/* On failure the state is the caller's to set. */
static mnos_status_t start(struct service *service)
{
    struct supervisor *supervisor = service->supervisor;
    struct program_plan plan = {
        .archive = &supervisor->archive,
        .file = archive_find(&supervisor->archive, service->config->file),
        .config = service->config,
        .endpoint = supervisor->endpoint,
        .exit_events = SUPERVISOR_EVENT_ENDED,
        .fault_badge = BADGE_FAULT | (uint64_t)(service->starts + 1) << BADGE_START_SHIFT |
                       (service->index + 1),
        .frames_quota = frames_quota(service),
        .grant = grant_to,
        .context = service,
    };
    struct region_past past = {service->history.tries, service->ordered};
    mnos_status_t status = MNOS_ERR_NOT_FOUND;

    service->restart_now = false;
    service->silent = service->as_fault = false;
    service->starts++;
    standins_end(&supervisor->standins, &supervisor->resources, service->index);
    if (plan.file == NULL)
        log_at(MNOS_LOG_ERROR, "%s: the initial RAM disk has no file \"%s\"", service->config->name,
               service->config->file);
    else
        status = regions_begin_run(&supervisor->resources.regions, service->index, &past);
    if (status == MNOS_OK)
        status = program_start_new(&service->program, &plan);
    if (status != MNOS_OK) {
        regions_take_back(&supervisor->resources.regions, service->index);
        service->failures++;
        mnos_snprintf(service->last_end, sizeof service->last_end, "not started: %s",
                      status_text(status));
        return status;
    }
    service->started_at_ns = kinfo_time_ns();
    if (service->ended_at_ns != 0)
        service->away_ns = service->started_at_ns - service->ended_at_ns;
    set_state(service, MANAGER_RUNNING);
    log_line("%s: started", service->config->name);
    tell_users(service);
    return MNOS_OK;
}

static bool is_kept_running(const struct service *service)
{
    return service->config->restart == MANIFEST_RESTART_ALWAYS ||
           service->config->restart == MANIFEST_RESTART_WHEN_STARTED;
}

static mnos_status_t start_or_try_later(struct service *service);

/* A service that should always run has ended, or could not be started. */
static void go_on(struct service *service, bool ordered, uint64_t ran_ns)
{
    struct restart_history *history = &service->history;
    const char *name = service->config->name;
    uint64_t wait_ns;

    switch (restart_decide(history, ordered, ran_ns, service->last_end, &wait_ns)) {
    case RESTART_NOW:
        log_line("%s: ended (%s), restart at once", name, service->last_end);
        (void)!start_or_try_later(service); /* what failed is logged, and it is tried again */
        break;
    case RESTART_LATER:
        service->restart_at_ns = deadline_after_ns(wait_ns);
        set_state(service, MANAGER_WAITING);
        log_line("%s: ended (%s), restart in %llu ms", name, service->last_end,
                 (unsigned long long)wait_ns / 1000000);
        break;
    case RESTART_NO_MORE:
        log_at(MNOS_LOG_ERROR,
               "%s: stopped after %u tries, it ended first with: %s; "
               "\"restart %s\" begins anew",
               name, history->tries, history->first_end, name);
        set_state(service, MANAGER_FAILED); /* after that its clients say what they miss */
        break;
    }
}

static mnos_status_t start_or_try_later(struct service *service)
{
    mnos_status_t status = start(service);

    if (status == MNOS_OK)
        return MNOS_OK;
    if (is_kept_running(service))
        go_on(service, false, 0);
    else
        set_state(service, MANAGER_STOPPED);
    return status;
}

mnos_status_t service_start(struct service *service)
{
    service->history = (struct restart_history){0};
    return start_or_try_later(service);
}

/* The process is dead; `info` is its last record. */
static void service_ended(struct service *service, const struct mnos_process_info *info)
{
    const char *name = service->config->name;
    uint64_t now = kinfo_time_ns(), ran_ns = now - service->started_at_ns;
    /* Only init holds the right to destroy it: that was an order. */
    bool ordered =
        info->exit_reason == MNOS_EXIT_DESTROYED && !service->silent && !service->as_fault;

    process_end_text(info, service->last_end, sizeof service->last_end);
    if (service->silent)
        mnos_snprintf(service->last_end, sizeof service->last_end, "no sign of life for %u s",
                      service->config->grace_seconds);
    if (service->as_fault)
        string_copy(service->last_end, "ended in the place of a fault", sizeof service->last_end);
    service->ordered = ordered;
    service->alive_due_ns = 0;
    service->ended_at_ns = now;
    if (info->exit_reason == MNOS_EXIT_FAULT)
        faults_report(&service->supervisor->faults, service->index + 1, service->starts,
                      service->config, &service->program,
                      archive_find(&service->supervisor->archive, service->config->file));
    program_release(&service->program);
    listener_forget(&service->listener);
    if (service->restart_now) {
        log_line("%s: ended (%s), restart at once", name, service->last_end);
        (void)!service_start(service); /* what failed is logged, and it is tried again */
    } else if (is_kept_running(service)) {
        go_on(service, ordered, ran_ns);
    } else {
        set_state(service, MANAGER_STOPPED);
        log_line("%s: ended (%s)", name, service->last_end);
    }
}

void supervisor_fault(struct supervisor *supervisor, struct message *msg)
{
    uint32_t number = msg->badge & BADGE_SERVICE_MASK;
    uint32_t start = (uint32_t)((msg->badge & ~BADGE_FAULT) >> BADGE_START_SHIFT);

    /* Only the kernel has a capability with BADGE_FAULT. With another badge it is the fault of a process of which a client of
     * the manager has made init the handler, and says nothing of a service. */
    if ((msg->badge & BADGE_FAULT) != 0 && number >= 1 &&
        number <= supervisor->manifest.service_count &&
        supervisor->services[number - 1].starts == start)
        faults_take(&supervisor->faults, number, start, msg);
    message_put(msg, MNOS_OK, NULL, 0); /* no MNOS_FAULT_ label: it is not handled */
}

static void service_collect(struct service *service)
{
    struct mnos_process_info info;
    uint64_t size;

    if (service->state != MANAGER_RUNNING ||
        sys_cap_inspect(service->program.process, MNOS_VIEW_PROCESS, 0, &size) != MNOS_OK)
        return;
    /* Out of the buffer first: logging uses it too. */
    memcpy(&info, ipc_buffer()->data, sizeof info);
    if (info.state == MNOS_PROCESS_DEAD)
        service_ended(service, &info);
}

void service_ask_alive(struct service *service, uint32_t endpoint, const struct service *asker)
{
    uint64_t bit = 1ull << asker->index;

    /* One question at a time: who asks meanwhile gets the same answer. */
    if (service->alive_due_ns != 0)
        service->alive_askers |= bit;
    if (service->state != MANAGER_RUNNING || service->alive_due_ns != 0 ||
        program_alive_word(&service->program, &service->alive_word) != MNOS_OK)
        return;
    service->alive_askers = bit;
    service->alive_put_off = 0;
    service->alive_due_ns = deadline_after_ns(service->config->grace_seconds * 1000000000ull);
    (void)!sys_ipc_notify(service->supervisor->resources.endpoints[endpoint], MANAGER_EVENT_ALIVE);
}

/* When the question about a service that this one has asked for is over; 0: there is none. It may be silent because it
 * waits for that one, which is to be judged first. */
static uint64_t judged_before(const struct service *service)
{
    const struct supervisor *supervisor = service->supervisor;
    uint64_t last = 0;

    for (uint32_t i = 0; i < supervisor->manifest.service_count; i++) {
        const struct service *other = &supervisor->services[i];

        if (other != service && other->alive_due_ns > last &&
            (other->alive_askers & 1ull << service->index) != 0)
            last = other->alive_due_ns;
    }
    return last;
}

/* The time of the question is over. */
static void judge_alive(struct service *service)
{
    uint64_t word, first = judged_before(service);
    mnos_status_t status = program_alive_word(&service->program, &word);

    /* Services that wait for each other in a circle are judged after all. */
    if (first != 0 && status == MNOS_OK && word == service->alive_word &&
        service->alive_put_off++ < ALIVE_PUT_OFF_MAX) {
        service->alive_due_ns = first + service->config->grace_seconds * 1000000000ull;
        return;
    }
    service->alive_due_ns = 0;
    /* What could not be looked at is not held against it: who asks again gets another answer. */
    if (status != MNOS_OK || word != service->alive_word)
        return;
    log_at(MNOS_LOG_WARNING, "%s: no sign of life for %u s, it is ended", service->config->name,
           service->config->grace_seconds);
    service->silent = true;
    if (sys_proc_destroy(service->program.process, 0) == MNOS_OK)
        service_collect(service);
}

mnos_status_t service_end(struct service *service, enum service_end how)
{
    mnos_status_t status;

    if (service->state != MANAGER_RUNNING)
        return MNOS_ERR_STATE;
    service->restart_now = how == SERVICE_RESTART;
    service->as_fault = how == SERVICE_FAULT;
    status = sys_proc_destroy(service->program.process, 0);
    if (status != MNOS_OK)
        return status;
    /* If it is only dying yet, the event will tell when it is dead. */
    service_collect(service);
    return MNOS_OK;
}

/* What the boot medium lacks is an error. What the machine has no memory for is as if it had ended at once. */
static mnos_status_t start_at_boot(struct service *service)
{
    mnos_status_t status = start(service);

    if (status != MNOS_ERR_MEMORY && status != MNOS_ERR_QUOTA)
        return status;
    if (is_kept_running(service))
        go_on(service, false, 0);
    else
        set_state(service, MANAGER_STOPPED);
    return MNOS_OK;
}

mnos_status_t supervisor_start(struct supervisor *supervisor)
{
    mnos_status_t status = MNOS_OK;

    for (uint32_t i = 0; i < supervisor->manifest.service_count && status == MNOS_OK; i++) {
        struct service *service = &supervisor->services[i];

        service->config = &supervisor->manifest.services[i];
        service->supervisor = supervisor;
        service->index = i;
        if (service->config->restart == MANIFEST_RESTART_NEVER ||
            service->config->restart == MANIFEST_RESTART_ALWAYS)
            status = start_at_boot(service);
        else
            set_state(service, MANAGER_STOPPED);
    }
    return status;
}

void supervisor_collect(struct supervisor *supervisor)
{
    for (uint32_t i = 0; i < supervisor->manifest.service_count; i++)
        service_collect(&supervisor->services[i]);
}

uint64_t supervisor_run_due(struct supervisor *supervisor)
{
    uint64_t next = MNOS_DEADLINE_NEVER;

    for (uint32_t i = 0; i < supervisor->manifest.service_count; i++) {
        struct service *service = &supervisor->services[i];

        if (service->state == MANAGER_WAITING && service->restart_at_ns <= kinfo_time_ns())
            (void)!start_or_try_later(service);
        if (service->state == MANAGER_WAITING && service->restart_at_ns < next)
            next = service->restart_at_ns;
        if (service->alive_due_ns != 0 && service->alive_due_ns <= kinfo_time_ns())
            judge_alive(service);
        if (service->alive_due_ns != 0 && service->alive_due_ns < next)
            next = service->alive_due_ns;
    }
    return next;
}
