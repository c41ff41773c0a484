// SPDX-License-Identifier: MIT
/*
 * document.h - a file of JSON that takes the place of the one before when it is whole: who reads never sees a part of it.
 */
#pragma once

#include <stddef.h>

#include "lib/client/file.h"

#define DOCUMENT_BYTES 4096u

struct document {
    struct file_session *files;
    struct file file;
    mnos_status_t status; /* the first error; then nothing more is written */
    uint64_t written;
    uint32_t count;
    char bytes[DOCUMENT_BYTES]; /* that are still to be written */
};

void document_begin(struct document *document, struct file_session *files);
/* As printf, at most 1 KiB at once. */
__attribute__((format(printf, 2, 3))) void document_add(struct document *document,
                                                        const char *format, ...);
/* A text of at most `size` bytes that may lack its 0, as JSON has it: in quotes. What is not printable ASCII is a `?`. */
void document_add_text(struct document *document, const char *text, size_t size);
/* Bytes as they are. */
void document_add_bytes(struct document *document, const char *bytes, size_t count);
/* Gives it its name. */
mnos_status_t document_end(struct document *document, const char *name);
