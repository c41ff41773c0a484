// SPDX-License-Identifier: MIT
/* first_process.h - the end of phase 5: the first process. */
#pragma once

/* Creates init from the initial RAM disk, with capabilities to everything there is, and runs it on
 * this core. Panics with the reason when that is not possible. */
[[gnu::noreturn]] void kernel_start_init(void);
