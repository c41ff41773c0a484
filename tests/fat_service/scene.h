// SPDX-License-Identifier: MIT
/* scene.h - an image that somebody damaged is mounted, read and written to, for tests/fuzz/fat.c. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* `changes` are records: a number of one of the blocks that hold something, a place in it, each of two bytes, and a
 * value. The image stays. */
void scene_damaged(const uint8_t *image, size_t image_bytes, const uint8_t *changes, size_t bytes);
