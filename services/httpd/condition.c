// SPDX-License-Identifier: MIT
/* condition - see condition.h. Host tests compile this file as it is. */
#include "services/httpd/condition.h"

#include "lib/base/string.h"
#include "services/httpd/date.h"
#include "services/httpd/text.h"

#define SECOND_NS 1000000000ull
/* Of the times of FAT; no file system that is finer gives whole seconds but by chance. */
#define COARSE_S 2u

/* ---- What a file is known by ---- */

/* A file of a coarse clock may change again, and its time not. */
static bool may_change_unseen(const struct validator_source *source)
{
    uint64_t time_s = (uint64_t)source->changed_ns / SECOND_NS;

    return (uint64_t)source->changed_ns % SECOND_NS == 0 && time_s <= source->dating_s &&
           source->dating_s - time_s < COARSE_S;
}

/* By when it changed, and not by when it was modified: that anybody sets who may write there. */
static void make_tag(struct validator *validator, const struct validator_source *source)
{
    struct text tag = {.bytes = validator->tag, .room = sizeof validator->tag};

    TEXT(&tag, "\"");
    text_hex(&tag, source->inode);
    TEXT(&tag, "-");
    text_hex(&tag, source->generation);
    TEXT(&tag, "-");
    text_hex(&tag, source->size);
    TEXT(&tag, "-");
    text_hex(&tag, (uint64_t)source->changed_ns);
    TEXT(&tag, "\"");
    text_end(&tag);
}

void validator_make(struct validator *validator, const struct validator_source *source)
{
    uint64_t modified_s = (uint64_t)source->modified_ns / SECOND_NS;

    *validator = (struct validator){.now_s = source->now_s};
    if (source->dating_s == 0)
        return;
    if (source->changed_ns > 0 && !may_change_unseen(source))
        make_tag(validator, source);
    /* RFC 9110, 8.8.2.1: no date that is still to come. */
    if (source->modified_ns > 0 && (source->now_s == 0 || modified_s <= source->now_s) &&
        modified_s <= DATE_LAST)
        validator->modified_s = modified_s;
}

/* ---- Lists of tags ---- */

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

/* Whether the list names the tag; weak ones count when `weak` may (RFC 9110, 8.8.3.2). `*` is any. */
static bool list_has(const struct request_field *list, const char *tag, bool weak)
{
    const char *at = list->text, *end = at + list->bytes;
    size_t bytes = strlen(tag);

    if (list->bytes == 1 && *at == '*')
        return true;
    while (at != end) {
        bool is_weak = end - at >= 2 && at[0] == 'W' && at[1] == '/';
        const char *begin;

        if (is_blank(*at) || *at == ',') {
            at++;
            continue;
        }
        begin = at += is_weak ? 2 : 0;
        if (at == end || *at != '"')
            return false; /* no tag: nothing behind it can be told apart */
        do
            at++;
        while (at != end && *at != '"');
        if (at == end)
            return false;
        at++;
        if (bytes != 0 && (size_t)(at - begin) == bytes && memcmp(begin, tag, bytes) == 0 &&
            (weak || !is_weak))
            return true;
    }
    return false;
}

/* ---- Conditions, in the order of RFC 9110, 13.2.2 ---- */

static const struct request_field *field(const struct request *request,
                                         enum request_field_name name)
{
    return &request->fields[name];
}

static bool is_there(const struct request_field *at)
{
    return at->bytes != 0 || at->cut;
}

static bool date_of(const struct request_field *at, uint64_t *seconds)
{
    return !at->cut && date_read(at->text, at->bytes, seconds);
}

static bool is_refused(const struct request *request, const struct validator *validator)
{
    const struct request_field *match = field(request, FIELD_IF_MATCH);
    uint64_t date;

    if (is_there(match)) /* what is too long to be read is not fulfilled */
        return match->cut || !list_has(match, validator->tag, false);
    return validator->modified_s != 0 &&
           date_of(field(request, FIELD_IF_UNMODIFIED_SINCE), &date) &&
           validator->modified_s > date;
}

static bool is_known(const struct request *request, const struct validator *validator)
{
    const struct request_field *none = field(request, FIELD_IF_NONE_MATCH);
    uint64_t date;

    if (is_there(none))
        return !none->cut && list_has(none, validator->tag, true);
    /* A date that is still to come was told by a clock that has been set back since: it says nothing. */
    return validator->modified_s != 0 && date_of(field(request, FIELD_IF_MODIFIED_SINCE), &date) &&
           validator->modified_s <= date && (validator->now_s == 0 || date <= validator->now_s);
}

/* ---- Ranges ---- */

static bool read_number(const char **at, const char *end, uint64_t *value)
{
    const char *begin = *at;

    *value = 0;
    for (; *at != end && **at >= '0' && **at <= '9'; (*at)++) {
        if (*value > (UINT64_MAX - 9) / 10)
            *value = (UINT64_MAX - 9) / 10; /* far behind any end */
        *value = *value * 10 + (uint64_t)(**at - '0');
    }
    return *at != begin;
}

/* `bytes=FIRST-LAST`, `bytes=FIRST-` or `bytes=-COUNT`. False: it is something else, or several, and so all of the file
 * (RFC 9110, 14.2). */
static bool read_range(const struct request_field *range, uint64_t size, uint64_t *first,
                       uint64_t *count)
{
    const char *at = range->text, *end = at + range->bytes;
    uint64_t from, to;
    bool has_from, has_to;

    if (range->cut || range->bytes < 6 || memcmp(at, "bytes=", 6) != 0)
        return false;
    at += 6;
    has_from = read_number(&at, end, &from);
    if (at == end || *at++ != '-')
        return false;
    has_to = read_number(&at, end, &to);
    if (at != end || (!has_from && !has_to) || (has_from && has_to && to < from))
        return false;
    if (has_from) {
        *first = from;
        *count = from >= size ? 0 : has_to && to < size ? to - from + 1 : size - from;
    } else {
        *count = to < size ? to : size;
        *first = size - *count;
    }
    return true;
}

/* RFC 9110, 13.1.5. A date is no strong enough proof of a state. */
static bool may_be_part(const struct request *request, const struct validator *validator)
{
    const struct request_field *when = field(request, FIELD_IF_RANGE);

    return !is_there(when) || (!when->cut && when->bytes > 2 && when->text[0] == '"' &&
                               list_has(when, validator->tag, false));
}

uint32_t condition_status(const struct request *request, const struct validator *validator,
                          uint64_t size, uint64_t *first, uint64_t *count)
{
    *first = 0;
    *count = size;
    if (is_refused(request, validator))
        return 412;
    if (is_known(request, validator))
        return 304;
    if (request->method != METHOD_GET || !may_be_part(request, validator) ||
        !read_range(field(request, FIELD_RANGE), size, first, count)) {
        *first = 0;
        *count = size;
        return 200;
    }
    return *count == 0 ? 416 : 206;
}
