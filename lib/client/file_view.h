// SPDX-License-Identifier: MIT
/*
 * file_view.h - an open file, read where the service keeps it: for who reads the same bytes again and again, or asks again and
 * again how large a file is.
 *
 *   struct file_view view;
 *
 *   file_view_open(&view, &file);
 *   status = file_view_read(&view, offset, bytes, sizeof bytes, &count);
 *   file_view_close(&view);
 *
 * Both requests give what file_read() and file_attributes() would give at that moment. What is not in the service's memory, or
 * has been taken back, is asked for by a message, and so is everything when the service lends nothing. It pays from about
 * ten reads of a row of FILE_VIEW_PART_PAGES on (docs/performance.md).
 *
 * A view belongs to the thread that has opened it, whose faults it takes (lib/mnos/lent.h): a program that handles faults
 * itself reads by messages. The file stays open at least as long.
 */
#pragma once

#include "lib/client/file.h"

#define FILE_VIEW_PART_PAGES 16u /* that are mapped at once */

struct file_view {
    const struct file *file;
    struct file_cell *cell; /* in the session's window */
    uint64_t number;        /* 0: there is none now */
    uint64_t offset, bytes; /* of the file, that are mapped */
    uint64_t address;       /* of FILE_VIEW_PART_PAGES of its own; 0: it has only the cell */
    mnos_cap_t memory;
    uint32_t wait, pause; /* requests until it asks again, and how many after it was refused last */
};

/* Cannot fail: at worst all is asked for by messages. */
void file_view_open(struct file_view *view, const struct file *file);
void file_view_close(struct file_view *view);

mnos_status_t file_view_read(struct file_view *view, uint64_t offset, void *bytes, uint64_t length,
                             uint64_t *count);
/* The same without a message, and `bytes` is touched by lent_copy() alone, so it may be memory that is not there. False: the view
 * does not cover it now, or some of it could not be copied. */
bool file_view_read_now(const struct file_view *view, uint64_t offset, void *bytes, uint64_t length,
                        uint64_t *count);
mnos_status_t file_view_attributes(struct file_view *view, struct file_attr *attr);
