// SPDX-License-Identifier: MIT
/*
 * guest.h - the framework of the tests that run as the init process: a test is a sentence, a scene and
 * checks.
 *
 *   TEST(endpoint, a_message_of_33_bytes_arrives_whole)
 *   {
 *       ...
 *       CHECK_OK(ipc_send(endpoint, &msg, soon()));
 *       CHECK_EQ(msg.length, 33);
 *       CHECK_FAILS(sys_cap_delete(0), MNOS_ERR_HANDLE, 1, 0);
 *   }
 *
 * The first failed check of a test is its reason; the test goes on, so a scene must survive a failure,
 * and every wait has a deadline. After each test the account of the process has to be what it was: a
 * test that leaves capabilities, memory or threads behind fails.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "abi/types.h"

struct guest_test {
    const char *suite;
    const char *sentence;
    void (*run)(void);
};

/* Tests are found by their section; no list names them. */
#define TEST(suite_name, sentence_name)                                                            \
    static void test_##suite_name##_##sentence_name(void);                                         \
    __attribute__((                                                                                \
        section("guest_tests"), used,                                                              \
        aligned(8))) static const struct guest_test entry_##suite_name##_##sentence_name = {       \
        #suite_name, #sentence_name, test_##suite_name##_##sentence_name};                         \
    static void test_##suite_name##_##sentence_name(void)

/* All return whether the check held. */
bool check(bool ok, const char *text, const char *file, int line);
bool check_eq(uint64_t left, uint64_t right, const char *text, const char *file, int line);
bool check_ok(mnos_status_t status, const char *text, const char *file, int line);
/* Compares the status and the details that the last system call of this thread left. */
bool check_fails(mnos_status_t status, mnos_status_t wanted, unsigned argument, unsigned detail,
                 const char *text, const char *file, int line);
/* Whether the running test has failed: loops end early. */
bool check_failed(void);

/* For who runs tests: before each; a failure of its own (false); why the first check failed. */
void check_begin(void);
__attribute__((format(printf, 3, 4))) bool check_fail(const char *file, int line,
                                                      const char *format, ...);
const char *check_reason(void);

#define CHECK(condition) check((condition), #condition, __FILE__, __LINE__)
#define CHECK_EQ(left, right)                                                                      \
    check_eq((uint64_t)(left), (uint64_t)(right), #left " == " #right, __FILE__, __LINE__)
#define CHECK_OK(call) check_ok((call), #call, __FILE__, __LINE__)
#define CHECK_STATUS(call, status) check_eq((call), (status), #call, __FILE__, __LINE__)
/* `argument` and `detail` (missing rights, or type found) as in abi/types.h; 0: none. */
#define CHECK_FAILS(call, status, argument, detail)                                                \
    check_fails((call), (status), (argument), (detail), #call, __FILE__, __LINE__)
