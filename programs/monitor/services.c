// SPDX-License-Identifier: MIT
/* services - the commands about services: services, restart, kill, fault; and run, of a service. */
#include "lib/mnos/bootstrap.h"
#include "lib/base/printf.h"
#include "lib/mnos/ipc.h"
#include "lib/base/string.h"
#include "lib/mnos/time.h"
#include "programs/monitor/command.h"
#include "programs/monitor/console.h"
#include "lib/client/launcher.h"
#include "programs/monitor/launch.h"
#include "programs/monitor/services.h"
#include "programs/monitor/tasks.h"
#include "protocols/manifest_format.h"

bool manager_available(const char *command)
{
    if (bootstrap_find("manager") != 0)
        return true;
    console_print("%s: this monitor has no capability \"manager\"; the manifest must grant "
                  "uses = { manager = \"manager\" }\n",
                  command);
    return false;
}

static const char *policy_text(uint32_t policy)
{
    switch (policy) {
    case MANIFEST_RESTART_NEVER: return "never";
    case MANIFEST_RESTART_ALWAYS: return "always";
    case MANIFEST_RESTART_ON_DEMAND: return "on-demand";
    case MANIFEST_RESTART_WHEN_STARTED: return "started";
    default: return "unknown";
    }
}

/* Why it ended the last time; of one that has failed, the first time. */
static const char *cause_text(const struct manager_service *service)
{
    if (service->state == MANAGER_FAILED)
        return service->first_end;
    return service->last_end[0] != 0 ? service->last_end : "-";
}

static void print_outlook(const struct manager_service *service)
{
    uint64_t now = kinfo_time_ns();

    if (service->state == MANAGER_FAILED)
        console_print(", the first of %u; \"restart %s\" begins anew", service->tries,
                      service->name);
    else if (service->state == MANAGER_WAITING)
        console_print(
            "; next start in %llu ms",
            (unsigned long long)(service->restart_at_ns > now ? service->restart_at_ns - now : 0) /
                1000000);
}

static void print_head(void)
{
    console_print("%-12s %-12s %-8s %-10s %8s  %s\n", "NAME", "FILE", "STATE", "RESTART",
                  "RESTARTS", "LAST END");
}

static void print_service(const struct manager_service *service)
{
    console_print("%-12.23s %-12.23s %-8s %-10s %8u  %.63s", service->name, service->file,
                  manager_state_text(service->state), policy_text(service->policy),
                  service->starts > 0 ? service->starts - 1 : 0, cause_text(service));
    print_outlook(service);
    if (service->state == MANAGER_RUNNING && service->away_ns != 0)
        console_print(", away %llu.%llu ms", (unsigned long long)service->away_ns / 1000000,
                      (unsigned long long)service->away_ns / 100000 % 10);
    console_print("\n");
}

static void print_one(const char *name)
{
    struct manager_service service;
    uint64_t index;
    mnos_status_t status = manager_find(name, &index, &service);

    if (status == MNOS_ERR_END && task_find(name, &index, &service) == MNOS_OK &&
        task_is_program(index)) {
        print_head();
        print_service(&service);
        program_print_registers(index);
    } else if (status == MNOS_ERR_END) {
        console_print("services: there is no service \"%s\"; services lists them\n", name);
    } else if (status != MNOS_OK) {
        console_error(status, "services");
    } else {
        print_head();
        print_service(&service);
        service_print_fault(index);
    }
}

void command_services(const struct words *words)
{
    struct manager_service service;
    mnos_status_t status;

    if (!manager_available("services"))
        return;
    if (words->count > 1) {
        print_one(words->word[1]);
        return;
    }
    print_head();
    for (uint64_t i = 1;; i++) {
        status = manager_entry(i, &service);
        if (status != MNOS_OK)
            break;
        print_service(&service);
    }
    if (status != MNOS_ERR_END)
        console_error(status, "services");
}

/* How a run that somebody waited for, or was promised news of, has ended. */
static void print_end(uint64_t index, const struct manager_service *service, uint32_t start)
{
    struct manager_fault fault;

    console_print("%s: ended, %.63s\n", service->name, service->last_end);
    if (manager_last_fault(index, &fault) == MNOS_OK && fault.time_ns != 0 && fault.start == start)
        console_print("%s: log %s and services %s tell more\n", service->name, service->name,
                      service->name);
}

/* Those that `run NAME &` has started, which have not been told to have ended: the number of that start. */
static uint32_t background_start[MANIFEST_SERVICES_MAX + 1];

/* Prints those of them that have ended, or only looks for one. */
static bool look_for_ended(bool print)
{
    struct manager_service service;
    bool any = false;

    for (uint64_t i = 1; i <= MANIFEST_SERVICES_MAX; i++) {
        if (background_start[i] == 0 || manager_entry(i, &service) != MNOS_OK ||
            (service.state == MANAGER_RUNNING && service.starts == background_start[i]))
            continue;
        any = true;
        if (!print)
            continue;
        print_end(i, &service, background_start[i]);
        background_start[i] = 0;
    }
    return any;
}

/* The starts at which a failure was printed; a service that was started anew may fail anew. */
static uint32_t printed_at[MANIFEST_SERVICES_MAX + 1];

