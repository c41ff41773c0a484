// SPDX-License-Identifier: MIT
/* sntp - see sntp.h. Fields are those of RFC 5905, 7.3. */
#include "lib/format/net/sntp.h"

#include <stdbool.h>

#include "lib/base/string.h"
#include "lib/format/bytes.h"

#define NS_PER_S 1000000000ull
/* Of 1970, in seconds since 1900. */
#define UNIX_AT_S 2208988800ll

enum field {
    FIELD_STRATUM = 1,
    FIELD_ROOT_DELAY = 4,
    FIELD_ROOT_DISPERSION = 8,
    FIELD_REFERENCE_ID = 12,
    FIELD_REFERENCE = 16, /* when its clock was set last */
    FIELD_ORIGIN = 24,
    FIELD_RECEIVE = 32,
    FIELD_TRANSMIT = 40,
};

#define VERSION 4u
#define VERSION_LEAST 3u
#define MODE_CLIENT 3u
#define MODE_SERVER 4u
#define LEAP_UNKNOWN 3u
#define STRATUM_REFUSAL 0u /* a "kiss of death": the reference is a word that says why */
#define STRATUM_MAX 15u
#define DISTANCE_MAX (16ull << 16) /* in seconds of 16 bits and 16 behind the point: MAXDISP */

static uint64_t number_at(const uint8_t *bytes, unsigned field, unsigned count)
{
    return bytes_get_big(bytes + field, count);
}

void sntp_write_question(uint8_t out[SNTP_BYTES], uint64_t number)
{
    memset(out, 0, SNTP_BYTES);
    out[0] = VERSION << 3 | MODE_CLIENT;
    for (unsigned i = 0; i < 8; i++)
        out[FIELD_TRANSMIT + i] = (uint8_t)(number >> (56 - 8 * i));
}

/* E3. */
static bool unix_ns(uint64_t stamp, int64_t *ns)
{
    int64_t seconds = (int64_t)(stamp >> 32) - UNIX_AT_S;

    if (seconds < SNTP_FIRST_S)
        seconds += 1ll << 32;
    *ns = seconds * (int64_t)NS_PER_S + (int64_t)((stamp & UINT32_MAX) * NS_PER_S >> 32);
    return stamp != 0 && seconds < SNTP_LAST_S;
}

static enum sntp_result refusal(const uint8_t *bytes)
{
    const uint8_t *word = bytes + FIELD_REFERENCE_ID;

    if (memcmp(word, "RATE", 4) == 0)
        return SNTP_SLOWER;
    return memcmp(word, "DENY", 4) == 0 || memcmp(word, "RSTR", 4) == 0 ? SNTP_REFUSED
                                                                        : SNTP_USELESS;
}

/* Whether the server itself has the time of somebody, near enough and not from later than now. */
static bool is_set(const uint8_t *bytes)
{
    uint64_t distance =
        number_at(bytes, FIELD_ROOT_DELAY, 4) / 2 + number_at(bytes, FIELD_ROOT_DISPERSION, 4);
    uint64_t age = number_at(bytes, FIELD_TRANSMIT, 8) - number_at(bytes, FIELD_REFERENCE, 8);

    return bytes[0] >> 6 != LEAP_UNKNOWN && bytes[FIELD_STRATUM] <= STRATUM_MAX &&
           distance < DISTANCE_MAX && age >> 63 == 0;
}

enum sntp_result sntp_read_answer(const uint8_t *bytes, size_t count, uint64_t number,
                                  struct sntp_times *times)
{
    struct sntp_times said;
    unsigned version;

    if (count < SNTP_BYTES || (bytes[0] & 7) != MODE_SERVER ||
        number_at(bytes, FIELD_ORIGIN, 8) != number)
        return SNTP_IGNORED;
    version = bytes[0] >> 3 & 7;
    if (version < VERSION_LEAST || version > VERSION)
        return SNTP_IGNORED;
    if (bytes[FIELD_STRATUM] == STRATUM_REFUSAL)
        return refusal(bytes);
    if (!is_set(bytes) || !unix_ns(number_at(bytes, FIELD_RECEIVE, 8), &said.received_ns) ||
        !unix_ns(number_at(bytes, FIELD_TRANSMIT, 8), &said.sent_ns) ||
        said.received_ns > said.sent_ns)
        return SNTP_USELESS;
    *times = said;
    return SNTP_TIME;
}
