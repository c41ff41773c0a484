// SPDX-License-Identifier: MIT
/*
 * test_storm.c - devices that ask for interrupts without end, and drivers that help them: everybody else
 * gets on. How much of the core is left to them is in test_share.c.
 */
#include <stdatomic.h>

#include "abi/interrupt.h"
#include "lib/driver/ports.h"
#include "lib/mnos/bootstrap.h"
#include "tests/guest/edu.h"
#include "tests/guest/scene.h"

/* A storm lasts at least so long, and until all that is to happen during it has happened. What would
 * never happen when the storm starves it ends the test at soon(); how fast the host is decides nothing. */
#define STORM_NS (300 * MILLISECOND_NS)
#define PROGRESS_MIN 10000
#define DEADLINES_MIN 20
#define EVENTS_MIN 3
#define RAISE_PAUSE 500

#define MESSAGE_LINE (MNOS_MESSAGE_LINE_FIRST + 9)

/* The timer of the PC, Intel 8254: channel 0 is wired to line 2. */
#define PIT_LINE 2
#define PIT_PORT 0x40
#define PIT_PORTS 4
#define PIT_RATE_GENERATOR 0x34 /* channel 0, two bytes of period */
#define PIT_ONE_SHOT 0x30       /* and the line stays where it is */
#define PIT_PERIOD 12           /* about 100,000 in a second */
/* An edge that nobody acknowledges is masked when it has come so often. */
#define FIRED_MAX 16

static _Atomic bool over;
static struct edu edu;

struct driver {
    mnos_cap_t irq, endpoint;
    _Atomic uint64_t events;
    uint64_t events_min; /* what it has to get; 0: nobody acknowledges */
};

/* ---- everybody else: on the core that takes the interrupts, no better than the hostile driver ---- */

static _Atomic uint64_t progress;

static void count(void *)
{
    while (!over)
        progress++;
}

static bool all_got_on(const struct driver *driver, uint64_t deadlines)
{
    return progress >= PROGRESS_MIN && deadlines >= DEADLINES_MIN &&
           driver->events >= driver->events_min;
}

static void others_get_on(const struct driver *driver)
{
    uint64_t begin = kinfo_time_ns(), limit = soon();
    struct thread counter;
    uint64_t deadlines = 0;

    progress = 0;
    helper_start_at(&counter, count, NULL, TEST_PRIORITY - 1, 0);
    while (kinfo_time_ns() < begin + STORM_NS ||
           (!all_got_on(driver, deadlines) && kinfo_time_ns() < limit)) {
        sleep_ns(MILLISECOND_NS);
        deadlines++;
    }
    over = true;
    helper_finish(&counter);
    CHECK(progress >= PROGRESS_MIN);
    CHECK(deadlines >= DEADLINES_MIN);
    CHECK(driver->events >= driver->events_min);
}

/* ---- hostile drivers ---- */

/* Takes every event at once and asks for the next. */
static void acknowledge(void *argument)
{
    struct driver *driver = argument;
    struct message msg;

    while (!over) {
        if (ipc_receive(driver->endpoint, &msg, kinfo_time_ns() + MILLISECOND_NS) == MNOS_OK)
            driver->events++;
        (void)!sys_irq_ack(driver->irq);
    }
}

/* The pause leaves the emulator time to see to its other cores. */
static void raise_for_ever(void *)
{
    while (!over) {
        edu_raise(&edu, 1);
        for (volatile unsigned i = 0; i < RAISE_PAUSE; i++)
            ;
    }
}

static void driver_begin(struct driver *driver, uint64_t line)
{
    *driver = (struct driver){
        .irq = cap_range(bootstrap_cap("interrupts"), MNOS_RIGHT_READ | MNOS_RIGHT_WRITE, line, 1),
        .endpoint = endpoint_new(),
    };
    over = false;
    CHECK_OK(sys_irq_bind(driver->irq, driver->endpoint, 1));
}

static void driver_finish(struct driver *driver)
{
    cap_drop(driver->irq);
    cap_drop(driver->endpoint);
}

/* ---- messages ---- */

/* A driver makes its device send messages as fast as it can, from the last core; another thread of it
 * acknowledges them or nobody does. */
