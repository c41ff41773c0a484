// SPDX-License-Identifier: MIT
/* timers.h - alarm() and setitimer(ITIMER_REAL), of which lxhost sends the signal. */
#pragma once

/* In a copy of the process, for which lxhost has no timer. */
void timers_forget(void);
