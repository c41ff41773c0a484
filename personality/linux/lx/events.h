// SPDX-License-Identifier: MIT
/* events.h - descriptors that are of no file: eventfd, timerfd, signalfd, and epoll, which watches others. */
#pragma once

#include "personality/linux/lx/open_file.h"

struct counter_file; /* event_fd.c */
struct timer_file;   /* timer_fd.c */
struct epoll;        /* epoll.c */

/* fstat() of such a descriptor. */
int64_t events_stat(struct open_file *file, struct linux_stat *stat);
/* An open file of that kind, whose record `own` is `bytes` of zeros. `flags`: O_NONBLOCK. NULL: there is no memory. */
struct open_file *events_make(const struct open_methods *methods, size_t bytes, uint32_t flags);
/* It becomes a descriptor, or is closed: as descriptor_add(). `flags`: O_CLOEXEC. */
int64_t events_open(struct open_file *file, uint32_t flags);
/* The open file of a descriptor; -EBADF, or -EINVAL if it is not of that kind. */
int64_t events_of(int32_t fd, const struct open_methods *methods, struct open_file **file);
/* When the next of the timers that are set ends, of those that have not ended yet. */
uint64_t timer_files_next(void);
/* The open file is closed: nobody watches it any more. */
void epoll_forget(const struct open_file *file);
