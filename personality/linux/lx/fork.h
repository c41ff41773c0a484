// SPDX-License-Identifier: MIT
/* fork.h - a copy of the process: what the parts of lx have to do in it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/client/file.h"
#include "protocols/lxhost.h"

/* In the copy: a session that lx knows by that name becomes the one that lxhost has given the copy under it. */
bool session_become(struct file_session *session, const char *name,
                    const struct lxhost_image *image);

/* The pid of the copy; in the copy, 0; or the negative number of an error. */
int64_t process_fork(void);
