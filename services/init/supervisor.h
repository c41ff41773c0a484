// SPDX-License-Identifier: MIT
/*
 * supervisor.h - keeps the services of the manifest running.
 *
 *   STOPPED, FAILED --service_start--> RUNNING
 *   RUNNING --the process ends by itself, restart = "always"--> WAITING
 *   RUNNING --it is ended by order, restart = "always" or RESTART--> RUNNING
 *   RUNNING --the process ends, any other policy--> STOPPED
 *   WAITING --supervisor_run_due, its time has come--> RUNNING, or WAITING if that fails
 *   RUNNING, WAITING --it has ended too often, restart.h--> FAILED
 *
 * S1  state == RUNNING exactly when program.process is not 0
 * S2  restart_at_ns is meaningful only in WAITING
 * S3  stand-ins answer on its endpoints exactly in STOPPED and FAILED: no wait for a service is for
 *     ever
 *
 * S4  alive_due_ns is not 0 only in RUNNING; alive_askers means something only while it is not 0
 *
 * Leaves to manager.c who may ask for what.
 */
#pragma once

#include <stdbool.h>

#include "lib/mnos/listener.h"
#include "protocols/manager.h"
#include "services/init/archive.h"
#include "services/init/faults.h"
#include "services/init/grants.h"
#include "services/init/program.h"
#include "services/init/restart.h"
#include "services/init/standin.h"

struct service {
    const struct manifest_service *config;
    struct supervisor *supervisor;
    uint32_t index;
    enum manager_state state;
    struct program program;
    bool restart_now; /* when it ends, start it without waiting, whatever its policy */
    uint32_t starts;
    uint32_t failures;
    uint64_t started_at_ns;
    uint64_t restart_at_ns;
    uint64_t ended_at_ns; /* of the last run */
    uint64_t away_ns;     /* between its last end and the start after it */
    char last_end[RESTART_TEXT_BYTES];
    struct restart_history history;
    /* Somebody has asked whether it works: when it must have shown it, 0: nobody; and its word then. */
    uint64_t alive_due_ns;
    uint64_t alive_word;
    uint64_t alive_askers; /* services that have asked, by index: they may be waiting for it */
    uint32_t
        alive_put_off; /* how often the judgement was put off for a service that this one has asked for */
    bool silent;       /* it was ended because it had not */
    bool as_fault;            /* it is ended in the place of a fault of its own */
    bool ordered;             /* its last end was an order, and not one of these two */
    struct listener listener; /* of this run of the service, when it listens */
};

struct supervisor {
    struct manifest manifest;
    struct archive archive;
    struct resources resources;
    struct standins standins;
    struct faults faults;
    mnos_cap_t endpoint; /* init's own: events of ended processes, requests, and faults */
    struct service services[MANIFEST_SERVICES_MAX];
};

/* The event that says "some process has ended". One for all: there may be more services than bits,
 * and events coalesce anyway. */
#define SUPERVISOR_EVENT_ENDED 1ull

/* Starts all that the manifest wants started at boot. An error ends it: a service is missing or damaged on the boot
 * medium, or the manifest promises what is not there, and the system would be there but mute. A service that the machine
 * has too little memory for is none: it is tried again and fails, and the others go on. What failed is in the log. */
mnos_status_t supervisor_start(struct supervisor *supervisor);

/* A thread of a service has faulted, as the message says: notes it, and makes the message the reply that ends the service's
 * process. What it was is in the log when it has ended. */
void supervisor_fault(struct supervisor *supervisor, struct message *msg);

/* Finds the processes that have ended. */
void supervisor_collect(struct supervisor *supervisor);

/* Starts the services whose wait is over; returns when the next one's is. */
uint64_t supervisor_run_due(struct supervisor *supervisor);

/* Starts a service that does not run, and forgets that it may have ended often. If that fails
 * and it should always run, it is tried again later; what failed is in the log. */
mnos_status_t service_start(struct service *service);

/* A client of the service waits at this endpoint, by its number in the manifest. */
void service_ask_alive(struct service *service, uint32_t endpoint, const struct service *asker);

/* Ends a running service: by order; the same, and it is started again at once, as service_start() does; or as a fault of
 * its own would, which counts. MNOS_ERR_STATE: it does not run. */
enum service_end { SERVICE_KILL, SERVICE_RESTART, SERVICE_FAULT };
mnos_status_t service_end(struct service *service, enum service_end how);
