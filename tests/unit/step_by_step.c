// SPDX-License-Identifier: MIT
/* step_by_step.c - see step_by_step.h: with the trap flag set the processor stops after each instruction. */
#include "tests/unit/step_by_step.h"

#include <signal.h>
#include <stdint.h>
#include <string.h>

#include "tests/unit/unit.h"

static const void *watched;
static size_t watched_bytes;
static uint8_t *kept;
static unsigned kept_count, kept_max;

static void look(int)
{
    uint8_t *next = kept + kept_count * watched_bytes;

    if (kept_count < kept_max && memcmp(next - watched_bytes, watched, watched_bytes) != 0) {
        memcpy(next, watched, watched_bytes);
        kept_count++;
    }
}

unsigned step_by_step(void *moments, unsigned room, const void *memory, size_t bytes,
                      void (*run)(void *), void *argument)
{
    struct sigaction action = {.sa_handler = look}, before;

    watched = memory;
    watched_bytes = bytes;
    kept = moments;
    kept_max = room;
    memcpy(kept, memory, bytes);
    kept_count = 1;
    sigaction(SIGTRAP, &action, &before);
    /* The red zone is not ours to push over. */
    __asm__ volatile("subq $128, %%rsp; pushfq; orq $0x100, (%%rsp); popfq; addq $128, %%rsp" ::
                         : "memory", "cc");
    run(argument);
    __asm__ volatile("subq $128, %%rsp; pushfq; andq $~0x100, (%%rsp); popfq; addq $128, %%rsp" ::
                         : "memory", "cc");
    sigaction(SIGTRAP, &before, NULL);
    CHECK(kept_count < room);
    return kept_count;
}
