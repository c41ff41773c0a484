// SPDX-License-Identifier: MIT
/* request - see request.h. */
#include "services/httpd/request.h"

#include "lib/base/string.h"
#include "llhttp.h"

_Static_assert(sizeof(llhttp_t) <= REQUEST_PARSER_BYTES, "its room");

static llhttp_t *parser_of(struct request *request)
{
    return (llhttp_t *)request->parser;
}

static int on_url(llhttp_t *parser, const char *at, size_t count)
{
    struct request *request = parser->data;

    if (count > REQUEST_TARGET_BYTES - 1 - request->target_bytes) {
        request->target_bytes = REQUEST_TARGET_BYTES; /* too long */
        return -1;
    }
    memcpy(request->target + request->target_bytes, at, count);
    request->target_bytes += (uint32_t)count;
    request->target[request->target_bytes] = 0;
    return 0;
}

/* A name may come in pieces; of one that is longer than all that matter it is enough to know that. */
static int on_field(llhttp_t *parser, const char *at, size_t count)
{
    struct request *request = parser->data;

    if (request->in_value)
        request->name_bytes = 0;
    request->in_value = false;
    for (size_t i = 0; i < count && request->name_bytes < sizeof request->name; i++)
        request->name[request->name_bytes++] = (char)(at[i] | 0x20); /* in small letters */
    return 0;
}

static bool is_name(const struct request *request, const char *name)
{
    return request->name_bytes == strlen(name) &&
           memcmp(request->name, name, request->name_bytes) == 0;
}

static void append(struct request_field *field, const char *at, size_t count)
{
    if (count > sizeof field->text - field->bytes) {
        count = sizeof field->text - field->bytes;
        field->cut = true;
    }
    memcpy(field->text + field->bytes, at, count);
    field->bytes = (uint16_t)(field->bytes + count);
}

static int on_value(llhttp_t *parser, const char *at, size_t count)
{
    static const char *const names[REQUEST_FIELDS] = {
        [FIELD_RANGE] = "range",
        [FIELD_IF_RANGE] = "if-range",
        [FIELD_IF_MATCH] = "if-match",
        [FIELD_IF_NONE_MATCH] = "if-none-match",
        [FIELD_IF_MODIFIED_SINCE] = "if-modified-since",
        [FIELD_IF_UNMODIFIED_SINCE] = "if-unmodified-since",
    };
    struct request *request = parser->data;
    bool goes_on = request->in_value;

    request->in_value = true;
    request->has_host |= is_name(request, "host");
    for (uint32_t i = 0; i < REQUEST_FIELDS; i++) {
        if (!is_name(request, names[i]))
            continue;
        if (!goes_on && request->fields[i].bytes != 0)
            append(&request->fields[i], ", ", 2);
        append(&request->fields[i], at, count);
    }
    return 0;
}

static int on_complete(llhttp_t *parser)
{
    struct request *request = parser->data;

    request->method = parser->method == HTTP_GET    ? METHOD_GET
                      : parser->method == HTTP_HEAD ? METHOD_HEAD
                                                    : METHOD_OTHER;
    request->is_1_0 = parser->http_minor == 0;
    request->keep_alive = llhttp_should_keep_alive(parser) != 0 && parser->upgrade == 0;
    return HPE_PAUSED;
}

void request_begin(struct request *request)
{
    static llhttp_settings_t settings;

    *request = (struct request){.in_value = true};
    llhttp_settings_init(&settings);
    settings.on_url = on_url;
    settings.on_header_field = on_field;
    settings.on_header_value = on_value;
    settings.on_message_complete = on_complete;
    llhttp_init(parser_of(request), HTTP_REQUEST, &settings);
    parser_of(request)->data = request;
}

static uint32_t status_of(const struct request *request, llhttp_errno_t error)
{
    switch (error) {
    case HPE_INVALID_METHOD: return 501;
    case HPE_INVALID_VERSION: return 505;
    case HPE_USER: return request->target_bytes == REQUEST_TARGET_BYTES ? 414 : 400;
    default: return 400;
    }
}

/* One that is there, but nevertheless wrong. */
static enum request_result judge(const struct request *request, uint32_t *status)
{
    const llhttp_t *parser = (const llhttp_t *)request->parser;

    *status = parser->http_major != 1 ? 505 : !request->has_host && !request->is_1_0 ? 400 : 0;
    return *status == 0 ? REQUEST_READY : REQUEST_WRONG;
}

enum request_result request_take(struct request *request, const void *bytes, size_t count,
                                 size_t *taken, uint32_t *status)
{
    llhttp_t *parser = parser_of(request);
    llhttp_errno_t error;

    request->begun |= count != 0;
    error = llhttp_execute(parser, bytes, count);
    if (error == HPE_PAUSED || error == HPE_PAUSED_UPGRADE) {
        *taken = (size_t)(llhttp_get_error_pos(parser) - (const char *)bytes);
        request->head_bytes += (uint32_t)*taken;
        *status = 431; /* however it came in pieces */
        return request->head_bytes > REQUEST_HEAD_BYTES ? REQUEST_WRONG : judge(request, status);
    }
    *taken = count;
    if (error != HPE_OK) {
        *status = status_of(request, error);
        return REQUEST_WRONG;
    }
    request->head_bytes += (uint32_t)count;
    *status = 431;
    return request->head_bytes > REQUEST_HEAD_BYTES ? REQUEST_WRONG : REQUEST_MORE;
}
