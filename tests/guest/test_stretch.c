// SPDX-License-Identifier: MIT
/*
 * test_stretch.c - many of everything, made by programs that mean no good: where the kernel goes through somebody
 * else's number, it does so in steps. That each step is short is measured on one core by a kernel that counts
 * (docs/testing.md); here is what comes out.
 */
#include "lib/base/string.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/memory.h"
#include "tests/guest/claim.h"
#include "tests/guest/scene.h"

#define BADGES 40000u
#define CROWD_MAX 900u
#define CROWD_FEW 100u /* on several cores, where each that ends is a round of all cores */
#define COPIES 140000u /* the root of the capability table doubles at 32,768, 65,536 and 131,072 */

/* Threads without a stack: registers that make one system call, and then end the thread. */
__asm__(".text\n"
        "crowd_begin:\n"
        "    syscall\n"
        "    movl $0x4D4E0011, %eax\n" /* sys_thread_destroy(MNOS_SELF) */
        "    xorl %edi, %edi\n"
        "    syscall\n"
        "    ud2\n"
        "crowd_repeat:\n" /* R13 = number, R14 = RDI, R15 = RSI, no deadline; for ever */
        "    movq %r13, %rax\n"
        "    movq %r14, %rdi\n"
        "    movq %r15, %rsi\n"
        "    movq $-1, %r12\n"
        "    syscall\n"
        "    jmp crowd_repeat\n");
extern const char crowd_begin[], crowd_repeat[];
_Static_assert(MNOS_SYS_thread_destroy == 0x4D4E0011 && MNOS_SELF == 0, "the code above says so");

static mnos_cap_t crowd[CROWD_MAX];

static unsigned crowd_size(void)
{
    return core_count() == 1 ? CROWD_MAX : CROWD_FEW;
}

/* Each makes the call with these registers; with `own_cap`, its message has a capability. */
static void crowd_start(struct mnos_registers registers, mnos_cap_t own_cap, uint32_t flags)
{
    struct mnos_thread_params params = {.name = "crowd",
                                        .priority = TEST_PRIORITY + 1,
                                        .affinity = MNOS_AFFINITY_ANY,
                                        .flags = flags | MNOS_THREAD_SUSPENDED};

    registers.rip = (uint64_t)crowd_begin;
    params.registers = registers;
    for (unsigned i = 0; i < crowd_size() && !check_failed(); i++) {
        params.ipc_buffer = ARENA + i * PAGE;
        CHECK_OK(thread_create_raw(MNOS_SELF, &params, &crowd[i]));
        if (own_cap != 0) {
            struct mnos_ipc_buffer *buffer = (struct mnos_ipc_buffer *)params.ipc_buffer;

            buffer->send_caps[0] = own_cap;
            buffer->send_rights[0] = 0xFF;
        }
        if (flags == 0)
            CHECK_OK(sys_thread_wake(crowd[i]));
    }
}

/* Waits until all have ended, and drops what is left of them. */
static void crowd_ends(uint64_t threads_before)
{
    uint64_t deadline = soon();

    while (process_info(MNOS_SELF).thread_count != threads_before && kinfo_time_ns() < deadline)
        sleep_ns(MILLISECOND_NS);
    CHECK_EQ(process_info(MNOS_SELF).thread_count, threads_before);
    for (unsigned i = 0; i < crowd_size(); i++)
        if (crowd[i] != 0)
            cap_drop(crowd[i]);
    memset(crowd, 0, sizeof crowd);
}

/* ---- capabilities ---- */

TEST(stretch, forty_thousand_badges_go_at_once)
{
    mnos_cap_t endpoint = endpoint_new(), others = cap_copy(endpoint, MNOS_RIGHTS_ALL);
    struct message msg = {0};
    uint64_t lives = 0;

    for (uint64_t badge = 1; badge <= BADGES && !check_failed(); badge++)
        (void)cap_mint(others, badge, 0);
    CHECK_OK(sys_cap_inspect(endpoint, MNOS_VIEW_BADGE, 1, &lives)); /* the last to be found */
    CHECK_EQ(lives, 1);
    CHECK_OK(sys_cap_revoke(others));
    CHECK_OK(receive_now(endpoint, &msg));
    CHECK_EQ(msg.badge, 0);
    CHECK(ipc_client_is_gone(endpoint, 0, 1));
    cap_drop(others);
    cap_drop(endpoint);
}

TEST(stretch, a_process_with_forty_thousand_badges_ends)
{
    const struct mnos_process_params params = {.name = "minter",
                                               .frames_quota = 32,
                                               .bytes_quota = 8ull << 20,
                                               .priority_ceiling = TEST_PRIORITY};
    mnos_cap_t endpoint = endpoint_new(), process = 0, given;
    struct message msg = {0};

    CHECK_OK(process_create(&params, &process));
    for (unsigned i = 0; i < BADGES && !check_failed(); i++) {
        mnos_cap_t minted = cap_mint(endpoint, 1 + i, 0);

        CHECK_OK(sys_cap_transfer(process, minted, MNOS_RIGHTS_ALL, &given));
        cap_drop(minted); /* a ghost, until the process ends */
    }
    process_end(process);
    CHECK_OK(receive_now(endpoint, &msg));
    CHECK_EQ(msg.badge, 0);
    cap_drop(endpoint);
}

