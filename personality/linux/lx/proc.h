// SPDX-License-Identifier: MIT
/*
 * proc.h - the files of /proc, each of which is a text that is made when it is read from its beginning: proc(5). They say of this
 * process what lx knows, of the container's others what lxhost tells of them, and of the machine what each program sees anyway.
 */
#pragma once

#include "personality/linux/lx/open_file.h"

/* Where a text is written to; what does not fit is counted and left out. */
struct proc_text {
    char *bytes;
    size_t size, length;
};

extern const struct open_methods proc_methods;

/* ---- What the table of made_up.c has ---- */

void proc_cpuinfo(struct proc_text *text, int32_t pid);
void proc_meminfo(struct proc_text *text, int32_t pid);
void proc_uptime(struct proc_text *text, int32_t pid);
void proc_cmdline(struct proc_text *text, int32_t pid);
void proc_comm(struct proc_text *text, int32_t pid);
void proc_stat(struct proc_text *text, int32_t pid);
void proc_status(struct proc_text *text, int32_t pid);
void proc_maps(struct proc_text *text, int32_t pid);
/* What a descriptor of this process, the last word of the path, refers to. */
const char *proc_descriptor(const char *path);
int32_t proc_descriptor_number(const char *path);

bool proc_has_process(int32_t pid);
/* The least number from *number on: of a process of the container, of a descriptor. False: there is none. */
bool proc_next_process(int32_t *number);
bool proc_next_descriptor(int32_t *number);
