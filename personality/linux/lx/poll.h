// SPDX-License-Identifier: MIT
/* poll.h - what an open file is ready for, in the words of poll(2). */
#pragma once

#include "personality/linux/lx/open_file.h"

/* Those of `events` that are there, and errors and ends. */
uint32_t poll_ready(struct open_file *file, uint32_t events);
