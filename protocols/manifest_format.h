// SPDX-License-Identifier: MIT
/*
 * manifest_format.h - the compiled manifest: what tools/mkmanifest.py writes and init reads.
 *
 * Little-endian, no padding beyond what is declared:
 *
 *   struct manifest_header
 *   struct manifest_endpoint [endpoint_count]
 *   struct manifest_service  [service_count]    in the order of the manifest, which is start order
 *   struct manifest_grant    [grant_count]      those of a service are adjacent
 *   struct manifest_region   [region_count]
 *   struct manifest_match    [match_count]
 *
 * Names are NUL-terminated and NUL-padded. What the source may say: docs/manifest.md.
 */
#pragma once

#include <stdint.h>

#include "abi/types.h"

#define MANIFEST_MAGIC 0x54464E414D4D4E31ull
#define MANIFEST_VERSION 3
#define MANIFEST_SERVICES_MAX 64
#define MANIFEST_ENDPOINTS_MAX 96
#define MANIFEST_GRANTS_MAX 1024
#define MANIFEST_REGIONS_MAX 96
#define MANIFEST_REGION_USERS_MAX 12
#define MANIFEST_MATCHES_MAX 256
#define MANIFEST_EXPORTS_MAX 4096
#define MANIFEST_GRACE_SECONDS_MAX 3600
#define MANIFEST_ARGUMENT_BYTES 96

/* The provider of an endpoint that init itself serves. */
#define MANIFEST_PROVIDER_INIT UINT32_MAX

struct manifest_header {
    uint64_t magic;
    uint32_t version;
    uint32_t size_bytes; /* of the whole file */
    uint32_t endpoint_count;
    uint32_t service_count;
    uint32_t grant_count;
    uint32_t region_count;
    uint32_t match_count;
    uint32_t reserved;
};
_Static_assert(sizeof(struct manifest_header) == 40, "written by mkmanifest.py");

struct manifest_endpoint {
    char name[MNOS_NAME_BYTES];
    uint32_t provider; /* index of the service that receives on it */
    uint32_t exports;  /* sessions that the service may hand out at a time */
};
_Static_assert(sizeof(struct manifest_endpoint) == 32, "written by mkmanifest.py");

enum manifest_restart {
    MANIFEST_RESTART_NEVER = 0,     /* started at boot; stays ended */
    MANIFEST_RESTART_ALWAYS = 1,    /* started at boot and whenever it ends */
    MANIFEST_RESTART_ON_DEMAND = 2, /* started by request only; stays ended */
    /* Not started at boot; once it was started by request, as MANIFEST_RESTART_ALWAYS. */
    MANIFEST_RESTART_WHEN_STARTED = 3,
};

enum manifest_service_flags {
    MANIFEST_KERNEL_ARGUMENTS = 1u << 0, /* the kernel command line follows the arguments */
};

#define MANIFEST_WHOLE_SHARE 10000u

struct manifest_service {
    char name[MNOS_NAME_BYTES]; /* of an instance: the service's, a dot and a number */
    char file[MNOS_NAME_BYTES]; /* in the initial RAM disk */
    char arguments[MANIFEST_ARGUMENT_BYTES];
    uint64_t frames_quota; /* or, if it is 0, frames_share */
    uint64_t bytes_quota;
    uint32_t priority;
    uint32_t ceiling;
    uint32_t affinity;
    uint32_t stack_pages;
    uint32_t restart; /* enum manifest_restart */
    uint32_t flags;   /* enum manifest_service_flags */
    uint32_t first_grant;
    uint32_t grant_count;
    uint32_t
        frames_share; /* of the frames that are free at boot, in parts of MANIFEST_WHOLE_SHARE */
    uint32_t grace_seconds; /* how long it may be silent when somebody asks whether it is alive */
};
_Static_assert(sizeof(struct manifest_service) == 200, "written by mkmanifest.py");

