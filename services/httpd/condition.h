// SPDX-License-Identifier: MIT
/*
 * condition.h - what a request wants of a file: all of it, a range, or nothing when it is as the client knows it
 * (RFC 9110, sections 13 and 14). Knows no sockets and no files.
 */
#pragma once

#include "services/httpd/request.h"

#define VALIDATOR_TAG_BYTES 72u

/* By what a client knows a state of a file again. */
struct validator {
    char tag[VALIDATOR_TAG_BYTES]; /* a strong entity tag, with its quotes; empty: none */
    uint64_t modified_s;           /* since 1970; 0: no date is known */
    uint64_t now_s;                /* since 1970; 0: it is not known */
};

/* What is known of a state of a file. */
struct validator_source {
    uint64_t inode, generation, size;
    int64_t modified_ns, changed_ns; /* since 1970: protocols/file.h */
    uint64_t now_s;                  /* since 1970, by the clock as it was set last; 0: not known */
    uint64_t dating_s;               /* by that of the file systems, as it was at boot; 0: none */
};

/* Where file systems have no clock a file has neither tag nor date: another boot may have another file of the same
 * numbers and times. Nor has one a tag that may change again within the time that it has now: of whole seconds, which
 * are FAT's, and two of them long. */
void validator_make(struct validator *validator, const struct validator_source *source);

/* 200: all of it; 206: *count bytes from *first on; 304: it is as the client knows it; 412: it is not as the client
 * demands; 416: it has no such range. `size` is the file's. */
uint32_t condition_status(const struct request *request, const struct validator *validator,
                          uint64_t size, uint64_t *first, uint64_t *count);
