// SPDX-License-Identifier: MIT
/* dns_fuzz - see dns_fuzz.h. */
#include "tests/unit/dns_fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "lib/format/net/dns.h"

static void must(bool holds)
{
    if (!holds)
        abort();
}

/* As the answer to the question for addresses of one family. */
static void read_as(const uint8_t *data, size_t size, bool v6)
{
    struct dns_answer answer, again;
    uint8_t question[DNS_QUESTION_BYTES],
        *bytes = malloc(size + 2); /* what is behind it is nobody's */
    enum dns_result result;
    size_t asked = dns_write_question(question, DNS_FUZZ_ID, DNS_FUZZ_NAME, v6);

    must(bytes != NULL);
    bytes[0] = DNS_FUZZ_ID >> 8;
    bytes[1] = DNS_FUZZ_ID & 255;
    if (size != 0)
        memcpy(bytes + 2, data, size);
    result = dns_read_answer(bytes, size + 2, DNS_FUZZ_ID, DNS_FUZZ_NAME, v6, &answer);
    must(answer.count <= DNS_ADDRESSES);
    must((result == DNS_FOUND) == (answer.count != 0));
    must(result != DNS_FOUND || answer.ttl_s <= INT32_MAX);
    /* D1: what does not repeat the question is nothing, whoever sends it. */
    if (result != DNS_IGNORED) {
        must(size + 2 >= asked && (bytes[2] & 0x80) != 0);
        must(dns_read_answer(bytes, size + 2, DNS_FUZZ_ID + 1, DNS_FUZZ_NAME, v6, &again) ==
             DNS_IGNORED);
        must(dns_read_answer(bytes, size + 2, DNS_FUZZ_ID, "w" DNS_FUZZ_NAME, v6, &again) ==
             DNS_IGNORED);
        must(dns_read_answer(bytes, asked - 1, DNS_FUZZ_ID, DNS_FUZZ_NAME, v6, &again) ==
             DNS_IGNORED);
    }
    must(dns_read_answer(bytes, size + 2, DNS_FUZZ_ID, DNS_FUZZ_NAME, v6, &again) == result);
    must(memcmp(&answer, &again, sizeof answer) == 0);
    for (uint32_t i = 0; i < answer.count; i++)
        must(ip_is_v4(answer.addresses[i]) == !v6);
    free(bytes);
}

void dns_fuzz(const uint8_t *data, size_t size)
{
    read_as(data, size, false);
    read_as(data, size, true);
}
