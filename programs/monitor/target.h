// SPDX-License-Identifier: MIT
/*
 * target.h - what a command names that a program is started for: files and directories, of which the program gets sessions,
 * and its arguments.
 *
 * Paths are looked up here, through all that is mounted: a link may lead where the program could not go. What it gets
 * is a session of the file or directory itself, or of the directory in which a name is, and that name.
 */
#pragma once

#include "programs/monitor/files.h"
#include "programs/monitor/launch.h"

struct target {
    const char *cap;             /* its name there */
    uint32_t rights;             /* beside FILE_LOOKUP */
    char path[FILES_PATH_BYTES]; /* of what is exported */
    char name[FILES_PATH_BYTES]; /* in it, or empty */
};

/* `path` as a session of its own: what it names is there. */
void target_itself(struct target *target, const char *cap, uint32_t rights);
/* As a name in its directory, whatever is there under it. */
void target_name(struct target *target, const char *cap, uint32_t rights);
/* A file that is there, itself; else the name that it is to get. */
void target_to_write(struct target *target, const char *cap);
/* Under `name` in the directory that it is, if it is one. False: that is too long, which was told. */
bool target_enter(const char *command, struct target *target, const char *name);
mnos_status_t target_look(const struct target *target, uint32_t flags, struct file_attr *attr);
/* To the program that is put together (launch.h). False: why not was told, and the program is dropped. */
bool target_give(const struct target *target);

/* ---- Words, one program at a time; false: there is no room, which was told ---- */

/* The first is the command. */
bool argument_begin(const char *command);
bool argument_add(const char *word);
/* What was typed, for messages, and the name in the session. */
bool argument_add_path(const char *typed, const struct target *target);
/* launch_begin() of a program that the launcher has itself, so that no file system is needed to start it, with these words;
 * it is known by the command's name. */
bool argument_launch(const char *program);
