// SPDX-License-Identifier: MIT
/* status.h - what a service answered, in the words of Linux. */
#pragma once

#include <stdint.h>

#include "abi/types.h"

/* 0, or a negative error: of a request about a file or a path. */
int64_t status_to_errno(mnos_status_t status);
