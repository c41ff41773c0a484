// SPDX-License-Identifier: MIT
/* test_dns - questions for names and their answers: what counts, what is ignored, and damaged answers without number. */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "lib/format/net/dns.h"
#include "tests/unit/dns_fuzz.h"

#define ROUNDS 200000u

static uint8_t message[1024];
static size_t bytes;
#define TYPE_AAAA 28u

static struct dns_answer answer;
static bool v6; /* the question is for addresses of IPv6 */

static void put(const void *data, size_t count)
{
    memcpy(message + bytes, data, count);
    bytes += count;
}

static void put_name(const char *name)
{
    while (*name != 0) {
        uint8_t count = (uint8_t)strcspn(name, ".");

        put(&count, 1);
        put(name, count);
        name += count + (name[count] == '.');
    }
    put("", 1);
}

/* An answer to the question of dns_fuzz.h, with so many records to follow. */
static void begin(uint8_t rcode, uint8_t records)
{
    bytes = dns_write_question(message, DNS_FUZZ_ID, DNS_FUZZ_NAME, v6);
    message[2] |= 0x80;
    message[3] = rcode;
    message[7] = records;
}

static void put_record(const char *owner, uint8_t type, uint8_t ttl_s, const char *target)
{
    size_t length;

    if (owner == NULL)
        put("\xC0\x0C", 2); /* a pointer to the name of the question */
    else
        put_name(owner);
    put((const uint8_t[]){0, type, 0, 1, 0, 0, 0, ttl_s}, 8);
    length = bytes;
    bytes += 2;
    if (target == NULL && type == TYPE_AAAA)
        put("\x20\x01\x0D\xB8\0\0\0\0\0\0\0\0\0\0\0\x05", 16);
    else if (target == NULL)
        put("\x0A\0\x02\x02", 4);
    else
        put_name(target);
    message[length] = 0;
    message[length + 1] = (uint8_t)(bytes - length - 2);
}

static enum dns_result read(void)
{
    return dns_read_answer(message, bytes, DNS_FUZZ_ID, DNS_FUZZ_NAME, v6, &answer);
}

TEST(dns, names_of_hosts_are_made_plain_and_others_are_none)
{
    static const char *const bad[] = {"",     ".", "a..b", ".a", "a b", "a/b", "\xC3\xA4.org",
                                      "a:80", "*"};
    char name[DNS_NAME_BYTES], longest[300];

    CHECK(dns_name_clean("WWW.Example.org.", name));
    CHECK_STR_EQ(name, "www.example.org");
    CHECK(dns_name_clean("a_b-1", name));
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK(!dns_name_clean(bad[i], name));
    memset(longest, 'a', sizeof longest);
    longest[64] = 0;
    CHECK(!dns_name_clean(longest, name));
    for (unsigned i = 0; i < 253; i++)
        longest[i] = i % 2 == 0 ? 'a' : '.';
    longest[253] = 0;
    CHECK(dns_name_clean(longest, name));
    memcpy(longest + 253, ".a", 3);
    CHECK(!dns_name_clean(longest, name));
}

TEST(dns, a_name_is_inside_of_its_ends_at_points)
{
    CHECK(dns_name_inside("example.org", "example.org"));
    CHECK(dns_name_inside("www.example.org", "example.org"));
    CHECK(dns_name_inside("www.example.org", "*"));
    CHECK(!dns_name_inside("badexample.org", "example.org"));
    CHECK(!dns_name_inside("example.org", "www.example.org"));
    CHECK(!dns_name_inside("example.org.net", "example.org"));
}

TEST(dns, addresses_of_the_name_are_found)
{
    begin(0, 3);
    put_record(NULL, 1, 60, NULL);
    put_record("www.EXAMPLE.org", 1, 30, NULL);
    put_record("other.org", 1, 1, NULL);
    CHECK_EQ(read(), DNS_FOUND);
    CHECK_EQ(answer.count, 2);
    CHECK(ip_equal(answer.addresses[0], IP_V4(0x0A000202)));
    CHECK_EQ(answer.ttl_s, 30);
    message[7] = 4; /* one more than there are */
    CHECK_EQ(read(), DNS_IGNORED);
    begin(0, 20);
    for (unsigned i = 0; i < 20; i++)
        put_record(NULL, 1, 60, NULL);
    CHECK_EQ(read(), DNS_FOUND);
    CHECK_EQ(answer.count, DNS_ADDRESSES);
}

