// SPDX-License-Identifier: MIT
/* stat.h - what the program is told about a file. Owners are 0: who may do what is decided by the session's rights. */
#pragma once

#include "lib/client/file.h"
#include "personality/linux/lx/abi.h"
#include "personality/linux/lx/mounts.h"

/* The mode says what the session allows, as it has no other: all may read, look up and execute, and write where the
 * session may. */
void stat_of_attributes(const struct file_attr *attr, uint32_t mount, bool writable,
                        struct linux_stat *stat);
/* Of that path. */
void stat_of_made_up(const struct made_up *made_up, const char *path, struct linux_stat *stat);
/* What a path names. */
int64_t stat_place(int32_t directory, uint64_t path, bool follow, struct linux_stat *stat);
/* Whether the directory is there in which the last name of a place in a mount is. */
bool stat_has_parent(const struct place *place);
