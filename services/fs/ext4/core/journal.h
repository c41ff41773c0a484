// SPDX-License-Identifier: MIT
/* journal.h - the log, its replay, commits and checkpoints. */
#pragma once

#include "services/fs/ext4/core/core.h"

/* ---- journal.c, recover.c, commit.c, checkpoint.c ---- */

mnos_status_t ext4_journal_open(struct ext4_fs *fs, struct ext4_op *op);
uint64_t ext4_journal_block(const struct ext4_fs *fs, uint32_t logical);
uint32_t ext4_journal_next(const struct ext4_fs *fs, uint32_t logical);
/* Blocks between head and tail that are free. */
uint32_t ext4_journal_room(const struct ext4_fs *fs);
/* What a transaction of so many blocks takes of the log. */
uint32_t ext4_journal_cost(const struct ext4_fs *fs, uint32_t blocks, uint32_t revokes);
/* The superblock of the journal, with its checksum, into its slot; then it is written. */
void ext4_journal_write_super(struct ext4_fs *fs, uint32_t start, uint32_t sequence);
bool ext4_journal_has_checksums(const struct ext4_fs *fs);
uint32_t ext4_journal_tag_bytes(const struct ext4_fs *fs);
mnos_status_t ext4_recover(struct ext4_fs *fs);
mnos_status_t ext4_commit_work(struct ext4_fs *fs);
mnos_status_t ext4_checkpoint_work(struct ext4_fs *fs);
/* MNOS_ERR_AGAIN: writes or a flush are on their way; MNOS_ERR_DEVICE: one failed. */
mnos_status_t ext4_transfers_done(struct ext4_fs *fs);
void ext4_start_flush(struct ext4_fs *fs);
