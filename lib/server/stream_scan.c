// SPDX-License-Identifier: MIT
/* stream_scan - see stream_scan.h. Host tests compile this file. */
#include "lib/server/stream_scan.h"

#define INTERRUPT_KEY 0x03   /* Ctrl-C */
#define LAST_RESORT_KEY 0x1D /* Ctrl-] */
#define LAST_RESORT_COUNT 2u
#define ESCAPE 0x1B
#define NUMBER_MAX 9999u
/* What a place is that a key has not sent: function keys with Shift, Alt and Ctrl are "ESC [ 1 ; 2 R" and the like. The
 * question puts the cursor into the last row first. */
#define ROW_MIN 2u
#define COLUMN_MIN 20u

enum state { GROUND, ESCAPE_SEEN, NUMBERS };

bool scan_keeps(const struct scan *scan, const struct byte_queue *queue)
{
    return scan->at != queue->ready;
}

void scan_let_go(struct scan *scan, struct byte_queue *queue)
{
    queue->ready = scan->at;
    scan->state = GROUND;
}

/* The first key of last resort may have been taken already, when it was the last that came: who takes it and changes the front
 * would keep the second from being one. */
void scan_again(struct scan *scan, struct byte_queue *queue, struct scan_keys keys)
{
    if (!keys.last_resort || scan->at != queue->taken)
        scan->last_resort = 0;
    scan->at = queue->ready = queue->taken;
    scan->state = GROUND;
}

/* The items from `first` up to the one that is looked at go. */
static void cut(struct scan *scan, struct byte_queue *queue, uint32_t first)
{
    uint32_t count = scan->at - first;

    for (uint32_t i = scan->at; i != queue->put; i++)
        queue->items[(i - count) % BYTE_QUEUE_ITEMS] = queue->items[i % BYTE_QUEUE_ITEMS];
    queue->put -= count;
    scan->at = queue->ready = first;
    scan->state = GROUND;
}

/* What the sequence means that has ended with this byte. */
static enum scan_found sequence_end(const struct scan *scan, uint16_t item,
                                    struct scan_answer *answer)
{
    const unsigned *numbers = scan->numbers;

    if (item == 't' && scan->last == 2 && numbers[0] == 8) {
        *answer = (struct scan_answer){.rows = numbers[1], .columns = numbers[2]};
        return SCAN_SIZE;
    }
    if (item == 'R' && scan->last == 1 && numbers[0] >= ROW_MIN && numbers[1] >= COLUMN_MIN) {
        *answer = (struct scan_answer){.rows = numbers[0], .columns = numbers[1]};
        return SCAN_PLACE;
    }
    return SCAN_NOTHING;
}

/* Whether the item goes on with a sequence that an answer may become. */
static bool goes_on(struct scan *scan, uint16_t item)
{
    unsigned *number = &scan->numbers[scan->last];

    if (scan->state == ESCAPE_SEEN) {
        if (item != '[')
            return false;
        scan->state = NUMBERS;
        scan->last = 0;
        scan->numbers[0] = 0;
        return true;
    }
    if (item >= '0' && item <= '9') {
        *number = *number * 10 + item - '0';
        return *number <= NUMBER_MAX;
    }
    if (item != ';' || scan->last + 1 == SCAN_NUMBERS)
        return false;
    scan->numbers[++scan->last] = 0;
    return true;
}

/* The item at `at` - 1, which is no key of ours. */
static enum scan_found look(struct scan *scan, struct byte_queue *queue, uint16_t item,
                            struct scan_answer *answer)
{
    enum scan_found found;

    if (scan->state == NUMBERS) {
        found = sequence_end(scan, item, answer);
        if (found != SCAN_NOTHING) {
            cut(scan, queue, queue->ready);
            return found;
        }
    }
    if (scan->state != GROUND && goes_on(scan, item))
        return SCAN_NOTHING;
    scan_let_go(scan, queue);
    if (scan->expects && item == ESCAPE) {
        queue->ready--;
        scan->state = ESCAPE_SEEN;
    }
    return SCAN_NOTHING;
}

static enum scan_found look_for_keys(struct scan *scan, struct byte_queue *queue, uint16_t item,
                                     struct scan_keys keys)
{
    bool resort = keys.last_resort && item == LAST_RESORT_KEY;

    scan->last_resort = resort ? scan->last_resort + 1 : 0;
    if (scan->last_resort != LAST_RESORT_COUNT && !(keys.interrupt && item == INTERRUPT_KEY))
        return SCAN_NOTHING;
    scan_let_go(scan, queue);
    scan->last_resort = 0;
    return resort ? SCAN_LAST_RESORT : SCAN_INTERRUPT;
}

enum scan_found scan_next(struct scan *scan, struct byte_queue *queue, struct scan_keys keys,
                          struct scan_answer *answer)
{
    while (scan->at != queue->put) {
        uint16_t item = queue->items[scan->at++ % BYTE_QUEUE_ITEMS];
        enum scan_found found = look_for_keys(scan, queue, item, keys);

        if (found == SCAN_NOTHING)
            found = look(scan, queue, item, answer);
        if (found != SCAN_NOTHING)
            return found;
    }
    return SCAN_NOTHING;
}
