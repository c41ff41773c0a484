// SPDX-License-Identifier: MIT
/* string.h - for llhttp: lib/base has what it calls. */
#pragma once

#include "lib/base/string.h"
