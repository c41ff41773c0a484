// SPDX-License-Identifier: MIT
/*
 * files.h - what the commands about files share: the session of all that is mounted, which is the capability "files",
 * the current directory, and how things are said.
 */
#pragma once

#include <stddef.h>

#include "lib/client/file.h"

#define FILES_PATH_BYTES (FILE_PATH_BYTES_MAX + 1)
#define FILES_SIZE_BYTES 16

/* Where all paths begin; it is opened by the first command that needs it. NULL: it cannot be, which was told. */
struct file_session *files_session(const char *command);
struct file_mounts *files_mounts(void);

/* A path as it was typed, from the current directory on. False: it is too long, which was told. */
bool files_path(const char *command, const char *typed, char path[FILES_PATH_BYTES]);
const char *files_directory(void);

/* What a command did not do, and why. */
void files_failed(mnos_status_t status, const char *command, const char *path);
/* Whether Ctrl-C was typed, which is shown then. */
bool files_stopped(void);

/* "1.5 KiB" */
const char *files_size(char text[FILES_SIZE_BYTES], uint64_t bytes);
const char *files_type(uint32_t type);
/* " -> TEXT" of a symbolic link. */
void files_print_target(struct file_session *session, const char *path);
/* The last component of a path. */
const char *files_base(const char *path);

/* For the Tab key: the candidate at an index for a word that is the beginning of a path, a directory with a slash
 * behind it. */
bool files_candidate(const char *word, size_t bytes, unsigned index, char *candidate, size_t size);
