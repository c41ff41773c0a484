// SPDX-License-Identifier: MIT
/* stream_fuzz.c - see stream_fuzz.h. */
#include "tests/unit/stream_fuzz.h"

#include "tests/models/ns16550.h"

#define MADE_MAX 8u

static mnos_badge_t made[MADE_MAX]; /* sessions, in the order in which they were handed out */
static unsigned made_count;

static mnos_badge_t client(uint8_t choice)
{
    switch (choice % 4) {
    case 0: return badge_of(1 + choice / 4 % 2);
    case 1: return VISITOR;
    case 2: return FRONT_BADGE_MADE | choice;
    default: return made_count == 0 ? badge_of(1) : made[choice / 4 % MADE_MAX % made_count];
    }
}

static void note_exported(void)
{
    if (exported != 0 && (made_count == 0 || made[(made_count - 1) % MADE_MAX] != exported)) {
        made[made_count % MADE_MAX] = exported;
        made_count = made_count < MADE_MAX ? made_count + 1 : MADE_MAX;
    }
    exported = 0;
}

/* A record of any kind: words with few bits set are what means something. */
static void ask(const uint8_t *step)
{
    uint64_t record[5] = {step[2] & 7, step[2] >> 3 & 1, step[3] & 15, step[3] >> 4, 64};
    uint32_t label = step[1] % 12 == 11 ? SERIAL_STATISTICS : step[1] % 12;
    size_t length = step[3] & 0x80 ? step[3] % sizeof record : sizeof record;
    unsigned caps = label == STREAM_ATTACH ? 3 : label == STREAM_LISTEN ? 1 : step[1] >> 6;

    if (label == STREAM_LISTEN || label == STREAM_ATTACH)
        record[0] |= INPUT_EVENT;
    if (label == STREAM_GIVE_FRONT || label == STREAM_TAKE_FRONT || label == STREAM_WINSIZE) {
        sent_badge = caps == 1 ? client(step[3]) : 0;
        caps = sent_badge != 0 ? 1 : caps;
        record[0] &= 3;
        length = label == STREAM_TAKE_FRONT ? length & 8 : 8;
    }
    if (label == STREAM_WRITE)
        length = step[3] % 32;
    (void)request_caps(client(step[2]), label, record, length, caps, step[2] % 4);
    note_exported();
}

static void happen(const uint8_t *step)
{
    char byte = (char)step[2];

    switch (step[0] % 16) {
    case 0:
    case 1:
        wire_receive(&byte, 1, step[3] == 7 ? LSR_PARITY : 0);
        interrupts();
        break;
    case 2:
        byte = "\x1d\x03\033[8;40tR"[step[2] % 10];
        wire_receive(&byte, 1, 0);
        interrupts();
        break;
    case 3: client_gone(client(step[2])); break;
    case 4: pass_time((uint64_t)step[2] << 20); break;
    case 5: ring_memory[step[1] % 2][(step[1] / 2 % 4) * 64 + step[3] % 9] = step[2]; break;
    case 6:
        wire_send();
        interrupts();
        break;
    case 7:
        if (step[1] > 4)
            break;
        caps_held = 0; /* what a dead process had is gone */
        gone_clients[0] = client(step[2]);
        new_driver();
        gone_clients[0] = 0;
        break;
    case 8: export_fails = (step[1] & 1) != 0; break;
    default: ask(step); break;
    }
}

static void check_invariants(void)
{
    const struct front *front = &driver.state->front;
    const struct byte_queue *queue = &serial_line.uart.received;
    int held = 0;

    CHECK(front_knows(front, front_now(front)));
    for (unsigned i = 0; i < STREAM_CLIENTS_MAX; i++) {
        const struct stream_client *entry = &driver.clients.entries[i];

        held += entry->badge == 0 ? 0 : entry->attached ? 3 : 1;
    }
    CHECK_EQ(held, caps_held);
    CHECK(driver.read_count <= STREAM_READS_MAX && driver.write_count <= STREAM_WRITES_MAX);
    for (unsigned i = 0; i < driver.read_count; i++) {
        mnos_badge_t reader = driver.reads[i].client;

        /* The holder's are of any of its runs. */
        CHECK((reader & FRONT_BADGE_MADE) != 0 ? reader == front_now(front)
                                               : front_now(front) == FRONT_HOLDER);
    }
    CHECK(queue->ready - queue->taken <= queue->put - queue->taken);
    CHECK(driver.scan.at - queue->ready <= queue->put - queue->ready); /* S1 */
    CHECK(byte_queue_used(queue) <= BYTE_QUEUE_ITEMS);
    device.sent_count = 0; /* nobody looks at it */
}

void stream_fuzz(const uint8_t *data, size_t size)
{
    model_begin();
    made_count = 0;
    scene((size & 1) != 0);
    for (size_t at = 0; at + 4 <= size; at += 4) {
        happen(data + at);
        check_invariants();
    }
    for (unsigned i = 0; i < STREAM_CLIENTS_MAX; i++)
        if (driver.clients.entries[i].badge != 0)
            client_gone(driver.clients.entries[i].badge);
    CHECK_EQ(caps_held, 0);
}