TEST(dns, addresses_of_ipv6_are_found_where_they_were_asked_for)
{
    v6 = true;
    begin(0, 2);
    put_record(NULL, 1, 60, NULL);
    put_record(NULL, TYPE_AAAA, 30, NULL);
    CHECK_EQ(read(), DNS_FOUND);
    CHECK_EQ(answer.count, 1);
    CHECK(ip_equal(answer.addresses[0], (struct ip_address){0x20010DB800000000, 5}));
    CHECK_EQ(answer.ttl_s, 30);
    /* One that stands for an address of IPv4 is none. */
    memset(message + bytes - 16, 0, 12);
    message[bytes - 6] = message[bytes - 5] = 0xFF;
    CHECK_EQ(read(), DNS_NOTHING);
    v6 = false;
    CHECK_EQ(read(), DNS_IGNORED); /* it repeats another question */
    begin(0, 1);
    put_record(NULL, TYPE_AAAA, 30, NULL);
    CHECK_EQ(read(), DNS_NOTHING);
}

TEST(dns, aliases_lead_on_in_whatever_order_they_come_and_a_circle_of_them_ends)
{
    begin(0, 3);
    put_record("third.net", 1, 60, NULL);
    put_record("second.net", 5, 9, "third.net");
    put_record(NULL, 5, 50, "second.net");
    CHECK_EQ(read(), DNS_FOUND);
    CHECK_EQ(answer.count, 1);
    CHECK_EQ(answer.ttl_s, 9);
    begin(0, 2);
    put_record(NULL, 5, 9, "second.net");
    put_record("second.net", 5, 9, DNS_FUZZ_NAME);
    CHECK_EQ(read(), DNS_NOTHING);
    begin(0, 1); /* of a name that nobody asked for */
    put_record("second.net", 1, 9, NULL);
    CHECK_EQ(read(), DNS_NOTHING);
}

TEST(dns, an_answer_that_was_cut_says_what_is_in_it_and_not_what_there_is_not)
{
    begin(0, 1);
    message[2] |= 2;
    put_record(NULL, 5, 60, "far.example");
    CHECK_EQ(read(), DNS_REFUSED);
    begin(0, 1);
    message[2] |= 2;
    put_record(NULL, 1, 60, NULL);
    CHECK_EQ(read(), DNS_FOUND);
    begin(3, 0);
    message[2] |= 2;
    CHECK_EQ(read(), DNS_NOTHING);
}

TEST(dns, what_does_not_repeat_the_question_is_ignored)
{
    begin(0, 1);
    put_record(NULL, 1, 60, NULL);
    CHECK_EQ(read(), DNS_FOUND);
    CHECK_EQ(dns_read_answer(message, bytes, DNS_FUZZ_ID + 1, DNS_FUZZ_NAME, v6, &answer),
             DNS_IGNORED);
    CHECK_EQ(dns_read_answer(message, bytes, DNS_FUZZ_ID, "example.org", v6, &answer), DNS_IGNORED);
    message[2] &= 0x7F; /* a question */
    CHECK_EQ(read(), DNS_IGNORED);
    begin(0, 0);
    message[5] = 2;
    CHECK_EQ(read(), DNS_IGNORED);
    begin(0, 0);
    message[bytes - 1] = 3; /* another class */
    CHECK_EQ(read(), DNS_IGNORED);
    begin(3, 0);
    CHECK_EQ(read(), DNS_NOTHING);
    begin(2, 0);
    CHECK_EQ(read(), DNS_REFUSED);
}

TEST(dns, an_answer_is_ignored_at_each_length_that_is_not_all_of_it)
{
    begin(0, 2);
    put_record(NULL, 5, 60, "second.net");
    put_record("second.net", 1, 60, NULL);
    for (size_t i = 0; i < bytes; i++)
        CHECK_EQ(dns_read_answer(message, i, DNS_FUZZ_ID, DNS_FUZZ_NAME, v6, &answer), DNS_IGNORED);
    CHECK_EQ(read(), DNS_FOUND);
}

TEST(dns, damaged_answers_do_no_harm)
{
    uint8_t whole[sizeof message];
    size_t count;

    begin(0, 3);
    put_record(NULL, 5, 60, "second.net");
    put_record("second.net", 1, 60, NULL);
    put_record(NULL, 1, 60, NULL);
    memcpy(whole, message, count = bytes);
    srandom(1);
    for (unsigned round = 0; round < ROUNDS; round++) {
        memcpy(message, whole, count);
        for (long i = random() % 4; i >= 0; i--)
            message[2 + (size_t)random() % (count - 2)] = (uint8_t)random();
        dns_fuzz(message + 2, random() % 2 != 0 ? count - 2 : (size_t)random() % (count - 1));
    }
}
