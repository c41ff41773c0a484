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
#define REQUEST_FIELD_BYTES 256u /* of one whose value counts */
#define REQUEST_NAME_BYTES 20u   /* more than the longest of their names */
/* What the parser keeps, in a place of its own so that nobody else needs its header. */
#define REQUEST_PARSER_BYTES 160u

enum request_method { METHOD_GET, METHOD_HEAD, METHOD_OTHER };

/* Headers whose values count, beside Host, which must be there. */
enum request_field_name {
    FIELD_RANGE,
    FIELD_IF_RANGE,
    FIELD_IF_MATCH,
    FIELD_IF_NONE_MATCH,
    FIELD_IF_MODIFIED_SINCE,
    FIELD_IF_UNMODIFIED_SINCE,
    REQUEST_FIELDS,
};

/* The values of several of one name, with a comma between. */
struct request_field {
    uint16_t bytes; /* 0: it is not there */
    bool cut;       /* there is more than fits */
    char text[REQUEST_FIELD_BYTES];
};

struct request {
    _Alignas(16) uint8_t parser[REQUEST_PARSER_BYTES];
    uint32_t head_bytes; /* of the request so far */
    uint32_t target_bytes;
    char target[REQUEST_TARGET_BYTES];
    char name
        [REQUEST_NAME_BYTES]; /* of the header at hand, in small letters, as far as it matters */
    uint32_t name_bytes;
    struct request_field fields[REQUEST_FIELDS];
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

/* Where the path of a target begins: behind the host of one in absolute form (RFC 9112, 3.2.2), which is not looked at. An
 * empty path is "/", and what then follows begins with `?`. NULL: it is no target of GET. */
const char *request_target_path(const char *target);

/*
 * The path that a target names, without its first `/` and without what follows a `?`, decoded; it is resolved below a
 * directory by whoever serves that. False: it is no path: it has a zero byte, a `%` without two digits, or is none by
 * request_target_path().
 */
bool request_path(const char *target, char *path, size_t size);
