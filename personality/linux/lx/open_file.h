// SPDX-License-Identifier: MIT
/*
 * open_file.h - what a descriptor of the program refers to, and the table of descriptors.
 *
 *   O1  `references` counts the descriptors and areas (vma.h) that refer to the open file; with the last it is closed
 *   O2  a descriptor is the lowest free number when it is made
 */
#pragma once

#include "lib/client/file_view.h"
#include "personality/linux/lx/lx.h"

#define DESCRIPTORS_MAX 1024u /* RLIMIT_NOFILE */

struct inet_socket;
struct open_file;
struct linux_stat;
struct made_up;

/* What an open file does; an operation that is NULL is refused as Linux refuses it. Addresses are the program's. */
struct open_methods {
    int64_t (*read)(struct open_file *file, uint64_t to, uint64_t count, uint64_t offset);
    int64_t (*write)(struct open_file *file, uint64_t from, uint64_t count, uint64_t offset);
    int64_t (*ioctl)(struct open_file *file, uint32_t request, uint64_t argument);
    int64_t (*stat)(struct open_file *file, struct linux_stat *stat);
    uint32_t (*ready)(struct open_file *file, uint32_t events); /* of poll(2) */
    /* A number that is another one after each change that may have made it ready, and never 0; NULL or 0: it cannot say. */
    uint64_t (*changes)(struct open_file *file);
    void (*close)(struct open_file *file);
    bool seekable;
};

struct open_file {
    const struct open_methods *methods;
    uint32_t references;
    uint32_t flags;  /* of open(2): access mode, O_APPEND, O_NONBLOCK, O_DIRECTORY of a directory */
    uint64_t offset; /* open_file_offset() where other processes may have it too */
    /* What lxhost has of it: an end of a pipe; of a file its offset, once a copy of the process was made. */
    uint64_t object;
    bool has_object;
    struct open_file *next, *previous; /* of all that are open */
    struct file file;                  /* of a file or directory of a mount */
    struct file_view *view;            /* of a file that is read again and again */
    uint32_t reads;                    /* of a file, until it has a view */
    uint32_t mount;                    /* its number, for st_dev */
    struct inet_socket *socket;        /* of a socket (socket.h) */
    void *own;                         /* of those of events.h: their kind's record */
    bool watched;                      /* by an epoll, at some time */
    const struct made_up *made_up;     /* of what lx makes up (mounts.h) */
    struct file_listing *listing;      /* of a directory that is read */
    bool has_name;                     /* `listing` has a name that was not handed out yet */
    char *path;                        /* as the program would name it; of lx's own memory */
};

/* One reference, which is the caller's. NULL: there is no memory. */
struct open_file *open_file_make(const struct open_methods *methods, uint32_t flags,
                                 const char *path);
/* Where reads and writes go on, in all processes that have inherited it. */
uint64_t open_file_offset(struct open_file *file);
void open_file_set_offset(struct open_file *file, uint64_t offset);
void open_file_hold(struct open_file *file);
void open_file_release(struct open_file *file);
/* Bytes of a file into lx's own memory: how many there were, fewer only at the end, or an error. */
int64_t open_file_read_at(const struct open_file *file, uint64_t offset, void *to, uint64_t count);

/* ---- Descriptors ---- */

/* NULL: EBADF. */
struct open_file *descriptor_file(int32_t fd);
/* The lowest free one from `lowest` on refers to the file, whose reference becomes the table's; with -EMFILE it is
 * dropped. */
int64_t descriptor_add(struct open_file *file, int32_t lowest, bool close_on_exec);
/* That one, whatever it was before. */
int64_t descriptor_set(int32_t fd, struct open_file *file, bool close_on_exec);
int64_t descriptor_close(int32_t fd);
bool descriptor_closes_on_exec(int32_t fd);
void descriptor_set_close_on_exec(int32_t fd, bool value);

/* execve(2) succeeds: closes those that are to be closed then. */
void descriptors_executed(void);

/* ---- A copy of the process (fork.c) ---- */

/* What is to be shared with the copy is made an object; false: it cannot be. */
bool open_files_share(void);
/* In the copy: what is open of that kind can be closed and nothing else. */
void open_files_lose(const struct open_methods *methods);
/* Of each open file of a session: `file`. Its handle in the copy is another. */
void open_files_each(void (*visit)(struct open_file *file, void *context), void *context);

/* ---- Kinds ---- */

/* pipe.c */
extern const struct open_methods pipe_methods;

/* terminal.c: the terminal as it was given; 0, 1 and 2 of a program. */
extern const struct open_methods terminal_methods;
/* devices.c */
extern const struct open_methods null_methods, zero_methods, full_methods, random_methods;
/* files.c; directory.c for both kinds of directory. */
extern const struct open_methods file_methods, directory_methods;
