// SPDX-License-Identifier: MIT
/*
 * ustar - reads a POSIX ustar archive that lies in memory.
 *
 * Responsible for: checking every header it steps over (magic, checksum, numbers, bounds). The
 * bytes are hostile; data and size of a returned entry always lie inside the archive.
 * Left to the caller: what the files mean. Links are listed, never followed.
 *
 * Allocates nothing and keeps no state. The boot loader, the kernel, init and the host tests all
 * link this one file.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* prefix (155) + '/' + name (100) + NUL */
#define USTAR_PATH_SIZE 257

enum ustar_error {
    USTAR_OK = 0,
    USTAR_END,       /* ustar_next: no more entries; ustar_find: no such file */
    USTAR_TRUNCATED, /* the archive ends inside a header or a file */
    USTAR_MAGIC,     /* not a POSIX ustar header */
    USTAR_CHECKSUM,  /* the header checksum is wrong */
    USTAR_NUMBER,    /* a number is not octal */
    USTAR_NAME,      /* the name is empty */
    USTAR_ERROR_COUNT
};

struct ustar_entry {
    char path[USTAR_PATH_SIZE]; /* as stored, NUL-terminated */
    char type;                  /* '0' file, '5' directory, '2' symbolic link ... */
    uint32_t mode;
    const uint8_t *data; /* size bytes; NULL when size is 0 */
    uint64_t size;
};

/* Reads the entry at *offset and moves *offset to the next one. Start with *offset = 0. */
enum ustar_error ustar_next(const void *archive, size_t size, size_t *offset,
                            struct ustar_entry *entry);

/* Finds a regular file; leading "/" and "./" do not count on either side. USTAR_END: not there. */
enum ustar_error ustar_find(const void *archive, size_t size, const char *path,
                            struct ustar_entry *entry);

/* True if both name the same member: "boot/a", "/boot/a" and "./boot/a" do. */
bool ustar_path_equal(const char *a, const char *b);

/* A short reason for a message. Never NULL. */
const char *ustar_error_text(enum ustar_error error);
