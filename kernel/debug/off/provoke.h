// SPDX-License-Identifier: MIT
/* provoke.h - release build: phases do not fail on request. See debug/on/provoke.h. */
#pragma once

static inline void debug_provoke_fault(unsigned phase)
{
    (void)phase;
}
