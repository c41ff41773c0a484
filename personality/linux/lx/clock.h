// SPDX-License-Identifier: MIT
/* clock.h - times as programs of Linux say them. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "personality/linux/lx/abi.h"

bool time_is_valid(const struct linux_timespec *time);
/* As long as can be said: a time that is too long is MNOS_DEADLINE_NEVER. */
uint64_t time_to_ns(const struct linux_timespec *time);
/* When the machine began, since 1970: by the clock as it is now, which may be set at any time. */
uint64_t time_boot_ns(void);
/* The deadline that is this time by the wall clock, or since boot. */
uint64_t time_deadline(bool wall_clock, uint64_t ns);