/* Also: asking for one of them, and dropping what they were derived from. */
TEST(stretch, a_table_grows_to_140_000_capabilities)
{
    mnos_cap_t root = endpoint_new(), middle = cap_copy(root, MNOS_RIGHTS_ALL), last = 0;

    for (unsigned i = 0; i < COPIES && !check_failed(); i++)
        last = cap_copy(middle, 0);
    CHECK(cap_info(middle).child_count > 100);
    CHECK_EQ(cap_info(last).parent_handle, middle);
    cap_drop(middle);
    CHECK_EQ(cap_info(last).parent_handle, root);
    CHECK_OK(sys_cap_revoke(root));
    cap_drop(root);
}

/* ---- messages ---- */

struct hoarder {
    mnos_cap_t endpoint;
    _Atomic unsigned taken;
};

/* Takes calls and answers none. */
static void hoard(void *argument)
{
    struct hoarder *hoarder = argument;
    struct message msg = {0};

    for (;;)
        if (ipc_receive(hoarder->endpoint, &msg, MNOS_DEADLINE_NEVER) == MNOS_OK)
            hoarder->taken++;
}

TEST(stretch, a_server_dies_that_owes_hundreds_of_replies)
{
    struct hoarder hoarder = {.endpoint = endpoint_new()};
    struct thread server;
    uint64_t threads = process_info(MNOS_SELF).thread_count, limit = soon();

    helper_start(&server, hoard, &hoarder);
    crowd_start((struct mnos_registers){.rax = MNOS_SYS_ipc_call,
                                        .rdi = hoarder.endpoint,
                                        .r12 = MNOS_DEADLINE_NEVER},
                0, 0);
    while (hoarder.taken < crowd_size() && kinfo_time_ns() < limit)
        sleep_ns(MILLISECOND_NS);
    CHECK_EQ(hoarder.taken, crowd_size());
    helper_end(&server);
    crowd_ends(threads);
    cap_drop(hoarder.endpoint);
}

/* All of them send more capabilities than are taken, so that each is turned away. */
TEST(stretch, hundreds_of_senders_fail_one_after_the_other)
{
    mnos_cap_t endpoint = endpoint_new();
    uint64_t threads = process_info(MNOS_SELF).thread_count;
    struct message msg = {0};

    crowd_start((struct mnos_registers){.rax = MNOS_SYS_ipc_send,
                                        .rdi = endpoint,
                                        .rsi = MNOS_INFO(0, 0) | MNOS_INFO_CAPS(1),
                                        .r12 = MNOS_DEADLINE_NEVER},
                endpoint, 0);
    for (unsigned i = crowd_size();
         i-- > 0 && !check_failed();) /* the last first: others need no wait then */
        thread_reaches(crowd[i], MNOS_STATE_SENDING);
    CHECK_STATUS(receive_now(endpoint, &msg), MNOS_ERR_DEADLINE);
    crowd_ends(threads);
    cap_drop(endpoint);
}

/* A reply has been delivered when it turns out that all who send are to be turned away. */
TEST(stretch, a_server_that_has_replied_turns_hundreds_away)
{
    mnos_cap_t endpoint = endpoint_new(), answered = endpoint_new();
    uint64_t threads = process_info(MNOS_SELF).thread_count;
    const struct mnos_thread_params caller_params = {.name = "caller",
                                                     .ipc_buffer = ARENA + crowd_size() * PAGE,
                                                     .priority = TEST_PRIORITY + 1,
                                                     .affinity = MNOS_AFFINITY_ANY,
                                                     .registers = {.rip = (uint64_t)crowd_begin,
                                                                   .rax = MNOS_SYS_ipc_call,
                                                                   .rdi = answered,
                                                                   .r12 = MNOS_DEADLINE_NEVER}};
    mnos_cap_t caller = 0;
    struct message msg = {0};
    struct raw_registers regs;

    CHECK_OK(thread_create_raw(MNOS_SELF, &caller_params, &caller));
    CHECK_OK(ipc_receive(answered, &msg, soon()));
    crowd_start((struct mnos_registers){.rax = MNOS_SYS_ipc_send,
                                        .rdi = endpoint,
                                        .rsi = MNOS_INFO(0, 0) | MNOS_INFO_CAPS(1),
                                        .r12 = MNOS_DEADLINE_NEVER},
                endpoint, 0);
    for (unsigned i = crowd_size();
         i-- > 0 && !check_failed();) /* the last first: others need no wait then */
        thread_reaches(crowd[i], MNOS_STATE_SENDING);
    regs = (struct raw_registers){.rdi = msg.reply_id, .r13 = endpoint};
    CHECK_EQ((uint32_t)raw_call(MNOS_SYS_ipc_reply, &regs), MNOS_ERR_DEADLINE);
    crowd_ends(threads);
    cap_drop(caller);
    cap_drop(answered);
    cap_drop(endpoint);
}

#define TROUBLE 40u /* threads that send again and again what nobody takes */
#define CALLS 400u

