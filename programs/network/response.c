// SPDX-License-Identifier: MIT
/* response - see response.h. */
#include "programs/network/response.h"

#include "lib/base/string.h"
#include "llhttp.h"

_Static_assert(sizeof(llhttp_t) <= RESPONSE_PARSER_BYTES, "its room");

static llhttp_t *parser_of(struct response *response)
{
    return (llhttp_t *)response->parser;
}

/* ---- Headers ---- */

/* A decimal number; *text goes behind it. False: it is none, or does not fit. */
static bool read_number(const char **text, uint64_t *value)
{
    const char *at = *text;

    for (*value = 0; *at >= '0' && *at <= '9'; at++) {
        if (*value > (UINT64_MAX - 9) / 10)
            return false;
        *value = *value * 10 + (uint64_t)(*at - '0');
    }
    if (at == *text)
        return false;
    *text = at;
    return true;
}

/* "bytes 0-499/1234", with * for a number that is not known, or "bytes * /1234" (RFC 9110, 14.4). */
static void read_range(struct response *response, const char *text)
{
    uint64_t last;

    if (strncmp(text, "bytes ", 6) != 0)
        return;
    text += 6;
    if (*text == '*') {
        text++;
    } else {
        if (!read_number(&text, &response->first) || *text++ != '-' || !read_number(&text, &last) ||
            last < response->first)
            return;
        response->has_range = true;
    }
    if (*text++ == '/' && *text != '*')
        response->has_total = read_number(&text, &response->total) && *text == 0;
}

static bool is_field(const struct response *response, const char *name)
{
    return response->field_bytes == strlen(name) &&
           memcmp(response->field, name, response->field_bytes) == 0;
}

/* A strong one alone can tell whether bytes are of the same content (RFC 9110, 8.8.1). */
static void read_etag(struct response *response)
{
    if (response->value[0] != '"')
        return;
    string_copy(response->validator, response->value, sizeof response->validator);
    response->is_etag = true;
}

static int on_value_complete(llhttp_t *parser)
{
    struct response *response = parser->data;

    if (response->value_bytes < sizeof response->value) {
        response->value[response->value_bytes] = 0;
        if (is_field(response, "content-range"))
            read_range(response, response->value);
        else if (is_field(response, "etag"))
            read_etag(response);
        else if (is_field(response, "last-modified") && !response->is_etag)
            string_copy(response->validator, response->value, sizeof response->validator);
        else if (is_field(response, "location"))
            string_copy(response->location, response->value, sizeof response->location);
    }
    response->field_bytes = response->value_bytes = 0;
    return 0;
}

/* Names and values may come in pieces; of one that is too long it is enough to know that. */
static int on_field(llhttp_t *parser, const char *at, size_t count)
{
    struct response *response = parser->data;

    for (size_t i = 0; i < count && response->field_bytes < sizeof response->field; i++) {
        char c = at[i];

        response->field[response->field_bytes++] = (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
    }
    return 0;
}

static int on_value(llhttp_t *parser, const char *at, size_t count)
{
    struct response *response = parser->data;

    for (size_t i = 0; i < count && response->value_bytes < sizeof response->value; i++)
        response->value[response->value_bytes++] = at[i];
    return 0;
}

static int on_reason(llhttp_t *parser, const char *at, size_t count)
{
    struct response *response = parser->data;
    size_t bytes = strlen(response->reason);

    for (size_t i = 0; i < count && bytes < sizeof response->reason - 1; i++)
        response->reason[bytes++] = at[i];
    response->reason[bytes] = 0;
    return 0;
}

/* ---- The whole ---- */

static int on_head(llhttp_t *parser)
{
    struct response *response = parser->data;

    response->status = parser->status_code;
    response->has_length = (parser->flags & F_CONTENT_LENGTH) != 0;
    response->length = parser->content_length;
    return HPE_PAUSED;
}

static int on_body(llhttp_t *parser, const char *at, size_t count)
{
    struct response *response = parser->data;

    response->stopped = !response->body(response->context, at, count);
    return response->stopped ? -1 : 0;
}

static int on_complete(llhttp_t *)
{
    return HPE_PAUSED;
}

void response_begin(struct response *response,
                    bool (*body)(void *context, const void *bytes, size_t count), void *context)
{
    static llhttp_settings_t settings;

    *response = (struct response){.body = body, .context = context};
    llhttp_settings_init(&settings);
    settings.on_status = on_reason;
    settings.on_header_field = on_field;
    settings.on_header_value = on_value;
    settings.on_header_value_complete = on_value_complete;
    settings.on_headers_complete = on_head;
    settings.on_body = on_body;
    settings.on_message_complete = on_complete;
    llhttp_init(parser_of(response), HTTP_RESPONSE, &settings);
    parser_of(response)->data = response;
}

enum response_result response_take(struct response *response, const void *bytes, size_t count,
                                   size_t *taken)
{
    llhttp_t *parser = parser_of(response);
    llhttp_errno_t error;

    if (llhttp_get_errno(parser) == HPE_PAUSED)
        llhttp_resume(parser);
    error = llhttp_execute(parser, bytes, count);
    *taken = count;
    if (!response->head_told) {
        response->head_bytes += (uint32_t)count;
        if (response->head_bytes > RESPONSE_HEAD_BYTES && error == HPE_OK)
            return RESPONSE_WRONG;
    }
    if (error == HPE_OK)
        return RESPONSE_MORE;
    if (error != HPE_PAUSED)
        return response->stopped ? RESPONSE_STOPPED : RESPONSE_WRONG;
    *taken = (size_t)(llhttp_get_error_pos(parser) - (const char *)bytes);
    if (response->head_told)
        return RESPONSE_DONE;
    response->head_told = true;
    return RESPONSE_HEAD;
}

bool response_end(struct response *response)
{
    llhttp_t *parser = parser_of(response);
    llhttp_errno_t error;

    if (llhttp_get_errno(parser) == HPE_PAUSED)
        llhttp_resume(parser);
    error = llhttp_finish(parser);
    return response->head_told && (error == HPE_OK || error == HPE_PAUSED);
}
