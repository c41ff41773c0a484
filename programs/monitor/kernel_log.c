// SPDX-License-Identifier: MIT
/*
 * kernel_log - the command log: copies lines out of the kernel's log ring while the kernel goes on writing. Nothing tells
 * a reader that there is more, so who follows looks now and then.
 */
#include "abi/log.h"

#include <stdatomic.h>
#include <stdint.h>

#include "lib/base/string.h"
#include "programs/monitor/command.h"
#include "programs/monitor/console.h"
#include "programs/monitor/log_line.h"
#include "programs/monitor/machine.h"

#define CHUNK_BYTES 2048
#define LONGEST_LINE 512 /* longer than the kernel makes them */
#define FOLLOW_NS 100000000ull

/* Acquire pairs with the kernel's release: the bytes are there before the count says so. */
static uint64_t written_bytes(const struct mnos_log *log)
{
    return atomic_load_explicit((const _Atomic uint64_t *)&log->written, memory_order_acquire);
}

static uint64_t oldest_byte(const struct mnos_log *log, uint64_t written)
{
    return written > log->capacity ? written - log->capacity : 0;
}

/* Copies bytes from position `at`; returns how many, and moves `at` over what was overwritten. */
static size_t copy_chunk(const struct mnos_log *log, uint64_t *at, uint64_t end, char *out)
{
    size_t count = end - *at < CHUNK_BYTES ? (size_t)(end - *at) : CHUNK_BYTES;
    uint64_t oldest, lost;

    for (size_t i = 0; i < count; i++)
        out[i] = log->data[(*at + i) & (log->capacity - 1)];
    oldest = oldest_byte(log, written_bytes(log));
    lost = oldest > *at ? oldest - *at : 0;
    if (lost >= count) {
        *at = lost > end - *at ? end : oldest;
        return 0;
    }
    memmove(out, out + lost, count - (size_t)lost);
    *at += count;
    return count - (size_t)lost;
}

/* ---- Lines ---- */

/* What is read from the ring, from `at` on. */
struct reading {
    const struct mnos_log *log;
    uint64_t at;
    struct log_filter filter;
    size_t length; /* of `line` */
    bool any;      /* a line was shown */
    bool broken;   /* the beginning of the line is missing */
    char line[LONGEST_LINE];
};

static void take_byte(struct reading *reading, char byte)
{
    if (reading->length < LONGEST_LINE)
        reading->line[reading->length++] = byte;
    if (byte != '\n')
        return;
    if (!reading->broken && log_line_passes(&reading->filter, reading->line, reading->length - 1)) {
        console_write(reading->line, reading->length);
        reading->any = true;
    }
    reading->broken = false;
    reading->length = 0;
}

/* All that is there by now. */
static void show(struct reading *reading)
{
    static char chunk[CHUNK_BYTES];
    uint64_t end = written_bytes(reading->log);

    while (reading->at < end) {
        uint64_t expected = reading->at;
        size_t count = copy_chunk(reading->log, &reading->at, end, chunk);

        if (reading->at - count != expected) {
            reading->broken = true;
            reading->length = 0;
        }
        for (size_t i = 0; i < count; i++)
            take_byte(reading, chunk[i]);
    }
}

/* The words are in any order. */
static bool read_words(const struct words *words, struct log_filter *filter, bool *follow)
{
    for (unsigned i = 1; i < words->count; i++) {
        const char *word = words->word[i];
        char level = log_level_of(word);

        if (strcmp(word, "-f") == 0 && !*follow) {
            *follow = true;
        } else if (level != 0 && filter->level == 0) {
            filter->level = level;
        } else if (word[0] != '-' && level == 0 && filter->name == NULL) {
            filter->name = word;
        } else {
            console_print("log: \"%s\" is one too many, or nothing that log knows; help log\n",
                          word);
            return false;
        }
    }
    return true;
}

/* Nothing printed would leave open whether there is nothing, or the name is another. */
static void say_none(const struct log_filter *filter)
{
    bool named = filter->name != NULL;

    console_print("log: no line%s%s%s is there%s\n", filter->level != 0 ? " of that level" : "",
                  named ? " about " : "", named ? filter->name : "",
                  named ? "; ps and services list names" : "");
}

void command_log(const struct words *words)
{
    static struct reading reading;
    const struct mnos_log *log;
    bool follow = false;

    reading = (struct reading){0};
    if (!read_words(words, &reading.filter, &follow))
        return;
    log = machine_memory(BOOTSTRAP_OPTIONAL("log"), "log");
    if (log == NULL)
        return;
    if (log->magic != MNOS_LOG_MAGIC || log->capacity == 0 ||
        (log->capacity & (log->capacity - 1)) != 0) {
        console_print("log: the capability \"log\" holds no log\n");
        return;
    }
    reading.log = log;
    reading.at = oldest_byte(log, written_bytes(log));
    reading.broken = reading.at != 0; /* the first line may have lost its beginning */
    show(&reading);
    if (!reading.any)
        say_none(&reading.filter);
    if (!follow)
        return;
    while (console_pause(FOLLOW_NS))
        show(&reading);
    console_print("^C\n");
}
