// SPDX-License-Identifier: MIT
#pragma once

#include "lwip_check.h"

/* What our patches of lwIP are for. */
Suite *hostile_suite(void);
