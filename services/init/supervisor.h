// SPDX-License-Identifier: MIT
/*
 * supervisor.h - keeps the services of the manifest running.
 *
 *   STOPPED --service_start--> RUNNING --the process ends, restart = "always"--> WAITING
 *   WAITING --supervisor_run_due, its time has come--> RUNNING, or WAITING if that fails
 *   RUNNING --the process ends, any other policy--> STOPPED
 *
 * S1  state == RUNNING exactly when program.process is not 0
 * S2  restart_at_ns is meaningful only in WAITING
 *
 * Leaves to manager.c who may ask for what.
 */
#pragma once

#include <stdbool.h>

#include "protocols/manager.h"
#include "services/init/archive.h"
#include "services/init/grants.h"
#include "services/init/program.h"

struct service {
    const struct manifest_service *config;
    struct supervisor *supervisor;
    uint32_t index;
    enum manager_state state;
    struct program program;
    bool restart_now; /* when it ends, start it without waiting, whatever its policy */
    uint32_t starts;
    uint32_t failures;
    uint64_t backoff_ns; /* the last wait; 0: none */
    uint64_t started_at_ns;
    uint64_t restart_at_ns;
    char last_end[64];
};

struct supervisor {
    struct manifest manifest;
    struct archive archive;
    struct resources resources;
    mnos_cap_t endpoint; /* init's own: events of ended processes, and requests */
    struct service services[MANIFEST_SERVICES_MAX];
};

/* The event that says "some process has ended". One for all: there may be more services than bits,
 * and events coalesce anyway. */
#define SUPERVISOR_EVENT_ENDED 1ull

/* Starts all that the manifest wants started at boot. An error ends it: a service that cannot be
 * started so early is missing or damaged on the boot medium, or the machine lacks what the manifest
 * promises, and the system would be there but mute. What failed is in the log. */
mnos_status_t supervisor_start(struct supervisor *supervisor);

/* Finds the processes that have ended. */
void supervisor_collect(struct supervisor *supervisor);

/* Starts the services whose wait is over; returns when the next one's is. */
uint64_t supervisor_run_due(struct supervisor *supervisor);

/* Starts a service that does not run. If that fails and it should always run, it is tried again later;
 * what failed is in the log. */
mnos_status_t service_start(struct service *service);

/* Ends a running service; `restart` starts it again at once. */
mnos_status_t service_end(struct service *service, bool restart);
