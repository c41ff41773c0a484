// SPDX-License-Identifier: MIT
/* power.h - labels of the power protocol; what they mean is in power.def. */
#pragma once

enum power_request {
#define REQUEST(label, name, class, request, reply, text) POWER_##name = (label),
#include "protocols/power.def"
#undef REQUEST
};
