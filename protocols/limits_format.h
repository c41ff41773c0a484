// SPDX-License-Identifier: MIT
/* limits_format.h - what the manifest gives services of one program, as tools/service_limits.py compiles it: a header, then
 * records, each of which begins with the name of its service. */
#pragma once

#include "abi/types.h"

struct limits_header {
    uint64_t magic; /* of the program, as is the version */
    uint32_t version, count;
    uint64_t reserved;
};
_Static_assert(sizeof(struct limits_header) == 24, "written by service_limits.py");
