// SPDX-License-Identifier: MIT
/* lent - lib/mnos/lent.h for lx, whose upcall knows the instructions that may fault (fault.c): no vector register is used. */
#include "lib/mnos/lent.h"

#include "personality/linux/lx/lx.h"

/* entry.S */
size_t lx_user_copy(void *to, const void *from, size_t bytes);

mnos_status_t lent_begin(void)
{
    return MNOS_OK;
}

void *lent_copy(void *to, const void *from, size_t bytes)
{
    return lx_user_copy(to, from, bytes) == 0 ? to : NULL;
}

uint64_t lent_word(const uint64_t *from)
{
    uint64_t word;

    return lx_user_copy(&word, from, sizeof word) == 0 ? word : 0;
}