static void check_messages(bool acknowledged)
{
    struct thread raiser, acknowledger = {0};
    uint32_t last = core_count() - 1;
    struct driver driver;

    if (!edu_begin(&edu))
        return;
    driver_begin(&driver, MESSAGE_LINE);
    edu_use_messages(&edu, driver.irq);
    helper_start_at(&raiser, raise_for_ever, NULL, TEST_PRIORITY - 1, last);
    if (acknowledged) {
        driver.events_min = EVENTS_MIN;
        helper_start_at(&acknowledger, acknowledge, &driver, TEST_PRIORITY - 1, last);
    }
    others_get_on(&driver);
    helper_finish(&raiser);
    helper_finish(&acknowledger);
    driver_finish(&driver);
    edu_finish(&edu);
}

TEST(storm, messages_that_nobody_acknowledges)
{
    check_messages(false);
}

TEST(storm, messages_that_are_acknowledged_at_once)
{
    check_messages(true);
}

/* ---- levels ---- */

/* Without waiting for the event. */
static void acknowledge_blindly(void *argument)
{
    struct driver *driver = argument;

    while (!over)
        driver->events += sys_irq_ack(driver->irq) == MNOS_OK;
}

/* The cause stays, so the line fires whenever it is acknowledged: by a driver on another core, at once. */
TEST(storm, a_level_that_is_acknowledged_at_once_and_stays)
{
    struct thread acknowledger;
    struct driver driver;

    if (!edu_begin(&edu))
        return;
    driver_begin(&driver, edu.pin_line);
    driver.events_min = EVENTS_MIN;
    edu_use_messages(&edu, 0);
    edu_raise(&edu, 1);
    helper_start_at(&acknowledger, acknowledge_blindly, &driver, TEST_PRIORITY - 1,
                    core_count() - 1);
    others_get_on(&driver);
    helper_finish(&acknowledger);
    edu_clear(&edu);
    driver_finish(&driver);
    edu_finish(&edu);
}

/* ---- edges ---- */

static mnos_cap_t pit_start(void)
{
    mnos_cap_t ports =
        cap_range(bootstrap_cap("ports"), MNOS_RIGHT_READ | MNOS_RIGHT_WRITE, PIT_PORT, PIT_PORTS);

    if (CHECK_OK(sys_mem_map(MNOS_SELF, ports, 0, 0, PIT_PORTS, MAP_RW))) {
        port_write8(PIT_PORT + 3, PIT_RATE_GENERATOR);
        port_write8(PIT_PORT, PIT_PERIOD);
        port_write8(PIT_PORT, 0);
    }
    return ports;
}

static void pit_stop(mnos_cap_t ports)
{
    port_write8(PIT_PORT + 3, PIT_ONE_SHOT);
    cap_drop(ports);
}

/* Waits until the line has fired as often as it does before it is masked, and sees that it is. */
static void check_masked(uint64_t fired, mnos_cap_t endpoint)
{
    uint64_t limit = soon();

    while (line_fired(PIT_LINE) - fired < FIRED_MAX - 1 && kinfo_time_ns() < limit)
        sleep_ns(MILLISECOND_NS / 5);
    CHECK(no_event_comes(endpoint));
    CHECK(line_fired(PIT_LINE) - fired >= FIRED_MAX - 1);
    CHECK(line_fired(PIT_LINE) - fired < 2 * FIRED_MAX);
}

TEST(storm, an_edge_that_nobody_acknowledges_is_masked_and_not_lost)
{
    uint64_t fired = line_fired(PIT_LINE);
    struct driver driver;
    mnos_cap_t pit;

    driver_begin(&driver, PIT_LINE);
    pit = pit_start();
    event_comes(driver.endpoint, 1);
    for (unsigned i = 0; i < 5; i++) {
        check_masked(fired, driver.endpoint);
        fired = line_fired(PIT_LINE);
        CHECK_OK(sys_irq_ack(driver.irq));
        event_comes(driver.endpoint, 1);
    }
    check_masked(fired, driver.endpoint);
    pit_stop(pit);
    CHECK(no_event_comes(driver.endpoint));
    CHECK_OK(sys_irq_ack(driver.irq)); /* of those that came before it was stopped */
    event_comes(driver.endpoint, 1);
    CHECK_OK(sys_irq_ack(driver.irq));
    CHECK(no_event_comes(driver.endpoint));
    driver_finish(&driver);
}

TEST(storm, edges_that_are_acknowledged_at_once)
{
    struct thread acknowledger;
    struct driver driver;
    mnos_cap_t pit;

    driver_begin(&driver, PIT_LINE);
    driver.events_min = EVENTS_MIN;
    pit = pit_start();
    helper_start_at(&acknowledger, acknowledge, &driver, TEST_PRIORITY - 1, core_count() - 1);
    others_get_on(&driver);
    helper_finish(&acknowledger);
    pit_stop(pit);
    driver_finish(&driver);
}
