// SPDX-License-Identifier: MIT
/*
 * scratch.h - variables of which no call finds what another one has left there: a copy of the process has zeros in their place
 * (fork.c). They are static as they would not fit the stack, and one thread is in lx at a time.
 */
#pragma once

#define LX_SCRATCH __attribute__((section(".bss..scratch")))
