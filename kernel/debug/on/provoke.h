// SPDX-License-Identifier: MIT
/* provoke.h - debug build: the command line word fault=N makes phase N fail, to test the panic report. */
#pragma once

void debug_provoke_fault(unsigned phase);
