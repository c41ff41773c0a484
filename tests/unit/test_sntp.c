// SPDX-License-Identifier: MIT
/* test_sntp - answers of time servers: what counts, what is ignored, both eras; and what becomes of the clock by them. */
#include "tests/unit/unit.h"

#include <string.h>

#include "lib/format/net/sntp.h"
#include "services/sntp/keep.c"

#define S 1000000000ll
#define NUMBER 0x123456789ABCDEF1ull
#define UNIX_AT 2208988800ull
#define NOW 1790000000ull /* September 2026 */
#define ROUNDS 200000u

static uint8_t message[SNTP_BYTES + 20];
static struct sntp_times times;

static void put(unsigned at, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        message[at + i] = (uint8_t)(value >> (8 * (bytes - 1 - i)));
}

static uint64_t stamp(uint64_t unix_s)
{
    return (unix_s + UNIX_AT) << 32;
}

/* As a server of the second stratum answers that got it at that time and sent it half a second later. */
static void good(uint64_t unix_s)
{
    memset(message, 0, sizeof message);
    message[0] = 4 << 3 | 4;
    message[1] = 2;
    put(4, 1 << 16, 4);
    put(8, 1 << 15, 4);
    put(16, stamp(unix_s - 60), 8);
    put(24, NUMBER, 8);
    put(32, stamp(unix_s), 8);
    put(40, stamp(unix_s) + (1ull << 31), 8);
}

static enum sntp_result read(void)
{
    return sntp_read_answer(message, SNTP_BYTES, NUMBER, &times);
}

TEST(sntp, a_question_says_nothing_but_its_number)
{
    uint8_t question[SNTP_BYTES], zeros[SNTP_BYTES] = {0};

    sntp_write_question(question, NUMBER);
    CHECK_EQ(question[0], 0x23); /* version 4, of a client */
    CHECK_EQ(memcmp(question + 1, zeros, 39), 0);
    CHECK_EQ(memcmp(question + 40, "\x12\x34\x56\x78\x9A\xBC\xDE\xF1", 8), 0);
}

TEST(sntp, an_answer_says_when_it_came_and_left)
{
    good(NOW);
    CHECK_EQ(read(), SNTP_TIME);
    CHECK_EQ(times.received_ns, (int64_t)NOW * S);
    CHECK_EQ(times.sent_ns, (int64_t)NOW * S + S / 2);
    CHECK_EQ(sntp_read_answer(message, sizeof message, NUMBER, &times), SNTP_TIME); /* with a MAC */
}

TEST(sntp, seconds_begin_anew_in_2036_and_mean_the_time_from_2025_on)
{
    static const uint64_t right[] = {SNTP_FIRST_S + 60, 2085978495, 2085978496, 2085978556,
                                     SNTP_LAST_S - 1};

    for (unsigned i = 0; i < sizeof right / sizeof right[0]; i++) {
        good(right[i]);
        CHECK_EQ(read(), right[i] == 2085978496 ? SNTP_USELESS : SNTP_TIME);
        if (right[i] != 2085978496)
            CHECK_EQ(times.received_ns, (int64_t)right[i] * S);
    }
    good(2085978496); /* whose first moment is all zeros, which says nothing; the next does */
    put(32, 1, 8);
    CHECK_EQ(read(), SNTP_TIME);
    CHECK_EQ(times.received_ns, 2085978496 * S);
}

TEST(sntp, times_of_servers_that_have_lost_theirs_are_none)
{
    static const int64_t wrong[] = {0, 315532800, 946684800, SNTP_FIRST_S - 1, SNTP_LAST_S};

    for (unsigned i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        good((uint64_t)wrong[i]);
        CHECK_EQ(read(), SNTP_USELESS);
    }
}

TEST(sntp, who_has_not_seen_the_question_is_not_heard)
{
    static const uint8_t heads[] = {4 << 3 | 3, 4 << 3 | 5, 4 << 3, 2 << 3 | 4, 5 << 3 | 4};

    for (unsigned bit = 0; bit < 64; bit++) {
        good(NOW);
        put(24, NUMBER ^ 1ull << bit, 8);
        CHECK_EQ(read(), SNTP_IGNORED);
        message[1] = 0; /* nor is a refusal */
        memcpy(message + 12, "DENY", 4);
        CHECK_EQ(read(), SNTP_IGNORED);
    }
    for (unsigned i = 0; i < sizeof heads; i++) {
        good(NOW);
        message[0] = heads[i];
        CHECK_EQ(read(), SNTP_IGNORED);
    }
    good(NOW);
    for (size_t count = 0; count < SNTP_BYTES; count++)
        CHECK_EQ(sntp_read_answer(message, count, NUMBER, &times), SNTP_IGNORED);
}

TEST(sntp, refusals_say_why)
{
    static const struct {
        const char *word;
        enum sntp_result result;
    } words[] = {{"RATE", SNTP_SLOWER},
                 {"DENY", SNTP_REFUSED},
                 {"RSTR", SNTP_REFUSED},
                 {"INIT", SNTP_USELESS},
                 {"\0\0\0", SNTP_USELESS}};

    for (unsigned i = 0; i < sizeof words / sizeof words[0]; i++) {
        good(NOW);
        message[1] = 0;
        memcpy(message + 12, words[i].word, 4);
        CHECK_EQ(read(), words[i].result);
    }
}