/* Prints failures that are new, or only looks for them. */
static bool look_for_failures(bool print)
{
    struct manager_service service;
    bool any = false;

    for (uint64_t i = 1; i <= MANIFEST_SERVICES_MAX && manager_entry(i, &service) == MNOS_OK; i++) {
        if (service.state != MANAGER_FAILED || service.starts == printed_at[i])
            continue;
        any = true;
        if (!print)
            continue;
        printed_at[i] = service.starts;
        console_print("%s: stopped, it ended %u times in a row, first with: %.63s. \"restart %s\" "
                      "begins anew.\n",
                      service.name, service.tries, service.first_end, service.name);
    }
    return any;
}

bool services_have_news(void)
{
    return look_for_ended(false) || look_for_failures(false);
}

void services_print_news(void)
{
    (void)look_for_ended(true);
    (void)look_for_failures(true);
}

/* What is true of a service that cannot be ended, or is there already. */
static void print_state(const char *command, const char *name,
                        const struct manager_service *service)
{
    console_print("%s: %s ", command, name);
    if (service->state == MANAGER_RUNNING)
        console_print("is running already");
    else if (service->state == MANAGER_WAITING || service->state == MANAGER_FAILED)
        console_print("is not running, it has ended: %.63s", cause_text(service));
    else
        console_print("is not running");
    print_outlook(service);
    console_print("\n");
}

static void print_failure(mnos_status_t status, const char *command, const char *name)
{
    char what[64];

    mnos_snprintf(what, sizeof what, "%s %s", command, name);
    console_error(status, what);
    console_print("The command log may show more.\n");
}

/* Whether it was done; if not, says why. */
static bool control(const char *command, enum manager_request request, const char *name)
{
    struct manager_service service;
    uint64_t index;
    mnos_status_t status;

    if (!manager_available(command))
        return false;
    /* What was printed and typed so far is safe if it is the serial driver that ends. When it is
     * this monitor, what it has not read is for the next one. */
    console_flush();
    if (request != MANAGER_START && strcmp(name, bootstrap_program()) != 0)
        console_hold_input();
    status = manager_command(request, name);
    if (status == MNOS_OK)
        return true;
    if (status == MNOS_ERR_NOT_FOUND && manager_find(name, &index, &service) == MNOS_ERR_END)
        console_print("%s: there is no service \"%s\"; services lists them\n", command, name);
    else if (status == MNOS_ERR_STATE && manager_find(name, &index, &service) == MNOS_OK)
        print_state(command, name, &service);
    else
        print_failure(status, command, name);
    return false;
}

void command_restart(const struct words *words)
{
    if (control("restart", MANAGER_RESTART, words->word[1]))
        console_print("%s: restarted\n", words->word[1]);
}

/* `said` is how the person calls it. */
static void kill_program(const struct manager_service *program, const char *said)
{
    bool runs = program->state == MANAGER_RUNNING;
    mnos_status_t status = runs ? launcher_kill(program->name) : MNOS_ERR_STATE;

    launch_forget_ended(); /* that it has ended is no news then */
    if (status == MNOS_OK)
        console_print("%s: killed\n", said);
    else if (status == MNOS_ERR_STATE)
        console_print("kill: %s has ended\n", said);
    else
        print_failure(status, "kill", said);
}

void command_kill(const struct words *words)
{
    const char *word = words->word[1];
    bool is_number = word[0] >= '0' && word[0] <= '9';
    struct manager_service task;
    uint64_t index;
    mnos_status_t status = task_find(word, &index, &task);

    if (status == MNOS_OK && task_is_program(index)) {
        kill_program(&task, is_number ? task.name : word);
    } else if (status == MNOS_ERR_END && is_number) {
        task_print_unknown("kill", word);
    } else {
        /* One that is not found may still be the only instance of that name. */
        const char *name = status == MNOS_OK ? task.name : word;

        if (control("kill", MANAGER_KILL, name)) {
            if (status == MNOS_OK)
                background_start[index] = 0; /* that it has ended is no news then */
            console_print("%s: killed\n", name);
        }
    }
}

void command_fault(const struct words *words)
{
    if (control("fault", MANAGER_FAULT, words->word[1]))
        console_print("%s: ended in the place of a fault\n", words->word[1]);
}

/* Until the run of the service that `service` describes has ended, which the manager reports by an
 * event, or Ctrl-C. */
static void wait_for_end(uint64_t index, const struct manager_service *service)
{
    struct manager_service now = *service;

    while (now.state == MANAGER_RUNNING && now.starts == service->starts) {
        mnos_status_t status;

        if (console_interrupted()) {
            console_print("^C\n%s: goes on in the background; \"kill %s\" ends it\n", now.name,
                          now.name);
            return;
        }
        console_wait();
        status = manager_entry(index, &now);
        if (status != MNOS_OK) {
            console_error(status, "run: ask the manager about the program");
            return;
        }
    }
    print_end(index, &now, service->starts);
}

/* One that is always started again does not. */
static bool ends(const struct manager_service *service)
{
    return service->policy != MANIFEST_RESTART_ALWAYS &&
           service->policy != MANIFEST_RESTART_WHEN_STARTED;
}

void services_run(const char *name, bool background)
{
    struct manager_service service;
    uint64_t index;

    if (manager_find(name, &index, &service) == MNOS_OK && service.state == MANAGER_RUNNING) {
        print_state("run", name, &service);
        return;
    }
    if (!control("run", MANAGER_START, name))
        return;
    if (manager_find(name, &index, &service) == MNOS_OK && ends(&service)) {
        if (!background) {
            wait_for_end(index, &service);
            return;
        }
        background_start[index] = service.starts;
    }
    console_print("%s: started\n", name);
}
