// SPDX-License-Identifier: MIT
/* file_limits_format.h - which directories of files in memory the manifest gives to services, as tools/mkfiles.py compiles it
 * for `tmpfs`: the records behind the header of limits_format.h. A service without a record has the root, and all rights. */
#pragma once

#include "protocols/limits_format.h"

#define FILE_LIMITS_MAGIC 0x54494D494C454C46ull
#define FILE_LIMITS_VERSION 1u
#define FILE_LIMITS_DIRECTORY_BYTES 32u

struct file_limits_record {
    char service[MNOS_NAME_BYTES];               /* without the number of an instance */
    char directory[FILE_LIMITS_DIRECTORY_BYTES]; /* a name of the root, with a 0 behind it */
    uint32_t rights;                             /* enum file_rights */
    uint32_t reserved;
};
_Static_assert(sizeof(struct file_limits_record) == 64, "written by mkfiles.py");
