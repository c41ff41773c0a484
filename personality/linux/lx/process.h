// SPDX-License-Identifier: MIT
/* process.h - the program's process: who it is, and the signals that it has to do with. */
#pragma once

#include "personality/linux/lx/lx.h"
#include "protocols/lxhost.h"

#define PROCESS_NAME_BYTES LXHOST_NAME_BYTES

/* Its pid in the container. */
int32_t process_id(void);
/* Time that its threads have run. */
uint64_t process_cpu_ns(void);
/* That the calling one has. */
uint64_t thread_cpu_ns(void);
/* The process gets a signal: it is ignored, or ends the process. */
void process_signal(uint32_t signal);
/* It is stopped by that signal, all threads of it, and returns when it goes on. */
void process_stop(uint32_t signal);
/* For the other threads: at once if it is not stopped. */
void process_wait_while_stopped(void);
/* The name that people know it by: of its file, or what prctl(PR_SET_NAME) has given. */
void process_set_name(const char *name);
/* The arguments that it was called with, as others see them; they are told of the name, too. */
void process_set_words(const char *const *words, uint32_t count);
/* In a copy of the process: it has another pid. */
void process_forked(int32_t pid);
