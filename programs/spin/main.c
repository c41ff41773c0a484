// SPDX-License-Identifier: MIT
/*
 * main - computes without end, to show that a busy program gets what the others leave, and that
 * it can be ended from outside.
 */
#include "lib/mnos/log.h"

int main(void)
{
    log_line("computes until it is killed");
    for (;;)
        __asm__ volatile("pause");
}
