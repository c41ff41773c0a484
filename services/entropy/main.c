// SPDX-License-Identifier: MIT
/* main - random numbers: the generator, and who waits for its seed. See README.md. */
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/ipc.h"
#include "lib/mnos/log.h"
#include "lib/mnos/time.h"
#include "lib/server/alive.h"
#include "protocols/entropy.h"
#include "services/entropy/seed.h"

#define WAITING_MAX 64u

enum { EXIT_RECEIVE = 1 };

static struct random generator;
static uint32_t waits_left; /* 0: the generator has its seed */
static uint64_t waiting[WAITING_MAX];
static uint32_t waiting_count;

/* As a message that is answered. */
static void draw(struct message *message)
{
    struct entropy_bytes answer;

    random_draw(&generator, answer.bytes, sizeof answer.bytes);
    message_put(message, MNOS_OK, &answer, sizeof answer);
    memset(&answer, 0, sizeof answer);
}

static void answer_waiting(void)
{
    for (uint32_t i = 0; i < waiting_count; i++) {
        struct message message = {.reply_id = waiting[i]};

        draw(&message);
        (void)!ipc_reply(&message); /* a client that is gone has no use for it */
    }
    waiting_count = 0;
}

/* A wait has ended. Only one that ended by its time counts: when a message comes is somebody's to choose. */
static void end_wait(bool by_time)
{
    seed_from_time(&generator, tsc_read());
    if (by_time && waits_left != 0 && --waits_left == 0) {
        log_line("seeded by %u waits: the processor has no instruction for it", SEED_WAITS);
        answer_waiting();
    }
}

static void handle(struct message *message)
{
    alive_answer(message);
    if (message->kind != MNOS_KIND_MESSAGE || message->reply_id == 0) {
        *message = (struct message){0};
        return;
    }
    message_refuse_caps(message);
    message->cap_count = 0;
    if (message->label != ENTROPY_GET) {
        message_put(message, MNOS_ERR_LABEL, NULL, 0);
    } else if (waits_left == 0) {
        draw(message);
    } else if (waiting_count < WAITING_MAX) {
        waiting[waiting_count++] = message->reply_id;
        *message = (struct message){0};
    } else {
        message_put(message, MNOS_ERR_AGAIN, NULL, 0);
    }
}

static mnos_status_t serve(void)
{
    mnos_cap_t endpoint = bootstrap_cap("requests");
    struct message message = {0};

    for (;;) {
        uint64_t deadline = waits_left == 0 ? MNOS_DEADLINE_NEVER : deadline_after_ns(SEED_WAIT_NS);
        mnos_status_t status = ipc_reply_receive(endpoint, &message, deadline);

        if (status != MNOS_OK && status != MNOS_ERR_DEADLINE)
            return status;
        end_wait(status == MNOS_ERR_DEADLINE);
        if (status == MNOS_OK)
            handle(&message);
        else
            message = (struct message){0};
    }
}

int main(void)
{
    seed_from_time(&generator, kinfo_time_ns());
    if (!seed_from_processor(&generator))
        waits_left = SEED_WAITS;
    log_error(serve(), "receive a request");
    return EXIT_RECEIVE;
}
