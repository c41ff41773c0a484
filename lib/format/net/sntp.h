// SPDX-License-Identifier: MIT
/*
 * sntp.h - questions for the time and their answers, as bytes of RFC 4330 (SNTP), of which RFC 5905 says more. Plain
 * data; what comes from outside may be any bytes.
 *
 * E1  An answer counts only if it repeats the number that its question was sent with, whatever else it says, a refusal
 *     too: who has not seen the question cannot answer it. Anything else is ignored, as if it had not come.
 * E2  A question says nothing of who asks: that number is where the asker's time would stand, and all else is 0.
 * E3  A time counts only if it lies between SNTP_FIRST_S and SNTP_LAST_S. Servers count seconds in 32 bits, which begin
 *     anew on 7 February 2036; a number means the first second from SNTP_FIRST_S on that has it. What a server says that
 *     has lost its clock (1970, 1980, 2000) is beyond the last then.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define SNTP_BYTES 48u
#define SNTP_PORT 123u
/* In seconds since 1970: the beginnings of 2025 and 2100. */
#define SNTP_FIRST_S 1735689600ll
#define SNTP_LAST_S 4102444800ll

enum sntp_result {
    SNTP_IGNORED, /* E1 */
    SNTP_TIME,
    SNTP_USELESS, /* the server does not know the time, or what it says cannot be */
    SNTP_SLOWER,  /* it is asked too often */
    SNTP_REFUSED, /* it does not want to be asked any more */
};

/* When the server got the question and sent the answer, in nanoseconds since 1970; the first is not later. */
struct sntp_times {
    int64_t received_ns, sent_ns;
};

/* `number` is not 0, and nobody foretells it. */
void sntp_write_question(uint8_t out[SNTP_BYTES], uint64_t number);
/* `times` is set with SNTP_TIME alone. */
enum sntp_result sntp_read_answer(const uint8_t *bytes, size_t count, uint64_t number,
                                  struct sntp_times *times);
