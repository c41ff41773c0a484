// SPDX-License-Identifier: MIT
/* arch_switch.h - the name under which portable code includes this machine's switch.h. */
#pragma once

#include "arch/x86_64/cpu/switch.h"
