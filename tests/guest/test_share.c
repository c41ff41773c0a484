// SPDX-License-Identifier: MIT
/*
 * test_share.c - how much of a core the interrupts of devices may take: enough for a fast device, and never so much that
 * others starve.
 *
 * tests/guest/run.py runs these once more with `counted` on the command line, where an instruction takes a nanosecond, and
 * with `counted slow`, where it takes 128: only then are times compared. Otherwise they show that it works.
 */
#include <stdatomic.h>

#include "abi/interrupt.h"
#include "lib/mnos/bootstrap.h"
#include "tests/guest/edu.h"
#include "tests/guest/output.h"
#include "tests/guest/scene.h"

#define MESSAGE_LINE (MNOS_MESSAGE_LINE_FIRST + 10)
#define LOWEST_PRIORITY 0

struct scene {
    struct edu edu;
    mnos_cap_t irq, endpoint;
};

static bool is_slow(void)
{
    return bootstrap_has_argument("slow");
}

static bool scene_begin(struct scene *scene)
{
    *scene = (struct scene){
        .irq = cap_range(bootstrap_cap("interrupts"), MNOS_RIGHT_READ | MNOS_RIGHT_WRITE,
                         MESSAGE_LINE, 1),
        .endpoint = endpoint_new(),
    };
    CHECK_OK(sys_thread_control(MNOS_SELF, MNOS_THREAD_AFFINITY, 0));
    return CHECK_OK(sys_irq_bind(scene->irq, scene->endpoint, 1)) && edu_begin(&scene->edu);
}

static void scene_finish(struct scene *scene)
{
    edu_finish(&scene->edu);
    cap_drop(scene->irq);
    cap_drop(scene->endpoint);
    CHECK_OK(sys_thread_control(MNOS_SELF, MNOS_THREAD_AFFINITY, MNOS_AFFINITY_ANY));
}

/* ---- a fast device ---- */

/* 200,000 in a second. */
#define MESSAGES 2000u
#define EVERY_NS 5000u

static _Atomic bool over;
static _Atomic uint64_t lowest_ns; /* of the processor's time */

static void use_what_is_left(void *)
{
    while (!over)
        ;
    lowest_ns = thread_info(MNOS_SELF).cpu_time_ns;
}

struct driver {
    const struct scene *scene;
    _Atomic uint64_t events;
};

/* Takes each event, and asks for the next. */
static void drive(void *argument)
{
    struct driver *driver = argument;
    struct message msg;

    while (ipc_receive(driver->scene->endpoint, &msg, MNOS_DEADLINE_NEVER) == MNOS_OK) {
        driver->events++;
        (void)!sys_irq_ack(driver->scene->irq);
    }
}

/* Makes the device send them, one after the other; how long that took. */
static uint64_t send_messages(const struct scene *scene)
{
    uint64_t begin = kinfo_time_ns();

    for (uint64_t i = 1; i <= MESSAGES; i++) {
        edu_raise(&scene->edu, 1);
        sleep_until(begin + i * EVERY_NS);
    }
    return kinfo_time_ns() - begin;
}

TEST(share, two_hundred_thousand_messages_a_second_pass_and_the_lowest_priority_keeps_a_third)
{
    uint64_t fired = line_fired(MESSAGE_LINE), took_ns;
    struct thread lowest, taker;
    struct driver driver = {0};
    struct scene scene;

    driver.scene = &scene;
    if (is_slow() || !scene_begin(&scene))
        return;
    over = false;
    edu_use_messages(&scene.edu, scene.irq);
    helper_start_at(&taker, drive, &driver, TEST_PRIORITY + 1, 0);
    helper_start_at(&lowest, use_what_is_left, NULL, LOWEST_PRIORITY, 0);
    took_ns = send_messages(&scene);
    fired = line_fired(MESSAGE_LINE) - fired;
    over = true;
    helper_finish(&lowest);
    helper_end(&taker);
    CHECK(driver.events != 0);
    if (is_counted()) {
        print("share: %llu of %u messages in %llu ns, lowest priority %llu ns",
              (unsigned long long)fired, MESSAGES, (unsigned long long)took_ns,
              (unsigned long long)lowest_ns);
        CHECK_EQ(fired, MESSAGES);
        CHECK_EQ(driver.events, MESSAGES);
        CHECK(took_ns <= (MESSAGES + 1) * EVERY_NS);
        CHECK(3 * lowest_ns >= took_ns);
    }
    scene_finish(&scene);
}

/* ---- one that does not stop ---- */

#define LOOPS_NS (20 * MILLISECOND_NS)

/* How often it can ask for an interrupt in the time. */
static uint64_t raise_without_end(const struct scene *scene)
{
    uint64_t end = kinfo_time_ns() + LOOPS_NS, count = 0;

    for (; kinfo_time_ns() < end; count++)
        edu_raise(&scene->edu, 1);
    return count;
}

/* Nobody acknowledges, and the core is there for no other thread: what is missing is what interrupts take. */
TEST(share, interrupts_without_end_leave_a_third_of_the_core_however_slow_it_is)
{
    uint64_t quiet, storm;
    struct scene scene;

    if (!scene_begin(&scene))
        return;
    quiet = raise_without_end(&scene); /* the pin of the device, which is masked */
    edu_clear(&scene.edu);
    edu_use_messages(&scene.edu, scene.irq);
    storm = raise_without_end(&scene);
    CHECK(storm != 0);
    if (is_counted()) {
        print("share: asks %llu times, with interrupts %llu times", (unsigned long long)quiet,
              (unsigned long long)storm);
        CHECK(3 * storm >= quiet);
    }
    scene_finish(&scene);
}
