// SPDX-License-Identifier: MIT
/* services.h - what commands ask about services, and the services that init has given up: told once at the prompt. */
#pragma once

#include <stdbool.h>

/* Says so when the monitor has no capability "manager". */
bool manager_available(const char *command);

/* Starts a service and waits until it ends or Ctrl-C is typed, unless it is one that does not end. */
void services_run(const char *name, bool background);

/* Whether some have failed that were not printed yet. */
bool services_have_failed(void);
void services_print_failures(void);
