// SPDX-License-Identifier: MIT
/* dns - see dns.h. Numbers of sections are those of RFC 1035. */
#include "lib/format/net/dns.h"

#include "lib/base/string.h"
#include "lib/format/bytes.h"

/* 4.1.1: the header, and its second word. */
#define HEADER_BYTES 12u
#define FLAG_RESPONSE 0x8000u
#define OPCODE_MASK 0x7800u
#define FLAG_CUT 0x0200u
#define FLAG_RECURSION 0x0100u
#define RCODE_MASK 0x000Fu
#define RCODE_NO_NAME 3u
/* 3.2.2, 3.2.4 */
#define TYPE_A 1u
#define TYPE_AAAA 28u
#define TYPE_CNAME 5u
#define CLASS_IN 1u
/* 4.1.4: a name goes on elsewhere. */
#define POINTER 0xC0u
#define LABEL_MAX 63u
/* Aliases of aliases. A server that makes a circle of them is not followed for ever. */
#define ALIASES_MAX 8u

/* ---- Names ---- */

/* In small letters; 0: names of hosts have no such character. */
static char clean_character(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (char)(c | 0x20);
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ? c : 0;
}

bool dns_name_clean(const char *written, char name[DNS_NAME_BYTES])
{
    size_t bytes = 0, label = 0;

    for (; *written != 0; written++) {
        char c = *written == '.' ? '.' : clean_character(*written);

        label = c == '.' ? 0 : label + 1;
        if (c == 0 || label > LABEL_MAX || (c == '.' && (bytes == 0 || name[bytes - 1] == '.')))
            return false;
        if (bytes == DNS_NAME_BYTES - 1)
            return false;
        name[bytes++] = c;
    }
    if (bytes != 0 && name[bytes - 1] == '.')
        bytes--;
    name[bytes] = 0;
    return bytes != 0;
}

bool dns_name_inside(const char *name, const char *suffix)
{
    size_t bytes = strlen(name), end = strlen(suffix);

    if (strcmp(suffix, "*") == 0)
        return true;
    return end <= bytes && strcmp(name + bytes - end, suffix) == 0 &&
           (end == bytes || name[bytes - end - 1] == '.');
}

/* ---- Questions ---- */

static void put_u16(uint8_t *out, uint32_t value)
{
    out[0] = (uint8_t)(value >> 8);
    out[1] = (uint8_t)value;
}

size_t dns_write_question(uint8_t out[DNS_QUESTION_BYTES], uint16_t id, const char *name, bool v6)
{
    size_t at = HEADER_BYTES;

    memset(out, 0, HEADER_BYTES);
    put_u16(out, id);
    put_u16(out + 2, FLAG_RECURSION);
    put_u16(out + 4, 1); /* one question */
    while (*name != 0) {
        size_t length = at++;

        while (*name != 0 && *name != '.')
            out[at++] = (uint8_t)*name++;
        out[length] = (uint8_t)(at - length - 1);
        name += *name == '.';
    }
    out[at++] = 0;
    put_u16(out + at, v6 ? TYPE_AAAA : TYPE_A);
    put_u16(out + at + 2, CLASS_IN);
    return at + 4;
}

/* ---- Answers ---- */

struct bytes {
    const uint8_t *at;
    size_t count;
};

static uint32_t get_u16(const struct bytes *in, size_t at)
{
    return (uint32_t)bytes_get_big(in->at + at, 2);
}

static uint32_t get_u32(const struct bytes *in, size_t at)
{
    return (uint32_t)bytes_get_big(in->at + at, 4);
}

/* One label and a point before it, if there is something. What no name of a host has becomes `?`, which none is. */
static bool add_label(const uint8_t *label, size_t count, char name[DNS_NAME_BYTES], size_t *length)
{
    size_t point = *length != 0;

    if (*length + point + count > DNS_NAME_BYTES - 1)
        return false;
    if (point != 0)
        name[(*length)++] = '.';
    for (size_t i = 0; i < count; i++) {
        char c = clean_character((char)label[i]);

        name[(*length)++] = c != 0 ? c : '?';
    }
    return true;
}

/* The name at *at, which goes behind it. A pointer leads to somewhere before the part that it ends, so each leads further
 * to the beginning and there is a last one. False: it is none. */
static bool read_name(const struct bytes *in, size_t *at, char name[DNS_NAME_BYTES])
{
    size_t from = *at, part = *at, length = 0;
    bool elsewhere = false;

    while (from < in->count && in->at[from] != 0) {
        size_t head = in->at[from];

        if (head >= POINTER) {
            if (from + 1 >= in->count)
                return false;
            if (!elsewhere)
                *at = from + 2;
            elsewhere = true;
            from = get_u16(in, from) & 0x3FFF;
            if (from >= part)
                return false;
            part = from;
            continue;
        }
        if (head > LABEL_MAX || head > in->count - from - 1 ||
            !add_label(in->at + from + 1, head, name, &length))
            return false;
        from += 1 + head;
    }
    if (from >= in->count)
        return false;
    name[length] = 0;
    if (!elsewhere)
        *at = from + 1;
    return true;
}

