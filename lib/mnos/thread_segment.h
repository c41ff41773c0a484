// SPDX-License-Identifier: MIT
/* thread_segment.h - the segment register whose base is the thread's IPC buffer. Code that leaves FS to others has a
 * header of this name of its own (personality/linux/lx/native). */
#pragma once

#define THREAD_SEGMENT "fs"
