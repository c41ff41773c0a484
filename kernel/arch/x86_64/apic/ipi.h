// SPDX-License-Identifier: MIT
/* ipi.h - the receiving side of requests between cores; asking is in arch.h. */
#pragma once

#include <stdbool.h>

/* Does what other cores have asked of this one. */
void ipi_serve(void);
/* True once some core panics: an NMI then means to halt. */
bool ipi_stopping(void);
