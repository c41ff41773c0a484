// SPDX-License-Identifier: MIT
/* absent.h - the service on a machine without a screen: whoever asks is told that there is no terminal, as if it were stopped. */
#pragma once

#include "abi/types.h"

/* Returns when requests cannot be received any more, and why. */
mnos_status_t absent_serve(mnos_cap_t endpoint);
