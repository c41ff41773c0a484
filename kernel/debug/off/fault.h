// SPDX-License-Identifier: MIT
/* fault.h - release build: phases do not fail on request. See debug/on/fault.h. */
#pragma once

static inline void debug_provoke_fault(unsigned phase)
{
    (void)phase;
}
