// SPDX-License-Identifier: MIT
/* thread_segment.h - of lx: the program owns FS, so lx finds what is its own by GS. */
#pragma once

#define THREAD_SEGMENT "gs"
