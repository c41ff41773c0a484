// SPDX-License-Identifier: MIT
/*
 * files.h - what the commands about files share: the session of all that is mounted, which is the capability "files",
 * the current directory, and how things are said.
 */
#pragma once

#include <stddef.h>

#include "lib/client/file.h"

#define FILES_PATH_BYTES (FILE_PATH_BYTES_MAX + 1)

/* Where all paths begin; it is opened by the first command that needs it. NULL: it cannot be, which was told. */
struct file_session *files_session(const char *command);
struct file_mounts *files_mounts(void);

/* A path as it was typed, from the current directory on. False: it is too long, which was told. */
bool files_path(const char *command, const char *typed, char path[FILES_PATH_BYTES]);

/* What a command did not do, and why. */
void files_failed(mnos_status_t status, const char *command, const char *path);

/* For the Tab key: the candidate at an index for a word that is the beginning of a path, a directory with a slash
 * behind it. */
bool files_candidate(const char *word, size_t bytes, unsigned index, char *candidate, size_t size);
