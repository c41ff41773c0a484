// SPDX-License-Identifier: MIT
#pragma once

#include "lwip_check.h"

/* services/net/timers.c. */
Suite *steps_suite(void);
