// SPDX-License-Identifier: MIT
/* names.h - directories: hashes, blocks of names, trees of hashes. */
#pragma once

#include "services/fs/ext4/core/files.h"

/* ---- hash.c, dir.c, htree.c, htree_change.c ---- */

struct ext4_hash {
    uint32_t major, minor;
};

void ext4_hash(const struct ext4_fs *fs, uint8_t version, const char *name, uint32_t bytes,
               struct ext4_hash *hash);

/* An entry of a directory. */
struct ext4_entry_place {
    uint8_t *block;
    uint32_t offset, previous; /* previous: EXT4_NONE, it is the first of the block */
};

uint32_t ext4_dir_entry_bytes(uint32_t name_bytes);
/* Bytes to the next entry, bounded. */
uint32_t ext4_dir_record(const struct ext4_fs *fs, const uint8_t *block, uint32_t offset);
bool ext4_dir_scan(const struct ext4_fs *fs, const uint8_t *block, const char *name, uint32_t bytes,
                   struct ext4_entry_place *place);
mnos_status_t ext4_dir_block(struct ext4_op *op, const struct ext4_inode *directory,
                             uint32_t logical, enum ext4_kind kind, uint8_t **data);
mnos_status_t ext4_dir_find(struct ext4_op *op, const struct ext4_inode *directory,
                            const char *name, uint32_t bytes, struct ext4_entry_place *place);
/* Puts a name into a block; false: there is no room. */
bool ext4_dir_put(struct ext4_op *op, uint8_t *block, const char *name, uint32_t bytes,
                  uint32_t inode, uint32_t mode, struct ext4_entry_place *place);
/* What is known of this name, or NULL. */
const struct ext4_hint *ext4_hint_for(const struct ext4_fs *fs, uint32_t directory,
                                      const char *name, uint32_t bytes);
/* This is known now; `place` NULL: it is not there. */
void ext4_hint_set(struct ext4_fs *fs, uint32_t directory, const struct ext4_name *name,
                   uint32_t hash, uint32_t leaf, const struct ext4_entry_place *place);
mnos_status_t ext4_dir_add(struct ext4_op *op, struct ext4_inode *directory, const char *name,
                           uint32_t bytes, uint32_t inode, uint32_t mode);
mnos_status_t ext4_dir_remove(struct ext4_op *op, struct ext4_inode *directory,
                              const struct ext4_entry_place *place);
mnos_status_t ext4_dir_is_empty(struct ext4_op *op, const struct ext4_inode *directory,
                                bool *empty);
/* An empty block of names. */
void ext4_dir_clear(struct ext4_op *op, uint8_t *block);
mnos_status_t ext4_dir_append(struct ext4_op *op, struct ext4_inode *directory, enum ext4_kind kind,
                              uint32_t *logical, uint8_t **data);
bool ext4_dir_is_hashed(const struct ext4_fs *fs, const struct ext4_inode *directory);
uint8_t ext4_dir_type(const struct ext4_fs *fs, uint32_t mode);

struct ext4_dx_path {
    uint32_t levels; /* nodes below the root */
    uint8_t version;
    uint8_t *node[DX_LEVELS_MAX + 1];
    uint32_t at[DX_LEVELS_MAX + 1];
};

uint32_t ext4_dx_count(const struct ext4_fs *fs, const struct ext4_dx_path *path, uint32_t level);
uint8_t *ext4_dx_entry(const struct ext4_dx_path *path, uint32_t level, uint32_t index);
/* The root, which says which hash it is; then from there to the leaf. */
mnos_status_t ext4_dx_begin(struct ext4_op *op, const struct ext4_inode *directory,
                            struct ext4_dx_path *path);
mnos_status_t ext4_dx_descend(struct ext4_op *op, const struct ext4_inode *directory, uint32_t hash,
                              struct ext4_dx_path *path);
/* Both. */
mnos_status_t ext4_dx_find(struct ext4_op *op, const struct ext4_inode *directory, uint32_t hash,
                           struct ext4_dx_path *path);
uint32_t ext4_dx_block(const struct ext4_dx_path *path);
/* The next leaf, and the first hash in it; *more false: there is none. */
mnos_status_t ext4_dx_next(struct ext4_op *op, const struct ext4_inode *directory,
                           struct ext4_dx_path *path, uint32_t *hash, bool *more);
mnos_status_t ext4_dx_add(struct ext4_op *op, struct ext4_inode *directory, const char *name,
                          uint32_t bytes, uint32_t inode, uint32_t mode);
/* A directory of one full block becomes a hashed one of two. */
mnos_status_t ext4_dx_make(struct ext4_op *op, struct ext4_inode *directory);
void ext4_dx_clear(struct ext4_op *op, uint8_t *node);

/* Entries of a leaf with their hashes, in order of these. */
struct ext4_hashed {
    struct ext4_hash hash;
    uint32_t offset;
};
uint32_t ext4_leaf_sort(const struct ext4_fs *fs, const uint8_t *block, uint8_t version,
                        struct ext4_hashed *list);
enum { EXT4_LEAF_ENTRIES_MAX = EXT4_SLOT_BYTES / DIR_TAIL_BYTES };
