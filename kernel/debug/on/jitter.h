// SPDX-License-Identifier: MIT
/* jitter.h - debug build: cores let each other go first at locks, at random. */
#pragma once

/* Called where a lock is about to be taken, or to be released. */
void jitter(void);
