// SPDX-License-Identifier: MIT
/* progress.h - how far a command is with bytes that it moves, as a bar on its terminal (out.h), once it has taken a second. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct progress {
    uint64_t began_ns, drawn_ns;
    uint64_t total; /* 0: nobody knows; then there is no bar, but how much it is */
    bool shown;
};

void progress_begin(struct progress *progress, uint64_t total);
/* Draws it, when it is time to. */
void progress_show(struct progress *progress, uint64_t done);
/* Takes it off the terminal. */
void progress_end(const struct progress *progress);
