// SPDX-License-Identifier: MIT
/* services.h - the services that init has given up: told once at the prompt. */
#pragma once

#include <stdbool.h>

/* Whether some have failed that were not printed yet. */
bool services_have_failed(void);
void services_print_failures(void);
