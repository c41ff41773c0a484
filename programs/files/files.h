// SPDX-License-Identifier: MIT
/*
 * files.h - what the commands share: the paths they are called with.
 *
 * A path is two words, TEXT and NAME, and a capability with the name that the command expects: TEXT is what a person
 * typed, for messages. The session is that of the file or directory itself, and then NAME is empty; or of
 * a directory in which NAME is.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/client/file.h"
#include "lib/mnos/bootstrap.h"

#define FILES_PATH_BYTES (FILE_PATH_BYTES_MAX + 1)

enum files_exit {
    FILES_EXIT_DONE = 0,
    FILES_EXIT_FAILED = 1,
    FILES_EXIT_CALL = 2 /* 3 is OUT_EXIT_TERMINAL */
};

struct files_path {
    const char *text;
    const char *name;
    struct file_session *session;
};

/* The session of the capability `cap` and the words from number `index` on. False: it could not be, which was told. */
bool files_path(struct bootstrap_name cap, uint32_t index, uint64_t window_bytes,
                struct files_path *path);
/* True when the status is MNOS_OK; what it is else is told. */
bool files_good(mnos_status_t status, const struct files_path *path);

/* Each returns true when all of it was done; what was not, it has told. */
bool files_ls(void);
bool files_stat(void);
bool files_find(void);
bool files_cat(void);
bool files_hexdump(void);
bool files_write(void);
bool files_cp(void);
bool files_mv(void);
bool files_rm(void);
bool files_mkdir(void);
bool files_rmdir(void);
bool files_ln(void);
