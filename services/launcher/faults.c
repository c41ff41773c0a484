// SPDX-License-Identifier: MIT
/* faults - see faults.h. */
#include "services/launcher/faults.h"

#include "lib/format/bytes.h"
#include "lib/mnos/heap.h"
#include "lib/mnos/layout.h"
#include "lib/mnos/memory.h"
#include "lib/mnos/time.h"
#include "lib/server/fault_report.h"

#define WORD_BYTES 8u

void faults_take(struct programs *programs, struct message *message)
{
    for (unsigned i = 0; i < PROGRAMS_ENTRIES; i++) {
        struct program *at = &programs->entries[i];

        /* Of several threads the first: others fault before they notice. */
        if (at->state != PROGRAM_RUNNING || message->badge != (FAULTS_BADGE | at->order) ||
            at->fault != NULL)
            continue;
        at->fault = heap_allocate(sizeof *at->fault);
        if (at->fault == NULL)
            break; /* it ends all the same, and nobody is told more */
        *at->fault = (struct launcher_fault){.time_ns = kinfo_time_ns()};
        message_get(message, &at->fault->what, sizeof at->fault->what);
    }
    message_put(message, MNOS_OK, NULL, 0); /* no MNOS_FAULT_ label: it is not handled */
}

static bool can_be_code(uint64_t address)
{
    return (address >= LAYOUT_PROGRAM_LOWEST && address < LAYOUT_PROGRAM_END) ||
           (address >= LAYOUT_PERSONALITY && address < LAYOUT_PERSONALITY_END);
}

static void take_words(struct launcher_fault *fault, const uint8_t *stack, uint64_t bytes)
{
    for (uint64_t at = 0; at < bytes && fault->word_count < LAUNCHER_FAULT_WORDS;
         at += WORD_BYTES) {
        uint64_t word = bytes_get(stack + at, WORD_BYTES);

        if (can_be_code(word))
            fault->words[fault->word_count++] = word;
    }
}

void faults_look(struct program *program)
{
    const struct process *process = &program->process;
    struct launcher_fault *fault = program->fault;
    uint64_t bytes = process->stack_pages * MNOS_PAGE_BYTES, offset = 0;
    void *stack;

    if (fault == NULL)
        return; /* it came to nobody */
    fault->stack_pages = (uint32_t)process->stack_pages;
    fault->stack_address = LAYOUT_STACK_TOP - bytes;
    bytes = fault_stack_part(fault->what.registers.rsp, fault->stack_address, bytes, &offset);
    if (bytes == 0 || memory_map(process->memory, process->filled_pages, process->stack_pages,
                                 MNOS_MAP_READ, &stack) != MNOS_OK)
        return;
    take_words(fault, (const uint8_t *)stack + offset, bytes);
    memory_unmap(stack, process->stack_pages);
}

mnos_status_t faults_answer(const struct program *program, struct message *reply)
{
    if (program->state != PROGRAM_ENDED || program->fault == NULL)
        return MNOS_ERR_STATE;
    message_put(reply, MNOS_OK, program->fault, sizeof *program->fault);
    return MNOS_OK;
}

void faults_forget(struct program *program)
{
    heap_free(program->fault);
    program->fault = NULL;
}