/* Answers calls with their number plus 1, by the fast path. */
static void answer(void *argument)
{
    struct message msg = {0};

    while (ipc_reply_receive(*(mnos_cap_t *)argument, &msg, MNOS_DEADLINE_NEVER) == MNOS_OK) {
        uint64_t number = msg.words[0] + 1;

        message_put(&msg, MNOS_OK, &number, sizeof number);
    }
}

TEST(stretch, a_server_is_reached_whatever_others_send_meanwhile)
{
    mnos_cap_t endpoint = endpoint_new(), troubles[TROUBLE] = {0};
    struct mnos_thread_params params = {.name = "trouble",
                                        .priority = TEST_PRIORITY,
                                        .affinity = MNOS_AFFINITY_ANY,
                                        .flags = MNOS_THREAD_SUSPENDED,
                                        .registers = {.rip = (uint64_t)crowd_repeat,
                                                      .r13 = MNOS_SYS_ipc_send,
                                                      .r14 = endpoint,
                                                      .r15 = MNOS_INFO_CAPS(1)}};
    uint64_t number = 0;
    struct message msg = {0};
    struct thread server;

    helper_start(&server, answer, &endpoint);
    for (unsigned i = 0; i < TROUBLE; i++) {
        params.ipc_buffer = ARENA + i * PAGE;
        CHECK_OK(thread_create_raw(MNOS_SELF, &params, &troubles[i]));
        ((struct mnos_ipc_buffer *)params.ipc_buffer)->send_caps[0] = endpoint;
        CHECK_OK(sys_thread_wake(troubles[i]));
    }
    for (number = 0; number < CALLS && !check_failed(); number++) {
        message_put(&msg, 0, &number, sizeof number);
        CHECK_OK(ipc_call(endpoint, &msg, soon()));
        CHECK_EQ(msg.words[0], number + 1);
    }
    for (unsigned i = 0; i < TROUBLE; i++) {
        CHECK_OK(sys_thread_destroy(troubles[i]));
        cap_drop(troubles[i]);
    }
    helper_end(&server);
    cap_drop(endpoint);
}

/* ---- threads ---- */

/* A process whose only page, at ARENA, has the code of the crowd. */
static mnos_cap_t crowd_process(mnos_cap_t *code)
{
    const struct mnos_process_params params = {.name = "crowd",
                                               .frames_quota = 2 * CROWD_MAX,
                                               .bytes_quota = 4ull << 20,
                                               .priority_ceiling = TEST_PRIORITY};
    mnos_cap_t process = 0;
    void *copy = NULL;

    *code = memory_new(1);
    CHECK_OK(memory_map(*code, 0, 1, MAP_RW, &copy));
    if (copy == NULL)
        return 0;
    memcpy(copy, crowd_repeat, 32);
    memory_unmap(copy, 1);
    CHECK_OK(process_create(&params, &process));
    CHECK_OK(sys_mem_map(process, *code, ARENA, 0, 1, MNOS_MAP_READ | MNOS_MAP_EXECUTE));
    return process;
}

/* All of them in the queue of one core, which has something better to do. */
TEST(stretch, hundreds_of_ready_threads_are_suspended_at_once)
{
    struct mnos_thread_params params = {.name = "ready",
                                        .priority = TEST_PRIORITY - 1,
                                        .registers = {.rip = ARENA, .r13 = MNOS_SYS_thread_yield}};
    mnos_cap_t code, process = crowd_process(&code);
    uint64_t now;

    for (unsigned i = 0; i < crowd_size() && !check_failed(); i++) {
        params.ipc_buffer = ARENA + (1 + i) * PAGE;
        CHECK_OK(thread_create_raw(process, &params, &crowd[i]));
    }
    CHECK_OK(sys_thread_block(process, 0, &now));
    sleep_ns(MILLISECOND_NS); /* the core looks for somebody else */
    for (unsigned i = 0; i < crowd_size() && !check_failed(); i++)
        thread_reaches(crowd[i], MNOS_STATE_SUSPENDED);
    process_end(process); /* and the threads' capabilities with it */
    memset(crowd, 0, sizeof crowd);
    cap_drop(code);
}

TEST(stretch, hundreds_of_threads_are_listed_and_go_on_at_once)
{
    uint64_t threads = process_info(MNOS_SELF).thread_count, size = 0;

    crowd_start((struct mnos_registers){.rax = MNOS_SYS_thread_yield}, 0, MNOS_THREAD_SUSPENDED);
    CHECK_EQ(process_info(MNOS_SELF).thread_count, threads + crowd_size());
    CHECK_OK(
        sys_cap_inspect(MNOS_SELF, MNOS_VIEW_PROCESS_THREAD, threads + crowd_size() - 1, &size));
    CHECK_STATUS(
        sys_cap_inspect(MNOS_SELF, MNOS_VIEW_PROCESS_THREAD, threads + crowd_size(), &size),
        MNOS_ERR_END);
    for (unsigned i = 0; i < crowd_size() && !check_failed(); i++)
        CHECK_OK(sys_thread_wake(crowd[i]));
    crowd_ends(threads);
}
