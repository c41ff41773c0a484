// SPDX-License-Identifier: MIT
/*
 * missing.h - which option of `run` would have given a program of Linux what it was refused (DENIAL of container.def).
 *
 * It only makes text: what a program says it was refused, a person reads, and may type. A program may lie, so the text is one
 * option that `run` takes, with one value that means what is read, whatever the program says. Plain data, and no call but
 * `exists`: host tests compile this as it is.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "protocols/lxhost.h"

#define MISSING_PATH_BYTES 512u
#define MISSING_TEXT_BYTES (2 * MISSING_PATH_BYTES + 32)
#define MISSING_OPTIONS 24u

/* A grant that the container has. */
struct missing_place {
    const char *outer,
        *inner;      /* where it is, and where the program sees it; both absolute and plain */
    uint32_t rights; /* of a file */
};

struct missing_world {
    const struct missing_place *places;
    unsigned count;
    /* Whether the one who reads has something at that path. */
    bool (*exists)(const char *path);
};

struct missing_option {
    uint32_t kind;   /* enum lxhost_denied_kind */
    uint32_t rights; /* PATH: of a file */
    char what[MISSING_PATH_BYTES],
        at[MISSING_PATH_BYTES]; /* of a path: where the program is to see it */
};

struct missing_list {
    unsigned count;
    struct missing_option options[MISSING_OPTIONS];
};

/* False: no option would, or it cannot be typed as it stands. */
bool missing_find(const struct missing_world *world, const struct lxhost_denied *denied,
                  struct missing_option *option);
/* Joins it with those of the list that are about the same, or leaves it out when one of them gives as much. False: there is
 * no room. */
bool missing_add(struct missing_list *list, const struct missing_option *option);
/* As it is typed: "--grant /disk/work:r". Returns `text`. */
const char *missing_text(const struct missing_option *option, char text[MISSING_TEXT_BYTES]);
/* What the program was told, in the words of Linux. */
const char *missing_error_text(int32_t error);
