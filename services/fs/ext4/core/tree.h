// SPDX-License-Identifier: MIT
/* tree.h - what the operations on names share. */
#pragma once

#include "services/fs/ext4/core/names.h"

/* The directory in which something new is to have the name: nothing has it yet. */
mnos_status_t ext4_new_name(struct ext4_op *op, uint32_t directory, const char *name,
                            uint32_t bytes, struct ext4_inode *parent);
/* The name, its directory and what it names; "." and ".." are refused. */
mnos_status_t ext4_old_name(struct ext4_op *op, const struct ext4_place *place,
                            struct ext4_inode *parent, struct ext4_entry_place *entry,
                            struct ext4_inode *inode);
/* A directory has one more or one less below it, whose ".." names it. */
mnos_status_t ext4_count_child(struct ext4_op *op, struct ext4_inode *directory, int change);
/* A name less; *gone: its number when it was the last. */
mnos_status_t ext4_unname(struct ext4_op *op, struct ext4_inode *inode, uint32_t *gone);
