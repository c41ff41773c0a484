// SPDX-License-Identifier: MIT
/*
 * response.h - answers of HTTP/1.0 and 1.1 out of the bytes of a connection, by llhttp in strict mode. Knows no sockets and no
 * files.
 *
 *   response_begin(); response_take() until it says RESPONSE_HEAD: status and headers are there; response_take() from
 *   there on hands the body to `body`, until RESPONSE_DONE; response_end() when the peer has ended before that.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RESPONSE_HEAD_BYTES 16384u
#define RESPONSE_REASON_BYTES 64u
#define RESPONSE_VALUE_BYTES 512u /* of one header; what is longer is as if it were not there */
/* What the parser keeps, in a place of its own so that nobody else needs its header. */
#define RESPONSE_PARSER_BYTES 160u

struct response {
    _Alignas(16) uint8_t parser[RESPONSE_PARSER_BYTES];
    /* Takes some of the body; false: it cannot, and nothing more is read. */
    bool (*body)(void *context, const void *bytes, size_t count);
    void *context;
    uint32_t head_bytes; /* so far */
    char field[20]; /* the name of the header at hand, as far as it may be one that is looked at */
    char value[RESPONSE_VALUE_BYTES];
    size_t field_bytes, value_bytes;
    bool stopped;   /* by `body` */
    bool head_told; /* RESPONSE_HEAD was answered */

    /* When the head is there. */
    uint32_t status;
    char reason[RESPONSE_REASON_BYTES];
    bool has_length;
    uint64_t length; /* of the body, when `has_length` */
    bool has_range;  /* Content-Range: */
    uint64_t first;  /* byte of the whole that the body begins with */
    bool has_total;
    uint64_t total; /* bytes of the whole, when `has_total` */
    char
        validator[RESPONSE_VALUE_BYTES]; /* that tells this content from a later one; empty: none */
    bool is_etag;                        /* what the validator is; else a time */
    char location[RESPONSE_VALUE_BYTES]; /* where it has moved; empty: not said */
};

enum response_result {
    RESPONSE_MORE,    /* all bytes are taken, and it goes on */
    RESPONSE_HEAD,    /* what follows the head was not taken */
    RESPONSE_DONE,    /* it is whole */
    RESPONSE_WRONG,   /* these are no bytes of HTTP */
    RESPONSE_STOPPED, /* `body` said so */
};

void response_begin(struct response *response,
                    bool (*body)(void *context, const void *bytes, size_t count), void *context);
/* Takes bytes; *taken becomes how many. */
enum response_result response_take(struct response *response, const void *bytes, size_t count,
                                   size_t *taken);
/* The peer has ended. Whether the answer is whole: one without a length is. */
bool response_end(struct response *response);
