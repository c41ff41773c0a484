// SPDX-License-Identifier: MIT
/*
 * archive.h - the initial RAM disk: mapped once, its members listed once, found by name.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "abi/types.h"

#define ARCHIVE_MEMBERS_MAX 128

struct archive_member {
    char name[MNOS_NAME_BYTES];
    const uint8_t *data;
    size_t size;
};

struct archive {
    mnos_cap_t memory; /* Read and Execute */
    const uint8_t *base;
    size_t size;
    uint32_t member_count;
    struct archive_member members[ARCHIVE_MEMBERS_MAX];
};

/* Maps the archive; logs what is wrong when it fails. */
mnos_status_t archive_open(struct archive *archive, mnos_cap_t memory);

const struct archive_member *archive_find(const struct archive *archive, const char *name);