TEST(sntp, a_server_that_is_not_set_knows_no_time)
{
    good(NOW);
    message[0] |= 3 << 6; /* its clock is not set */
    CHECK_EQ(read(), SNTP_USELESS);
    good(NOW);
    message[1] = 16;
    CHECK_EQ(read(), SNTP_USELESS);
    good(NOW);
    put(8, 16 << 16, 4); /* 16 s from the truth */
    CHECK_EQ(read(), SNTP_USELESS);
    good(NOW);
    put(4, UINT32_MAX, 4);
    CHECK_EQ(read(), SNTP_USELESS);
    good(NOW);
    put(16, stamp(NOW + 60), 8); /* it was set after it has answered */
    CHECK_EQ(read(), SNTP_USELESS);
    good(NOW);
    put(40, stamp(NOW - 1), 8); /* it answered before it was asked */
    CHECK_EQ(read(), SNTP_USELESS);
    for (unsigned at = 32; at <= 40; at += 8) {
        good(NOW);
        put(at, 0, 8);
        CHECK_EQ(read(), SNTP_USELESS);
    }
}

TEST(sntp, of_any_bytes_what_counts_is_a_time_that_can_be)
{
    uint64_t random = 1;
    unsigned taken = 0;

    for (unsigned i = 0; i < ROUNDS; i++) {
        good(NOW);
        for (unsigned k = 0; k < 4; k++) {
            random = random * 6364136223846793005ull + 1442695040888963407ull;
            message[(random >> 33) % SNTP_BYTES] = (uint8_t)(random >> 56);
        }
        if (read() != SNTP_TIME)
            continue;
        taken++;
        CHECK(times.received_ns <= times.sent_ns && times.received_ns >= SNTP_FIRST_S * S &&
              times.sent_ns < SNTP_LAST_S * S);
    }
    CHECK(taken > 1000);
}

/* ---- The clock ---- */

TEST(sntp, half_of_the_way_is_there_and_half_back)
{
    struct keep keep = {0};
    int64_t boot_ns = 0;

    /* Asked at 10 s, answered at 11 s, of which the server had it for 0.5 s: it came there at 10.25 s. */
    times = (struct sntp_times){(int64_t)NOW * S, (int64_t)NOW * S + S / 2};
    CHECK_EQ(keep_take(&keep, &times, 10 * S, 11 * S, &boot_ns), KEEP_TAKEN);
    CHECK_EQ(boot_ns, (int64_t)NOW * S - 10 * S - S / 4);
    CHECK_EQ(keep_take(&keep, &times, 10 * S, 10 * S + S / 4, &boot_ns), KEEP_IMPOSSIBLE);
}

TEST(sntp, the_first_time_may_be_any_and_later_ones_are_near_it)
{
    struct keep keep = {0};
    int64_t boot_ns = 5, first_ns;

    times = (struct sntp_times){(int64_t)NOW * S, (int64_t)NOW * S};
    CHECK_EQ(keep_take(&keep, &times, 0, 0, &boot_ns), KEEP_TAKEN);
    first_ns = boot_ns;
    times.received_ns = times.sent_ns = first_ns + 1000 * S + 1;
    CHECK_EQ(keep_take(&keep, &times, 0, 0, &boot_ns), KEEP_TOO_FAR);
    times.received_ns = times.sent_ns = first_ns - 1000 * S - 1;
    CHECK_EQ(keep_take(&keep, &times, 0, 0, &boot_ns), KEEP_TOO_FAR);
    CHECK_EQ(boot_ns, first_ns);
    times.received_ns = times.sent_ns = first_ns - 1000 * S;
    CHECK_EQ(keep_take(&keep, &times, 0, 0, &boot_ns), KEEP_TAKEN);
    CHECK_EQ(boot_ns, first_ns - 1000 * S);
}

TEST(sntp, questions_come_less_often_while_they_are_of_no_use)
{
    struct keep keep = {0};
    uint64_t wanted_ns = KEEP_PAUSE_FIRST_NS;

    for (unsigned i = 0; i < 20; i++, wanted_ns *= 2) {
        wanted_ns = wanted_ns < KEEP_PAUSE_BAD_NS ? wanted_ns : KEEP_PAUSE_BAD_NS;
        CHECK_EQ(keep_pause_bad(&keep), wanted_ns);
    }
    CHECK_EQ(keep_pause_good(&keep), KEEP_PAUSE_GOOD_NS);
    CHECK_EQ(keep_pause_bad(&keep), KEEP_PAUSE_FIRST_NS);
    CHECK_EQ(keep_pause_longer(&keep), 2 * KEEP_PAUSE_FIRST_NS);
    for (unsigned i = 0; i < 40; i++)
        (void)keep_pause_longer(&keep);
    CHECK_EQ(keep_pause_longer(&keep), KEEP_PAUSE_MAX_NS);
    CHECK_EQ(keep_pause_good(&keep), KEEP_PAUSE_MAX_NS); /* it is not forgotten */
    CHECK_EQ(keep_pause_bad(&keep), KEEP_PAUSE_MAX_NS);
}