struct record {
    char owner[DNS_NAME_BYTES];
    uint32_t type, class, ttl_s;
    size_t data, data_bytes;
};

static bool read_record(const struct bytes *in, size_t *at, struct record *record)
{
    if (!read_name(in, at, record->owner) || in->count - *at < 10)
        return false;
    record->type = get_u16(in, *at);
    record->class = get_u16(in, *at + 2);
    record->ttl_s = get_u32(in, *at + 4);
    if (record->ttl_s > INT32_MAX)
        record->ttl_s = 0; /* RFC 2181, 8 */
    record->data_bytes = get_u16(in, *at + 8);
    record->data = *at + 10;
    if (in->count - record->data < record->data_bytes)
        return false;
    *at = record->data + record->data_bytes;
    return true;
}

static void use(struct dns_answer *answer, const struct record *record)
{
    if (record->ttl_s < answer->ttl_s)
        answer->ttl_s = record->ttl_s;
}

/* An address of the family that was asked for. Of IPv6, one that stands for IPv4 is none: those have records of their own. */
static bool read_address(const struct bytes *in, const struct record *record, bool v6,
                         struct ip_address *address)
{
    if (!v6) {
        *address = IP_V4(record->data_bytes == 4 ? get_u32(in, record->data) : 0);
        return record->type == TYPE_A && record->data_bytes == 4;
    }
    if (record->type != TYPE_AAAA || record->data_bytes != 16)
        return false;
    address->high = bytes_get_big(in->at + record->data, 8);
    address->low = bytes_get_big(in->at + record->data + 8, 8);
    return !ip_is_v4(*address);
}

/* Looks through all answers for those of `name`: its addresses, or, without any, where its alias leads, which `name`
 * becomes then. False: they are malformed. */
static bool look_once(const struct bytes *in, size_t at, char name[DNS_NAME_BYTES], bool v6,
                      struct dns_answer *answer, bool *alias)
{
    uint32_t records = get_u16(in, 6);
    char target[DNS_NAME_BYTES];
    struct ip_address address;
    struct record record;

    *alias = false;
    for (uint32_t i = 0; i < records; i++) {
        if (!read_record(in, &at, &record))
            return false;
        if (record.class != CLASS_IN || strcmp(record.owner, name) != 0)
            continue;
        if (read_address(in, &record, v6, &address)) {
            if (answer->count == DNS_ADDRESSES)
                continue;
            answer->addresses[answer->count++] = address;
            use(answer, &record);
        } else if (record.type == TYPE_CNAME && !*alias) {
            size_t data = record.data;

            if (!read_name(in, &data, target))
                return false;
            use(answer, &record);
            *alias = true;
        }
    }
    if (*alias)
        memcpy(name, target, sizeof target);
    return true;
}

/* D1: behind the header there is the one question, as it was asked. */
static bool repeats_question(const struct bytes *in, size_t *at, uint16_t id, const char *name,
                             bool v6)
{
    uint32_t flags;
    char asked[DNS_NAME_BYTES];

    if (in->count < HEADER_BYTES || get_u16(in, 0) != id)
        return false;
    flags = get_u16(in, 2);
    *at = HEADER_BYTES;
    if ((flags & FLAG_RESPONSE) == 0 || (flags & OPCODE_MASK) != 0 || get_u16(in, 4) != 1 ||
        !read_name(in, at, asked) || in->count - *at < 4 || strcmp(asked, name) != 0 ||
        get_u16(in, *at) != (v6 ? TYPE_AAAA : TYPE_A) || get_u16(in, *at + 2) != CLASS_IN)
        return false;
    *at += 4;
    return true;
}

enum dns_result dns_read_answer(const uint8_t *bytes, size_t count, uint16_t id, const char *name,
                                bool v6, struct dns_answer *answer)
{
    struct bytes in = {bytes, count};
    char at_name[DNS_NAME_BYTES];
    bool alias = true;
    size_t at = 0;

    *answer = (struct dns_answer){.ttl_s = UINT32_MAX};
    if (!repeats_question(&in, &at, id, name, v6))
        return DNS_IGNORED;
    if ((get_u16(&in, 2) & RCODE_MASK) == RCODE_NO_NAME)
        return DNS_NOTHING;
    if ((get_u16(&in, 2) & RCODE_MASK) != 0)
        return DNS_REFUSED;
    memcpy(at_name, name, strlen(name) + 1);
    for (unsigned i = 0; i <= ALIASES_MAX && alias && answer->count == 0; i++)
        if (!look_once(&in, at, at_name, v6, answer, &alias)) {
            answer->count = 0;
            return DNS_IGNORED;
        }
    if (answer->count != 0)
        return DNS_FOUND;
    /* The rest did not fit: that there is no address it does not say. */
    return (get_u16(&in, 2) & FLAG_CUT) != 0 ? DNS_REFUSED : DNS_NOTHING;
}
