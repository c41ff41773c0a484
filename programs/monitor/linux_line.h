// SPDX-License-Identifier: MIT
/*
 * linux_line.h - a line of `run` that starts a program of Linux:
 *
 *   run [--root DIR] [--grant PATH:RIGHTS[:AT]]... [--listen ADDRESS:PORT]... [--connect ADDRESS:PORT]...
 *       [--resolve NAME]... [--memory SIZE] [--terminal NUMBER] [--env NAME=VALUE]... [--trace] [--learn]
 *       PROGRAM [ARGUMENT...]
 *
 * What it says becomes what the container is to have, and the words that its server, lxhost, and lx are started with
 * (personality/linux/lx/main.c). Nothing is started, opened or given here.
 */
#pragma once

#include "programs/monitor/command.h"
#include "programs/monitor/files.h"
#include "programs/monitor/net_limits.h"
#include "protocols/launcher.h"
#include "protocols/lxhost.h"

#define LINUX_GRANTS_MAX (LXHOST_MOUNTS_MAX - 1) /* the last is the program's own file */

struct linux_grant {
    char name[MNOS_NAME_BYTES];
    char path[FILES_PATH_BYTES]; /* outside */
    const char *at;              /* as the program sees it; in the words of the line, or `path` */
    uint32_t rights;             /* of a file (file.h) */
    bool delegate;
};

struct linux_line {
    struct linux_grant grants[LINUX_GRANTS_MAX];
    unsigned grant_count;
    uint64_t frames;   /* of memory */
    unsigned terminal; /* another one, by its number; 0: that of the prompt */
    bool has_root, learns;
    /* What of the network it may use, in the words of net_limits.h; empty: nothing. */
    char net[LINE_BYTES];
    struct net_limits limits;
    /* For lx, each with its NUL. */
    char words[LAUNCHER_ARGUMENTS_MAX];
    size_t bytes;
    bool full; /* there were more */
};

/* One that says nothing. */
void linux_line_begin(struct linux_line *line);
/* Whether a word is an option. */
bool linux_is_option(const char *word);
/* Reads the options from word 1 on, and takes the words apart; *next is the first that is none. False: why not was told. */
bool linux_line_options(struct linux_line *line, const struct words *words, unsigned *next);
/* One grant more; `at` is where the program sees it, NULL: where it is. Both are taken as they are. False: why not was told. */
bool linux_line_grant(struct linux_line *line, const char *path, const char *at, uint32_t rights,
                      bool delegate);
/* One word more for lx. */
__attribute__((format(printf, 2, 3))) void linux_line_word(struct linux_line *line,
                                                           const char *format, ...);
/* The word that is the program's own name for its file, which is at `path`, absolute and plain: where it sees it. False: no
 * grant covers that, and the file is to be given by itself. */
bool linux_line_program(struct linux_line *line, const char *path);
/* The words of lxhost, which say where the grants are outside, then those of lx: valid until the next call. NULL: they are more
 * than LAUNCHER_ARGUMENTS_MAX bytes. `path`: of the program's file when it is given by itself, or NULL. */
const char *linux_line_words(const struct linux_line *line, const char *path, size_t *bytes);
