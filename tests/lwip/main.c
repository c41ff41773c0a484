// SPDX-License-Identifier: MIT
/*
 * main - runs lwIP's own tests with our options, our patches and our checksum, and prints one line for each. They are
 * written for the library `check`, which runs each in a process of its own. docs/testing.md says what is left out, and why.
 */
#include "lwip_check.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "core/test_def.h"
#include "core/test_netif.h"
#include "core/test_pbuf.h"
#include "dhcp/test_dhcp.h"
#include "etharp/test_etharp.h"
#include "ip4/test_ip4.h"
#include "ip6/test_ip6.h"
#include "lwip/init.h"
#include "lwip/netif.h"
#include "lwip/stats.h"
#include "tcp/test_tcp.h"
#include "tcp/test_tcp_oos.h"
#include "tcp/test_tcp_state.h"
#include "test_hostile.h"
#include "test_steps.h"
#include "udp/test_udp.h"

static suite_getter_fn *const suites[] = {
    def_suite, pbuf_suite, netif_suite,   etharp_suite,    ip4_suite,   ip6_suite,    dhcp_suite,
    udp_suite, tcp_suite,  tcp_oos_suite, tcp_state_suite, steps_suite, hostile_suite};
#define SUITES (sizeof suites / sizeof suites[0])
/* Of this machine, for one test: the library's own 4 seconds are not enough on a busy one. */
#define TEST_S 300

/* Tests of the suites that cannot be run with our options. */
static const char *const left_out[] = {
    /* They count frames before an address is announced, which happens at once here, and later where it is asked first
     * whether somebody has it (LWIP_ACD). */
    "test_dhcp",
    "test_dhcp_nak",
};
#define LEFT_OUT (sizeof left_out / sizeof left_out[0])

/* ---- What the tests ask of their runner ---- */

static bool is_left_out(const char *name)
{
    for (size_t i = 0; i < LEFT_OUT; i++)
        if (strcmp(name, left_out[i]) == 0)
            return true;
    return false;
}

/* A case of its own for each test, of its name: results tell only that of the case. */
Suite *create_suite(const char *name, testfunc *tests, size_t count, SFun setup, SFun teardown)
{
    Suite *suite = suite_create(name);

    for (size_t i = 0; i < count; i++) {
        TCase *one;

        if (is_left_out(tests[i]->name))
            continue;
        one = tcase_create(tests[i]->name);
        tcase_add_checked_fixture(one, setup, teardown);
        tcase_add_test(one, tests[i]);
        tcase_set_timeout(one, TEST_S);
        suite_add_tcase(suite, one);
    }
    return suite;
}

void lwip_check_ensure_no_alloc(unsigned int skip)
{
    for (unsigned i = 0; i < MEMP_MAX; i++)
        if ((skip & 1u << i) == 0)
            ck_assert_msg(lwip_stats.memp[i]->used == 0, "%u of pool %u are still in use",
                          (unsigned)lwip_stats.memp[i]->used, i);
}

/* There are no threads, and so nothing that one has been asked to do. */
int tcpip_thread_poll_one(void)
{
    return 0;
}

/* ---- What lwIP asks of its port: see services/net/port.c ---- */

uint32_t port_random(void)
{
    return (uint32_t)rand();
}

void port_assert(const char *text, const char *file, int line)
{
    ck_abort_msg("%s (%s:%d)", text, file, line);
    abort();
}

/* ---- The run ---- */

/* What the library `check` has at the end is its own. */
const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
    return "detect_leaks=0";
}

int main(void)
{
    SRunner *runner = srunner_create(suites[0]());
    TestResult **results;
    int count, failed;

    for (size_t i = 1; i < SUITES; i++)
        srunner_add_suite(runner, suites[i]());
    lwip_init();
    netif_list->rs_count = 0; /* of loopback, which has no router to ask: loopback_open() */
    srunner_run_all(runner, CK_SILENT);
    results = srunner_results(runner);
    count = srunner_ntests_run(runner);
    failed = srunner_ntests_failed(runner);
    for (int i = 0; i < count; i++) {
        if (tr_rtype(results[i]) == CK_PASS)
            printf("ok %s\n", tr_tcname(results[i]));
        else
            printf("FAIL %s: line %d, %s\n", tr_tcname(results[i]), tr_lno(results[i]),
                   tr_msg(results[i]));
    }
    printf("%d passed, %d failed\n", count - failed, failed);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
