// SPDX-License-Identifier: MIT
/* files.h - opening what a place names. */
#pragma once

#include "personality/linux/lx/abi.h"
#include "personality/linux/lx/mounts.h"
#include "personality/linux/lx/open_file.h"

/* With flags of open(2); one reference is the caller's. Links are followed as the flags say. */
int64_t files_open(struct place *place, uint32_t flags, struct open_file **opened);
/* Of an open file or directory of a mount. */
int64_t files_stat(struct open_file *file, struct linux_stat *stat);
void files_close(struct open_file *file);
/* In a copy of the process: what the parent has mapped of the file is not there. */
void files_forked(struct open_file *file);