enum manifest_grant_kind {
    MANIFEST_GRANT_SERVE = 1,     /* receive on endpoint a, and send events to it */
    MANIFEST_GRANT_CALL = 2,      /* send to endpoint a, and the events b; a badge of its own */
    MANIFEST_GRANT_PORTS = 3,     /* I/O ports a to a + b - 1 */
    MANIFEST_GRANT_INTERRUPT = 4, /* interrupt lines a to a + b - 1 */
    MANIFEST_GRANT_DEVICE = 5,  /* physical pages a to a + b - 1 of device memory; b 0: all of it */
    MANIFEST_GRANT_MEMORY = 6,  /* the Memory of init's own table that `object` names */
    MANIFEST_GRANT_REGION = 7,  /* the floor of region a, under the name that REGION knows it by */
    MANIFEST_GRANT_CONTROL = 8, /* no capability: may start and end services a to a + b - 1 */
    MANIFEST_GRANT_FILE =
        9, /* the pages of the file `name` of the initial RAM disk; Read, maybe Execute and Grant */
};

enum manifest_object {
    MANIFEST_OBJECT_NONE = 0,
    MANIFEST_OBJECT_INITRD = 1,
    MANIFEST_OBJECT_LOG = 2,
    MANIFEST_OBJECT_STATISTICS = 3,
    MANIFEST_OBJECT_ACPI = 4,
    MANIFEST_OBJECT_FRAMEBUFFER = 5,
    MANIFEST_OBJECT_TRACE = 6,
};

/* `object` of MANIFEST_GRANT_CALL to the endpoint "manager". */
enum manifest_call_object {
    MANIFEST_CALL_ANY = 0, /* all of the protocol */
    MANIFEST_CALL_LIMITED =
        1, /* control only of what the service's grants of MANIFEST_GRANT_CONTROL name */
};

struct manifest_grant {
    char name[MNOS_NAME_BYTES]; /* in the service's bootstrap table */
    uint32_t kind;              /* enum manifest_grant_kind */
    uint32_t rights;            /* MNOS_RIGHT_* */
    uint64_t a;
    uint64_t b;
    uint32_t object;   /* enum manifest_object */
    uint32_t optional; /* 1: the program runs without it, should the machine not have it */
};
_Static_assert(sizeof(struct manifest_grant) == 56, "written by mkmanifest.py");

/* Memory that init owns and that outlives the runs of its users: docs/manifest.md. Who may use it is in
 * the grants. */
enum manifest_region_kind {
    MANIFEST_REGION_DMA = 1,   /* a device may reach it */
    MANIFEST_REGION_STATE = 2, /* it begins with struct state_header, protocols/region.h */
};

enum manifest_region_flags {
    MANIFEST_REGION_KEEP =
        1u << 0, /* what a run handed on of it is not taken back when the run ends */
};

struct manifest_region {
    char name[MNOS_NAME_BYTES]; /* of one of an instance: the region's, a dot and a number */
    uint32_t kind;              /* enum manifest_region_kind */
    uint32_t flags;             /* enum manifest_region_flags */
    uint64_t floor;             /* frames */
    uint64_t ceiling;           /* frames; at least the floor */
    uint32_t
        share; /* it grows to this part of what is free at boot, in parts of MANIFEST_WHOLE_SHARE */
    uint32_t reserved;
};
_Static_assert(sizeof(struct manifest_region) == 56, "written by mkmanifest.py");

#define MANIFEST_MATCH_ANY UINT32_MAX

/* A device that a service drives: all of what is said is true of it. */
struct manifest_match {
    uint32_t service;    /* index; of several instances, the first */
    uint32_t instances;  /* 0: the service has none */
    uint32_t vendor;     /* or MANIFEST_MATCH_ANY */
    uint32_t device;     /* likewise */
    uint32_t class_code; /* class, subclass and interface of PCI in 24 bits, */
    uint32_t class_mask; /* as far as this has bits */
};
_Static_assert(sizeof(struct manifest_match) == 24, "written by mkmanifest.py");
