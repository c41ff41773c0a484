// SPDX-License-Identifier: MIT
/* container.h - labels and records between lxhost and who has started a container; what they mean is in container.def. */
#pragma once

#include <stdint.h>

#include "abi/types.h"
#include "protocols/lxhost.h"

enum container_request {
#define REQUEST(label, name, class, request, reply, text) CONTAINER_##name = (label),
#include "protocols/container.def"
#undef REQUEST
};

/* What the "learner" of a container, an endpoint, is told by when the first process has ended. */
#define CONTAINER_EVENT_ENDED 32ull

#define CONTAINER_GRANTS LXHOST_MOUNTS_MAX /* indexes below: the last is the program's own file */
#define CONTAINER_OF_NETWORK 0x100u        /* an index of REVOKE */
#define CONTAINER_DENIALS 64u              /* that are kept at most */

enum container_state {
    CONTAINER_NOTHING = 0,
    CONTAINER_HELD = 1,
    CONTAINER_TAKEN = 2, /* it was revoked */
    CONTAINER_LOST = 3,  /* its service does not know it any more */
};

struct container_index {
    uint64_t index;
};

struct container_info {
    uint32_t processes, processes_max; /* that have not ended; that there may be */
    uint32_t network;                  /* enum container_state */
    uint32_t terminal, entropy;        /* 1: it has that */
    uint32_t ended;                    /* 1: the first process has */
    uint32_t denials;                  /* that are kept */
    uint32_t clock;                    /* 1: it may read the page that says what time it is */
    uint64_t denials_lost;             /* older ones, for which there was no room */
};

struct container_grant {
    uint32_t state;  /* enum container_state */
    uint32_t rights; /* of a file (file.h), as its service says */
    uint32_t type;   /* of its root: enum file_type */
    uint32_t open;   /* files and directories that processes have open there */
};

struct container_denial {
    uint64_t time_ns; /* since boot, of the last time */
    uint64_t count;   /* how often it was told */
    int32_t pid;      /* who was last */
    uint32_t reserved;
    struct lxhost_denied denied; /* its texts are ended, and of printable characters */
};
