// SPDX-License-Identifier: MIT
/* document - see document.h. */
#include "services/facts/document.h"

#include <stdarg.h>

#include "lib/base/printf.h"
#include "lib/base/string.h"

#define UNFINISHED ".unfinished"
#define PIECE_BYTES 1024u

void document_begin(struct document *document, struct file_session *files)
{
    document->files = files;
    document->written = 0;
    document->count = 0;
    document->status = file_open(files, NULL, UNFINISHED, FILE_CREATE | FILE_TRUNCATE_FIRST,
                                 FILE_WRITE_RIGHT, &document->file);
}

static void flush(struct document *document)
{
    uint64_t count = 0;

    if (document->status != MNOS_OK || document->count == 0)
        return;
    document->status =
        file_write(&document->file, document->written, document->bytes, document->count, &count);
    if (document->status == MNOS_OK && count != document->count)
        document->status = MNOS_ERR_FULL;
    document->written += count;
    document->count = 0;
}

void document_add_bytes(struct document *document, const char *bytes, size_t count)
{
    while (count != 0 && document->status == MNOS_OK) {
        size_t room = sizeof document->bytes - document->count, part = count < room ? count : room;

        memcpy(document->bytes + document->count, bytes, part);
        document->count += (uint32_t)part;
        bytes += part;
        count -= part;
        if (document->count == sizeof document->bytes)
            flush(document);
    }
}

void document_add(struct document *document, const char *format, ...)
{
    char piece[PIECE_BYTES];
    va_list arguments;
    int count;

    va_start(arguments, format);
    count = mnos_vsnprintf(piece, sizeof piece, format, arguments);
    va_end(arguments);
    document_add_bytes(document, piece,
                       (size_t)count < sizeof piece ? (size_t)count : sizeof piece - 1);
}

void document_add_text(struct document *document, const char *text, size_t size)
{
    document_add_bytes(document, "\"", 1);
    for (size_t i = 0; i < size && text[i] != 0; i++) {
        bool plain = text[i] >= ' ' && text[i] <= '~';

        if (text[i] == '"' || text[i] == '\\')
            document_add_bytes(document, "\\", 1);
        document_add_bytes(document, plain ? &text[i] : "?", 1);
    }
    document_add_bytes(document, "\"", 1);
}

mnos_status_t document_end(struct document *document, const char *name)
{
    mnos_status_t closed;

    flush(document);
    if (document->status != MNOS_OK)
        return document->status;
    closed = file_close(&document->file);
    return closed != MNOS_OK ? closed : file_rename(document->files, UNFINISHED, name);
}
