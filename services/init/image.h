// SPDX-License-Identifier: MIT
/*
 * image.h - which image has been booted: an ID of kernel and RAM disk, which the build has put into the RAM disk (tools/mkimageid.py).
 */
#pragma once

#include "services/init/archive.h"

/* Logs it, and that the kernel is not the one that it was made with. */
void image_log(const struct archive *archive);
