// SPDX-License-Identifier: MIT
/*
 * mounts.h - which directory of the program lies in which session, and where a path of the program leads.
 *
 * What no mount covers does not exist, but for the few names that lx makes itself (made_up_find()): /dev, /proc and the
 * directories that lead to a mount.
 */
#pragma once

#include "lib/client/file.h"
#include "personality/linux/lx/lx.h"
#include "personality/linux/lx/open_file.h"
#include "protocols/lxhost.h"

#define MOUNTS_MAX 16u
#define MOUNT_PATH_BYTES 256u

struct mount {
    char path[MOUNT_PATH_BYTES]; /* absolute, without dots */
    char name[MNOS_NAME_BYTES];  /* of its session, as lx finds it: "grant" and a number */
    struct file_session session;
};

struct proc_text;

/* A name that lx makes up: a device, a file of /proc, or a directory of such. */
struct made_up {
    const char *path; /* `*` stands for a number: of a process, and behind that of a descriptor */
    const struct open_methods *methods;
    const char *const *names;              /* of a directory; ended by NULL */
    const char *(*link)(const char *path); /* of a symbolic link: its text */
    uint64_t device;                       /* st_rdev */
    /* Of a directory that has numbers, too: the least from *number on; false: there are no more. */
    bool (*next)(int32_t *number);
    /* Of a file of text: writes it, of that process. */
    void (*write)(struct proc_text *text, int32_t pid);
    bool own; /* of this process, not of others */
    /* Its first number is one of a descriptor, not of a process. */
    bool by_descriptor;
};

/* Where a path leads. */
struct place {
    char path[LX_PATH_BYTES];      /* absolute, as the program names it */
    bool directory;                /* nothing else may be there */
    const struct made_up *made_up; /* or: */
    struct mount *mount;           /* NULL with neither: nothing covers it */
    const char *below;             /* within the mount, in `path` */
};

/* The session of that name under a path of the program. False: there are too many, or it cannot be opened. */
bool mount_add(const char *name, const char *path);
/* In a copy of the process: the sessions are those that lxhost has given it. */
bool mounts_forked(const struct lxhost_image *image);
/* The number in the name of a session: lxhost knows it by that. */
uint32_t mounts_session_number(const struct file_session *session);
/* The session of the program's file when no mount covers that: it has the name "program". NULL: there is none. */
struct file_session *mounts_program(void);
uint32_t mount_number(const struct mount *mount);
/* Whether an address lies in the window of one of the sessions. */
bool mounts_have_window(uint64_t address);
/* Whether a mount at another place than / covers the path. */
bool mounts_cover(const char *path);
/* Whether anything may be written there. */
bool mount_is_writable(const struct mount *mount);

/* The working directory: absolute, without dots or links. */
extern char mounts_directory[LX_PATH_BYTES];

#define PLACE_AT_WORKING_DIRECTORY (-100) /* AT_FDCWD */

/* Where the program's path at an address leads, seen from a directory. Links on the way are followed; the last name is
 * followed with `follow_last`. -ENOENT when a directory on the way is not there; what is named last need not be. */
int64_t place_find(int32_t directory, uint64_t path, bool follow_last, struct place *place);
/* The same of a text in lx's memory. */
int64_t place_find_text(int32_t directory, const char *path, bool follow_last, struct place *place);
/* Without following links, as far as the file system can follow them itself: place_find() only where it cannot. After
 * MNOS_ERR_REST from the file system place_follow() says where it goes on. */
int64_t place_guess(int32_t directory, uint64_t path, bool follow_last, struct place *place);
int64_t place_guess_text(int32_t directory, const char *path, bool follow_last,
                         struct place *place);
int64_t place_follow(struct place *place, bool follow_last);

/* made_up.c: NULL when lx makes no such name. What it returns stays. */
const struct made_up *made_up_find(const char *path);
/* The open pipe that a descriptor refers to, if the path is the link of /proc to that: what the link says is no path, and who
 * follows it has the pipe. Else NULL. */
struct open_file *made_up_pipe(const char *path);
/* The process that a path in /proc is about. */
int32_t made_up_process(const char *path);
/* The path of the program's own file. */
extern char made_up_program[LX_PATH_BYTES];
