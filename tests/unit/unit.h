/* SPDX-License-Identifier: MIT */
/*
 * unit.h - the framework of the host tests: a test is a sentence, a scene and checks.
 *
 *   TEST(endpoint, receiver_takes_the_highest_priority_sender)
 *   {
 *       ...
 *       CHECK_EQ(count, 3);
 *       EXPECT_PANIC(endpoint_destroy(NULL));
 *   }
 *
 * Every test runs in a process of its own: it finds the kernel's global state as it is at start-up,
 * and a crash or an endless loop fails that test alone. A failed check is reported and the test
 * goes on. The two arguments of a comparison are evaluated once.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct unit_test {
    const char *group;
    const char *name;
    void (*run)(void);
    struct unit_test *next;
};

void unit_register(struct unit_test *test);
void unit_check(bool ok, const char *text, const char *file, int line);
void unit_check_eq(uint64_t left, uint64_t right, const char *text, const char *file, int line);
void unit_check_ptr(const void *left, const void *right, const char *text, const char *file,
                    int line);
void unit_check_str(const char *left, const char *right, const char *text, const char *file,
                    int line);

/* True in a child process that is to panic; the parent waits for it and then gets false. */
bool unit_panic_begin(const char *text, const char *file, int line);
_Noreturn void unit_panic_missed(void);

/* What assert() and panic() of the kernel call in host builds; ends the process. */
_Noreturn void host_panic(const char *message);

#define TEST(group, name)                                                                          \
    static void test_##group##_##name(void);                                                       \
    __attribute__((constructor)) static void register_##group##_##name(void)                       \
    {                                                                                              \
        static struct unit_test test = {#group, #name, test_##group##_##name, 0};                  \
        unit_register(&test);                                                                      \
    }                                                                                              \
    static void test_##group##_##name(void)

#define CHECK(condition) unit_check((condition), #condition, __FILE__, __LINE__)
#define CHECK_EQ(left, right)                                                                      \
    unit_check_eq((uint64_t)(left), (uint64_t)(right), #left " == " #right, __FILE__, __LINE__)
#define CHECK_PTR_EQ(left, right)                                                                  \
    unit_check_ptr((left), (right), #left " == " #right, __FILE__, __LINE__)
#define CHECK_STR_EQ(left, right)                                                                  \
    unit_check_str((left), (right), #left " == " #right, __FILE__, __LINE__)

/* The statement must panic. It runs in a child process, so it has no effect on what follows. */
#define EXPECT_PANIC(statement)                                                                    \
    do {                                                                                           \
        if (unit_panic_begin(#statement, __FILE__, __LINE__)) {                                    \
            statement;                                                                             \
            unit_panic_missed();                                                                   \
        }                                                                                          \
    } while (0)
