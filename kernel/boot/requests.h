// SPDX-License-Identifier: MIT
/* requests.h - the requests in the kernel image with the loader's responses; for bootinfo.c alone. */
#pragma once

#include "lib/format/limine.h"

extern volatile struct limine_requests limine_requests;
