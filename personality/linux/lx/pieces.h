// SPDX-License-Identifier: MIT
/* pieces.h - bytes of the program that lie in several pieces (struct iovec), or in one, moved from their beginning on. */
#pragma once

#include "personality/linux/lx/abi.h"
#include "personality/linux/lx/lx.h"

struct pieces {
    uint64_t list, left; /* those behind `current`, by their address */
    struct linux_iovec current;
    uint64_t bytes; /* of all that are left */
};

/* One piece. */
void pieces_one(struct pieces *pieces, uint64_t address, uint64_t bytes);
/* `count` pieces: -EFAULT, -EMSGSIZE for too many, -EINVAL for one that is longer than can be. All are looked at. */
int64_t pieces_list(struct pieces *pieces, uint64_t list, uint64_t count);
/* Moves up to so many bytes; how many, or -EFAULT when there are some and none of them can be reached. */
int64_t pieces_write(struct pieces *pieces, const void *from, size_t bytes);
int64_t pieces_read(struct pieces *pieces, void *to, size_t bytes);
