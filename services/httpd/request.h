// SPDX-License-Identifier: MIT
/*
 * request.h - requests of HTTP/1.0 and 1.1 out of the bytes of a connection, by llhttp in strict mode; and what their
 * targets name. Knows no sockets and no files.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REQUEST_TARGET_BYTES 1024u /* with its end */
#define REQUEST_HEAD_BYTES 8192u
/* What the parser keeps, in a place of its own so that nobody else needs its header. */
#define REQUEST_PARSER_BYTES 160u

enum request_method { METHOD_GET, METHOD_HEAD, METHOD_OTHER };

struct request {
    _Alignas(16) uint8_t parser[REQUEST_PARSER_BYTES];
    uint32_t head_bytes; /* of the request so far */
    uint32_t target_bytes;
    char target[REQUEST_TARGET_BYTES];
    uint8_t field[5]; /* the name of the header at hand, as far as it may be "host" */
    uint32_t field_bytes;
    bool in_value, has_host;
    bool begun; /* some of it has come */
    /* When it is there. */
    uint8_t method; /* enum request_method */
    bool keep_alive, is_1_0;
};

enum request_result {
    REQUEST_MORE,  /* all bytes are taken, and it goes on */
    REQUEST_READY, /* it is there; what follows it was not taken */
    REQUEST_WRONG, /* *status says why; the connection is of no more use */
};

/* For the first, and after each that was answered. */
void request_begin(struct request *request);
/* Takes bytes; *taken becomes how many. Bodies are taken and forgotten. */
enum request_result request_take(struct request *request, const void *bytes, size_t count,
                                 size_t *taken, uint32_t *status);

/*
 * The path that a target names, without its first `/` and without what follows a `?`, decoded; it is resolved below a
 * directory by whoever serves that. False: it is no path: it has a zero byte, a `%` without two digits, or does not
 * begin with `/`.
 */
bool request_path(const char *target, char *path, size_t size);
