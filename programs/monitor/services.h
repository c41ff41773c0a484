// SPDX-License-Identifier: MIT
/* services.h - what commands ask about services, and what is told of them once at the prompt: those that init has given up, and those
 * that were started in the background and have ended. */
#pragma once

#include <stdbool.h>

/* Says so when the monitor has no capability "manager". */
bool manager_available(const char *command);

/* Starts a service and waits until it ends or Ctrl-C is typed, unless it is one that does not end. */
void services_run(const char *name, bool background);

/* Whether some have failed, or ended that were started in the background, and it was not printed yet. */
bool services_have_news(void);
void services_print_news(void);
