// SPDX-License-Identifier: MIT
/*
 * limits.h - services that are given a directory and not everything (protocols/file_limits_format.h). The directory is made when
 * its first service comes; while sessions have it, it can be removed as any other, and then is empty for them.
 */
#pragma once

#include <stdbool.h>

#include "lib/server/service_limits.h"
#include "protocols/file_limits_format.h"
#include "services/fs/tmpfs/methods.h"

/* False: what is there are no limits, and none are there then. */
bool tmpfs_limits_open(struct service_limits *limits, const void *bytes, uint64_t size);
/* The directory of a record, charged to the account if it is made. MNOS_ERR_NOT_DIRECTORY: something else has its name. */
mnos_status_t tmpfs_limits_directory(struct tmpfs_files *files,
                                     const struct file_limits_record *record, uint32_t account,
                                     uint32_t *inode);
