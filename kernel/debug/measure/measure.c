// SPDX-License-Identifier: MIT
/* measure.c - see measure.h. */
#include "measure.h"

#include <stddef.h>
#include <stdint.h>

#include "arch/arch.h"
#include "arch/x86_64/report/symbols.h"
#include "core.h"
#include "lib/base/printf.h"
#include "lib/base/string.h"
#include "base/log.h"

#define KEPT 64
#define TOLD_MIN 2000 /* shorter ones are not worth a line */
#define CALLERS 3
#define STACK_WORDS 512
#define WHERE_BYTES 160
#define IS_VECTOR (1ull << 62) /* in `what` */

struct stretch {
    uint64_t instructions;
    uint64_t what; /* number of a system call, or vector and IS_VECTOR */
    uint64_t
        callers[CALLERS]; /* addresses on the stack at its end, the innermost first; 0: no more */
};

/* Of measure.inc. */
uint64_t measure_begun, measure_what, measure_kept;
uint64_t measure_stack[STACK_WORDS] __attribute__((aligned(16)));
extern char measure_stack_end[];
__asm__(".globl measure_stack_end\n.set measure_stack_end, measure_stack + 512 * 8");

static struct stretch longest[KEPT]; /* the longest first */

void measure_look(void);

/* There are no frame pointers: whatever on the stack is an address in the kernel's text may be a caller. */
static void find_callers(struct stretch *stretch)
{
    const uint64_t *word = __builtin_frame_address(0), *end = this_core()->kernel_stack_top;
    unsigned found = 0;
    uint64_t offset;

    if ((uintptr_t)word >= (uintptr_t)measure_stack &&
        (uintptr_t)word < (uintptr_t)measure_stack_end)
        return; /* an exit: nothing is left of the stack */
    for (; word < end && found < CALLERS; word++)
        if (symbol_find(*word, &offset) != NULL && offset != 0)
            stretch->callers[found++] = *word;
}

static int same_place(const struct stretch *a, const struct stretch *b)
{
    return a->what == b->what && memcmp(a->callers, b->callers, sizeof(a->callers)) == 0;
}

/* Only the longest of each place is kept. */
static void keep(const struct stretch *stretch)
{
    unsigned at = 0;

    while (at < KEPT - 1 && !same_place(&longest[at], stretch))
        at++;
    if (longest[at].instructions >= stretch->instructions)
        return;
    for (; at > 0 && longest[at - 1].instructions < stretch->instructions; at--)
        longest[at] = longest[at - 1];
    longest[at] = *stretch;
}

void measure_look(void)
{
    struct stretch stretch = {.instructions = arch_cycles() - measure_begun, .what = measure_what};

    if (measure_what != 0 && stretch.instructions > longest[KEPT - 1].instructions) {
        find_callers(&stretch);
        keep(&stretch);
    }
    measure_begun = arch_cycles();
}

uint64_t measure_pause(void)
{
    return arch_cycles();
}

void measure_go_on(uint64_t paused)
{
    measure_begun += arch_cycles() - paused;
}

static void describe(const struct stretch *stretch, char *text)
{
    size_t length = 0;
    uint64_t offset;

    text[0] = '\0';
    for (unsigned i = 0; i < CALLERS && stretch->callers[i] != 0 && length < WHERE_BYTES; i++)
        length += (size_t)mnos_snprintf(text + length, WHERE_BYTES - length, " %s",
                                        symbol_find(stretch->callers[i], &offset));
}

/* Programs may call by any number. */
static int is_vector(const struct stretch *stretch)
{
    return (stretch->what & ~(uint64_t)UINT8_MAX) == IS_VECTOR;
}

void measure_report(void)
{
    char where[WHERE_BYTES];

    for (unsigned i = 0; i < KEPT && longest[i].instructions >= TOLD_MIN; i++) {
        describe(&longest[i], where);
        log_info(
            "measured %lu instructions, %s 0x%lx, until%s", (unsigned long)longest[i].instructions,
            is_vector(&longest[i]) ? "vector" : "call",
            (unsigned long)(is_vector(&longest[i]) ? longest[i].what & UINT8_MAX : longest[i].what),
            where[0] == '\0' ? " exit" : where);
    }
    measure_begun = arch_cycles(); /* this itself is not measured */
}
